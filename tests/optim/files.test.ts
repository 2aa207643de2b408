import { copyFileSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, adamw, createOptimizer, Dataset, Session, sgd, type OptimizerSpec, type StandaloneOptions } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { perceptron } from '../samples.js'
import { temporaryFolder } from '../temporary.js'

const noise = (length: number, seed: number) => Float32Array.from({ length }, (_, index) => Math.sin(seed * 131 + index * 1.7))
const make = (spec: OptimizerSpec, options: StandaloneOptions = {}) => {
  const data = [noise(6, 1), noise(3, 2)] as const
  const optimizer = createOptimizer(spec, [{ name: 'a.weight', shape: [2, 3], data: data[0] }, { name: 'a.bias', shape: [3], data: data[1] }], options)
  const step = (count: number, from = 0) => {
    for (let index = from; index < from + count; index++) optimizer.step([noise(6, 10 + index), noise(3, 50 + index)])
  }
  return { optimizer, data, step }
}

test('a saved state goes on to the same bits, and leaves no other file', (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'state.safetensors')
  const [first, second] = [make(adam({ lr: 0.1, sage: {} })), make(adam({ lr: 0.1, sage: {} }))]
  first.step(3)
  first.optimizer.save(path)
  t.deepEqual(readdirSync(folder), ['state.safetensors'])
  second.data.forEach((data, index) => data.set(first.data[index] ?? []))
  t.deepEqual(second.optimizer.restore(path), { step: 3, missing: [], unused: [], changes: [], stale: [] })
  first.step(2, 3)
  second.step(2, 3)
  t.deepEqual(second.data, first.data)
  t.deepEqual(second.optimizer.state(), first.optimizer.state())
})

test('what has changed since is reported and not applied', async (t) => {
  const path = join(temporaryFolder(t), 'state.safetensors')
  const from = make(adam({ lr: 0.1, sage: { scope: { include: ['*.weight'] } } }))
  from.step(2)
  from.optimizer.save(path)
  const to = make(adam({ lr: 0.2, sage: { scope: { include: ['*.bias'] } } }))
  const { changes, ...report } = to.optimizer.restore(path)
  t.deepEqual(report, { step: 2, missing: ['a.bias/sensitivity'], unused: ['a.weight/sensitivity'], stale: [] })
  t.deepEqual(changes, ['optimizer.lr: 0.1 → 0.2', "sage.scope: 'a.bias' came in", "sage.scope: 'a.weight' fell out"])
  await refusal(t, 'ERR_CHECKPOINT', () => make(sgd({ lr: 1 })).optimizer.restore(path))
})

test('a damaged, foreign or missing file is refused by name and changes nothing', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'state.safetensors')
  const { optimizer, step } = make(adam({ lr: 0.1 }))
  step(1)
  optimizer.save(path)
  const before = optimizer.state()
  writeFileSync(path, readFileSync(path).subarray(0, 200))
  t.true((await refusal(t, 'ERR_CHECKPOINT', () => optimizer.restore(path))).message.includes(path))
  writeFileSync(path, 'hello')
  await refusal(t, 'ERR_CHECKPOINT', () => optimizer.restore(path))
  const none = join(folder, 'none', 'state.safetensors')
  t.like((await refusal(t, 'ERR_IO', () => optimizer.restore(none))).fields, { path: none })
  await refusal(t, 'ERR_IO', () => optimizer.save(none))
  t.deepEqual(optimizer.state(), before)
})

