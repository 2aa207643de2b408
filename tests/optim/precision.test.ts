import test from 'ava'
import { adam, createOptimizer, sgd, type HalfType, type StandaloneOptions, type TensorInput } from '#ts/index.js'
import { refusal } from '../refusals.js'

/** Bits of the nearest bfloat16: float32's upper half. */
function bfloat16(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  return Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16)
}

function float32(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer)
}

const noise = (length: number, seed: number): Float32Array => Float32Array.from({ length }, (_, index) => Math.sin(seed * 131 + index * 1.7))
const half = (data: Uint16Array, dtype: HalfType = 'bfloat16'): TensorInput<Uint16Array> => ({ name: 'w', shape: [data.length], data, dtype })

test('bfloat16 parameters follow a float32 master weight to the bit', (t) => {
  const data = bfloat16(noise(600, 1))
  const master = float32(data)
  using narrow = createOptimizer(adam({ lr: 1e-3, sage: {} }), [half(data)])
  using wide = createOptimizer(adam({ lr: 1e-3, sage: {} }), [{ name: 'w', shape: [600], data: master }])
  for (let step = 2; step < 12; step++) {
    const gradient = bfloat16(noise(600, step))
    t.deepEqual(narrow.step([gradient]), wide.step([float32(gradient)]))
    t.deepEqual(data, bfloat16(master))
  }
  t.deepEqual(narrow.state().tensors['w/master']?.data, master)
  t.deepEqual(narrow.state().tensors['w/sensitivity'], wide.state().tensors['w/sensitivity'])
})

test('float16 parameters have a master weight too', (t) => {
  const [one, gradient] = [0x3c00, 0x3000] // 1 and 1/8 in float16
  const data = Uint16Array.of(one)
  using optimizer = createOptimizer(sgd({ lr: 1 }), [half(data, 'float16')])
  optimizer.step([Uint16Array.of(gradient)])
  t.deepEqual(optimizer.state().tensors['w/master']?.data, Float32Array.of(0.875))
  t.is(data[0], 0x3b00)
})

const roundings: [StandaloneOptions, readonly string[]][] = [
  [{ rounding: 'stochastic', seed: 7 }, ['w/exp_avg', 'w/exp_avg_sq', 'w/sensitivity']],
  [{ rounding: 'kahan' }, ['w/exp_avg', 'w/exp_avg_sq', 'w/sensitivity', 'w/compensation']],
  [{ sensitivityDtype: 'bfloat16' }, ['w/exp_avg', 'w/exp_avg_sq', 'w/sensitivity', 'w/master']],
]

for (const [options, names] of roundings) {
  test(`with ${JSON.stringify(options)} a saved state goes on to the same bits`, (t) => {
    const make = (data: Uint16Array) => createOptimizer(adam({ lr: 1e-2, sage: {} }), [half(data)], options)
    const [first, second] = [bfloat16(noise(40, 1)), new Uint16Array(40)]
    using undisturbed = make(first)
    const gradients = (step: number) => [bfloat16(noise(40, step))]
    for (let step = 1; step <= 3; step++) undisturbed.step(gradients(step))
    second.set(first)
    using resumed = make(second)
    const state = undisturbed.state()
    t.deepEqual(Object.keys(state.tensors), names)
    t.is(state.tensors['w/compensation']?.dtype, options.rounding === 'kahan' ? 'bfloat16' : undefined)
    t.is(state.tensors['w/sensitivity']?.data instanceof Uint16Array, options.sensitivityDtype === 'bfloat16')
    t.deepEqual(resumed.load(state), { missing: [], unused: [] })
    for (let step = 4; step <= 6; step++) [undisturbed, resumed].forEach((optimizer) => optimizer.step(gradients(step)))
    t.deepEqual(second, first)
    t.deepEqual(resumed.state(), undisturbed.state())
  })
}

test('the seed moves stochastic rounding, and no step below the last place is lost in the mean', (t) => {
  const run = (options: StandaloneOptions): Float32Array => {
    const data = bfloat16(new Float32Array(4000).fill(1))
    using optimizer = createOptimizer(sgd({ lr: 1 }), [half(data)], options)
    const gradient = bfloat16(new Float32Array(4000).fill(-0.0001))
    for (let step = 0; step < 100; step++) optimizer.step([gradient])
    return float32(data)
  }
  const one = run({ rounding: 'stochastic' })
  t.deepEqual(run({ rounding: 'stochastic', seed: 0 }), one)
  t.notDeepEqual(run({ rounding: 'stochastic', seed: 1 }), one)
  const mean = one.reduce((sum, value) => sum + value, 0) / 4000
  t.true(Math.abs(mean - 1.01) < 3e-4, `${mean}`)
})

test('types that cannot be are refused with what is possible', async (t) => {
  const data = new Uint16Array(2)
  const bare = { name: 'w', shape: [2], data }
  const make = (tensors: readonly TensorInput[], options: StandaloneOptions = {}) => () => createOptimizer(adam({ lr: 1, sage: {} }), tensors, options)
  t.regex((await refusal(t, 'ERR_DTYPE', make([bare]))).message, /dtype "bfloat16" or "float16"/)
  t.regex((await refusal(t, 'ERR_DTYPE', make([half(data), { ...half(new Uint16Array(2), 'float16'), name: 'v' }]))).message, /parameter v: is float16, w is bfloat16/)
  await refusal(t, 'ERR_DTYPE', make([{ ...bare, data: new Float32Array(2), dtype: 'bfloat16' }]))
  await refusal(t, 'ERR_ARGUMENT', make([{ ...bare, dtype: 'float8' as never }]))
  t.regex((await refusal(t, 'ERR_CONFIG', make([half(data, 'float16')], { rounding: 'kahan' }))).message, /bfloat16 parameters alone/)
  await refusal(t, 'ERR_CONFIG', make([half(data)], { seed: 1 }))
  await refusal(t, 'ERR_CONFIG', make([{ name: 'w', shape: [1], data: new Float64Array(1) }], { sensitivityDtype: 'bfloat16' }))
  using optimizer = createOptimizer(adam({ lr: 1, sage: {} }), [half(data)])
  await refusal(t, 'ERR_DTYPE', () => optimizer.step([new Float32Array(2)] as never))
  const [floats, bits] = [{ shape: [2], data: new Float32Array(2) }, { shape: [2], data: new Uint16Array(2) }]
  await refusal(t, 'ERR_DTYPE', () => optimizer.load({ step: 1, tensors: { 'w/sensitivity': bits } }))
  await refusal(t, 'ERR_DTYPE', () => optimizer.load({ step: 1, tensors: { 'w/exp_avg': { ...floats, dtype: 'bfloat16' } } }))
  await refusal(t, 'ERR_CHECKPOINT', () => optimizer.load({ step: 1, tensors: { 'w/exp_avg': { ...bits, dtype: 'bfloat16' } } }))
  t.deepEqual(optimizer.load({ step: 1, tensors: { 'w/sensitivity': { ...bits, dtype: 'bfloat16' } } }).unused, [])
})
