import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { adam, type Dataset, Model, readCheckpoint, Session, type StepReport } from '#ts/index.js'
import { refusal } from './refusals.js'
import { perceptron, pointSet, sentenceSet, transformer } from './samples.js'
import { temporaryFolder } from './temporary.js'

const base = { optimizer: adam({ lr: 1e-2, sage: {} }), threads: 1, seed: 7 } as const

async function train(session: Session, dataset: Dataset, steps: number): Promise<StepReport[]> {
  const reports: StepReport[] = []
  for await (const batch of dataset.loader({ maxTokens: 60, seed: 3, epochs: Infinity })) {
    reports.push(await session.step(batch))
    if (reports.length === steps) break
  }
  return reports
}

test('a device that is not there is refused with what is missing, and the model stays usable', async (t) => {
  using model = await perceptron()
  t.regex((await refusal(t, 'ERR_DEVICE', () => Session.create({ model, ...base, device: 'cuda:99' }))).message, /driver|npm run setup -- --cuda|cuda:0/)
  await refusal(t, 'ERR_CONFIG', () => Session.create({ model, ...base, device: 'gpu' as 'cpu' }))
  await using session = await Session.create({ model, ...base, device: 'cpu' })
  t.is(session.spec.device, 'cpu')
})

test('float16 trains with a loss scale that checkpoints keep', async (t) => {
  using dataset = await sentenceSet(80)
  using model = await transformer()
  await using session = await Session.create({ model, ...base, device: 'cpu', precision: 'float16', lossScale: { growthInterval: 3 } })
  t.like(session.spec, { precision: 'float16', nonFinite: 'skip', lossScale: { initial: 65536, growthInterval: 3 } })
  const reports = await train(session, dataset, 40)
  const skips = reports.filter(({ skipped }) => skipped).length
  t.true(reports.filter(({ updated }) => updated).length + skips === 40)
  t.true((reports.findLast(({ updated }) => updated)?.loss ?? Infinity) < (reports[0]?.loss ?? 0))
  const path = await session.save(temporaryFolder(t))
  const { default: state } = (await import(pathToFileURL(join(path, 'state.json')).href, { with: { type: 'json' } })) as { default: { lossScale: number; step: number } }
  t.true(state.lossScale > 1 && Number.isInteger(Math.log2(state.lossScale)))
  t.is((await readCheckpoint(path)).step, 40 - skips)
})

test('a loss scale is of float16', async (t) => {
  using model = await perceptron()
  await refusal(t, 'ERR_CONFIG', () => Session.create({ model, ...base, device: 'cpu', precision: 'float32', lossScale: 'dynamic' }))
  await refusal(t, 'ERR_CONFIG', () => Session.create({ model, ...base, device: 'cpu', precision: 'float16', nonFinite: 'error' }))
})

test('losses are read as often as asked, over all updates since', async (t) => {
  using dataset = await sentenceSet(80)
  const after = async (logEvery: number): Promise<StepReport[]> => {
    using model = await transformer()
    await using session = await Session.create({ model, ...base, device: 'cpu', precision: 'float32', logEvery })
    return await train(session, dataset, 6)
  }
  const [each, third] = [await after(1), await after(3)]
  t.deepEqual(third.map(({ read }) => read), [false, false, true, false, false, true])
  t.deepEqual(third.map(({ loss }) => Number.isNaN(loss)), [true, true, false, true, true, false])
  const tokens = each.slice(0, 3).reduce((sum, { count }) => sum + count, 0)
  const mean = each.slice(0, 3).reduce((sum, { loss, count }) => sum + loss * count, 0) / tokens
  t.is(third[2]?.count, tokens)
  t.true(Math.abs((third[2]?.loss ?? 0) - mean) < 1e-12)
})

test('a model translates and scores in the precision it was loaded for', async (t) => {
  const folder = temporaryFolder(t)
  using dataset = await pointSet(32)
  {
    using model = await perceptron()
    await model.save(folder)
  }
  using model = await Model.load(folder)
  using half = await Model.load(folder, { device: 'cpu', precision: 'bfloat16' })
  const [{ loss }, { loss: rounded }] = await Promise.all([model.evaluate(dataset, { batchSize: 32 }), half.evaluate(dataset, { batchSize: 32 })])
  t.not(loss, rounded)
  t.true(Math.abs(loss - rounded) < 0.05)
  await refusal(t, 'ERR_CONFIG', () => Model.load(folder, { precision: 'float8' as 'float16' }))
  await refusal(t, 'ERR_DEVICE', () => Model.load(folder, { device: 'cuda:99' }))
})

test('the environment makes the CPU run what a GPU would', (t) => {
  const program = `
    import { adam, Dataset, Model, Session } from '${import.meta.resolve('#ts/index.js')}'
    const dataset = await Dataset.from([{ source: Int32Array.of(3, 4, 0), target: Int32Array.of(5, 6, 7, 0) }])
    const model = await Model.create({ type: 'transformer', vocabularySize: 20, hiddenSize: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 32, dropout: 0.2 })
    const session = await Session.create({ model, device: 'cpu', precision: 'float32', threads: 1, optimizer: adam({ lr: 1e-2 }) })
    console.log((await session.step(dataset.batch([0]))).loss)
    await session[Symbol.asyncDispose]()`
  const run = (operations: string): number => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, SAGETRAIN_OPERATIONS: operations }, encoding: 'utf8' })
    if (stderr.includes('Error')) t.log(stderr)
    return Number.parseFloat(stdout)
  }
  const [fused, composed] = [run('fused'), run('composed')]
  t.true(Math.abs(fused - composed) < 1e-5, `${fused} ${composed}`)
})
