import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, latestCheckpoint, readCheckpoint, retainCheckpoints, Session } from '#ts/index.js'
import { refusal } from './refusals.js'
import { perceptron, pointSet } from './samples.js'
import { temporaryFolder } from './temporary.js'

const base = { optimizer: adam({ lr: 1e-2 }), threads: 1, precision: 'float32', seed: 7 } as const

test('checkpoints are found, read, verified and let go', async (t) => {
  const folder = temporaryFolder(t)
  using model = await perceptron()
  using dataset = await pointSet(4)
  await using session = await Session.create({ model, ...base })
  const paths: string[] = []
  for (let step = 0; step < 3; step++) {
    await session.step(dataset.batch([0, 1]))
    paths.push(await session.save(folder, { run: { step } }))
  }
  const [one = '', two = '', three = ''] = paths
  t.deepEqual(await latestCheckpoint(folder), { path: three, damaged: [] })
  t.like(await readCheckpoint(two), { format: 1, step: 2, passes: 2, run: { step: 1 }, options: { seed: 7 } })
  t.deepEqual(await retainCheckpoints(folder, [one, three]), [one, three])
  await refusal(t, 'ERR_CHECKPOINT', () => readCheckpoint(two))
  t.deepEqual(await latestCheckpoint(join(folder, 'none')), { damaged: [] })
})

test('a checkpoint with one altered byte is passed over, and named', async (t) => {
  const folder = temporaryFolder(t)
  using model = await perceptron()
  using dataset = await pointSet(4)
  await using session = await Session.create({ model, ...base })
  await session.step(dataset.batch([0, 1]))
  const whole = await session.save(folder)
  await session.step(dataset.batch([0, 1]))
  const damaged = await session.save(folder)
  const file = join(damaged, 'optimizer.safetensors')
  const bytes = readFileSync(file)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(file, bytes)
  const latest = await latestCheckpoint(folder)
  t.is(latest.path, whole)
  t.regex(latest.damaged[0] ?? '', /step-00000002.*optimizer\.safetensors/)
  await refusal(t, 'ERR_CHECKPOINT', () => readCheckpoint(damaged))
  await refusal(t, 'ERR_CHECKPOINT', () => session.load(damaged))
})
