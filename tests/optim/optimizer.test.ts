import test from 'ava'
import { adam, adamax, adamw, constant, createOptimizer, inverseSqrt, Optimizer, sgd, type FloatArray, type TensorInput } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { oracle } from './oracle.js'

const parameter = (data: FloatArray, name = 'w'): TensorInput => ({ name, shape: [data.length], data })
const noise = (length: number, seed: number): Float64Array => Float64Array.from({ length }, (_, index) => Math.sin(seed * 131 + index * 1.7))

for (const sage of [undefined, { beta0: 0.8, epsilon: 1e-12 }]) {
  test(`${sage === undefined ? 'Adam' : 'Adam-SAGE'} in float64 follows the paper's equations`, (t) => {
    const [data, theta] = [noise(37, 1), noise(37, 1)]
    const options = { lr: 1e-2, betas: [0.9, 0.98] as const, eps: 1e-8 }
    using optimizer = createOptimizer(adam({ ...options, ...(sage && { sage }) }), [parameter(data)])
    const follow = oracle(theta, { ...options, ...(sage && { sage }) })
    for (let step = 2; step < 22; step++) {
      optimizer.step([noise(37, step)])
      follow(noise(37, step))
    }
    data.forEach((value, index) => t.true(Math.abs(value - (theta[index] ?? 0)) <= 1e-13 * Math.abs(value), `element ${index}`))
  })
}

test('float32 arrays compute in float32, near the float64 result', (t) => {
  const [single, double] = [Float32Array.from(noise(64, 3)), Float64Array.from(Float32Array.from(noise(64, 3)))]
  using a = createOptimizer(adamw({ lr: 1e-3, sage: {} }), [parameter(single)])
  using b = createOptimizer(adamw({ lr: 1e-3, sage: {} }), [parameter(double)])
  for (let step = 0; step < 10; step++) {
    const gradient = Float32Array.from(noise(64, step))
    a.step([gradient])
    b.step([Float64Array.from(gradient)])
  }
  single.forEach((value, index) => t.true(Math.abs(value - (double[index] ?? 0)) < 1e-5))
})

test('a step reports its number and the norm, and a parameter without a gradient stays', (t) => {
  const [one, two] = [Float32Array.of(1, 2), Float32Array.of(3)]
  using optimizer = createOptimizer(adam({ lr: 0.1, weightDecay: 0.5, decay: 'decoupled' }), [parameter(one, 'a'), parameter(two, 'b')])
  t.deepEqual(optimizer.step([Float32Array.of(3, 4), null]), { step: 1, gradientNorm: 5, skipped: false })
  t.deepEqual([...two], [3])
  t.not(one[0], 1)
  t.is(optimizer.stepCount, 1)
})

test('schedule, multiplier, divisor and loss scale act on the step', (t) => {
  const moved = (options: Parameters<typeof createOptimizer>[2], inputs: Parameters<Optimizer['step']>[1], gradient = 2): number => {
    const data = Float64Array.of(1)
    using optimizer = createOptimizer(adam({ lr: 0.1, eps: 1 }), [parameter(data)], options)
    optimizer.step([Float64Array.of(gradient)], inputs)
    return 1 - (data[0] ?? 0)
  }
  const plain = moved({}, {})
  t.is(moved({}, { divisor: 2, lossScale: 4 }, 16), plain)
  t.true(Math.abs(moved({ schedule: inverseSqrt({ warmupSteps: 4 }) }, {}) - plain / 4) < 1e-15)
  t.true(Math.abs(moved({ schedule: inverseSqrt({ warmupSteps: 4 }) }, { multiplier: 0.5 }) - plain / 2) < 1e-15)
  t.is(moved({ schedule: constant() }, {}), plain)
})

test('clipping scales the gradient to the norm, and says what it was', (t) => {
  const data = Float64Array.of(0, 0)
  using optimizer = createOptimizer(adam({ lr: 1, eps: 1e3 }), [parameter(data)], { maxGradientNorm: 1 })
  t.is(optimizer.step([Float64Array.of(30, 40)]).gradientNorm, 50)
  const [x = 0, y = 0] = data
  t.true(Math.abs(x / y - 0.75) < 1e-3)
  t.true(Math.abs(x) < 1e-3, "the gradient of norm 50 was brought down to 1")
})

