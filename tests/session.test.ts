import { join } from 'node:path'
import test from 'ava'
import { adam, Dataset, inverseSqrt, Session, type Model, type SessionOptions } from '#ts/index.js'
import { refusal } from './refusals.js'
import { perceptron, pointSet, sentenceSet, transformer } from './samples.js'
import { temporaryFolder } from './temporary.js'

const base = { optimizer: adam({ lr: 1e-2, sage: {} }), threads: 1, precision: 'float32', seed: 7 } as const

async function weights(model: Model): Promise<Float32Array[]> {
  return Promise.all(model.parameters().map(async ({ name }) => (await model.read(name)).data))
}

/** Trains a Transformer with dropout for some steps. */
async function train(session: Session, dataset: Dataset, steps: number, state = { epoch: 0, batch: 0 }): Promise<number[]> {
  const losses: number[] = []
  for await (const batch of dataset.loader({ maxTokens: 60, seed: 3, epochs: Infinity, state })) {
    losses.push((await session.step(batch)).loss)
    if (losses.length === steps) break
  }
  return losses
}

test('steps reduce the loss and report what they did', async (t) => {
  using model = await perceptron()
  using dataset = await pointSet(64)
  await using session = await Session.create({ model, ...base, optimizer: adam({ lr: 1e-2 }) })
  using batch = dataset.batch(Array.from({ length: 64 }, (_, index) => index))
  const first = await session.step(batch)
  t.like(first, { step: 1, updated: true, count: 64, lr: 1e-2, skipped: false })
  t.true((first.gradientNorm ?? 0) > 0 && first.seconds > 0 && first.optimizerSeconds > 0)
  for (let step = 0; step < 100; step++) await session.step(batch)
  t.is(session.stepCount, 101)
  t.true((await session.evaluate(dataset, { batchSize: 64 })).loss < first.loss * 0.8)
})

test('the options are filled in for this machine', async (t) => {
  using model = await perceptron()
  await using session = await Session.create({ model, optimizer: adam({ lr: 1 }), schedule: inverseSqrt({ warmupSteps: 4 }) })
  t.like(session.spec, { device: 'cpu', seed: 1, accumulate: 1, labelSmoothing: 0, nonFinite: 'error', schedule: { type: 'inverseSqrt', warmupSteps: 4 } })
  t.true(['float32', 'bfloat16'].includes(session.spec.precision) && session.spec.threads >= 1)
  using dataset = await pointSet(4)
  t.is((await session.step(dataset.batch([0, 1, 2, 3]))).lr, 0.25)
})

test('two sessions side by side each equal their solo run, bit for bit', async (t) => {
  using dataset = await sentenceSet(80)
  const solo = async (): Promise<[number[], Float32Array[]]> => {
    using model = await transformer()
    await using session = await Session.create({ model, ...base })
    return [await train(session, dataset, 12), await weights(model)]
  }
  const alone = await solo()
  t.deepEqual(await Promise.all([solo(), solo()]), [alone, alone])
})

test('accumulated batches make one update, weighed by their tokens', async (t) => {
  using dataset = await pointSet(6)
  const after = async (accumulate: number, parts: number[][]): Promise<Float32Array[]> => {
    using model = await perceptron()
    await using session = await Session.create({ model, ...base, accumulate })
    const reports = []
    for (const part of parts) reports.push(await session.step(dataset.batch(part)))
    t.deepEqual(reports.map(({ updated }) => updated), parts.map((_, index) => index === parts.length - 1))
    t.is(reports.at(-1)?.count, 6)
    return weights(model)
  }
  const [whole, summed] = [await after(1, [[0, 1, 2, 3, 4, 5]]), await after(2, [[0, 1, 2, 3], [4, 5]])]
  whole.forEach((array, place) => array.forEach((value, index) => t.true(Math.abs(value - (summed[place]?.[index] ?? 0)) < 1e-5)))
})

for (const sensitivityDtype of ['float32', 'bfloat16'] as const) {
  test(`a checkpoint resumes to the same bits, mid-epoch and with dropout on, E in ${sensitivityDtype}`, async (t) => {
    const folder = temporaryFolder(t)
    using dataset = await sentenceSet(80)
    using undisturbed = await transformer()
    await using whole = await Session.create({ model: undisturbed, ...base, sensitivityDtype })
    const losses = await train(whole, dataset, 10)
    using first = await transformer()
    await using begun = await Session.create({ model: first, ...base, sensitivityDtype })
    const start = await train(begun, dataset, 6)
    const path = await begun.save(folder, { run: { note: [1, null] } })
    t.is(path, join(folder, 'step-00000006'))
    using second = await transformer(99)
    await using resumed = await Session.create({ model: second, ...base, sensitivityDtype })
    t.deepEqual(await resumed.load(path), { step: 6, run: { note: [1, null] }, warnings: [] })
    t.is(resumed.stepCount, 6)
    const loader = dataset.loader({ maxTokens: 60, seed: 3, epochs: Infinity })
    let seen = 0
    for await (const _ of loader) if (++seen === 6) break
    t.deepEqual([...start, ...(await train(resumed, dataset, 4, loader.state()))], losses)
    t.deepEqual(await weights(second), await weights(undisturbed))
  })
}