test('a path, a step and their options are checked before anything is read', async (t) => {
  const path = join(temporaryFolder(t), 'state.safetensors')
  const { optimizer, step } = make(adam({ lr: 0.1 }))
  step(2)
  optimizer.save(path)
  const before = optimizer.state()
  for (const wrong of [-1, NaN, 1.5, 2 ** 60, '2', null]) {
    await refusal(t, 'ERR_ARGUMENT', () => optimizer.restore(path, { step: wrong as number }))
    await refusal(t, 'ERR_ARGUMENT', () => optimizer.importTorch(path, { step: wrong as number }))
  }
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => optimizer.restore(path, { steps: 2 } as never))).message, /did you mean "step"/)
  await refusal(t, 'ERR_ARGUMENT', () => optimizer.restore(path, null as never))
  for (const wrong of [undefined, '', 7]) {
    t.regex((await refusal(t, 'ERR_ARGUMENT', () => optimizer.save(wrong as string))).message, /^path: /)
    await refusal(t, 'ERR_ARGUMENT', () => optimizer.exportTorch(wrong as string))
    await refusal(t, 'ERR_ARGUMENT', () => optimizer.restore(wrong as string))
  }
  t.deepEqual(optimizer.state(), before)
  t.is(optimizer.restore(path, { step: 2 }).step, 2)
})

test("a session's checkpoint opens here, and others may read it as they may its weights", async (t) => {
  const folder = temporaryFolder(t)
  using model = await perceptron()
  using dataset = await Dataset.from([{ features: Float32Array.of(0.5, -1), label: Int32Array.of(1) }])
  await using session = await Session.create({ model, optimizer: adam({ lr: 0.1 }), threads: 1, precision: 'float32' })
  using batch = dataset.batch([0])
  await session.step(batch)
  const path = join(await session.save(folder), 'optimizer.safetensors')
  const parameters = await Promise.all(model.parameters().map(async ({ name, shape }) => ({ name, shape, data: (await model.read(name)).data })))
  using optimizer = createOptimizer(adam({ lr: 0.1 }), parameters)
  t.like(optimizer.restore(path), { step: 1, missing: [], unused: [], changes: [] })
  await refusal(t, 'ERR_CHECKPOINT', () => optimizer.restore(path, { step: 2 }))
  t.is(statSync(path).mode, statSync(join(path, '..', 'state.json')).mode)
})

test("torch's state dict goes out and comes back", async (t) => {
  const path = join(temporaryFolder(t), 'torch.safetensors')
  const from = make(adamw({ lr: 0.1, sage: {} }))
  from.step(3)
  from.optimizer.exportTorch(path)
  const to = make(adamw({ lr: 0.2 }))
  t.deepEqual(to.optimizer.importTorch(path), {
    step: 3,
    missing: [],
    unused: ['a.bias/sensitivity', 'a.weight/sensitivity'],
    changes: ['param_groups[0].lr: 0.1 → 0.2'],
    stale: [],
  })
  t.deepEqual(to.optimizer.state().tensors['a.weight/exp_avg'], from.optimizer.state().tensors['a.weight/exp_avg'])
  await refusal(t, 'ERR_CHECKPOINT', () => make(sgd({ lr: 1 })).optimizer.importTorch(path))
  await refusal(t, 'ERR_CONFIG', () => make(sgd({ lr: 1, weightDecay: 1, decay: 'decoupled' })).optimizer.exportTorch(path))
})

test('what torch itself saved is read', (t) => {
  const path = join(temporaryFolder(t), 'adam.safetensors')
  copyFileSync('crates/optim/tests/golden/torch_state/adam_float32.safetensors', path)
  const shapes = torchShapes(path)
  const parameters = Object.entries(shapes).map(([name, shape]) => ({ name, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }))
  using optimizer = createOptimizer(adam({ lr: 1e-3 }), parameters)
  t.like(optimizer.importTorch(path), { missing: [], unused: [], stale: [] })
  t.true(optimizer.stepCount > 0)
})

/** Shapes of the parameters by the names that torch gave them. */
function torchShapes(path: string): Record<string, number[]> {
  const bytes = readFileSync(path)
  const { ['__metadata__']: metadata, ...header } = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()) as Record<string, { shape: number[]; param_groups: string }>
  const [group] = JSON.parse(metadata?.param_groups ?? '[]') as { params: number[]; param_names: string[] }[]
  return Object.fromEntries((group?.params ?? []).map((index, place) => [group?.param_names[place] ?? '', header[`state.${index}.exp_avg`]?.shape ?? []]))
}
