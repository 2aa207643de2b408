import test from 'ava'
import { adam, adamax, adamw, sgd, type OptimizerSpec } from '#ts/index.js'
import { optimizerSpec } from '#ts/optim/spec.js'
import { refusal } from '../refusals.js'

test('adam fills in its defaults and is frozen plain JSON', (t) => {
  const spec = adam({ lr: 1e-3 })
  t.deepEqual(spec, { type: 'adam', lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decay: 'coupled' })
  t.true(Object.isFrozen(spec) && Object.isFrozen(spec.betas))
  t.deepEqual(JSON.parse(JSON.stringify(spec)), spec)
})

test('adamw decays decoupled, and nothing unless asked', (t) => {
  t.like(adamw({ lr: 1 }), { type: 'adamw', decay: 'decoupled', weightDecay: 0 })
})

test('sage and observe have their defaults, and observe has no β0 of its own beside sage', (t) => {
  t.deepEqual(adam({ lr: 1, sage: {} }).sage, { beta0: 0.75, form: 'paper', epsilon: 1e-12, modulation: 'sage', scope: 'all' })
  t.deepEqual(adam({ lr: 1, observe: { every: 5 } }).observe, { every: 5, beta0: 0.75 })
  t.deepEqual(adam({ lr: 1, sage: {}, observe: { every: 5 } }).observe, { every: 5 })
})

test('sgd and adamax have theirs', (t) => {
  t.deepEqual(sgd({ lr: 0.1 }), { type: 'sgd', lr: 0.1, momentum: 0, nesterov: false, weightDecay: 0, decay: 'coupled' })
  t.deepEqual(adamax({ lr: 0.1 }), { type: 'adamax', lr: 0.1, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decay: 'coupled' })
})

test('the released form has an ε of its own and neither decay nor sage.epsilon', async (t) => {
  const spec = adamax({ lr: 1, sage: { form: 'released' } })
  t.is(spec.eps, 1e-6)
  t.deepEqual(spec.sage, { beta0: 0.75, form: 'released', modulation: 'sage', scope: 'all' })
  t.false('decay' in spec)
  for (const options of [{ decay: 'coupled' }, { sage: { form: 'released', epsilon: 1 } }, { sage: { form: 'released', modulation: 'none' } }]) {
    await refusal(t, 'ERR_CONFIG', () => adamw({ lr: 1, sage: { form: 'released' }, ...options } as never))
  }
  for (const of of [adam, sgd]) await refusal(t, 'ERR_CONFIG', () => of({ lr: 1, sage: { form: 'released' } } as never))
  await refusal(t, 'ERR_CONFIG', () => sgd({ lr: 1, nesterov: true }))
})

test('a specification read again is itself', (t) => {
  const specs: OptimizerSpec[] = [
    adam({ lr: 1, sage: { scope: 'encoder-linear' }, observe: { every: 3 } }),
    adamw({ lr: 0, weightDecay: 0.1, sage: { modulation: 'none' } }),
    adamax({ lr: 1, sage: { form: 'released' }, weightDecay: 0.01 }),
    sgd({ lr: 1, momentum: 0.9, nesterov: true, sage: { scope: { include: ['a'], exclude: ['b'] } } }),
  ]
  for (const spec of specs) t.deepEqual(optimizerSpec(spec, 'x'), spec)
})

test('undefined options count as absent, and so an option may be conditional', (t) => {
  t.deepEqual(adam({ lr: 1, sage: undefined } as never), adam({ lr: 1 }))
})

test('bad options are named by their path', async (t) => {
  const cases: [unknown, string][] = [
    [{}, 'adam.lr'],
    [{ lr: -1 }, 'adam.lr'],
    [{ lr: Number.NaN }, 'adam.lr'],
    [{ lr: '1' }, 'adam.lr'],
    [{ lr: 1, betas: [0.9] }, 'adam.betas'],
    [{ lr: 1, betas: [0.9, 1] }, 'adam.betas'],
    [{ lr: 1, decay: 'l2' }, 'adam.decay'],
    [{ lr: 1, momentum: 0.9 }, 'adam.momentum'],
    [{ lr: 1, sage: { beta0: 1 } }, 'adam.sage.beta0'],
    [{ lr: 1, sage: { modulation: 'sag' } }, 'adam.sage.modulation'],
    [{ lr: 1, sage: { scope: 'encoder' } }, 'adam.sage.scope'],
    [{ lr: 1, sage: true }, 'adam.sage'],
    [{ lr: 1, sage: {}, observe: { every: 1, beta0: 0.5 } }, 'adam.observe.beta0'],
    [{ lr: 1, observe: {} }, 'adam.observe.every'],
  ]
  for (const [options, key] of cases) t.is((await refusal(t, 'ERR_CONFIG', () => adam(options as never))).fields['key'], key)
  for (const options of [undefined, null, 3, 'x']) await refusal(t, 'ERR_CONFIG', () => adam(options as never))
})

test('a misspelt option is answered with the one that was meant', async (t) => {
  t.regex((await refusal(t, 'ERR_CONFIG', () => adam({ lr: 1, wieghtDecay: 0 } as never))).message, /did you mean 'weightDecay'/)
})
