import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, Dataset, Model, readCheckpoint, sgd, type Losses, type Session, type TrainEvent } from '#ts/index.js'
import { startRun, type TaskTraining } from '#ts/task/training.js'
import { checkTrainOptions } from '#ts/train-options.js'
import { refusal } from './refusals.js'
import { perceptron, points, pointSet, sentenceSet, transformer } from './samples.js'
import { temporaryFolder } from './temporary.js'

/** A task of its own in a dozen lines: 50 points, ten a batch. */
async function events(options: Partial<TaskTraining<Losses>['options']>, task: Partial<TaskTraining<Losses>> = {}, onEvent: (event: TrainEvent<Losses>) => void = () => undefined): Promise<TrainEvent<Losses>[]> {
  const dataset = await pointSet(50)
  const run = startRun<Losses>({
    task: 'points',
    options: { optimizer: adam({ lr: 1e-2 }), threads: 1, precision: 'float32', seed: 1, folder: false, resume: false, checkpoint: { keep: 1, keepBest: 1 }, divergence: 'error', ...options },
    dataset,
    model: await perceptron(),
    batch: { batchSize: 10 },
    evaluate: (session) => session.evaluate(dataset, { batchSize: 50 }),
    score: ({ accuracy = 0 }) => accuracy,
    attachments: [],
    ...task,
  })
  const seen: TrainEvent<Losses>[] = []
  for await (const event of run) {
    seen.push(event)
    onEvent(event)
  }
  return seen
}

const steps = (seen: readonly TrainEvent<Losses>[], type: string): number[] => seen.filter((event) => event.type === type).map(({ step }) => step)

test('without a number of steps it is evaluated once an epoch, and at the end once', async (t) => {
  const seen = await events({ epochs: 3 })
  t.deepEqual(steps(seen, 'evaluation'), [5, 10, 15])
  t.deepEqual(seen.filter(({ type }) => type === 'step').map(({ epoch }) => epoch), [1, 2, 3].flatMap((epoch) => Array.from({ length: 5 }, () => epoch)))
})

