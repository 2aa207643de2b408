import { Worker } from 'node:worker_threads'
import test from 'ava'
import { adam, Session, type Batch } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { perceptron, pointSet } from '../samples.js'

const program = (body: string): string => `
const { parentPort } = require('node:worker_threads')
const run = async () => {
  const { adam, Dataset, Model, Session } = await import(${JSON.stringify(new URL('../../index.js', import.meta.url).href)})
  const { perceptron, pointSet } = await import(${JSON.stringify(new URL('../samples.js', import.meta.url).href)})
  const [model, dataset] = [await perceptron(), await pointSet(32)]
  const session = await Session.create({ model, optimizer: adam({ lr: 1e-2 }), threads: 1, precision: 'float32' })
  ${body}
}
run()`

function message<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

const steps = `
  let loss
  for await (const batch of dataset.loader({ batchSize: 8, seed: 1, epochs: 5 })) ({ loss } = await session.step(batch))
  parentPort.postMessage(loss)`

test('workers train beside each other, each to the same bits', async (t) => {
  const workers = Array.from({ length: 3 }, () => new Worker(program(steps), { eval: true }))
  const losses = await Promise.all(workers.map((worker) => message<number>(worker)))
  t.is(new Set(losses).size, 1)
  t.true((losses[0] ?? Infinity) < 1)
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('a worker that is terminated in the middle of a step takes nothing with it', async (t) => {
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(program(`parentPort.postMessage('up'); for (;;) await session.step(dataset.batch([0, 1, 2]))`), { eval: true })
    await message(worker)
    await worker.terminate()
  }
  using model = await perceptron()
  using dataset = await pointSet(8)
  await using session = await Session.create({ model, optimizer: adam({ lr: 1 }) })
  t.is((await session.step(dataset.batch([0]))).step, 1)
})

test('a handle that was sent to another thread arrives as an empty copy, which is refused with the reason', async (t) => {
  using model = await perceptron()
  using dataset = await pointSet(8)
  await using session = await Session.create({ model, optimizer: adam({ lr: 1 }) })
  let copy: unknown
  try {
    copy = structuredClone(dataset.batch([0]))
  } catch {
    copy = {} // newer Node refuses to clone it in the first place
  }
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => session.step(copy as Batch))).message, /expected a Batch.*thread/)
})