test('a checkpoint of another model, or of other options, is refused', async (t) => {
  const folder = temporaryFolder(t)
  using model = await perceptron()
  using dataset = await pointSet(4)
  await using session = await Session.create({ model, ...base })
  await session.step(dataset.batch([0, 1]))
  const path = await session.save(folder)
  using other = await transformer()
  await using stranger = await Session.create({ model: other, ...base })
  await refusal(t, 'ERR_CHECKPOINT', () => stranger.load(path))
  using same = await perceptron()
  await using seeded = await Session.create({ model: same, ...base, seed: 8 })
  await refusal(t, 'ERR_CHECKPOINT', () => seeded.load(path))
  await refusal(t, 'ERR_CHECKPOINT', () => session.load(join(folder, 'none')))
})

test('observe reports on its steps', async (t) => {
  using model = await perceptron()
  using dataset = await pointSet(8)
  await using session = await Session.create({ model, ...base, optimizer: adam({ lr: 1e-2, observe: { every: 2 } }) })
  await session.step(dataset.batch([0, 1, 2]))
  t.is(await session.sensitivity(), undefined)
  await session.step(dataset.batch([0, 1, 2]))
  t.is((await session.sensitivity())?.tensors.length, model.parameters().length)
})

test('a scope predicate sees the model’s parameters', async (t) => {
  using model = await perceptron()
  await using session = await Session.create({ model, ...base, optimizer: adam({ lr: 1, sage: { scope: ({ shape }) => shape.length === 2 } }) })
  t.deepEqual(session.spec.optimizer.sage?.scope, { include: ['layers.0.weight', 'output.weight'] })
  using second = await perceptron()
  await refusal(t, 'ERR_SCOPE_EMPTY', () => Session.create({ model: second, ...base, optimizer: adam({ lr: 1, sage: { scope: () => false } }) }))
})

test('a loss that is not finite fails the step, and nothing has changed', async (t) => {
  using model = await perceptron()
  using dataset = await pointSet(4)
  await using session = await Session.create({ model, ...base })
  const bias = await model.read('output.bias')
  await model.write('output.bias', bias.data.map(() => Number.NaN))
  const before = await weights(model)
  await refusal(t, 'ERR_NON_FINITE', () => session.step(dataset.batch([0, 1])))
  t.deepEqual(await weights(model), before)
  await model.write('output.bias', bias.data)
  t.is((await session.step(dataset.batch([0, 1]))).step, 1)
})

test('bad options are named by their key', async (t) => {
  using model = await perceptron()
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ labelSmothing: 0.1 }, /labelSmothing.*did you mean "labelSmoothing"/],
    [{ optimizer: undefined }, /optimizer/],
    [{ optimizer: { type: 'adam' } }, /optimizer\.lr/],
    [{ model: undefined }, /model/],
    [{ device: 'gpu' }, /device/],
    [{ precision: 'float8' }, /float8|precision/],
    [{ threads: 0 }, /threads/],
    [{ accumulate: 0 }, /accumulate/],
    [{ labelSmoothing: 1 }, /labelSmoothing/],
    [{ smoothness: { weight: 0 } }, /smoothness\.weight/],
    [{ smoothness: {} }, /smoothness: .*"mlp"/],
    [{ schedule: { type: 'cosine', warmupSteps: 1 } }, /totalSteps/],
    [{ seed: Number.NaN }, /seed/],
    [{ seed: -1 }, /^seed: /],
  ]
  for (const [change, message] of cases) {
    const options = { model, ...base, ...change } as unknown as SessionOptions
    t.regex((await refusal(t, 'ERR_CONFIG', () => Session.create(options))).message, message)
  }
  await refusal(t, 'ERR_CONFIG', () => Session.create(undefined as never))
  await refusal(t, 'ERR_ARGUMENT', () => Session.create({ ...base, model: {} as never }))
})

test('one session a model at a time; the model outlives it and may have another', async (t) => {
  using model = await perceptron()
  using dataset = await pointSet(4)
  const session = await Session.create({ model, ...base })
  await refusal(t, 'ERR_STATE', () => Session.create({ model, ...base }))
  await session.step(dataset.batch([0]))
  await session[Symbol.asyncDispose]()
  await session[Symbol.asyncDispose]()
  for (const use of [() => session.step(dataset.batch([0])), () => session.save('x'), () => session.load('x'), () => session.sensitivity(), () => session.evaluate(dataset, { batchSize: 1 })]) {
    await refusal(t, 'ERR_DISPOSED', use)
  }
  t.is((await model.read('output.bias')).data.length, 2)
  await using again = await Session.create({ model, ...base })
  t.is((await again.step(dataset.batch([0]))).step, 1)
  await refusal(t, 'ERR_ARGUMENT', () => again.step({} as never))
  await refusal(t, 'ERR_ARGUMENT', () => new (Session as unknown as new (...args: unknown[]) => unknown)({}))
})

test('ids the model does not know are refused before they are looked up', async (t) => {
  using model = await transformer()
  await using session = await Session.create({ model, ...base })
  using foreign = await Dataset.from([{ source: Int32Array.of(4000, 0), target: Int32Array.of(2, 0) }])
  const error = await t.throwsAsync(session.step(foreign.batch([0])))
  t.regex(error?.message ?? '', /4000/)
})