test('groups override rate and decay by name', (t) => {
  const [weight, bias] = [Float64Array.of(1), Float64Array.of(1)]
  const options = { groups: [{ include: ['*.bias'], lr: 0, weightDecay: 0 }] }
  using optimizer = createOptimizer(adamw({ lr: 0.1, weightDecay: 0.1 }), [parameter(weight, 'a.weight'), parameter(bias, 'a.bias')], options)
  optimizer.step([Float64Array.of(1), Float64Array.of(1)])
  t.not(weight[0], 1)
  t.is(bias[0], 1)
})

test('a scope predicate is asked once for each parameter and becomes the list it selects', async (t) => {
  const asked: string[] = []
  const scope = ({ name, shape }: { name: string; shape: readonly number[] }): boolean => {
    asked.push(name)
    return shape.length === 2
  }
  const parameters = [{ name: 'a[0].w', shape: [1, 2], data: new Float32Array(2) }, parameter(new Float32Array(2), 'a[0].b')]
  using optimizer = createOptimizer(adam({ lr: 1, sage: { scope } }), parameters)
  t.deepEqual(optimizer.scope, ['a[0].w'])
  t.deepEqual(asked, ['a[0].w', 'a[0].b'])
  await refusal(t, 'ERR_SCOPE_EMPTY', () => createOptimizer(adam({ lr: 1, sage: { scope: () => false } }), parameters))
  await refusal(t, 'ERR_SCOPE_EMPTY', () => createOptimizer(adam({ lr: 1, sage: { scope: 'encoder-linear' } }), parameters))
  await refusal(t, 'ERR_SCOPE_EMPTY', () => createOptimizer(adam({ lr: 1, sage: { scope: { include: ['b.*'] } } }), parameters))
})

test('states go out by name and come back to the same bits', (t) => {
  const make = (data: Float32Array): Optimizer<Float32Array> => createOptimizer(adam({ lr: 1e-2, sage: {} }), [{ name: 'w', shape: [2, 2], data }])
  const [first, second] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 3, 4)]
  using undisturbed = make(first)
  const gradients = (step: number): Float32Array[] => [Float32Array.from(noise(4, step))]
  for (let step = 1; step <= 3; step++) undisturbed.step(gradients(step))
  second.set(first)
  using resumed = make(second)
  const state = undisturbed.state()
  t.deepEqual(Object.keys(state.tensors), ['w/exp_avg', 'w/exp_avg_sq', 'w/sensitivity'])
  t.deepEqual([state.step, state.tensors['w/exp_avg']?.shape], [3, [2, 2]])
  t.deepEqual(resumed.load(state), { missing: [], unused: [] })
  for (let step = 4; step <= 6; step++) [undisturbed, resumed].forEach((optimizer) => optimizer.step(gradients(step)))
  t.deepEqual(second, first)
})

test('the average of parameters follows them, and goes out and in with the state', (t) => {
  const data = Float64Array.of(1, -2)
  const make = () => createOptimizer(sgd({ lr: 0.1 }), [{ name: 'w', shape: [2], data }], { average: { decay: 0.75 } })
  using optimizer = make()
  optimizer.step([Float64Array.of(1, 0)])
  t.deepEqual(optimizer.state().tensors['w/average']?.data, Float64Array.of(0.9, -2))
  optimizer.step([Float64Array.of(0, 4)])
  const state = optimizer.state()
  t.deepEqual(state.tensors['w/average']?.data, Float64Array.of(0.9, -2.1))
  using resumed = make()
  t.deepEqual(resumed.load(state), { missing: [], unused: [] })
  for (const one of [optimizer, resumed]) {
    data.set([0.9, -2.4])
    one.step([Float64Array.of(0, 0)])
  }
  t.deepEqual(resumed.state(), optimizer.state())
})

