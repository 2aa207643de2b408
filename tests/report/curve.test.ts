import test from 'ava'
import { StepCurve } from '#ts/report/curve.js'
import { summarise, type ObservedTensor } from '#ts/report/observed.js'

test('a curve of any length keeps a bounded number of points, and its mean', (t) => {
  const curve = new StepCurve(64)
  for (let step = 1; step <= 10_000; step += 1) curve.add({ step, seconds: step / 10, loss: step })
  const points = curve.points()
  t.true(points.length <= 65 && points.length >= 32)
  t.deepEqual([points.at(-1)?.step, points.at(-1)?.seconds], [10_000, 1000])
  const [first] = points
  t.is(first?.loss, ((first?.step ?? 0) + 1) / 2)
})

test('a loss that is not finite is missing, not averaged away', (t) => {
  const curve = new StepCurve(4)
  for (const loss of [1, null, Number.NaN, 3]) curve.add({ step: 1, seconds: 1, loss })
  t.deepEqual(curve.points().map(({ loss }) => loss), [null, null])
})

function tensor(count: number, mean: number, bins: Readonly<Record<number, number>>, zeros = 0): ObservedTensor {
  const one = { mean, zeros, histogram: Array.from({ length: 96 }, (_, index) => bins[index - 72] ?? 0) }
  return { count, sensitivity: one, average: one, variation: one, modulation: one }
}

test('means are over elements, not over tensors, and the histogram keeps every element', (t) => {
  const point = summarise([tensor(9, 1, { 0: 8 }, 1), tensor(1, 11, { 3: 1 })], 5)
  t.is(point.sensitivity, 2)
  t.is(point.modulation, 2)
  const counts = point.modulationHistogram?.counts ?? []
  t.deepEqual([counts.reduce((sum, count) => sum + count, 0), counts[0], counts[14], counts[17]], [10, 1, 8, 1])
})

test('what lies beyond the drawn range counts into its ends, and nothing observed has no mean', (t) => {
  const { counts } = summarise([tensor(3, 1, { '-72': 1, '-15': 1, 23: 1 })], 1).modulationHistogram ?? { counts: [] }
  t.deepEqual([counts[0], counts.at(-1)], [2, 1])
  t.is(summarise([], 1).modulation, null)
})
