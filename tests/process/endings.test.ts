import test from 'ava'
import { runProgram } from './child.js'

const session = `
const dataset = await sentenceSet(200)
const model = await transformer()
const session = await Session.create({ model, optimizer: adam({ lr: 1e-3 }), threads: 1 })
const loader = dataset.loader({ maxTokens: 400, epochs: Infinity })
`

test('a process ends by itself with everything left undisposed', async (t) => {
  const { code, stderr } = await runProgram(`${session}
    for await (const batch of loader) { const { step } = await session.step(batch); if (step === 3) break }
    globalThis.kept = [session, model, dataset, createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [1], data: new Float32Array(1) }])]`)
  t.deepEqual([code, stderr], [0, ''])
})

test('a pending step holds the process open until it has settled', async (t) => {
  const { code, stdout } = await runProgram(`${session} session.step(dataset.batch([0])).then(({ step }) => console.log(step))`)
  t.deepEqual([code, stdout.trim()], [0, '1'])
})

test('exit in the middle of steps, loaders and evaluations is an exit and no crash', async (t) => {
  for (const delay of [0, 1, 5, 20]) {
    const { code, stderr } = await runProgram(`${session}
      for await (const _ of loader) break
      void model.evaluate(dataset, { maxTokens: 50 }); void session.step(dataset.batch([0, 1, 2])); void loader[Symbol.asyncIterator]().next()
      setTimeout(() => process.exit(7), ${delay})`)
    t.deepEqual([code, stderr], [7, ''], `after ${delay} ms`)
  }
})

test('a process whose worker is at work exits, though its main thread never loaded the addon', async (t) => {
  const worker = `
    import { parentPort } from 'node:worker_threads'
    import(${JSON.stringify(new URL('../samples.js', import.meta.url).href)}).then(async ({ sentenceSet, transformer }) => {
      const { adam, Session } = await import(${JSON.stringify(new URL('../../index.js', import.meta.url).href)})
      const session = await Session.create({ model: await transformer(), optimizer: adam({ lr: 1 }), threads: 1, nonFinite: 'skip' })
      const batch = (await sentenceSet(64)).batch(Array.from({ length: 64 }, (_, index) => index))
      parentPort.postMessage('up')
      for (;;) await session.step(batch)
    })`
  for (let round = 0; round < 3; round++) {
    const { code, stderr } = await runProgram(
      `import { Worker } from 'node:worker_threads'
      new Worker(${JSON.stringify(worker)}, { eval: true }).once('message', () => process.exit(7))`,
      [],
      '',
    )
    t.deepEqual([code, stderr], [7, ''])
  }
})

test('an uncaught error ends the process with its own message', async (t) => {
  const { code, stderr } = await runProgram(`${session} void session.step(dataset.batch([0])); throw new Error('mine')`)
  t.is(code, 1)
  t.regex(stderr, /mine/)
})

test('a failed run that nobody awaits is no unhandled rejection; an awaited one throws', async (t) => {
  const run = `const task = await Spiral.prepare({ samples: 10, validSamples: 5 })
    const run = task.train({ optimizer: adam({ lr: 1 }), model: { hidden: [0] }, epochs: 1, folder: false })`
  t.is((await runProgram(`${run}; try { for await (const _ of run); } catch { console.log('told') }; await new Promise((resolve) => setTimeout(resolve, 50))`)).stdout.trim(), 'told')
  t.is((await runProgram(`${run}; await run.done.catch(({ code }) => console.log(code))`)).stdout.trim(), 'ERR_CONFIG')
})
