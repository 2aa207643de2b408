import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, Model, Session } from '#ts/index.js'
import { refusal } from './refusals.js'
import { perceptron, pointSet, sentenceSet, transformer } from './samples.js'
import { temporaryFolder } from './temporary.js'

test('a model is its specification and its seed', async (t) => {
  using a = await perceptron(1)
  using b = await perceptron(1)
  using c = await perceptron(2)
  t.deepEqual(a.spec, { type: 'mlp', inputs: 2, hidden: [8], classes: 2, activation: 'relu' })
  const [name = ''] = a.parameters().map((parameter) => parameter.name)
  t.deepEqual((await a.read(name)).data, (await b.read(name)).data)
  t.notDeepEqual((await a.read(name)).data, (await c.read(name)).data)
})

test('parameters have names, shapes and roles; presets and defaults are filled in', async (t) => {
  using model = await transformer()
  t.like(model.spec, { type: 'transformer', heads: 2, activation: 'relu', normalization: 'post', attentionDropout: 0 })
  const roles = new Set(model.parameters().map(({ role }) => role))
  t.true(roles.has('encoder-linear') && roles.has('embedding'))
  t.is(new Set(model.parameters().map(({ name }) => name)).size, model.parameters().length)
})

test('values are read and written as copies', async (t) => {
  using model = await perceptron()
  const { data, shape } = await model.read('output.weight')
  t.deepEqual([shape, data.length], [[2, 8], 16])
  data.fill(3)
  t.notDeepEqual((await model.read('output.weight')).data, data)
  const writing = model.write('output.weight', data)
  data.fill(4) // the copy was taken when write was called
  await writing
  t.deepEqual((await model.read('output.weight')).data, new Float32Array(16).fill(3))
})

test('forward gives logits, and the rows do not see each other', async (t) => {
  using model = await perceptron()
  using dataset = await pointSet(8)
  using all = dataset.batch([0, 1, 2])
  using one = dataset.batch([1])
  const [logits, alone] = [await model.forward(all), await model.forward(one)]
  t.deepEqual([logits.shape, alone.shape], [[3, 2], [1, 2]])
  alone.data.forEach((value, index) => t.true(Math.abs(value - (logits.data[2 + index] ?? 0)) < 1e-6))
  using translator = await transformer()
  using sentences = await sentenceSet(4)
  using batch = sentences.batch([0, 1])
  t.deepEqual((await translator.forward(batch)).shape, [batch.tokens, 40])
})

test('a saved model opens again with the same bits', async (t) => {
  const folder = join(temporaryFolder(t), 'model')
  using model = await transformer()
  await model.save(folder)
  t.true(existsSync(join(folder, 'config.json')) && existsSync(join(folder, 'model.safetensors')))
  using loaded = await Model.load(folder)
  t.deepEqual(loaded.parameters(), model.parameters())
  for (const { name } of model.parameters()) t.deepEqual((await loaded.read(name)).data, (await model.read(name)).data, name)
})

test('evaluation is the mean over all samples, whatever the batches', async (t) => {
  using model = await transformer()
  using dataset = await sentenceSet(40)
  const [one, other] = [await model.evaluate(dataset, { maxTokens: 30 }), await model.evaluate(dataset, { maxTokens: 1000 })]
  t.is(one.count, other.count)
  t.true(Math.abs(one.loss - other.loss) < 1e-4)
  t.true(Math.abs(one.nll - Math.log(40)) < 1.5, 'a fresh model knows nothing')
  using classifier = await perceptron()
  using points = await pointSet(40)
  const { accuracy = -1 } = await classifier.evaluate(points, { batchSize: 7 })
  t.true(accuracy >= 0 && accuracy <= 1)
})

test('an aborted evaluation rejects with the signal’s reason, and the model works on', async (t) => {
  using model = await transformer()
  using dataset = await sentenceSet(400)
  const reason = new Error('enough')
  t.is(await t.throwsAsync(model.evaluate(dataset, { maxTokens: 20, signal: AbortSignal.abort(reason) })), reason)
  const controller = new AbortController()
  const evaluation = model.evaluate(dataset, { maxTokens: 20, signal: controller.signal })
  controller.abort(reason)
  t.is(await t.throwsAsync(evaluation), reason)
  t.true((await model.evaluate(dataset, { maxTokens: 1000 })).count > 0)
})

