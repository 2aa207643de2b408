import { memoryUsage, resourceUsage } from 'node:process'
import { isSagetrainError, SagetrainError } from '../errors.js'
import type { ArmReport, ComparisonReport, PairedComparison, SampleTranslation } from '../report/report-data.js'
import type { Boundary } from '../report/boundary.js'
import type { ArmRun } from './arms.js'
import { follow } from './follow.js'
import { Progress } from './progress.js'
import { ArmRecord } from './record.js'
import type { ArmTraining, Compared, Measured, PreparedTask, TaskCommand, Weights } from './task-command.js'
import type { Terminal } from './terminal.js'

/** What training the arms of all seeds came to. */
export interface Trained {
  readonly status: ComparisonReport['status']
  readonly arms: readonly ArmReport[]
  readonly comparisons: readonly PairedComparison[]
  readonly samples: readonly SampleTranslation[]
  readonly boundaries: readonly Boundary[]
  /** Why an arm failed; the others have been stopped and saved. */
  readonly failure?: unknown
}

/** What training arms needs beside the arms. */
export interface TrainTogetherOptions {
  readonly command: TaskCommand
  readonly task: PreparedTask
  /** Whether to go on from its last checkpoint; of all runs, or of each. */
  readonly resume: boolean | ((run: ArmRun) => boolean)
  /** @default 'best' */
  readonly weights?: Weights
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** The same, and the arms by seed. */
export interface TrainingOptions extends TrainTogetherOptions {
  readonly seeds: readonly (readonly ArmRun[])[]
}

/** Bytes of memory the process has held at its peak: all arms together, since they share it. */
function peakMemory(): number {
  return Math.max(resourceUsage().maxRSS * 1024, memoryUsage.rss())
}

/** Trains every seed's arms at the same time, the seeds one after the other, and measures what they learnt. */
export async function trainAll(options: TrainingOptions): Promise<Trained> {
  const done: Trained[] = []
  for (const runs of options.seeds) {
    // oxlint-disable-next-line no-await-in-loop -- the seeds' arms share the machine: one seed after the other
    done.push(await trainSeed(options, runs))
    if (options.signal.aborted || done.at(-1)?.failure !== undefined) break
  }
  const [[first], failure] = [done, done.at(-1)?.failure]
  return {
    status: done.every(({ status }) => status === 'complete') && done.length === options.seeds.length ? 'complete' : 'interrupted',
    arms: done.flatMap(({ arms }) => arms),
    comparisons: done.flatMap(({ comparisons }) => comparisons),
    samples: first?.samples ?? [],
    boundaries: first?.boundaries ?? [],
    ...(failure !== undefined && { failure }),
  }
}

/** One arm on its way. */
export interface Going {
  readonly run: ArmRun
  readonly training: ArmTraining
  readonly record: ArmRecord
}

async function trainSeed(options: TrainingOptions, runs: readonly ArmRun[]): Promise<Trained> {
  return trainTogether(options, runs, async (going, stopped) => (stopped ? interrupted(going) : measureAll(options, going)), salvage)
}

/** What there is to report of arms of which one failed; before their first steps there is nothing but the failure. */
function salvage(going: readonly Going[], failure: unknown): Trained {
  if (going.every(({ record }) => record.step === 0)) throw failure
  return { ...interrupted(going), failure }
}

/**
 * Trains arms at the same time; `then` is given them while their models are still there, and whether one was stopped before its end;
 * `failed` what there is of them when one fails.
 */
export async function trainTogether<T>(
  options: TrainTogetherOptions,
  runs: readonly ArmRun[],
  then: (going: readonly Going[], stopped: boolean) => Promise<T>,
  failed: (going: readonly Going[], failure: unknown) => T = (_going, failure) => { throw failure },
): Promise<T> {
  // An arm that fails stops the others, which save and end in good order.
  const failure = new AbortController()
  const started = await Promise.allSettled(runs.map((run) => start(options, run, AbortSignal.any([options.signal, failure.signal]))))
  const going = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    const refused = started.find((one) => one.status === 'rejected')
    if (refused !== undefined) throw refused.reason
    const reasons = await followAll(options, going, failure)
    return await then(going, reasons.includes('stopped'))
  } catch (error) {
    return failed(going, error)
  } finally {
    await Promise.all(going.map(({ training }) => training[Symbol.asyncDispose]()))
  }
}

async function start({ task, resume, weights = 'best' }: TrainTogetherOptions, run: ArmRun, signal: AbortSignal): Promise<Going> {
  const { name, train, folder } = run
  const goesOn = typeof resume === 'boolean' ? resume : resume(run)
  return { run, training: await task.train({ name, train, folder, resume: goesOn, weights, signal }), record: new ArmRecord() }
}

async function followAll({ terminal, command }: TrainTogetherOptions, going: readonly Going[], failure: AbortController): Promise<readonly string[]> {
  using progress = new Progress(terminal, going.map(({ run }) => run.name))
  const followed = going.map(async ({ run, training, record }) => {
    try {
      return await follow(run.name, training.events, record, progress, command.columns)
    } catch (error) {
      failure.abort(ofArm(run, error))
      throw error
    }
  })
  const settled = await Promise.allSettled(followed)
  if (failure.signal.aborted) throw failure.signal.reason
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : 'stopped'))
}

/** Has what goes wrong with an arm's weights name it, as what goes wrong with its training does. */
export async function failingAs<T>(run: ArmRun, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw ofArm(run, error)
  }
}

/** The error with the arm's name before it; a fault of the program stays as it is, with its stack. */
function ofArm({ name, arm }: ArmRun, error: unknown): unknown {
  if (!isSagetrainError(error)) return error
  return new SagetrainError(error.code, `${name}: ${error.message}`, { fields: { ...error.fields, arm }, cause: error })
}

function interrupted(going: readonly Going[]): Trained {
  return { status: 'interrupted', arms: going.map((one) => armReport(one, null)), comparisons: [], samples: [], boundaries: [] }
}

async function measureAll({ terminal, task, signal }: TrainingOptions, going: readonly Going[]): Promise<Trained> {
  terminal.line(`Measuring on ${task.measuredOn} …`)
  // All come to their end before the first failure is told: what they measure with is freed then.
  const settled = await Promise.allSettled(going.map(async ({ run, training }) => ({ name: run.name, label: run.label, training, measured: await training.measure(signal) })))
  const measured = settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
  const compared = await task.compare(measured)
  const arms = going.map((one, index) => armReport(one, measured[index]?.measured ?? null, compared))
  return { status: 'complete', arms, comparisons: compared.comparisons, samples: compared.samples, boundaries: compared.boundaries }
}

function armReport({ run, record }: Going, measured: Measured | null, compared?: Compared): ArmReport {
  const { name, arm, label, seed, train } = run
  const intervals = compared?.intervals[name] ?? {}
  return { name, arm, label, seed, ...record.curves(), result: measured === null ? null : record.result(measured, intervals, { peakMemory: peakMemory() }), train }
}