test('a state that does not fit is refused whole, or told apart by name', async (t) => {
  using optimizer = createOptimizer(adam({ lr: 1 }), [parameter(Float32Array.of(1, 2))])
  optimizer.step([Float32Array.of(1, 1)])
  const before = optimizer.state()
  const other = { shape: [3], data: new Float32Array(3) }
  await refusal(t, 'ERR_SHAPE', () => optimizer.load({ step: 9, tensors: { 'w/exp_avg': other } }))
  await refusal(t, 'ERR_DTYPE', () => optimizer.load({ step: 9, tensors: { 'w/exp_avg': { shape: [2], data: new Float64Array(2) } } } as never))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.load({ step: -1, tensors: {} }))
  t.deepEqual(optimizer.state(), before)
  t.deepEqual(optimizer.load({ step: 0, tensors: { 'v/exp_avg': other } }), { missing: ['w/exp_avg', 'w/exp_avg_sq'], unused: ['v/exp_avg'] })
})

test('observe reports on its steps and changes nothing', (t) => {
  const [plain, observed] = [Float32Array.from(noise(50, 1)), Float32Array.from(noise(50, 1))]
  using a = createOptimizer(adam({ lr: 1e-2 }), [parameter(plain)])
  using b = createOptimizer(adam({ lr: 1e-2, observe: { every: 2 } }), [parameter(observed)])
  for (let step = 1; step <= 4; step++) {
    const gradient = Float32Array.from(noise(50, step))
    a.step([gradient])
    b.step([gradient])
    const report = b.sensitivity()
    t.is(report?.step, step % 2 === 0 ? step : undefined)
    if (report) t.like(report.tensors[0], { name: 'w', count: 50 })
  }
  t.deepEqual(observed, plain)
  t.is(a.sensitivity(), undefined)
})

test('a gradient that is not finite fails the step or leaves it out; nothing changes either way', async (t) => {
  for (const nonFinite of ['error', 'skip'] as const) {
    const data = Float32Array.of(1, 2)
    using optimizer = createOptimizer(adam({ lr: 1, sage: {} }), [parameter(data)], { nonFinite })
    optimizer.step([Float32Array.of(1, 1)])
    const before = [[...data], optimizer.state()]
    for (const bad of [Number.NaN, Infinity]) {
      if (nonFinite === 'skip') t.like(optimizer.step([Float32Array.of(1, bad)]), { step: 1, skipped: true })
      else t.like((await refusal(t, 'ERR_NON_FINITE', () => optimizer.step([Float32Array.of(1, bad)]))).fields, { name: 'w', index: 1, step: 2 })
    }
    t.deepEqual([[...data], optimizer.state()], before)
  }
})

test('arrays of another length, kind or place are refused and nothing changes', async (t) => {
  const data = Float32Array.of(1, 2)
  using optimizer = createOptimizer(adam({ lr: 1 }), [parameter(data)])
  const shared = new Float32Array(new SharedArrayBuffer(8))
  const detached = new Float32Array(2)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  await refusal(t, 'ERR_SHAPE', () => optimizer.step([]))
  await refusal(t, 'ERR_SHAPE', () => optimizer.step(undefined as never))
  await refusal(t, 'ERR_SHAPE', () => optimizer.step([new Float32Array(3)]))
  await refusal(t, 'ERR_DTYPE', () => optimizer.step([new Float64Array(2)] as never))
  await refusal(t, 'ERR_DTYPE', () => optimizer.step([[1, 2]] as never))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([shared]))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([detached]))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([data]))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([data.subarray(0)]))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([Float32Array.of(1, 1)], { multiplier: -1 }))
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([Float32Array.of(1, 1)], { divisr: 1 } as never))
  t.deepEqual([...data], [1, 2])
  t.is(optimizer.stepCount, 0)
})

test('parameters whose buffer went elsewhere are noticed', async (t) => {
  const data = new Float32Array(2)
  using optimizer = createOptimizer(adam({ lr: 1 }), [parameter(data)])
  structuredClone(data.buffer, { transfer: [data.buffer] })
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([new Float32Array(2)]))).message, /detached/)
})

test('parameters that overlap, or have one name, are refused', async (t) => {
  const whole = new Float32Array(8)
  using optimizer = createOptimizer(adam({ lr: 1 }), [parameter(whole.subarray(0, 5), 'a'), parameter(whole.subarray(4), 'b')])
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.step([new Float32Array(5), new Float32Array(4)]))
  using beside = createOptimizer(adam({ lr: 1 }), [parameter(whole.subarray(0, 4), 'a'), parameter(whole.subarray(4), 'b')])
  t.is(beside.step([new Float32Array(4), new Float32Array(4)]).step, 1)
  await refusal(t, 'ERR_ARGUMENT', () => createOptimizer(adam({ lr: 1 }), [parameter(new Float32Array(1)), parameter(new Float32Array(1))]))
})

