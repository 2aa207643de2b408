import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, type Losses, type Session, type TrainEvent } from '#ts/index.js'
import { startRun, type TaskTraining } from '#ts/task/training.js'
import { refusal } from './refusals.js'
import { perceptron, pointSet, sentenceSet, transformer } from './samples.js'
import { temporaryFolder } from './temporary.js'

/** A task of its own in a dozen lines: 50 points, ten a batch. */
async function events(options: Partial<TaskTraining<Losses>['options']>, task: Partial<TaskTraining<Losses>> = {}): Promise<TrainEvent<Losses>[]> {
  const dataset = await pointSet(50)
  const run = startRun<Losses>({
    task: 'points',
    options: { optimizer: adam({ lr: 1e-2 }), threads: 1, precision: 'float32', seed: 1, folder: false, resume: false, checkpoint: { keep: 1 }, ...options },
    dataset,
    model: await perceptron(),
    batch: { batchSize: 10 },
    evaluate: (session) => session.evaluate(dataset, { batchSize: 50 }),
    score: ({ accuracy = 0 }) => accuracy,
    attachments: [],
    ...task,
  })
  const seen: TrainEvent<Losses>[] = []
  for await (const event of run) seen.push(event)
  return seen
}

const steps = (seen: readonly TrainEvent<Losses>[], type: string): number[] => seen.filter((event) => event.type === type).map(({ step }) => step)

test('without a number of steps it is evaluated once an epoch, and at the end once', async (t) => {
  const seen = await events({ epochs: 3 })
  t.deepEqual(steps(seen, 'evaluation'), [5, 10, 15])
  t.deepEqual(seen.filter(({ type }) => type === 'step').map(({ epoch }) => epoch), [1, 2, 3].flatMap((epoch) => Array.from({ length: 5 }, () => epoch)))
})

test('epochs that end between two updates are evaluated at the next update', async (t) => {
  const seen = await events({ epochs: 3, accumulate: 2 })
  t.deepEqual(steps(seen, 'step'), [1, 2, 3, 4, 5, 6, 7])
  t.deepEqual(steps(seen, 'evaluation'), [3, 5, 7])
})

test('steps end a run within an epoch, epochs end one before its steps', async (t) => {
  t.deepEqual(steps(await events({ steps: 7 }), 'end'), [7])
  t.deepEqual(steps(await events({ steps: 7, epochs: 1 }), 'end'), [5])
})

test('the total is known ahead where it can be', async (t) => {
  const total = async (options: Parameters<typeof events>[0]): Promise<unknown> => {
    const [start] = await events(options)
    return start?.type === 'start' ? start.totalSteps : undefined
  }
  t.deepEqual([await total({ epochs: 2 }), await total({ epochs: 2, accumulate: 3 }), await total({ steps: 3 }), await total({ steps: 3, epochs: 9 })], [10, 3, 3, 3])
})

test('a run has as many steps as it announces and its schedule spans', async (t) => {
  const dataset = await sentenceSet(90)
  const batch = { maxTokens: 60 }
  const lengths = await Promise.all([0, 1, 2, 3].map((epoch) => dataset.loader({ ...batch, seed: 1 }).batches(epoch)))
  const seen = await events({ epochs: 4, accumulate: 3 }, { dataset, model: await transformer(), batch, evaluate: (session) => session.evaluate(dataset, batch) })
  const [start, end] = [seen[0], seen.at(-1)]
  const total = Math.floor(lengths.reduce((sum, length) => sum + length) / 3)
  t.deepEqual([start?.type === 'start' && start.totalSteps, start?.type === 'start' && start.session.totalSteps, end?.step], [total, total, total])
})

test('a run too short for one update is refused', async (t) => {
  const refused = await refusal(t, 'ERR_CONFIG', () => events({ epochs: 1, accumulate: 6 }))
  t.is(refused.fields['key'], 'train.accumulate')
})

test('checkpoints come with evaluations, with each new best, or as often as asked', async (t) => {
  const never = (): number => Number.NaN
  t.deepEqual(steps(await events({ epochs: 2, folder: temporaryFolder(t) }, { score: never }), 'checkpoint'), [5, 10])
  const often = await events({ epochs: 2, folder: temporaryFolder(t), checkpoint: { everySteps: 4, keep: 2 } }, { score: never })
  t.deepEqual(steps(often, 'checkpoint'), [4, 8, 10])
  const kept = often.filter((event) => event.type === 'checkpoint').map((event) => event.kept.length)
  t.deepEqual(kept, [1, 2, 2])
  const end = often.at(-1)
  t.is(end?.type === 'end' ? end.best : undefined, null, 'a score that is not finite is never the best')
})

test('a run that was moved goes on with its best checkpoint where that is now', async (t) => {
  const [folder, controller] = [temporaryFolder(t), new AbortController()]
  // The first evaluation stays the best.
  const task = { score: ({ count }: Losses) => -count, evaluate: async (session: Session) => ({ loss: 1, nll: 1, count: session.stepCount }) }
  const aborting = { ...task, evaluate: async (session: Session) => (controller.abort(), task.evaluate(session)) }
  await events({ epochs: 3, folder: join(folder, 'run'), signal: controller.signal }, aborting)
  renameSync(join(folder, 'run'), join(folder, 'moved'))
  const end = (await events({ epochs: 3, folder: join(folder, 'moved'), resume: true }, task)).at(-1)
  const checkpoints = join(folder, 'moved/checkpoints')
  t.is(end?.type === 'end' ? end.best?.path : undefined, join(checkpoints, 'step-00000005'))
  t.deepEqual(readdirSync(checkpoints).toSorted(), ['step-00000005', 'step-00000015'])
})

test('a run goes on with the data and the batch it was trained with, or is refused by what differs', async (t) => {
  const folder = temporaryFolder(t)
  await events({ epochs: 1, folder })
  const resumed = { epochs: 2, folder, resume: true }
  const model = await perceptron(9)
  const before = await model.read('output.weight')
  const batch = await refusal(t, 'ERR_CHECKPOINT', () => events(resumed, { model, batch: { batchSize: 25 } }))
  t.regex(batch.message, /batchSize 10, this run's has 25/)
  t.deepEqual(await model.read('output.weight'), before)
  using other = await pointSet(60)
  t.is((await refusal(t, 'ERR_CHECKPOINT', () => events(resumed, { dataset: other }))).fields['key'], 'fingerprint')
  const warned = await events({ ...resumed, optimizer: adam({ lr: 1e-3 }) })
  t.like(warned[1], { type: 'warning', code: 'WARN_RESUME', message: 'optimizer.lr changed from 0.01 to 0.001: training goes on with the latter, and so on another course' })
  t.deepEqual(steps(warned, 'end'), [10])
})

test('a skipped step is told and is no step', async (t) => {
  const model = await perceptron()
  await model.write('output.bias', Float32Array.of(Number.NaN, 0))
  const controller = new AbortController()
  const seen = await events({ epochs: 1, nonFinite: 'skip', signal: controller.signal }, { model })
  t.deepEqual(steps(seen, 'step'), [0, 0, 0, 0, 0])
  t.true(seen.every((event) => event.type !== 'step' || event.skipped))
  t.deepEqual(steps(seen, 'evaluation'), [])
})
