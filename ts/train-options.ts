import * as v from 'valibot'
import type { RollbackOptions } from './divergence.js'
import type { EarlyStoppingOptions } from './early-stopping.js'
import { SagetrainError } from './errors.js'
import { count, expected, flag, fraction, nonNegative, object, oneOf, positive, text, whole } from './options.js'
import { optimizerSpec, type OptimizerSpec } from './optim/spec.js'
import { scheduleSpec } from './schedule/spec.js'
import { deviceName, precisionName } from './device.js'
import type { SessionOptions } from './session.js'

/** When to evaluate. */
export interface EvaluationSchedule {
  /**
   * Steps from one evaluation to the next; the last step is always evaluated.
   * @default once an epoch
   */
  readonly everySteps?: number
}

/** When to save, and what to keep. */
export interface CheckpointOptions {
  /**
   * Steps from one checkpoint to the next. A new best and the last step are saved as well.
   * @default after every evaluation
   */
  readonly everySteps?: number
  /** Minutes after which one is saved in any case, at the next update. */
  readonly everyMinutes?: number
  /**
   * Newest checkpoints that are kept beside the best.
   * @default 1
   */
  readonly keep?: number
  /**
   * Best checkpoints that are kept beside the newest; each is saved when it is evaluated.
   * @default 1
   */
  readonly keepBest?: number
}

/** What every task's `train` takes. Training ends after `epochs` or `steps`, whichever comes first; one of them is required. */
export interface TrainOptions extends Omit<SessionOptions, 'model' | 'smoothness'> {
  /** Passes over the training data. */
  readonly epochs?: number
  /** Optimizer steps. */
  readonly steps?: number
  /**
   * Of weights, dropout and the order of the data.
   * @default 1
   */
  readonly seed?: number
  readonly checkpoint?: CheckpointOptions
  /** Ends training when evaluations get no better by the metric that the best is chosen by. Without it they may. */
  readonly earlyStopping?: EarlyStoppingOptions
  /**
   * What to do about a loss or gradient that is not finite, and about a loss that jumps: `error` ends training with the former and lets the
   * latter be; `rollback`, or its options, goes back to the last checkpoint and on past the batch with a lower rate, which a warning tells.
   * With `nonFinite: 'skip'` a gradient that is not finite is skipped and no divergence.
   * @default 'error'
   */
  readonly divergence?: 'error' | 'rollback' | RollbackOptions
  /**
   * Where `events.jsonl` and `checkpoints/` go; `false` writes nothing.
   * @default a new folder below runs/
   */
  readonly folder?: string | false
  /**
   * Goes on from the folder's newest whole checkpoint, or begins where there is none. Data, batch and seed must be the same; other
   * options that put training on another course are warned of.
   * @default false
   */
  readonly resume?: boolean
  /** Ends training in good order: the step is finished and a checkpoint saved. */
  readonly signal?: AbortSignal
}

/** Keys of the two parts of a configuration. */
export interface ConfigKeys {
  readonly prepare: readonly string[]
  readonly train: readonly string[]
}

const anything = v.exactOptional(v.unknown())
const signal = v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal')))
const below1 = v.pipe(positive, v.check((value) => value < 1, expected('a number between 0 and 1')), v.maxValue(1))
const above1 = v.pipe(positive, v.check((value) => value > 1, expected('a finite number > 1')), v.minValue(1))
const rollback = object({
  lossFactor: v.optional(above1, 3),
  window: v.optional(count, 50),
  lrFactor: v.optional(below1, 0.5),
  atMost: v.optional(count, 3),
})

const folder = v.union([text, v.literal(false)], expected('a path, or false'))

/** Keys that are a session's. */
const sessionKeys = ['device', 'precision', 'threads', 'logEvery', 'lossScale', 'accumulate', 'average', 'groups', 'maxGradientNorm', 'nonFinite', 'sensitivityDtype', 'totalSteps'] as const

/** Entries of {@link TrainOptions} for a task's schema. */
export const trainEntries = {
  optimizer: v.custom<OptimizerSpec>((value) => typeof value === 'object' && value !== null, expected('an optimizer such as adam({ lr: 1e-3 })')),
  schedule: anything,
  device: v.exactOptional(deviceName),
  precision: v.exactOptional(precisionName),
  threads: v.exactOptional(count),
  logEvery: v.exactOptional(count),
  lossScale: anything,
  accumulate: v.exactOptional(count),
  average: v.exactOptional(object({ decay: fraction })),
  groups: anything,
  maxGradientNorm: v.exactOptional(positive),
  nonFinite: v.exactOptional(oneOf(['error', 'skip', 'unchecked'])),
  sensitivityDtype: v.exactOptional(oneOf(['float32', 'bfloat16'])),
  totalSteps: v.exactOptional(count),
  seed: v.optional(whole, 1),
  epochs: v.exactOptional(count),
  steps: v.exactOptional(count),
  checkpoint: v.optional(object({ everySteps: v.exactOptional(count), everyMinutes: v.exactOptional(positive), keep: v.optional(count, 1), keepBest: v.optional(count, 1) }), {}),
  earlyStopping: v.exactOptional(object({ patience: count, minDelta: v.optional(nonNegative, 0) })),
  divergence: v.optional(v.union([oneOf(['error', 'rollback']), rollback], expected('"error", "rollback" or an object such as { lrFactor: 0.5 }')), 'error'),
  folder: v.exactOptional(folder),
  resume: v.optional(flag, false),
  signal,
}

const parsed = object(trainEntries)

/** {@link TrainOptions} after the check. */
export type ParsedTrainOptions = v.InferOutput<typeof parsed>

/** Refuses what does not go together, and checks the specifications, before anything has begun. */
export function checkTrainOptions(options: ParsedTrainOptions, where: string): void {
  const refuse = (key: string, message: string): never => {
    throw new SagetrainError('ERR_CONFIG', `${where}.${key}: ${message}`, { fields: { key: `${where}.${key}` } })
  }
  optimizerSpec(options.optimizer, `${where}.optimizer`)
  if (options.schedule !== undefined) scheduleSpec(options.schedule, `${where}.schedule`)
  if (options.epochs === undefined && options.steps === undefined) refuse('epochs', 'is missing, and steps too; give one of them')
  if (options.divergence !== 'error' && options.folder === false) refuse('divergence', 'goes back to checkpoints, and folder: false writes none')
  if (options.resume && typeof options.folder !== 'string') refuse('resume', 'needs the folder of the run to go on with')
}

/** Keys that a configuration may have: all but what only a program can give, and what the command line decides. */
export function configKeys(prepare: { readonly entries: object }, train: { readonly entries: object }): ConfigKeys {
  const programs = new Set(['signal', 'onProgress', 'folder', 'resume'])
  const keys = (entries: object): string[] => Object.keys(entries).filter((key) => !programs.has(key))
  return { prepare: keys(prepare.entries), train: keys(train.entries) }
}

/** How to go back where training diverges; undefined where it ends then. */
export function rollbackOf({ divergence }: ParsedTrainOptions): Required<RollbackOptions> | undefined {
  if (divergence === 'error') return undefined
  return divergence === 'rollback' ? v.parse(rollback, {}) : divergence
}

/** The part of the options that is a session's. */
export function sessionPart(options: ParsedTrainOptions): Record<string, unknown> {
  const given = sessionKeys.map((key) => [key, options[key]] as const).filter(([, value]) => value !== undefined)
  const schedule = options.schedule === undefined ? {} : { schedule: options.schedule }
  return { ...Object.fromEntries(given), ...schedule, optimizer: options.optimizer, seed: options.seed }
}