test('calling one call off leaves the others on the same model alone', async (t) => {
  using model = await transformer()
  using dataset = await sentenceSet(400)
  const reason = new Error('enough')
  const [first, second] = [new AbortController(), new AbortController()]
  const start = (signal?: AbortSignal) => model.evaluate(dataset, { maxTokens: 20, ...(signal && { signal }) })
  const undisturbed = await start()
  const calls = Promise.allSettled([start(), start(first.signal), start(second.signal), start(new AbortController().signal)])
  first.abort(reason)
  second.abort(reason)
  const value = { status: 'fulfilled', value: undisturbed }
  t.deepEqual(await calls, [value, { status: 'rejected', reason }, { status: 'rejected', reason }, value])
})

test('bad specifications are named by their path', async (t) => {
  const cases: [unknown, string][] = [
    [{ type: 'mpl' }, 'model.type'],
    [{}, 'model.type'],
    [{ type: 'mlp', inputs: 2 }, 'model.classes'],
    [{ type: 'mlp', inputs: 2, classes: 2, hiden: [3] }, 'model.hiden'],
    [{ type: 'mlp', inputs: 0, classes: 2 }, 'model.inputs'],
    [{ preset: 'transformer-bas', vocabularySize: 10 }, 'model.preset'],
    [{ preset: 'transformer-base' }, 'model.vocabularySize'],
    [{ preset: 'transformer-base', vocabularySize: 10, heads: 7 }, 'model.heads'],
  ]
  for (const [spec, key] of cases) t.is((await refusal(t, 'ERR_CONFIG', () => Model.create(spec as never))).fields['key'], key)
  for (const spec of [undefined, null, 3, 'mlp']) await refusal(t, 'ERR_CONFIG', () => Model.create(spec as never))
  await refusal(t, 'ERR_ARGUMENT', () => Model.create({ type: 'mlp', inputs: 2, classes: 2 }, { seed: -1 }))
})

test('what is not there, or does not fit, is refused', async (t) => {
  const folder = temporaryFolder(t)
  using model = await perceptron()
  using sentences = await sentenceSet(4)
  using batch = sentences.batch([0])
  t.is((await refusal(t, 'ERR_ARGUMENT', () => model.read('output.wieght'))).fields['nearest'], 'output.weight')
  await refusal(t, 'ERR_DTYPE', () => model.write('output.weight', new Float64Array(16) as never))
  await refusal(t, 'ERR_SHAPE', () => model.forward(batch))
  await refusal(t, 'ERR_ARGUMENT', () => model.forward({} as never))
  await refusal(t, 'ERR_ARGUMENT', () => model.evaluate({} as never, { batchSize: 1 }))
  await refusal(t, 'ERR_CONFIG', () => model.evaluate(sentences, {}))
  await refusal(t, 'ERR_CONFIG', () => model.evaluate(sentences, { batchSize: 1, maxTokens: 1 }))
  await refusal(t, 'ERR_IO', () => Model.load(join(folder, 'none')))
  await refusal(t, 'ERR_ARGUMENT', () => Model.load(undefined as never))
  await refusal(t, 'ERR_ARGUMENT', () => new (Model as unknown as new (...args: unknown[]) => unknown)({}))
})

test('a disposed model says so, and disposing twice is fine', async (t) => {
  const model = await perceptron()
  using dataset = await pointSet(4)
  model[Symbol.dispose]()
  model[Symbol.dispose]()
  for (const use of [
    () => model.read('output.weight'),
    () => model.write('output.weight', new Float32Array(16)),
    () => model.forward(dataset.batch([0])),
    () => model.save('x'),
    () => model.evaluate(dataset, { batchSize: 1 }),
    () => Session.create({ model, optimizer: adam({ lr: 1 }) }),
  ]) {
    await refusal(t, 'ERR_DISPOSED', use)
  }
})
