import test from 'ava'
import { runProgram } from './child.js'

/** Growth of resident memory in MiB over a loop that makes `make` and drops it, `count` times. */
const growth = (make: string, count: number): string => `
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const data = new Float32Array(1 << 20)
  let most = 0
  const before = process.memoryUsage.rss()
  for (let made = 0; made < ${count}; made++) {
    ${make}
    await turn()
    most = Math.max(most, process.memoryUsage.rss() - before)
  }
  console.log(most / 2 ** 20)`

test('V8 is told of native memory, and so collects what nobody disposes of', async (t) => {
  const optimizer = `createOptimizer(adam({ lr: 1, sage: {} }), [{ name: 'w', shape: [1 << 20], data }])` // 12 MiB
  const model = `await Model.create({ type: 'mlp', inputs: 1000, hidden: [1000, 1000], classes: 2 })` // 8 MiB
  for (const [make, size] of [[optimizer, 12], [model, 8]] as const) {
    const { stdout, stderr } = await runProgram(growth(make, 200))
    t.is(stderr, '')
    t.true(Number(stdout) < 0.4 * size * 200, `${stdout.trim()} MiB for 200 of ${size} MiB`)
  }
})

test('disposing frees at once', async (t) => {
  const { stdout } = await runProgram(growth(`{ const made = createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [1 << 20], data }]); made[Symbol.dispose]() }`, 200))
  t.true(Number(stdout) < 400, `${stdout.trim()} MiB for 200 of 8 MiB`)
})

test('batches nobody disposes of are collected', async (t) => {
  const { stdout } = await runProgram(`
    const row = new Float32Array(1 << 16)
    const dataset = await Dataset.from(Array.from({ length: 8 }, () => ({ row })))
    const before = process.memoryUsage.rss()
    let seen = 0
    for await (const _ of dataset.loader({ batchSize: 8, epochs: Infinity })) if (++seen === 600) break
    console.log((process.memoryUsage.rss() - before) / 2 ** 20)`)
  // 600 batches of 2 MiB each.
  t.true(Number(stdout) < 400, `${stdout.trim()} MiB more`)
})
