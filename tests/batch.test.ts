import test from 'ava'
import { Batch } from '#ts/index.js'
import { refusal } from './refusals.js'
import { pointSet, sentenceSet } from './samples.js'

test('a batch tells samples, tokens and columns', async (t) => {
  using dataset = await sentenceSet(8)
  using batch = dataset.batch([0, 1, 2])
  const target = batch.read('target')
  t.deepEqual([batch.samples, batch.tokens, batch.columns], [3, target.values.length, ['source', 'target']])
  t.deepEqual([...batch.indices], [0, 1, 2])
  t.deepEqual(batch.position, { epoch: 0, batch: 0 })
})

test('reading copies', async (t) => {
  using dataset = await pointSet(4)
  using batch = dataset.batch([0])
  batch.read('features').values.fill(9)
  t.notDeepEqual([...batch.read('features').values], [9, 9])
})

test('unknown columns are refused with those there are', async (t) => {
  using dataset = await pointSet(4)
  using batch = dataset.batch([0])
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => batch.read('feature'))).message, /features, label/)
  for (const name of [undefined, 3, '', {}]) await refusal(t, 'ERR_ARGUMENT', () => batch.read(name as never))
})

test('a disposed batch says so, and one is not made with new', async (t) => {
  using dataset = await pointSet(4)
  const batch = dataset.batch([0])
  batch[Symbol.dispose]()
  batch[Symbol.dispose]()
  for (const use of [() => batch.read('features'), () => batch.columns, () => batch.indices]) await refusal(t, 'ERR_DISPOSED', use)
  t.is(batch.samples, 1)
  await refusal(t, 'ERR_ARGUMENT', () => new (Batch as unknown as new (...args: unknown[]) => unknown)({}))
})
