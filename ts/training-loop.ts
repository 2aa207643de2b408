import { join } from 'node:path'
import type { LoaderState } from './batch.js'
import { retainCheckpoints } from './checkpoint.js'
import type { Best, EndReason, Metrics, StartEvent, StepEvent, TrainEvent, WarningEvent } from './events.js'
import type { Json } from './json.js'
import type { Loader } from './loader.js'
import type { RunResult, Training } from './run.js'
import type { Session, StepReport } from './session.js'

/** Everything a loop trains with; a task puts it together. */
export interface LoopParts<M extends object> {
  readonly task: string
  readonly session: Session
  readonly loader: Loader
  /** Steps after which training ends; without it the loader's end is the end. */
  readonly steps?: number
  /** Steps there will be, as far as that is known. */
  readonly totalSteps?: number
  readonly signal?: AbortSignal
  readonly evaluation?: {
    /** Without it once an epoch. */
    readonly everySteps?: number
    readonly evaluate: () => Promise<M>
    /** The number the best is chosen by; higher is better. */
    readonly score: (metrics: M) => number
  }
  readonly checkpoints?: {
    readonly folder: string
    /** Without it whenever the model is to be evaluated. */
    readonly everySteps?: number
    /** Newest ones kept beside the best. */
    readonly keep: number
    /** Files copied into each `model/`. */
    readonly attachments: readonly string[]
  }
  readonly resumed?: { readonly path: string; readonly run: RunState<M> }
  readonly data: DataOrder
  readonly warnings: readonly Pick<WarningEvent, 'code' | 'message'>[]
}

/** What a place in the order of the data means something with: the dataset's fingerprint and how it is cut and shuffled. */
export type DataOrder = Readonly<Record<string, Json>>

/** What a checkpoint keeps for the loop. */
export interface RunState<M extends object = Metrics> {
  readonly task: string
  readonly data: DataOrder
  readonly loader: LoaderState
  readonly best: Best<M> | null
}

/** The training loop: batch, step, event, evaluation, checkpoint. */
export class TrainingLoop<M extends object> implements Training<M> {
  readonly #parts: LoopParts<M>
  #best: Best<M> | null
  #saved: string[] = []
  #reason: EndReason = 'stopped'
  /** The epoch of the update before, from 0. */
  #epoch: number
  #evaluatedAt = -1
  #savedAt = -1
  #clock = performance.now()
  #waited = 0
  #optimizerSeconds = 0

  constructor(parts: LoopParts<M>) {
    this.#parts = parts
    this.#best = parts.resumed?.run.best ?? null
    this.#epoch = parts.loader.state().epoch
    if (parts.resumed !== undefined) {
      this.#saved = [parts.resumed.path]
      this.#savedAt = parts.session.stepCount
    }
  }

