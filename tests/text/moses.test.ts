import test from 'ava'
import { Moses } from '#ts/index.js'
import { refusal } from '../refusals.js'

test('lines are parted into tokens and put together again', (t) => {
  const english = Moses.of('en')
  const text = `It's the "well-known" [case] of Dr. Smith & Co.`
  const tokens = 'It &apos;s the &quot; well-known &quot; &#91; case &#93; of Dr. Smith &amp; Co .'
  t.deepEqual(english.tokenize([text, '']), [tokens, ''])
  t.deepEqual(english.detokenize([tokens]), [text])
  t.deepEqual(Moses.of('de', { aggressiveHyphens: true, escape: false }).tokenize(['E-Mails z.B. am 3. Mai.']), ['E @-@ Mails z.B. am 3. Mai .'])
  t.deepEqual(Moses.of('de').normalize(['„Ja“ – sagte er… ( so )']), ['"Ja" - sagte er... (so)'])
})

test('languages, options and lines are refused by name', async (t) => {
  for (const language of ['ja', 'cs', 'German', '', 1]) t.regex((await refusal(t, 'ERR_ARGUMENT', () => Moses.of(language as never))).message, /language/)
  await refusal(t, 'ERR_CONFIG', () => Moses.of('de', { agressiveHyphens: true } as never))
  for (const lines of ['text', [1], undefined]) await refusal(t, 'ERR_ARGUMENT', () => Moses.of('de').tokenize(lines as never))
})
