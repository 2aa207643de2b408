import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { latestCheckpoint, readCheckpoint } from '../checkpoint.js'
import type { Dataset } from '../dataset.js'
import { SagetrainError } from '../errors.js'
import { EventLog } from '../event-log.js'
import type { Best, DataOrder, TrainEvent } from '../events.js'
import { present } from '../json.js'
import { keptBpeDropout, type LoaderOptions } from '../loader.js'
import { Model } from '../model.js'
import type { ModelOptions } from '../model-spec.js'
import { occupy } from '../occupied.js'
import { Run, type RunResult, type Training } from '../run.js'
import { Session, type SessionOptions } from '../session.js'
import type { SmoothnessOptions } from '../smoothness.js'
import { rollbackOf, sessionPart, type ParsedTrainOptions } from '../train-options.js'
import { TrainingLoop, type LoopParts, type RunState } from '../training-loop.js'
import { findTokenBudget } from './token-budget.js'

/** What a task brings to a training; the rest is the same for all. */
export interface TaskTraining<M extends object> {
  readonly task: string
  readonly options: ParsedTrainOptions
  readonly dataset: Dataset
  /** A specification, a model that its owner goes on to own, or what makes one when the run begins, with what is to be told of it. */
  readonly model: ModelOptions | Model | MakeModel
  readonly batch: Pick<LoaderOptions, 'maxTokens' | 'maxSamples' | 'batchSize' | 'bpeDropout'>
  /** Finds the batch's `maxTokens`, which a run that goes on takes from its checkpoint. */
  readonly tokenBudget?: { readonly memoryBytes?: number }
  readonly labelSmoothing?: number
  readonly smoothness?: SmoothnessOptions
  /** Measures on the validation data; absent where there are none. */
  readonly evaluate?: (session: Session) => Promise<M>
  /** Steps between evaluations; without it once an epoch. */
  readonly evaluateEvery?: number | undefined
  /** The number the best is chosen by; higher is better. */
  readonly score: (metrics: M) => number
  /** Files, and folders of files, copied into each checkpoint's model folder. */
  readonly attachments: readonly string[]
}

/** Makes a run's model. */
export type MakeModel = () => Promise<{ readonly model: Model; readonly warnings: readonly string[] }>

/** A run of a task. Nothing happens before it is asked for. */
export function startRun<M extends object>(training: TaskTraining<M>): Run<M> {
  return new Run(new TaskRun(training))
}

/** A {@link TrainingLoop} with everything around it: made when it begins, freed when it ends. */
class TaskRun<M extends object> implements Training<M> {
  #training: TaskTraining<M>
  #loop: TrainingLoop<M> | undefined
  #folder: string | undefined

  constructor(training: TaskTraining<M>) {
    this.#training = training
    const { options, evaluate } = training
    if (options.earlyStopping === undefined || evaluate !== undefined) return
    throw new SagetrainError('ERR_CONFIG', 'train.earlyStopping: counts evaluations, and there are no validation data', { fields: { key: 'train.earlyStopping' } })
  }

