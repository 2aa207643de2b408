import { advance } from './advance.js'
import type { LoaderState } from './batch.js'
import { CheckpointKeeper, type KeeperOptions, type Ranked } from './checkpoint-keeper.js'
import { LossWatch, type DivergenceState, type RollbackOptions } from './divergence.js'
import { EarlyStopping, type EarlyStoppingOptions, type EarlyStoppingState } from './early-stopping.js'
import { isSagetrainError, SagetrainError } from './errors.js'
import type { Best, DataOrder, EndReason, Metrics, StartEvent, StepEvent, TrainEvent, WarningEvent } from './events.js'
import { present, type Json } from './json.js'
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
  readonly earlyStopping?: EarlyStoppingOptions
  /** Without it divergence ends training. It takes checkpoints. */
  readonly rollback?: Required<RollbackOptions>
  readonly checkpoints?: KeeperOptions
  readonly resumed?: { readonly path: string; readonly run: RunState<M> }
  readonly data: DataOrder
  readonly warnings: readonly Pick<WarningEvent, 'code' | 'message'>[]
}

/** What a checkpoint keeps for the loop. */
export interface RunState<M extends object = Metrics> {
  readonly task: string
  readonly data: DataOrder
  readonly loader: LoaderState
  readonly best: Best<M> | null
  /** The best evaluated steps that are kept, best first. */
  readonly ranked?: readonly Ranked[]
  /** Steps of the newest checkpoints, without those that an interruption made. */
  readonly newest?: readonly number[]
  /** The step that was evaluated last. */
  readonly evaluatedAt?: number
  readonly earlyStopping?: EarlyStoppingState
  readonly divergence?: DivergenceState
}

/** The training loop: batch, step, event, evaluation, checkpoint. */
export class TrainingLoop<M extends object> implements Training<M> {
  readonly #parts: LoopParts<M>
  readonly #keeper: CheckpointKeeper | undefined
  readonly #stopping: EarlyStopping | undefined
  readonly #watch: LossWatch | undefined
  #best: Best<M> | null
  #reason: EndReason = 'stopped'
  /** The epoch of the update before, from 0. */
  #epoch: number
  #evaluatedAt: number
  /** Losses before the newest checkpoint, and the step that had been evaluated. */
  #saved: { readonly losses: readonly number[]; readonly evaluatedAt: number }
  #clock = performance.now()
  #waited = 0
  #optimizerSeconds = 0

  constructor(parts: LoopParts<M>) {
    const { resumed, checkpoints, earlyStopping, rollback, loader } = parts
    this.#parts = parts
    this.#best = resumed?.run.best ?? null
    this.#keeper = checkpoints && new CheckpointKeeper(checkpoints, this.#rankedOf(resumed?.run))
    this.#stopping = earlyStopping && new EarlyStopping(earlyStopping, resumed?.run.earlyStopping)
    this.#watch = rollback && new LossWatch(rollback, resumed?.run.divergence)
    this.#epoch = loader.state().epoch
    this.#evaluatedAt = resumed?.run.evaluatedAt ?? -1
    this.#saved = { losses: resumed?.run.divergence?.losses ?? [], evaluatedAt: this.#evaluatedAt }
  }