  /** Trains. */
  async *events(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { session, loader, warnings } = this.#parts
    yield this.#start()
    for (const warning of warnings) yield { ...this.#base('warning'), ...warning }
    this.#clock = performance.now()
    if (!this.#isOver()) {
      for await (const batch of loader) {
        const report = await session.step(batch)
        batch[Symbol.dispose]()
        this.#optimizerSeconds += report.optimizerSeconds
        if (!report.updated && !report.skipped) continue // its gradients wait for the next batches
        yield await this.#step(report)
        const epochEnded = loader.state().epoch > this.#epoch
        this.#epoch = loader.state().epoch
        if (this.#isEvaluationDue(epochEnded)) yield* this.#evaluate()
        if (this.#isCheckpointDue(epochEnded)) yield* this.#save()
        if (this.#isOver()) break
      }
    }
    yield* this.#evaluate()
    yield* this.#save()
    this.#reason = this.#isAborted() ? 'aborted' : 'finished'
    yield { ...this.#base('end'), reason: this.#reason, best: this.#best }
  }

  /** What the training has come to. */
  result(): RunResult<M> {
    const checkpoint = this.#saved.at(-1)
    return {
      reason: this.#reason,
      step: this.#parts.session.stepCount,
      best: this.#best,
      ...(checkpoint === undefined ? {} : { checkpoint }),
    }
  }

  #isAborted(): boolean {
    return this.#parts.signal?.aborted === true
  }

  #isOver(): boolean {
    const { steps, session } = this.#parts
    return this.#isAborted() || (steps !== undefined && session.stepCount >= steps)
  }

  #base<Type extends TrainEvent['type']>(type: Type): { type: Type; time: number; step: number; epoch: number } {
    const { epoch, batch } = this.#parts.loader.state()
    // Between two epochs the loader stands at the next one's beginning.
    const current = batch === 0 && epoch > 0 ? epoch : epoch + 1
    return { type, time: Date.now(), step: this.#parts.session.stepCount, epoch: current }
  }

  #start(): StartEvent {
    const { task, session, totalSteps, resumed } = this.#parts
    const sizes = session.model.parameters().map(({ shape }) => shape.reduce((product, extent) => product * extent, 1))
    return {
      ...this.#base('start'),
      task,
      model: session.model.spec,
      parameters: sizes.reduce((sum, size) => sum + size, 0),
      session: session.spec,
      ...(totalSteps === undefined ? {} : { totalSteps }),
      ...(resumed === undefined ? {} : { resumed: resumed.path }),
    }
  }

  async #step(report: StepReport): Promise<StepEvent> {
    const { session, loader } = this.#parts
    const every = session.spec.optimizer.observe?.every
    const sensitivity = every !== undefined && report.step % every === 0 ? await session.sensitivity() : undefined
    const [now, waited] = [performance.now(), loader.waited]
    const seconds = Math.max((now - this.#clock) / 1000, Number.EPSILON)
    const event: StepEvent = {
      ...this.#base('step'),
      loss: report.loss,
      ...(report.lr === undefined ? {} : { lr: report.lr }),
      ...(report.gradientNorm === undefined ? {} : { gradientNorm: report.gradientNorm }),
      tokensPerSecond: report.count / seconds,
      dataWait: Math.min(1, (waited - this.#waited) / seconds),
      optimizerShare: Math.min(1, this.#optimizerSeconds / seconds),
      skipped: report.skipped,
      ...(sensitivity === undefined ? {} : { sensitivity }),
    }
    this.#restartClock(now)
    return event
  }

  #restartClock(now = performance.now()): void {
    this.#clock = now
    this.#waited = this.#parts.loader.waited
    this.#optimizerSeconds = 0
  }

  #isEvaluationDue(epochEnded: boolean): boolean {
    const everySteps = this.#parts.evaluation?.everySteps
    return everySteps === undefined ? epochEnded : this.#parts.session.stepCount % everySteps === 0
  }

  #isCheckpointDue(epochEnded: boolean): boolean {
    const { checkpoints, session } = this.#parts
    if (this.#best?.step === session.stepCount || checkpoints === undefined) return true
    if (checkpoints.everySteps === undefined) return this.#isEvaluationDue(epochEnded)
    return session.stepCount % checkpoints.everySteps === 0
  }

  /** Evaluates unless this step has been; an abort meanwhile is no error. */
  async *#evaluate(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { evaluation, session, signal } = this.#parts
    if (evaluation === undefined || this.#evaluatedAt === session.stepCount || session.stepCount === 0 || this.#isAborted()) return
    let metrics: M
    try {
      metrics = await evaluation.evaluate()
    } catch (error) {
      if (this.#isAborted() && error === signal?.reason) return
      throw error
    }
    this.#evaluatedAt = session.stepCount
    const score = evaluation.score(metrics)
    const isBest = Number.isFinite(score) && (this.#best === null || score > evaluation.score(this.#best.metrics))
    if (isBest) this.#best = { step: session.stepCount, metrics }
    yield { ...this.#base('evaluation'), metrics, best: isBest }
    this.#restartClock()
  }

  /** Saves unless this step has been, and lets go what is neither the best nor among the newest. */
  async *#save(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { checkpoints, session, loader, task, data } = this.#parts
    if (checkpoints === undefined || session.stepCount === 0) return
    this.#best = this.#bestWithPath(checkpoints.folder)
    if (this.#savedAt === session.stepCount) return
    const run: RunState<M> = { task, data, loader: loader.state(), best: this.#best }
    const path = await session.save(checkpoints.folder, { run: plain(run), attachments: checkpoints.attachments })
    this.#savedAt = session.stepCount
    this.#saved.push(path)
    this.#saved = this.#saved.slice(-checkpoints.keep)
    const keep = [...this.#saved, ...(this.#best?.path === undefined ? [] : [this.#best.path])]
    yield { ...this.#base('checkpoint'), path, kept: await retainCheckpoints(checkpoints.folder, keep) }
    this.#restartClock()
  }

  /** The best, with the path its checkpoint is about to have. */
  #bestWithPath(folder: string): Best<M> | null {
    if (this.#best === null || this.#best.step !== this.#parts.session.stepCount) return this.#best
    return { ...this.#best, path: join(folder, `step-${String(this.#best.step).padStart(8, '0')}`) }
  }
}

/** As JSON: a metric that is not finite becomes null. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
