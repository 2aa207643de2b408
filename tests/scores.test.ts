import test from 'ava'
import { bleu, chrf, pairedBootstrap, pairedRandomization, sentenceScores, ter, tokenizedBleu } from '#ts/index.js'
import { refusal } from './refusals.js'

const references = ['the cat sat on the mat', 'there is a small house', 'it rains today']
const others = ['a cat sat on a mat', 'there stands a small house', 'it is raining today']
const worse = ['the cat sat on a mat', 'there was a house', 'it rains']

const near = (actual: number, wanted: number): boolean => Math.abs(actual - wanted) < 1e-9

test('scores are those of sacreBLEU, signature and all', async (t) => {
  const perfect = await bleu(references, references)
  t.true(near(perfect.score, 100))
  t.regex(perfect.signature, /tok:13a/)
  const { score, precisions } = await bleu(worse, references)
  t.true(score > 0 && score < 100 && precisions.length === 4)
  t.true(near((await chrf(references, references)).score, 100))
  const edits = await ter(worse, references)
  t.deepEqual([edits.edits, edits.referenceLength], [4, 14])
  t.true(near(edits.score, 400 / 14))
  t.is(edits.signature, 'nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0')
})

test('options change the score and are in its signature', async (t) => {
  const both = [references, others]
  t.is((await bleu(worse, both, { tokenizer: 'intl', lowercase: true, smoothing: 'floor' })).signature, 'nrefs:2|case:lc|eff:no|tok:intl|smooth:floor[0.10]|version:2.6.0')
  t.is((await bleu(worse, references, { smoothing: { type: 'add-k', value: 2 }, effectiveOrder: true })).signature, 'nrefs:1|case:mixed|eff:yes|tok:13a|smooth:add-k[2.00]|version:2.6.0')
  t.true((await bleu(worse, both)).score > (await bleu(worse, references)).score)
  t.is((await bleu(worse, references, { maxOrder: 2 })).precisions.length, 2)
  t.is((await chrf(worse, references, { wordOrder: 2 })).signature, 'nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0')
  t.true((await ter(['The cat'], ['the cat'], { caseSensitive: true })).score > 0)
})

test('BLEU of tokenized text is the line that fairseq-score prints', async (t) => {
  const { line, ratio } = await tokenizedBleu(['a b c d e <unk>'], ['a b c d e <unk>'])
  t.is(line, 'BLEU4 = 75.98, 83.3/80.0/75.0/66.7 (BP=1.000, ratio=1.000, syslen=6, reflen=6)')
  t.is(ratio, 1)
  const compound = ['a well-known thing in this house']
  t.true((await tokenizedBleu(compound, ['a well-made thing in this house'], { splitCompounds: true })).score > 0)
  t.is((await tokenizedBleu(compound, ['a well-made thing in that house'])).score, 0)
  await refusal(t, 'ERR_ARGUMENT', () => tokenizedBleu(['a'], [['a'], ['b']]))
})

test('sentences are scored one by one', async (t) => {
  const scores = await sentenceScores({ type: 'bleu', effectiveOrder: true }, ['it rains today', 'no'], ['it rains today', 'it rains'])
  t.true(near(scores[0] ?? 0, 100))
  t.is(scores[1], 0)
})

test('a paired bootstrap says how sure a difference is, the same each time', async (t) => {
  const bad = ['the cat', 'a house', 'it rains today']
  const result = await pairedBootstrap(bad, references, references, { resamples: 100 })
  t.true(result.difference.score > 0 && result.difference.lower <= result.difference.upper && result.wins > 0.5)
  t.deepEqual(await pairedBootstrap(bad, references, references, { resamples: 100 }), result)
  t.is((await pairedBootstrap(bad, references, references, { metric: 'chrf', resamples: 10, seed: 1 })).resamples, 10)
  const fewerEdits = await pairedBootstrap(bad, references, references, { metric: { type: 'ter' }, resamples: 100 })
  t.true(fewerEdits.difference.score < 0 && fewerEdits.wins > 0.5)
  t.regex(fewerEdits.signature, /^nrefs:1\|bs:100\|seed:12345\|case:lc/)
})

test('a paired randomization does too', async (t) => {
  const result = await pairedRandomization(worse, references, references, { trials: 100 })
  t.true(result.pValue >= 1 / 101 && result.pValue <= 1 && near(result.system, 100))
  t.deepEqual(await pairedRandomization(worse, references, references, { trials: 100 }), result)
  t.regex(result.signature, /^nrefs:1\|ar:100\|seed:12345/)
  t.is((await pairedRandomization(worse, worse, references, { trials: 10 })).pValue, 1 / 11)
})

test('lists that do not pair up and options that do not exist are refused', async (t) => {
  const { fields } = await refusal(t, 'ERR_ARGUMENT', () => bleu(['a'], []))
  t.deepEqual(fields, { metric: 'BLEU', counts: { hypotheses: 1, references: 0 } })
  await refusal(t, 'ERR_ARGUMENT', () => chrf([], []))
  await refusal(t, 'ERR_ARGUMENT', () => bleu('a' as never, 'a' as never))
  await refusal(t, 'ERR_ARGUMENT', () => bleu([1] as never, ['a']))
  await refusal(t, 'ERR_ARGUMENT', () => bleu(['a'], [['a'], 'a'] as never))
  await refusal(t, 'ERR_ARGUMENT', () => bleu(['a'], ['a'], { tokenizer: 'zh' as never }))
  await refusal(t, 'ERR_ARGUMENT', () => bleu(['a'], ['a'], { smoothing: { type: 'floor', value: -1 } }))
  await refusal(t, 'ERR_ARGUMENT', () => chrf(['a'], ['a'], { words: 2 } as never))
  await refusal(t, 'ERR_ARGUMENT', () => tokenizedBleu(['a'], ['a'], { maxOrder: 5 }))
  await refusal(t, 'ERR_ARGUMENT', () => sentenceScores('meteor' as never, ['a'], ['a']))
  await refusal(t, 'ERR_ARGUMENT', () => pairedBootstrap(['a'], ['a'], ['a'], { resamples: 0 }))
  await refusal(t, 'ERR_ARGUMENT', () => pairedBootstrap(['a'], ['a'], ['a'], { resamples: 1e12 }))
  await refusal(t, 'ERR_ARGUMENT', () => pairedBootstrap(['a'], ['a'], ['a'], { metric: 'blue' as never }))
  await refusal(t, 'ERR_ARGUMENT', () => pairedRandomization(['a'], ['a'], ['a'], { trials: 0 }))
})