  /** Trains. */
  async *events(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { loader, warnings } = this.#parts
    yield this.#start()
    for (const warning of warnings) yield { ...this.#base('warning'), ...warning }
    yield* this.#begin()
    this.#restartClock()
    if (!this.#isOver()) {
      for await (const batch of loader) {
        const report = await this.#advance(batch)
        batch[Symbol.dispose]()
        if (typeof report !== 'string') {
          if (!report.updated && !report.skipped) continue // its gradients wait for the next batches
          if (report.read) yield await this.#step(report)
        }
        const problem = typeof report === 'string' ? report : this.#problemOf(report)
        if (problem !== undefined) yield await this.#rollBack(problem)
        else yield* this.#afterStep()
        if (this.#isOver()) break
      }
    }
    yield* this.#evaluate()
    yield* this.#save(!this.#isAborted())
    this.#reason = this.#isAborted() ? 'aborted' : this.#stopping?.isDue === true ? 'earlyStopped' : 'finished'
    yield { ...this.#base('end'), reason: this.#reason, best: this.#best }
  }

  /** What the training has come to. */
  result(): RunResult<M> {
    return { reason: this.#reason, step: this.#parts.session.stepCount, best: this.#best, ...present({ checkpoint: this.#keeper?.last }) }
  }

  /** Takes up what a run that goes on has left; one that may have to go back saves where it begins. */
  async *#begin(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { resumed, session, loader } = this.#parts
    if (resumed === undefined) {
      if (this.#watch !== undefined) yield* this.#saveNow(false)
      return
    }
    await this.#keeper?.continue(resumed.path, session.stepCount, resumed.run.newest)
    // It was called off before this step's evaluation had ended.
    const missed = resumed.run.evaluatedAt !== undefined && this.#evaluatedAt !== session.stepCount
    if (!missed || !this.#isEvaluationDue(loader.state().batch === 0)) return
    yield* this.#evaluate()
    if (this.#evaluatedAt === session.stepCount) yield* this.#saveNow(true)
  }

  async *#afterStep(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { session, loader } = this.#parts
    const epochEnded = loader.state().epoch > this.#epoch
    this.#epoch = loader.state().epoch
    const due = this.#isEvaluationDue(epochEnded)
    if (due) yield* this.#evaluate()
    const saving = this.#keeper?.isDue(session.stepCount, due) ?? false
    if (saving || this.#keeper?.isLate() === true) yield* this.#save(saving)
  }

  /** The batch's report, or the gradient that was not finite where training may go back. */
  async #advance(batch: Parameters<typeof advance>[2]): Promise<StepReport | string> {
    try {
      const report = await advance(this.#parts.session, this.#parts.loader, batch)
      this.#optimizerSeconds += report.optimizerSeconds
      return report
    } catch (error) {
      if (this.#watch === undefined || !isSagetrainError(error, 'ERR_NON_FINITE')) throw error
      return error.message
    }
  }

  #problemOf(report: StepReport): string | undefined {
    return report.skipped || !report.read ? undefined : this.#watch?.observe(report.loss)
  }

  /** Back to the newest checkpoint, and on with the batch after the one that went wrong. */
  async #rollBack(problem: string): Promise<WarningEvent> {
    const { session } = this.#parts
    const [watch, path, step] = [this.#watch, this.#keeper?.last, session.stepCount]
    if (watch === undefined || path === undefined || !watch.rollBack(this.#saved.losses)) {
      const message = `training diverges at step ${step} (${problem}) after ${watch?.state().rollbacks ?? 0} rollbacks; train with a lower rate, a longer warm-up, or maxGradientNorm`
      throw new SagetrainError('ERR_DIVERGED', message, { fields: { step } })
    }
    await session.load(path)
    await session.setRateFactor(watch.rateFactor)
    this.#keeper?.wentBack(session.stepCount)
    this.#evaluatedAt = this.#saved.evaluatedAt
    this.#restartClock()
    const { lrFactor, atMost } = watch.options
    const message = `after step ${step} ${problem}: back to ${path}, and on past this batch with rates × ${watch.rateFactor} (× ${lrFactor}; rollback ${watch.state().rollbacks} of at most ${atMost})`
    return { ...this.#base('warning'), code: 'WARN_DIVERGENCE', message }
  }

  #isAborted(): boolean {
    return this.#parts.signal?.aborted === true
  }

  #isOver(): boolean {
    const { steps, session } = this.#parts
    return this.#isAborted() || this.#stopping?.isDue === true || (steps !== undefined && session.stepCount >= steps)
  }

  #base<Type extends TrainEvent['type']>(type: Type): { type: Type; time: number; step: number; epoch: number } {
    const { epoch, batch } = this.#parts.loader.state()
    // Between two epochs the loader stands at the next one's beginning.
    const current = batch === 0 && epoch > 0 ? epoch : epoch + 1
    return { type, time: Date.now(), step: this.#parts.session.stepCount, epoch: current }
  }

  #start(): StartEvent {
    const { task, session, totalSteps, data, resumed } = this.#parts
    const sizes = session.model.parameters().map(({ shape }) => shape.reduce((product, extent) => product * extent, 1))
    return {
      ...this.#base('start'),
      task,
      model: session.model.spec,
      parameters: sizes.reduce((sum, size) => sum + size, 0),
      session: session.spec,
      data,
      ...present({ totalSteps, resumed: resumed?.path }),
    }
  }

  async #step(report: StepReport): Promise<StepEvent> {
    const { session, loader } = this.#parts
    const every = session.spec.optimizer.observe?.every
    const sensitivity = every !== undefined && (report.step % every === 0 || session.spec.logEvery > 1) ? await session.sensitivity() : undefined
    const [now, waited] = [performance.now(), loader.waited]
    const seconds = Math.max((now - this.#clock) / 1000, Number.EPSILON)
    const { loss, nll, smoothness, lr, gradientNorm, skipped } = report
    const event: StepEvent = {
      ...this.#base('step'),
      loss,
      nll,
      bits: nll / Math.LN2,
      ...present({ smoothness, lr, gradientNorm }),
      tokensPerSecond: report.count / seconds,
      dataWait: Math.min(1, (waited - this.#waited) / seconds),
      optimizerShare: Math.min(1, this.#optimizerSeconds / seconds),
      skipped,
      ...present({ sensitivity }),
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
    this.#stopping?.observe(score)
    this.#keeper?.rank(session.stepCount, score)
    yield { ...this.#base('evaluation'), metrics, best: isBest }
    this.#restartClock()
  }

  /** Saves unless this step has been; `due` as {@link CheckpointKeeper.save} takes it. */
  async *#save(due: boolean): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { session } = this.#parts
    if (this.#keeper === undefined || this.#keeper.isSaved(session.stepCount) || session.stepCount === 0) return
    yield* this.#saveNow(due)
  }

  async *#saveNow(due: boolean): AsyncGenerator<TrainEvent<M>, void, undefined> {
    const { session, loader, task, data } = this.#parts
    const keeper = this.#keeper
    if (keeper === undefined) return
    if (this.#best?.step === session.stepCount) this.#best = { ...this.#best, path: keeper.pathOf(session.stepCount) }
    const run: RunState<M> = {
      task,
      data,
      loader: loader.state(),
      best: this.#best,
      ranked: keeper.ranked,
      newest: keeper.newestWith(session.stepCount, due),
      evaluatedAt: this.#evaluatedAt,
      ...present({ earlyStopping: this.#stopping?.state(), divergence: this.#watch?.state() }),
    }
    const saved = await keeper.save(session, plain(run), due)
    this.#saved = { losses: this.#watch?.state().losses ?? [], evaluatedAt: this.#evaluatedAt }
    yield { ...this.#base('checkpoint'), ...saved }
    this.#restartClock()
  }

  /** What a run that goes on has ranked, or its best where it says no more. */
  #rankedOf(run: RunState<M> | undefined): readonly Ranked[] {
    const { evaluation } = this.#parts
    if (run?.ranked !== undefined) return run.ranked
    const best = run?.best ?? null
    return evaluation === undefined || best === null ? [] : [{ step: best.step, score: evaluation.score(best.metrics) }]
  }
}

/** As JSON: a metric that is not finite becomes null. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
