import test from 'ava'
import { endOf } from '#ts/cli/plan.js'

test('of epochs and steps the plan says which ends the run', (t) => {
  const train = { epochs: 3, batch: { batchSize: 32 } }
  t.is(endOf(train, 100), undefined)
  t.is(endOf({ ...train, steps: 5 }, 100), '5 steps; 3 epochs would be 12')
  t.is(endOf({ ...train, steps: 1000 }, 100), '3 epochs of 4 steps, before 1,000 steps')
  t.is(endOf({ ...train, steps: 1, epochs: 1 }, undefined), '1 step or 1 epoch, whichever comes first')
  t.is(endOf({ ...train, steps: 5, batch: { maxTokens: 100 } }, 100), '5 steps or 3 epochs, whichever comes first')
})