test('bad parameters and options are refused when the optimizer is made', async (t) => {
  const good = [parameter(new Float32Array(2))]
  const bad: [() => unknown, Parameters<typeof refusal>[1]][] = [
    [() => createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [3], data: new Float32Array(2) }]), 'ERR_SHAPE'],
    [() => createOptimizer(adam({ lr: 1 }), [{ name: '', shape: [2], data: new Float32Array(2) }]), 'ERR_ARGUMENT'],
    [() => createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [-2], data: new Float32Array(2) }]), 'ERR_ARGUMENT'],
    [() => createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [2], data: [1, 2] }] as never), 'ERR_ARGUMENT'],
    [() => createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [2], data: new Int32Array(2) }] as never), 'ERR_DTYPE'],
    [() => createOptimizer(adam({ lr: 1 }), [...good, parameter(new Float64Array(1), 'v')]), 'ERR_DTYPE'],
    [() => createOptimizer(adam({ lr: 1 }), 'w' as never), 'ERR_ARGUMENT'],
    [() => createOptimizer({ type: 'adm', lr: 1 } as never, good), 'ERR_CONFIG'],
    [() => createOptimizer(undefined as never, good), 'ERR_CONFIG'],
    [() => createOptimizer(adam({ lr: 1 }), good, { maxGradientNorm: 0 }), 'ERR_CONFIG'],
    [() => createOptimizer(adam({ lr: 1 }), good, { schedle: {} } as never), 'ERR_CONFIG'],
    [() => createOptimizer(adam({ lr: 1 }), good, { schedule: { type: 'linear', warmupSteps: 1 } }), 'ERR_CONFIG'],
    [() => createOptimizer(adam({ lr: 1 }), good, { groups: [{ include: ['x'], lr: 1 }] }), 'ERR_SCOPE_EMPTY'],
    [() => new (Optimizer as unknown as new (...args: unknown[]) => unknown)({}, []), 'ERR_ARGUMENT'],
  ]
  for (const [run, code] of bad) await refusal(t, code, run)
})

test('every optimizer goes downhill, with SAGE and without', (t) => {
  const specs = [
    sgd({ lr: 0.05, momentum: 0.9 }),
    sgd({ lr: 0.02, momentum: 0.9, nesterov: true, sage: {} }),
    adam({ lr: 0.05, sage: {} }),
    adamw({ lr: 0.05, sage: { form: 'released' } }),
    adamax({ lr: 0.05 }),
    adamax({ lr: 0.05, sage: {} }),
    adamax({ lr: 0.02, sage: { form: 'released' } }),
  ]
  for (const spec of specs) {
    const data = noise(20, 5)
    const squares = (): number => data.reduce((sum, value) => sum + value * value, 0)
    const before = squares()
    using optimizer = createOptimizer(spec, [parameter(data)])
    for (let step = 0; step < 60; step++) optimizer.step([data.map((value, index) => 2 * value + 0.3 * Math.sin(step * 7 + index))])
    t.true(squares() < before * 0.9, `${spec.type} ${spec.sage?.form}: ${before} to ${squares()}`)
  }
})

test('scalars and empty arrays are parameters too', (t) => {
  const scalar = Float64Array.of(1)
  using optimizer = createOptimizer(adam({ lr: 0.1 }), [{ name: 's', shape: [], data: scalar }, { name: 'e', shape: [0, 3], data: new Float64Array() }])
  t.is(optimizer.step([Float64Array.of(1), new Float64Array()]).step, 1)
  t.not(scalar[0], 1)
})

test('a disposed optimizer says so, and disposing twice is fine', async (t) => {
  const optimizer = createOptimizer(adam({ lr: 1 }), [parameter(new Float32Array(1))])
  optimizer[Symbol.dispose]()
  optimizer[Symbol.dispose]()
  for (const use of [() => optimizer.step([new Float32Array(1)]), () => optimizer.state(), () => optimizer.stepCount, () => optimizer.load({ step: 0, tensors: {} })]) {
    await refusal(t, 'ERR_DISPOSED', use)
  }
})
