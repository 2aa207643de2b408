import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { SagetrainError } from '../errors.js'
import { count, parse } from '../options.js'
import type { JsonObject } from '../merge.js'
import { isObject } from '../merge.js'
import type { TaskCommand } from './task-command.js'
import { armsOf, type Arm, type RunConfig } from './run-config.js'

/** One run of one arm. */
export interface ArmRun {
  /** Unique in the run: the arm, with its seed where there are several. */
  readonly name: string
  readonly arm: string
  readonly label: string
  readonly seed: number
  readonly folder: string
  readonly train: JsonObject
}

const OPTIMIZERS: Readonly<Record<string, string>> = { sgd: 'SGD', adam: 'Adam', adamw: 'AdamW', adamax: 'Adamax' }

/** How an optimizer is called in papers: `Adam-SAGE`; undefined where the configuration names none. */
function optimizerLabel({ optimizer }: JsonObject): string | undefined {
  if (!isObject(optimizer) || typeof optimizer['type'] !== 'string') return undefined
  const name = OPTIMIZERS[optimizer['type']] ?? optimizer['type']
  return optimizer['sage'] === undefined ? name : `${name}-SAGE`
}

/** Labels by the optimizers where they tell the arms apart, else the arms' own names. */
export function labelsOf(arms: readonly Arm[]): readonly string[] {
  const labels = arms.map((arm) => optimizerLabel(arm.train) ?? arm.name)
  return new Set(labels).size === labels.length ? labels : arms.map(({ name }) => name)
}

/**
 * Threads of each arm: an equal share of what the configuration or the machine gives.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a number that is none of threads.
 */
function threadsOf(arms: readonly Arm[], processors = availableParallelism()): number {
  const threads = parse(v.optional(count, processors), arms[0]?.train['threads'], 'train.threads')
  return Math.max(1, Math.floor(threads / arms.length))
}

/**
 * Refuses what no arm could be trained with, before anything has begun.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG`.
 */
export function checkArms(arms: readonly Arm[], command: TaskCommand, seeds: readonly number[] = []): void {
  threadsOf(arms)
  if (arms.length > 1 || seeds.length > 1) for (const arm of arms) refuseOwnBudget(arm)
  for (const { train } of arms) command.check(train)
}

/** Each run would find another budget, and what differs would be the batches. */
function refuseOwnBudget({ name, train: { batch } }: Arm): void {
  if (!isObject(batch) || batch['maxTokens'] !== 'auto') return
  const message = `train.batch.maxTokens: "auto" would give ${name} and the others batches of different sizes; find the number with one run (its first line says it) and give that`
  throw new SagetrainError('ERR_CONFIG', message, { fields: { key: 'train.batch.maxTokens' } })
}

/** The runs of a configuration, seed by seed; the arms of one seed run at the same time. */
export function runsOf(config: RunConfig, folder: string): readonly (readonly ArmRun[])[] {
  const arms = armsOf(config)
  const labels = labelsOf(arms)
  const threads = threadsOf(arms)
  const seeds = config.seeds ?? [undefined]
  return seeds.map((given) =>
    arms.map(({ name: arm, train }, index): ArmRun => {
      const seed = given ?? (typeof train['seed'] === 'number' ? train['seed'] : 1)
      const name = seeds.length > 1 ? `${arm}-seed-${seed}` : arm
      const alone = arms.length === 1 && seeds.length === 1
      return { name, arm, label: labels[index] ?? arm, seed, folder: alone ? folder : join(folder, name), train: { ...train, threads, seed } }
    }),
  )
}