  async *events(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { model: given, options } = this.#training
    this.#training = { ...this.#training, batch: await this.#batch() }
    const { model, warnings } = await modelOf(given, options.seed)
    try {
      await using session = await Session.create(await this.#sessionOptions(model))
      // Only now: what the model or the session refuses leaves no folder behind.
      this.#folder = await runFolder(this.#training.task, options)
      using occupied = this.#folder === undefined ? undefined : await occupy(this.#folder, 'training.lock')
      this.#loop = new TrainingLoop(await this.#loopParts(session, warnings))
      using log = occupied && (await EventLog.open(join(occupied.folder, 'events.jsonl'), session.stepCount))
      for await (const event of this.#loop.events()) {
        if (event.type === 'warning' && event.code === 'WARN_DIVERGENCE') await log?.backTo(event.step)
        log?.add(event)
        yield event
      }
    } finally {
      if (model !== given) model[Symbol.dispose]()
    }
  }

  result(): RunResult<M> {
    const result = this.#loop?.result() ?? { reason: 'stopped', step: 0, best: null }
    return { ...result, ...present({ folder: this.#folder }) }
  }

  /** With the token budget that was found, now or when the run began. */
  async #batch(): Promise<TaskTraining<M>['batch']> {
    const { batch, tokenBudget, model, options, dataset, labelSmoothing } = this.#training
    if (tokenBudget === undefined) return batch
    const known = options.resume && typeof options.folder === 'string' ? await keptBudget(join(options.folder, 'checkpoints')) : undefined
    if (known !== undefined) return { ...batch, maxTokens: known }
    // The schedule takes no memory, and what it spans is not known yet.
    const { schedule: _schedule, totalSteps: _totalSteps, ...session } = { ...sessionPart(options), ...present({ labelSmoothing }) } as Record<string, unknown>
    if (typeof model === 'function') throw new SagetrainError('ERR_INTERNAL', 'a token budget is found for a specification or a model')
    const { maxTokens } = await findTokenBudget({ model: model instanceof Model ? model.spec : model, session, dataset, ...tokenBudget })
    return { ...batch, maxTokens }
  }

  async #sessionOptions(model: Model): Promise<SessionOptions> {
    const { options, labelSmoothing, smoothness } = this.#training
    const totalSteps = await this.#totalSteps()
    return { ...present({ totalSteps, labelSmoothing, smoothness }), ...sessionPart(options), model } as SessionOptions
  }

  /** As asked, or as many as the epochs have, each of which ends with an update. */
  async #totalSteps(): Promise<number | undefined> {
    const { steps, epochs, totalSteps } = this.#training.options
    if (totalSteps !== undefined) return totalSteps
    if (epochs === undefined) return steps
    return Math.min(await this.#updates(epochs, steps ?? Infinity), steps ?? Infinity)
  }

  /** Updates of that many epochs; counted until there are `enough`. */
  async #updates(epochs: number, enough: number): Promise<number> {
    const { dataset, batch, options } = this.#training
    const { seed, accumulate = 1 } = options
    const loader = dataset.loader({ ...batch, seed, prefetch: 0 })
    const updates = async (epoch: number): Promise<number> => Math.ceil((await loader.batches(epoch)) / accumulate)
    if (batch.batchSize !== undefined) return (await updates(0)) * epochs
    let found = 0
    // oxlint-disable-next-line no-await-in-loop -- a large corpus cut by length differs from epoch to epoch; each plan uses the processors it can
    for (let epoch = 0; epoch < epochs && found < enough; epoch += 1) found += await updates(epoch)
    return found
  }

  async #loopParts(session: Session, ofModel: readonly string[]): Promise<LoopParts<M>> {
    const { task, options, dataset, batch, evaluate, evaluateEvery, score, attachments } = this.#training
    const { seed, steps, signal, checkpoint, earlyStopping } = options
    const folder = this.#folder === undefined ? undefined : join(this.#folder, 'checkpoints')
    const data = dataOrder(this.#training)
    const continued = await continueFrom<M>(session, folder, this.#training)
    const resumed = continued.resumed
    // What a run goes on with are its own weights, whatever it began with.
    const warnings = resumed === undefined ? [...continued.warnings, ...ofModel.map((message) => ({ code: 'WARN_WEIGHTS' as const, message }))] : continued.warnings
    const order = { ...batch, seed, epochs: options.epochs ?? Infinity, ...present({ state: resumed?.run.loader }) }
    const evaluation = evaluate === undefined ? undefined : { evaluate: () => session.withAverages(() => evaluate(session)), score, ...present({ everySteps: evaluateEvery }) }
    const checkpoints = folder === undefined ? undefined : { folder, attachments, ...checkpoint }
    const [totalSteps, rollback] = [session.spec.totalSteps, rollbackOf(options)]
    return { task, session, loader: dataset.loader(order), data, warnings, ...present({ steps, totalSteps, signal, resumed, evaluation, earlyStopping, rollback, checkpoints }) }
  }
}

async function modelOf(given: ModelOptions | Model | MakeModel, seed: number): ReturnType<MakeModel> {
  if (typeof given === 'function') return given()
  return { model: given instanceof Model ? given : await Model.create(given, { seed }), warnings: [] }
}

type Continued<M extends object> = Pick<LoopParts<M>, 'warnings'> & { readonly resumed?: { readonly path: string; readonly run: RunState<M> } }

/** The token budget that the newest checkpoint was trained with. */
async function keptBudget(folder: string): Promise<number | undefined> {
  const { path } = await latestCheckpoint(folder)
  const run = path === undefined ? undefined : ((await readCheckpoint(path)).run as unknown as RunState | null)
  const budget = run?.data['maxTokens']
  return typeof budget === 'number' ? budget : undefined
}

/** Puts the folder's newest whole checkpoint into the session, where the run is to go on. */
async function continueFrom<M extends object>(session: Session, folder: string | undefined, training: TaskTraining<M>): Promise<Continued<M>> {
  const { task, options } = training
  if (folder === undefined || !options.resume) return { warnings: [] }
  const { path, damaged } = await latestCheckpoint(folder)
  const passedOver = damaged.map((message) => ({ code: 'WARN_CHECKPOINT' as const, message }))
  if (path === undefined) return { warnings: [...passedOver, { code: 'WARN_RESUME', message: `${folder} holds no checkpoint; training begins anew` }] }
  const state = (await readCheckpoint(path)).run as unknown as RunState<M> | null
  if (state?.task !== task) {
    throw new SagetrainError('ERR_CHECKPOINT', `${path}: is of the task "${String(state?.task)}", not "${task}"`, { fields: { path } })
  }
  checkData(path, state.data, dataOrder(training))
  const { warnings } = await session.load(path)
  const best = bestWithin(dirname(path), state.best)
  return { resumed: { path, run: { ...state, best } }, warnings: [...passedOver, ...warnings.map((message) => ({ code: 'WARN_RESUME' as const, message }))] }
}

function dataOrder<M extends object>({ dataset, batch: { bpeDropout, ...batch }, options: { seed } }: TaskTraining<M>): DataOrder {
  return { fingerprint: dataset.fingerprint, ...batch, ...present({ bpeDropout: bpeDropout && keptBpeDropout(bpeDropout) }), seed }
}

/** A place in other data, or in the same in another order, is a place among unrelated samples. */
function checkData(path: string, before: DataOrder, now: DataOrder): void {
  const key = Object.keys({ ...before, ...now }).find((name) => before[name] !== now[name])
  if (key === undefined) return
  const [saved, given] = [String(before[key] ?? 'none'), String(now[key] ?? 'none')]
  const message = `${path}: was trained on data of ${key} ${saved}, this run's has ${given}; give the same data and batch, or begin another run`
  throw new SagetrainError('ERR_CHECKPOINT', message, { fields: { path, key } })
}

/** The best with its checkpoint among the others: the run may have been moved, or its folder spelt from elsewhere. */
function bestWithin<M extends object>(folder: string, best: Best<M> | null): Best<M> | null {
  return best?.path === undefined ? best : { ...best, path: join(folder, basename(best.path)) }
}

/** The run's folder, made; undefined where nothing is to be written. */
async function runFolder(task: string, { folder, resume }: ParsedTrainOptions): Promise<string | undefined> {
  if (folder === false) return undefined
  const path = folder ?? (await freshFolder(task))
  if (!resume && existsSync(join(path, 'checkpoints'))) {
    const message = `${path}: holds the checkpoints of a run; pass resume: true to go on with it, or another folder`
    throw new SagetrainError('ERR_STATE', message, { fields: { path } })
  }
  await mkdir(path, { recursive: true })
  return path
}

/** `runs/<task>-20260131-120000`, with a number behind where that is taken. */
async function freshFolder(task: string): Promise<string> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  await mkdir('runs', { recursive: true })
  for (let number = 1; ; number++) {
    const path = join('runs', number === 1 ? `${task}-${stamp}` : `${task}-${stamp}-${number}`)
    const made = await mkdir(path).then(() => true, (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    })
    if (made) return path
  }
}
