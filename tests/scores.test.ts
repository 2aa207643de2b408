import test from 'ava'
import { bleu, chrf, pairedBootstrap } from '#ts/index.js'
import { refusal } from './refusals.js'

const references = ['the cat sat on the mat', 'there is a small house', 'it rains today']

test('BLEU and chrF are those of sacreBLEU, signature and all', async (t) => {
  const perfect = await bleu(references, references)
  t.true(Math.abs(perfect.score - 100) < 1e-9)
  t.regex(perfect.signature, /tok:13a/)
  const worse = await bleu(['the cat sat on a mat', 'there was a house', 'it rains'], references)
  t.true(worse.score > 0 && worse.score < 100 && worse.precisions.length === 4)
  t.true(Math.abs((await chrf(references, references)).score - 100) < 1e-9)
})

test('a paired bootstrap says how sure a difference is, the same each time', async (t) => {
  const worse = ['the cat', 'a house', 'it rains today']
  const result = await pairedBootstrap(worse, references, references, { resamples: 100 })
  t.true(result.difference.score > 0 && result.difference.lower <= result.difference.upper && result.wins > 0.5)
  t.deepEqual(await pairedBootstrap(worse, references, references, { resamples: 100 }), result)
  t.is((await pairedBootstrap(worse, references, references, { metric: 'chrf', resamples: 10, seed: 1 })).resamples, 10)
})

test('lists that do not pair up are refused', async (t) => {
  const { fields } = await refusal(t, 'ERR_ARGUMENT', () => bleu(['a'], []))
  t.deepEqual(fields, { metric: 'BLEU', counts: { hypotheses: 1, references: 0 } })
  await refusal(t, 'ERR_ARGUMENT', () => chrf([], []))
  await refusal(t, 'ERR_ARGUMENT', () => bleu('a' as never, 'a' as never))
  await refusal(t, 'ERR_ARGUMENT', () => bleu([1] as never, ['a']))
  await refusal(t, 'ERR_ARGUMENT', () => pairedBootstrap(['a'], ['a'], ['a'], { resamples: 0 }))
  await refusal(t, 'ERR_ARGUMENT', () => pairedBootstrap(['a'], ['a'], ['a'], { resamples: 1e12 }))
  await refusal(t, 'ERR_ARGUMENT', () => pairedBootstrap(['a'], ['a'], ['a'], { metric: 'blue' } as never))
})