test('an epoch’s last update takes the batches that are left, and no other epoch’s', async (t) => {
  const seen = await events({ epochs: 3, accumulate: 2 })
  t.deepEqual(steps(seen, 'step'), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.deepEqual(steps(seen, 'evaluation'), [3, 6, 9])
  t.deepEqual(seen.filter(({ type }) => type === 'step').map(({ epoch }) => epoch), [1, 1, 1, 2, 2, 2, 3, 3, 3])
})

test('a run shorter than an accumulation makes its one update', async (t) => {
  t.deepEqual(steps(await events({ epochs: 2, accumulate: 60 }), 'step'), [1, 2])
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
  t.deepEqual([await total({ epochs: 2 }), await total({ epochs: 2, accumulate: 3 }), await total({ steps: 3 }), await total({ steps: 3, epochs: 9 })], [10, 4, 3, 3])
})

test('a run has as many steps as it announces and its schedule spans', async (t) => {
  const dataset = await sentenceSet(90)
  const batch = { maxTokens: 60 }
  const lengths = await Promise.all([0, 1, 2, 3].map((epoch) => dataset.loader({ ...batch, seed: 1 }).batches(epoch)))
  const seen = await events({ epochs: 4, accumulate: 3 }, { dataset, model: await transformer(), batch, evaluate: (session) => session.evaluate(dataset, batch) })
  const [start, end] = [seen[0], seen.at(-1)]
  const total = lengths.reduce((sum, length) => sum + Math.ceil(length / 3), 0)
  t.deepEqual([start?.type === 'start' && start.totalSteps, start?.type === 'start' && start.session.totalSteps, end?.step], [total, total, total])
})

test('checkpoints come with evaluations, with each new best, or as often as asked', async (t) => {
  const never = (): number => Number.NaN
  t.deepEqual(steps(await events({ epochs: 2, folder: temporaryFolder(t) }, { score: never }), 'checkpoint'), [5, 10])
  const often = await events({ epochs: 2, folder: temporaryFolder(t), checkpoint: { everySteps: 4, keep: 2, keepBest: 1 } }, { score: never })
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

/** Evaluations whose accuracies are those of a list, one after another, by the step: the same however often a step is evaluated. */
const scripted = (accuracies: Readonly<Record<number, number>>): Partial<TaskTraining<Losses>> => ({
  evaluate: async (session: Session) => ({ loss: 1, nll: 1, count: 1, accuracy: accuracies[session.stepCount] ?? 0 }),
})

const endOf = (seen: readonly TrainEvent<Losses>[]): TrainEvent<Losses> & { type: 'end' } => {
  const end = seen.at(-1)
  if (end?.type !== 'end') throw new Error('no end')
  return end
}

test('evaluations without an improvement end training when patience does', async (t) => {
  const task = { ...scripted({ 5: 0.5, 10: 0.6, 15: 0.6, 20: 0.59, 25: 0.65, 30: 0.9 }), evaluateEvery: 5 }
  const plain = await events({ steps: 40, earlyStopping: { patience: 2, minDelta: 0 } }, task)
  t.deepEqual([endOf(plain).reason, endOf(plain).step, endOf(plain).best?.step], ['earlyStopped', 20, 10])
  const long = await events({ steps: 40, earlyStopping: { patience: 3, minDelta: 0 } }, task)
  t.deepEqual([endOf(long).reason, endOf(long).step], ['finished', 40])
  const strict = await events({ steps: 40, earlyStopping: { patience: 3, minDelta: 0.2 } }, task)
  t.deepEqual([endOf(strict).reason, endOf(strict).step], ['earlyStopped', 20], 'gains of less than minDelta are none')
  const none = await refusal(t, 'ERR_CONFIG', () => events({ steps: 5, earlyStopping: { patience: 1, minDelta: 0 } }, { evaluate: undefined as never }))
  t.is(none.fields['key'], 'train.earlyStopping')
})

test('a resumed run stops early where the undisturbed one does, and stays stopped', async (t) => {
  const options = { steps: 60, earlyStopping: { patience: 4, minDelta: 0 }, checkpoint: { everySteps: 3, keep: 1, keepBest: 1 } }
  const task = { ...scripted({ 5: 0.5 }), evaluateEvery: 5 }
  const whole = await events(options, task)
  t.deepEqual([endOf(whole).reason, endOf(whole).step], ['earlyStopped', 25])
  for (const stop of [7, 15, 20, 24]) {
    const [folder, controller] = [temporaryFolder(t), new AbortController()]
    const evaluate = async (session: Session): Promise<Losses> => {
      const scored = await task.evaluate?.(session)
      // Called off within the evaluation: it is not counted now, and made up for later.
      if (stop % 5 === 0 && session.stepCount === stop) throw (controller.abort(), controller.signal.reason)
      return scored as Losses
    }
    const watched = { ...task, evaluate, score: (metrics: Losses) => (stop % 5 !== 0 && controller.abort(), metrics.accuracy ?? 0) }
    const first = await events({ ...options, folder, signal: controller.signal }, stop % 5 === 0 ? { ...task, evaluate } : watched)
    t.is(endOf(first).reason, 'aborted')
    const seen = await events({ ...options, folder, resume: true }, task)
    t.deepEqual([endOf(seen).reason, endOf(seen).step, endOf(seen).best?.step], ['earlyStopped', 25, 5], `from ${endOf(first).step}`)
    const again = await events({ ...options, folder, resume: true }, task)
    t.deepEqual([steps(again, 'step'), endOf(again).reason], [[], 'earlyStopped'])
  }
})

test('the newest and the best are kept, also by a run that goes on', async (t) => {
  const task = { ...scripted({ 2: 0.9, 4: 0.7, 6: 0.8, 8: 0.7, 10: 0.6, 12: 0.5, 14: 0.85 }), evaluateEvery: 2 }
  const checkpoint = { keep: 2, keepBest: 3 }
  const whole = temporaryFolder(t)
  await events({ steps: 12, folder: whole, checkpoint }, task)
  const names = (folder: string): string[] => readdirSync(join(folder, 'checkpoints')).toSorted()
  const of = (...numbers: number[]): string[] => numbers.map((step) => `step-${String(step).padStart(8, '0')}`)
  t.deepEqual(names(whole), of(2, 4, 6, 10, 12), 'of equals the earlier')
  const parts = temporaryFolder(t)
  await events({ steps: 8, folder: parts, checkpoint }, task)
  await events({ steps: 12, folder: parts, checkpoint, resume: true }, task)
  t.deepEqual(names(parts), names(whole))
  const newest = await readCheckpoint(join(parts, 'checkpoints', of(12)[0] ?? ''))
  t.like(newest.run, { ranked: [{ step: 2, score: 0.9 }, { step: 6, score: 0.8 }, { step: 4, score: 0.7 }], evaluatedAt: 12 })
  await events({ steps: 14, folder: parts, checkpoint, resume: true }, task)
  t.deepEqual(names(parts), of(2, 6, 12, 14), 'the new second best lets the third go')
})

test('what an interruption saves is none of the newest', async (t) => {
  const task = { ...scripted({ 2: 0.9, 4: 0.1, 6: 0.1, 8: 0.1 }), evaluateEvery: 2 }
  const [folder, controller] = [temporaryFolder(t), new AbortController()]
  const options = { steps: 8, folder, checkpoint: { keep: 3, keepBest: 1 } }
  const names = (): number[] => readdirSync(join(folder, 'checkpoints')).toSorted().map((name) => Number(name.slice('step-'.length)))
  await events({ ...options, signal: controller.signal }, task, ({ type, step }) => {
    if (type === 'step' && step === 5) controller.abort()
  })
  t.deepEqual(names(), [2, 4, 5], 'it is kept to go on with')
  await events({ ...options, resume: true }, task)
  t.deepEqual(names(), [2, 4, 6, 8], 'as without it')
})

test('a checkpoint is due when its minutes have passed', async (t) => {
  const saved = async (everyMinutes: number): Promise<number[]> =>
    steps(await events({ steps: 6, folder: temporaryFolder(t), checkpoint: { everySteps: 4, everyMinutes, keep: 1, keepBest: 1 } }, { evaluateEvery: 100 }), 'checkpoint')
  t.deepEqual(await saved(1e-9), [1, 2, 3, 4, 5, 6])
  t.deepEqual(await saved(1000), [4, 6])
})

/** Divergence by a rate that is absurd: plain gradient descent far beyond stability. */
const absurd = { optimizer: sgd({ lr: 3000 }), maxGradientNorm: 1e30, epochs: 6, checkpoint: { everySteps: 3, keep: 1, keepBest: 1 } } as const
const back = { divergence: { lossFactor: 4, window: 3, lrFactor: 0.5, atMost: 20 } } as const

/** Two far points of both classes: whatever a model says of them, the loss of a batch with one jumps in each epoch. */
const poisoned = (): Promise<Dataset> => Dataset.from([...points(48), ...[0, 1].map((label) => ({ features: Float32Array.of(300, 300), label: Int32Array.of(label) }))])

const bumpy = { optimizer: adam({ lr: 1e-2 }), epochs: 6, checkpoint: { everySteps: 2, keep: 1, keepBest: 1 }, ...back } as const

async function bumps(folder: string, options: Parameters<typeof events>[0] = {}, onScore?: () => void): Promise<TrainEvent<Losses>[]> {
  using dataset = await poisoned()
  return await events({ ...bumpy, folder, ...options }, { dataset, evaluateEvery: 3, score: ({ nll }) => (onScore?.(), -nll) })
}

test('training that diverges goes back, and on past the batch with a lower rate', async (t) => {
  const seen = await bumps(temporaryFolder(t))
  const warnings = seen.filter((event) => event.type === 'warning')
  t.true(warnings.length >= 3, `${warnings.length} rollbacks`)
  t.true(warnings.every(({ code, message }) => code === 'WARN_DIVERGENCE' && /the median of the last 3 updates: back to .*step-\d{8}, and on past this batch with rates × 0\.\d+ /.test(message)))
  const rates = seen.flatMap((event) => (event.type === 'step' && event.lr !== undefined ? [event.lr] : []))
  const after = seen.findLastIndex((event) => event.type === 'warning') < seen.findLastIndex((event) => event.type === 'step') ? warnings.length : warnings.length - 1
  t.deepEqual([rates[0], rates.at(-1)], [0.01, 0.01 * 0.5 ** after])
  // Every batch is met once: the order of the data goes on.
  t.is(rates.length, 30)
  t.true((seen.at(-1)?.step ?? 30) < 30)
  for (const warning of warnings) {
    const next = seen.slice(seen.indexOf(warning) + 1).find((event) => event.type === 'step')
    if (next !== undefined) t.is(next.step, warning.step + 1)
  }
})

test('a run that went back resumes to the same bits, rate and rollbacks among them', async (t) => {
  const whole = temporaryFolder(t)
  const seen = await bumps(whole)
  const final = join('checkpoints', `step-${String(seen.at(-1)?.step).padStart(8, '0')}`)
  for (const evaluations of [1, 3, 6]) {
    const [folder, controller] = [temporaryFolder(t), new AbortController()]
    let left = evaluations
    const first = await bumps(folder, { signal: controller.signal }, () => (left -= 1) === 0 && controller.abort())
    t.is(endOf(first).reason, 'aborted')
    await bumps(folder, { resume: true })
    for (const name of ['model/model.safetensors', 'optimizer.safetensors']) {
      t.deepEqual(readFileSync(join(folder, final, name)), readFileSync(join(whole, final, name)), `${name} after ${evaluations}`)
    }
    const [resumed, undisturbed] = [await readCheckpoint(join(folder, final)), await readCheckpoint(join(whole, final))]
    t.deepEqual([resumed.rateFactor, resumed.run], [undisturbed.rateFactor, JSON.parse(JSON.stringify(undisturbed.run).replaceAll(whole, folder))])
    t.true((resumed.rateFactor ?? 1) < 1)
  }
})

test('rollbacks come to an end, and without them divergence is an error', async (t) => {
  const none = { ...back.divergence, lrFactor: 0.999, atMost: 2 }
  const error = await refusal(t, 'ERR_DIVERGED', () => events({ ...absurd, divergence: none, folder: temporaryFolder(t) }, { evaluateEvery: 1000 }))
  t.regex(error.message, /after 2 rollbacks/)
  const model = await perceptron()
  await model.write('output.bias', Float32Array.of(Number.NaN, 0))
  await refusal(t, 'ERR_NON_FINITE', () => events({ epochs: 1 }, { model }))
  const broken = await refusal(t, 'ERR_DIVERGED', () => events({ epochs: 6, folder: temporaryFolder(t), ...back }, { model }))
  t.regex(broken.message, /after 20 rollbacks/)
  t.is((await refusal(t, 'ERR_CONFIG', () => { checkTrainOptions({ optimizer: adam({ lr: 1 }), epochs: 1, folder: false, divergence: 'rollback' } as never, 'train') })).fields['key'], 'train.divergence')
})

test('averaged weights are what is evaluated, and what a checkpoint gives to use', async (t) => {
  const folder = temporaryFolder(t)
  using dataset = await pointSet(50)
  const seen = await events({ epochs: 2, folder, average: { decay: 0.9 } }, { evaluate: (session) => session.evaluate(dataset, { batchSize: 50 }) })
  const last = seen.findLast((event) => event.type === 'evaluation')
  const path = join(folder, 'checkpoints/step-00000010')
  const [weights, averages] = [await Model.load(join(path, 'model')), await Model.load(join(path, 'average'))]
  const evaluate = async (model: Model): Promise<number> => (await model.evaluate(dataset, { batchSize: 50 })).nll
  t.is(last?.type === 'evaluation' ? last.metrics.nll : undefined, await evaluate(averages))
  t.not(await evaluate(weights), await evaluate(averages))
})
