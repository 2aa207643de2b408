import { readFileSync } from 'node:fs'
import test from 'ava'
import { accuracy, confusionMatrix, f1, matthews } from '#ts/index.js'
import { refusal } from '../refusals.js'

interface Case {
  readonly name: string
  /** [label, prediction, times] */
  readonly samples: readonly (readonly [number, number, number])[]
  readonly positive: number
  readonly accuracy: number
  readonly f1: number | null
  readonly macroF1: number
  readonly matthews: number
  readonly classes: readonly number[]
  readonly counts: readonly (readonly number[])[]
}

/** scikit-learn's; the program that made them stands beside the file. */
const cases = JSON.parse(readFileSync('crates/metrics/tests/golden/classification.json', 'utf8')) as readonly Case[]

function column({ samples }: Case, place: 0 | 1): Int32Array {
  return Int32Array.from(samples.flatMap((sample) => Array<number>(sample[2]).fill(sample[place])))
}

const near = (actual: number, wanted: number): boolean => Math.abs(actual - wanted) <= 1e-12

test('scores of classes are those of scikit-learn', async (t) => {
  for (const one of cases) {
    const [labels, predictions] = [column(one, 0), column(one, 1)]
    t.true(near(await accuracy(predictions, labels), one.accuracy), one.name)
    t.true(near(await f1(predictions, labels, { average: 'macro' }), one.macroF1), one.name)
    t.true(near(await matthews(predictions, labels), one.matthews), one.name)
    t.deepEqual(await confusionMatrix(predictions, labels), { classes: one.classes, counts: one.counts }, one.name)
    const binary = f1(predictions, labels, { positive: one.positive })
    if (one.f1 === null) t.is((await refusal(t, 'ERR_ARGUMENT', () => binary)).fields['positive'], one.positive)
    else t.true(near(await binary, one.f1), one.name)
  }
})

test('arrays do as well as typed arrays, and what was given is left as it is', async (t) => {
  const predictions = new Int32Array(new SharedArrayBuffer(16))
  predictions.set([1, 0, 1, 1])
  t.is(await accuracy(predictions, [1, 1, 1, 0]), 0.5)
  t.deepEqual([...predictions], [1, 0, 1, 1])
  t.is(await f1([1, 0], [0, 0], { average: 'binary', positive: 0 }), 2 / 3)
})

test('what is no class, and options without effect, are refused by name', async (t) => {
  const { message, fields } = await refusal(t, 'ERR_ARGUMENT', () => accuracy([0, 0.5], [0, 1]))
  t.is(message, 'predictions[1]: expected a whole number of 32 bits, got 0.5')
  t.deepEqual(fields, { key: 'predictions[1]', value: 0.5 })
  await refusal(t, 'ERR_ARGUMENT', () => accuracy([], []))
  await refusal(t, 'ERR_ARGUMENT', () => matthews([0, 1], [0]))
  await refusal(t, 'ERR_ARGUMENT', () => matthews([0, 2 ** 31], [0, 1]))
  await refusal(t, 'ERR_ARGUMENT', () => matthews([0, '1'] as never, [0, 1]))
  await refusal(t, 'ERR_ARGUMENT', () => matthews([0, , 1] as never, [0, 1, 1])) // oxlint-disable-line no-sparse-arrays -- a hole is no class
  await refusal(t, 'ERR_ARGUMENT', () => confusionMatrix(new Float32Array(2) as never, [0, 1]))
  await refusal(t, 'ERR_ARGUMENT', () => f1([0], [0], { average: 'micro' as never }))
  await refusal(t, 'ERR_ARGUMENT', () => f1([0], [0], { average: 'macro', positive: 1 } as never))
  await refusal(t, 'ERR_ARGUMENT', () => f1([0], [0], { positive: 0.5 }))
  const detached = new Int32Array(2)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => accuracy(detached, detached))).message, /^predictions: is detached/)
})
