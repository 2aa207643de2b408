import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { batchesOf } from '#ts/task/batches.js'

async function all<T>(items: Iterable<T> | AsyncIterable<T>, size: number): Promise<(readonly T[])[]> {
  const found: (readonly T[])[] = []
  for await (const batch of batchesOf(items, size)) found.push(batch)
  return found
}

test('items go in groups, the last of what is left', async (t) => {
  t.deepEqual(await all([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]])
  t.deepEqual(await all([], 2), [])
})

test('a source that pauses has its items go on', async (t) => {
  async function* slow(): AsyncGenerator<number> {
    yield* [1, 2]
    await setTimeout(400)
    yield* [3, 4, 5, 6]
  }
  t.deepEqual(await all(slow(), 3), [[1, 2], [3, 4, 5], [6]])
})

test('a source is ended where nobody asks on, and its failure is told when it is asked', async (t) => {
  const ended: string[] = []
  async function* source(): AsyncGenerator<number> {
    try {
      yield* [1, 2, 3]
    } finally {
      ended.push('ended')
    }
  }
  for await (const batch of batchesOf(source(), 2)) if (batch.length > 0) break
  t.deepEqual(ended, ['ended'])
  async function* failing(): AsyncGenerator<number> {
    yield 1
    await setTimeout(200)
    throw new Error('no more')
  }
  const found: number[] = []
  await t.throwsAsync(async () => {
    for await (const batch of batchesOf(failing(), 8)) {
      found.push(...batch)
      await setTimeout(300)
    }
  }, { message: 'no more' })
  t.deepEqual(found, [1], 'what had come before')
})
