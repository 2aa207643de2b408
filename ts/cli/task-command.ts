import type { Choice } from '../choice.js'
import type { Dataset } from '../dataset.js'
import type { Boundary } from '../report/boundary.js'
import type { Fact, MetricColumn, PairedComparison, SampleTranslation, SensitivityPoint } from '../report/report-data.js'
import type { JsonObject } from '../merge.js'
import type { ConfigKeys } from './run-config.js'

/** A value for `result.metrics`: missing where the task does not measure it. */
export type Metrics = Readonly<Record<string, number | null>>

/** What an arm's training tells the command, already in the report's units. */
export type TaskEvent =
  | { readonly type: 'start'; readonly totalSteps?: number; readonly parameters: number; readonly device: string; readonly precision: string; readonly threads: number; readonly maxTokens?: number }
  | {
      readonly type: 'step'
      readonly step: number
      readonly loss: number | null
      readonly tokensPerSecond: number
      /** Shares of the step's time, 0 to 1. */
      readonly optimizerShare?: number
      readonly dataWait?: number
    }
  | { readonly type: 'sensitivity'; readonly step: number; readonly point: Omit<SensitivityPoint, 'seconds'> }
  | { readonly type: 'evaluation'; readonly step: number; readonly metrics: Metrics; readonly best: boolean }
  | { readonly type: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'end'; readonly reason: 'finished' | 'stopped'; readonly step: number }

/** A {@link TaskEvent} and when it happened, in seconds of the arm's own time: what an earlier part of a resumed run took counts too. */
export type TimedEvent = TaskEvent & {
  readonly seconds: number
  /** It happened before the run was resumed. */
  readonly past?: boolean
}

/** What the best weights of an arm score on the held-out part. */
export interface Measured {
  readonly bestStep: number
  readonly metrics: Metrics
  readonly signatures: Readonly<Record<string, string>>
  /** One output a held-out sample, for tasks that have them, and what they are outputs of. */
  readonly outputs: readonly string[]
  readonly sources?: readonly string[]
  readonly references?: readonly string[]
  /** The model's folder, for tasks that draw what it decides. */
  readonly model?: string
}

/** One arm in training. */
export interface ArmTraining extends AsyncDisposable {
  readonly events: AsyncIterable<TimedEvent>
  /** Scores the best weights; after the events have ended. */
  measure(signal: AbortSignal): Promise<Measured>
  /** Files, by name, of what the same weights predict for test parts whose labels others keep; missing for a task that has none. */
  predictTest?(signal: AbortSignal): Promise<{ readonly [name: string]: string }>
}

/** The weights that are measured: those of the best evaluation, or the mean of the newest checkpoints. */
export type Weights = 'best' | { readonly last: number }

/** What an arm is trained with beyond its configuration. */
export interface ArmOptions {
  readonly name: string
  readonly train: JsonObject
  /** Where its `events.jsonl` and `checkpoints/` go; false for a trial that keeps nothing, and is not measured. */
  readonly folder: string | false
  /** Goes on from the folder's last checkpoint. */
  readonly resume: boolean
  /** @default 'best' */
  readonly weights?: Weights
  readonly signal: AbortSignal
}

/** Arms measured on the same data, compared. */
export interface Compared {
  readonly comparisons: readonly PairedComparison[]
  /** 95 % intervals by arm and metric. */
  readonly intervals: Readonly<Record<string, Readonly<Record<string, readonly [low: number, high: number]>>>>
  readonly samples: readonly SampleTranslation[]
  readonly boundaries: readonly Boundary[]
}

/** A measured arm, to compare. */
export interface MeasuredArm {
  readonly name: string
  readonly label: string
  readonly measured: Measured
  readonly training: ArmTraining
}

/** Where a preparation stands. */
export interface DataProgress {
  /** For people, e.g. "tokenising". */
  readonly stage: string
  /** Lines of this stage that are done. */
  readonly lines: number
  /** Share of this stage that is done, 0 to 1. */
  readonly share: number
}

/** Data made ready, described. */
export interface PreparedData {
  /** For programs. */
  readonly result: JsonObject
  readonly facts: readonly Fact[]
  /** Lines that are not used, by reason. */
  readonly leftOut: readonly LeftOut[]
}

/** Lines of one file that are not used for one reason. */
export interface LeftOut {
  readonly part: string
  readonly file: string
  readonly reason: string
  readonly lines: number
  /** Its number, from 1. */
  readonly first: number
}

/** A task with its data ready. */
export interface PreparedTask extends AsyncDisposable {
  /** What the plan and the report say of the data. */
  readonly facts: readonly Fact[]
  /** What `measure` measures on, e.g. "426 held-out sentences, beam 5". */
  readonly measuredOn: string
  /** Of its files' bytes and how they were prepared, for a task that has files. */
  readonly fingerprint?: string
  /** What it trains on, where training can be repeated from a checkpoint. */
  readonly dataset?: Dataset
  /** Paths of the tokenizers of its ids by column, where it has some. */
  readonly tokenizerFiles?: Readonly<Record<string, string>>
  train(options: ArmOptions): Promise<ArmTraining>
  compare(arms: readonly MeasuredArm[]): Promise<Compared>
}

/** A task as the command knows it: one file each, one line in the registry. */
export interface TaskCommand {
  readonly name: string
  /** One line for `--help`. */
  readonly about: string
  /** Begins the report's title. */
  readonly title: string
  readonly examples: readonly string[]
  readonly keys: ConfigKeys
  /** Dotted paths into `prepare` that name files or folders. */
  readonly files: readonly string[]
  /** Dotted paths into `train` that name model folders. */
  readonly modelFolders?: readonly string[]
  /** The model folder that a training begins with although its `train` names none, and the path at which it would. */
  impliedModel?(prepare: JsonObject, train: JsonObject): { readonly key: string; readonly folder: string } | undefined
  /**
   * Refuses a `train` that no data could mend, before the data are made ready.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` with the key's path.
   */
  check(train: JsonObject): void
  /** Columns of the result table. */
  readonly columns: readonly MetricColumn[]
  /** The metric that decides who is ahead: the higher, the better. */
  readonly headline: string
  /** What a training with this `train` chooses its best evaluation by; missing where that is always the headline. */
  choice?(train: JsonObject): Choice
  /** The configuration where nothing is given. */
  readonly defaults: { readonly prepare: JsonObject; readonly train: JsonObject; readonly compare?: readonly { readonly name: string; readonly train: JsonObject }[] }
  /** Makes the data ready without training; missing for a task whose data are made at once. */
  readonly prepareData?: (options: JsonObject, follow: (progress: DataProgress) => void, signal: AbortSignal) => Promise<PreparedData>
  /** Makes the data ready; `say` tells a person what takes time. */
  prepare(options: JsonObject, say: (text: string) => void, signal: AbortSignal): Promise<PreparedTask>
}
