import test from 'ava'
import { constant, cosine, inverseSqrt, linear, multiplierAt, polynomial, warmupLinear } from '#ts/index.js'
import { refusal } from '../refusals.js'

test('schedules are plain JSON with their kind in type', (t) => {
  t.deepEqual(constant(), { type: 'constant' })
  t.deepEqual(linear(), { type: 'linear', warmupSteps: 0 })
  t.deepEqual(linear({ warmupRatio: 0.1 }), { type: 'linear', warmupRatio: 0.1 })
  t.deepEqual(inverseSqrt({ warmupSteps: 8 }), { type: 'inverseSqrt', warmupSteps: 8 })
  t.deepEqual(cosine({ warmupSteps: 8 }), { type: 'cosine', warmupSteps: 8 })
  t.deepEqual(polynomial({ power: 2, warmupSteps: 8 }), { type: 'polynomial', power: 2, warmupSteps: 8 })
  t.deepEqual(warmupLinear({ warmupRatio: 0.1 }), { type: 'warmupLinear', warmupRatio: 0.1 })
})

test('their values at a few steps', (t) => {
  t.is(multiplierAt(constant(), 7), 1)
  t.is(multiplierAt(inverseSqrt({ warmupSteps: 100 }), 50), 0.5)
  t.is(multiplierAt(inverseSqrt({ warmupSteps: 100 }), 400), 0.5)
  t.is(multiplierAt(linear({ warmupSteps: 10 }), 5, 110), 0.5)
  t.is(multiplierAt(linear({ warmupSteps: 10 }), 60, 110), 0.5)
  t.is(multiplierAt(linear({ warmupRatio: 0.5 }), 10, 20), 1)
  t.is(multiplierAt(cosine({ warmupSteps: 0 }), 100, 100), 0)
  t.is(multiplierAt(polynomial({ power: 2, warmupSteps: 0 }), 50, 100), 0.25)
  t.is(multiplierAt(warmupLinear({ warmupRatio: 0.1 }), 5, 100), 0.5)
  t.is(multiplierAt(warmupLinear({ warmupRatio: 0.1 }), 50, 100), 0.5)
})

test('bad options are named by their path, and totalSteps is asked for', async (t) => {
  const cases: [() => unknown, string][] = [
    [() => inverseSqrt({ warmupSteps: 0 }), 'inverseSqrt.warmupSteps'],
    [() => inverseSqrt({} as never), 'inverseSqrt.warmupSteps'],
    [() => cosine({ warmupSteps: 1.5 }), 'cosine.warmupSteps'],
    [() => linear({ warmupSteps: 1, warmupRatio: 0.1 } as never), 'linear.warmupRatio'],
    [() => polynomial({ power: 0, warmupSteps: 0 }), 'polynomial.power'],
    [() => warmupLinear({ warmupRatio: 2 }), 'warmupLinear.warmupRatio'],
    [() => multiplierAt({ type: 'cosin' } as never, 1), 'schedule.type'],
    [() => multiplierAt(cosine({ warmupSteps: 1 }), 1), 'totalSteps'],
  ]
  for (const [run, key] of cases) t.is((await refusal(t, 'ERR_CONFIG', run)).fields['key'], key)
  for (const options of [undefined, null, 3]) await refusal(t, 'ERR_CONFIG', () => inverseSqrt(options as never))
})
