import test from 'ava'
import { Loader, type Batch, type LoaderOptions, type LoaderState } from '#ts/index.js'
import { refusal } from './refusals.js'
import { pointSet, sentenceSet } from './samples.js'

async function indices(batches: AsyncIterable<Batch>, most = Infinity): Promise<number[][]> {
  const seen: number[][] = []
  for await (const batch of batches) {
    seen.push([...batch.indices])
    if (seen.length >= most) break
  }
  return seen
}

test('each for await is one epoch, in another order, with every sample once', async (t) => {
  using dataset = await pointSet(20)
  const loader = dataset.loader({ batchSize: 6, seed: 1 })
  const [first, second] = [await indices(loader), await indices(loader)]
  for (const epoch of [first, second]) {
    t.deepEqual(epoch.map(({ length }) => length), [6, 6, 6, 2])
    t.deepEqual(epoch.flat().toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, index) => index))
  }
  t.notDeepEqual(first, second)
  t.deepEqual(loader.state(), { epoch: 2, batch: 0 })
})

test('leaving early leaves the cursor where it is, and a state resumes anywhere', async (t) => {
  using dataset = await sentenceSet(60)
  const options: LoaderOptions = { maxTokens: 40, seed: 3, epochs: 2 }
  const all = await indices(dataset.loader(options))
  const loader = dataset.loader(options)
  const start = await indices(loader, 5)
  const state: LoaderState = JSON.parse(JSON.stringify(loader.state())) as LoaderState
  t.deepEqual(start, all.slice(0, 5))
  t.deepEqual(await indices(loader), all.slice(5))
  t.deepEqual(await indices(dataset.loader({ ...options, state })), all.slice(5))
})

test('the order depends on the seed and not on the prefetch', async (t) => {
  using dataset = await sentenceSet(60)
  const order = (options: LoaderOptions): Promise<number[][]> => indices(dataset.loader({ maxTokens: 40, ...options }))
  t.deepEqual(await order({ seed: 1, prefetch: 0 }), await order({ seed: 1, prefetch: 8 }))
  t.notDeepEqual(await order({ seed: 1 }), await order({ seed: 2 }))
  t.deepEqual((await indices(dataset.loader({ batchSize: 60, shuffle: false })))[0], Array.from({ length: 60 }, (_, index) => index))
})

test('an endless loader goes on until it is left; waiting is counted', async (t) => {
  using dataset = await pointSet(4)
  const loader = dataset.loader({ batchSize: 4, epochs: Infinity })
  t.is((await indices(loader, 25)).length, 25)
  t.deepEqual(loader.state(), { epoch: 25, batch: 0 })
  t.true(loader.waited >= 0)
})

test('the batches of an epoch are counted without gathering them', async (t) => {
  using dataset = await pointSet(20)
  const loader = dataset.loader({ batchSize: 6 })
  t.is(await loader.batches(), 4)
  t.is(await dataset.loader({ batchSize: 6, dropLast: true }).batches(3), 3)
  t.deepEqual(loader.state(), { epoch: 0, batch: 0 })
})

test('two loops over one loader at a time are refused; one after the other is fine', async (t) => {
  using dataset = await pointSet(8)
  const loader = dataset.loader({ batchSize: 2, epochs: 2 })
  const iterator = loader[Symbol.asyncIterator]()
  await iterator.next()
  await refusal(t, 'ERR_STATE', () => loader[Symbol.asyncIterator]().next())
  await iterator.return()
  t.is((await indices(loader)).length, 7)
})

test('a position that does not exist and a sample over the budget are refused', async (t) => {
  using dataset = await sentenceSet(10)
  await refusal(t, 'ERR_STATE', () => indices(dataset.loader({ batchSize: 5, state: { epoch: 0, batch: 9 } })))
  t.like((await refusal(t, 'ERR_DATA', () => indices(dataset.loader({ maxTokens: 3 })))).fields, { column: 'source', budget: 3 })
})

test('bad options are named by their path', async (t) => {
  using dataset = await pointSet(4)
  const cases: [unknown, string][] = [
    [{}, 'loader.maxTokens'],
    [{ maxTokens: 1, batchSize: 1 }, 'loader.batchSize'],
    [{ batchSize: 1, maxSamples: 1 }, 'loader.maxSamples'],
    [{ maxTokens: 1, dropLast: true }, 'loader.dropLast'],
    [{ batchSize: 0 }, 'loader.batchSize'],
    [{ batchSize: 1.5 }, 'loader.batchSize'],
    [{ batchSize: 1, epochs: 0 }, 'loader.epochs'],
    [{ batchSize: 1, suffle: true }, 'loader.suffle'],
    [{ batchSize: 1, state: { epoch: 0 } }, 'loader.state.batch'],
    [undefined, 'loader'],
  ]
  for (const [options, key] of cases) t.is((await refusal(t, 'ERR_CONFIG', () => dataset.loader(options as never))).fields['key'], key)
  await refusal(t, 'ERR_ARGUMENT', () => new (Loader as unknown as new (...args: unknown[]) => unknown)({}, { batchSize: 1 }))
})
