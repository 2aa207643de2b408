import test from 'ava'
import { ArmRecord } from '#ts/cli/record.js'

test('a record is bounded however long the run, and its costs are those of the steps', (t) => {
  const record = new ArmRecord()
  for (let step = 1; step <= 50_000; step += 1) {
    record.add({ type: 'step', step, loss: 1 / step, tokensPerSecond: step % 2 === 0 ? 1000 : 3000, optimizerShare: 0.02, dataWait: 0, seconds: step })
    record.add({ type: 'sensitivity', step, point: { step, sensitivity: 1, average: 1, variation: 1, modulation: 1 }, seconds: step })
  }
  const { steps, sensitivity } = record.curves()
  t.true(steps.length <= 1025 && sensitivity.length <= 1024)
  t.is(steps.at(-1)?.step, 50_000)
  t.true((sensitivity.at(-1)?.step ?? 0) > 49_000)
  t.is(record.step, 50_000)
  // Half the steps at 1000 and half at 3000 tokens a second: 1500 over both.
  t.is(Math.round(record.costs()['tokensPerSecond'] ?? 0), 1500)
  t.is(record.costs()['optimizerShare']?.toFixed(4), '0.0200')
})

test('what happened before a resume counts, and what was never measured is missing', (t) => {
  const record = new ArmRecord()
  t.deepEqual(record.costs(), { tokensPerSecond: null, optimizerShare: null, dataWait: null })
  record.add({ type: 'step', step: 7, loss: 2, tokensPerSecond: 100, seconds: 3, past: true })
  t.deepEqual([record.step, record.seconds], [7, 3])
})
