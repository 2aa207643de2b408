import test from 'ava'
import { adam, createOptimizer, sgd, type LossScaleOptions } from '#ts/index.js'
import { refusal } from '../refusals.js'

const weights = () => ({ name: 'w', shape: [2], data: Float32Array.of(1, 2) })
const dynamic = (options: LossScaleOptions) => createOptimizer(sgd({ lr: 1 }), [weights()], { lossScale: options })

test('a dynamic loss scale backs off from what is not finite, and grows when it has been good', (t) => {
  const parameter = weights()
  using optimizer = createOptimizer(sgd({ lr: 1 }), [parameter], { lossScale: { initial: 8, growthInterval: 2 } })
  const step = (gradient: number) => optimizer.step([Float32Array.of(gradient * optimizer.lossScale, 0)])
  t.is(optimizer.lossScale, 8)
  t.deepEqual(step(0.25), { step: 1, gradientNorm: 0.25, skipped: false })
  t.is(parameter.data[0], 0.75)
  t.like(step(Infinity), { step: 1, skipped: true })
  t.is(optimizer.lossScale, 4)
  t.is(parameter.data[0], 0.75)
  step(0.25)
  t.is(optimizer.lossScale, 4)
  step(0.25)
  t.is(optimizer.lossScale, 8)
  t.is(parameter.data[0], 0.25)
})

test('the scale goes out and in with the state', async (t) => {
  using from = dynamic({ initial: 8, growthInterval: 3 })
  from.step([Float32Array.of(1, 1)])
  from.step([Float32Array.of(NaN, 1)])
  from.step([Float32Array.of(1, 1)])
  const state = from.state()
  t.deepEqual(state.lossScale, { scale: 4, goodSteps: 1 })
  using to = dynamic({ growthInterval: 3 })
  to.load(state)
  t.deepEqual([to.lossScale, to.state()], [4, state])
  await refusal(t, 'ERR_CHECKPOINT', () => to.load({ ...state, step: 9, lossScale: { scale: 1e300, goodSteps: 0 } }))
  t.deepEqual(to.state(), state)
  using plain = createOptimizer(sgd({ lr: 1 }), [weights()])
  plain.load(state)
  t.is(plain.lossScale, 1)
  t.false('lossScale' in plain.state())
})

test('a scale that falls to nothing is an error, and options that fight it are refused', async (t) => {
  using optimizer = dynamic({ initial: 2 ** -125 })
  optimizer.step([Float32Array.of(NaN, 0)])
  t.regex((await refusal(t, 'ERR_NON_FINITE', () => optimizer.step([Float32Array.of(NaN, 0)]))).message, /not finite at any scale/)
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([Float32Array.of(1, 1)], { lossScale: 2 }))
  const make = (options: object) => () => createOptimizer(adam({ lr: 1 }), [weights()], options)
  t.regex((await refusal(t, 'ERR_CONFIG', make({ lossScale: 'dynamic', nonFinite: 'error' }))).message, /nonFinite: must be 'skip'/)
  for (const lossScale of ['static', 8, { growthFactor: 1 }, { backoffFactor: 1 }, { initial: 0 }, { growthIntervall: 1 }]) {
    await refusal(t, 'ERR_CONFIG', make({ lossScale }))
  }
  using defaults = createOptimizer(adam({ lr: 1 }), [weights()], { lossScale: 'dynamic' })
  t.is(defaults.lossScale, 65536)
})
