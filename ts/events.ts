import type { Json } from './json.js'
import type { ModelSpec } from './model-spec.js'
import type { SensitivityReport } from './optim/sensitivity.js'
import type { SessionSpec } from './session.js'

/** Numbers by name, such as `{ loss, bleu }`. */
export type Metrics = Readonly<Record<string, number>>

/** An evaluation that no later one has beaten. */
export interface Best<M extends object = Metrics> {
  readonly step: number
  readonly metrics: M
  /** Its checkpoint; absent where none are written. */
  readonly path?: string
}

/** Why a run ended: its epochs or steps are done, evaluations got no better, its signal aborted, or its consumer left the loop. */
export type EndReason = 'finished' | 'earlyStopped' | 'aborted' | 'stopped'

/** What a place in the order of the data means something with: the dataset's fingerprint and how it is cut and shuffled. */
export type DataOrder = Readonly<Record<string, Json>>

interface Base<Type extends string> {
  readonly type: Type
  /** Milliseconds since 1970, as Date.now() gives them. */
  readonly time: number
  /** Optimizer steps finished. */
  readonly step: number
  /** The pass over the data, counted from 1. */
  readonly epoch: number
}

/** Training begins. */
export interface StartEvent extends Base<'start'> {
  readonly task: string
  readonly model: ModelSpec
  /** Trainable numbers of the model. */
  readonly parameters: number
  /** The session's options, defaults filled in for this machine. */
  readonly session: SessionSpec
  /** Steps the run will have, as far as that is known. */
  readonly totalSteps?: number
  /** How the data are cut and shuffled; `maxTokens` is the number that was found where it was 'auto'. */
  readonly data: DataOrder
  /** The checkpoint it goes on from. */
  readonly resumed?: string
}

/** An optimizer step was taken, or skipped; with `logEvery` one of as many, its means over all of them. */
export interface StepEvent extends Base<'step'> {
  /** Mean loss in nats, label smoothing included. */
  readonly loss: number
  /** Mean negative log-likelihood in nats a token (or sample), without smoothing. */
  readonly nll: number
  /** The same in bits: nll / ln 2. */
  readonly bits: number
  /** Mean of the smoothness term that is minimised beside the loss, without its weight; absent without it. */
  readonly smoothness?: number
  /** The rate of the step; absent where it was skipped. */
  readonly lr?: number
  /** Global norm of the gradient before clipping; absent where neither clipping nor the check ran. */
  readonly gradientNorm?: number
  /** Target tokens (or samples) over the time since the step before, waiting included. */
  readonly tokensPerSecond: number
  /** Share of that time spent waiting for data, 0 to 1. */
  readonly dataWait: number
  /** Share of that time spent in the optimizer, 0 to 1. */
  readonly optimizerShare: number
  /** The gradient was not finite and nothing was changed. */
  readonly skipped: boolean
  /** What `observe` saw, on the steps it is due. */
  readonly sensitivity?: SensitivityReport
}

/** The model was evaluated. */
export interface EvaluationEvent<M extends object = Metrics> extends Base<'evaluation'> {
  readonly metrics: M
  /** Whether it is the best so far. */
  readonly best: boolean
}

/** A checkpoint was written. */
export interface CheckpointEvent extends Base<'checkpoint'> {
  readonly path: string
  /** The checkpoints that remain, oldest first. */
  readonly kept: readonly string[]
}

/** Something is not as it should be, and training goes on. */
export interface WarningEvent extends Base<'warning'> {
  readonly code: 'WARN_RESUME' | 'WARN_CHECKPOINT' | 'WARN_DATA' | 'WARN_DIVERGENCE' | 'WARN_WEIGHTS'
  readonly message: string
}

/** Training has ended. */
export interface EndEvent<M extends object = Metrics> extends Base<'end'> {
  readonly reason: EndReason
  /** Null where nothing was evaluated. */
  readonly best: Best<M> | null
}

/** What a run tells, told apart by `type`. */
export type TrainEvent<M extends object = Metrics> =
  | StartEvent
  | StepEvent
  | EvaluationEvent<M>
  | CheckpointEvent
  | WarningEvent
  | EndEvent<M>
