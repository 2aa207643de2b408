import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chosenNumber, choiceOf, type Choice } from '../choice.js'
import { isSagetrainError } from '../errors.js'
import { readResult, writeResult, type Beside, type CellResult } from '../reproduce/cell-result.js'
import type { Cell, Keeps } from '../reproduce/experiment.js'
import { duration, fixed } from '../report/format.js'
import type { ArmRun } from './arms.js'
import { checkCell, claimCell, type CellConfig } from './cell-config.js'
import { tidyCell } from './finished-cell.js'
import { metricsLine } from './follow.js'
import type { Inputs } from './inputs.js'
import { present } from '../json.js'
import { setAt, type JsonObject } from '../merge.js'
import type { ArmRecord } from './record.js'
import type { ArmTraining, Measured, PreparedTask, TaskCommand, Weights } from './task-command.js'
import type { Terminal } from './terminal.js'
import { failingAs, trainTogether, type Going } from './training.js'

/** Runs of a matrix to train and measure. */
export interface CellsOptions {
  readonly command: TaskCommand
  /** Only the validation part counts, by what each run chooses its best by: nothing is measured on the part that results are told of. */
  readonly searching?: boolean
  readonly task: PreparedTask
  /** What `task` was prepared with. */
  readonly prepare: JsonObject
  /** What the paths in a run's configuration hold. */
  readonly inputsOf: (train: JsonObject) => Promise<Inputs>
  /** Each run has its folder below. */
  readonly folder: string
  readonly weights: Weights
  /** Runs at the same time. */
  readonly together: number
  /** Of each run. */
  readonly threads: number
  /** The processor, kept with a result before the devices, precisions and threads that its run was trained with. */
  readonly machine: string
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** Whether the best weights also predict test parts whose labels others keep. */
  readonly predictTest?: boolean
  /** What stays of a run that is done. */
  readonly keeps: Keeps
  /** Told of every run that has come to its end. */
  readonly onResult: (cell: Cell, result: CellResult) => Promise<void>
}

/** Which runs, of what. */
export type CellsPlace = Pick<CellsOptions, 'command' | 'searching' | 'prepare' | 'inputsOf' | 'folder'>

/**
 * What the folder holds of these runs already, by their names; one that was ranked by something else is none of it.
 *
 * @throws {@link SagetrainError} `ERR_STATE` for a run, done or not, that was trained with another configuration.
 */
export async function readResults(cells: readonly Cell[], place: CellsPlace): Promise<Map<string, CellResult>> {
  const found = new Map<string, CellResult>()
  // One after the other: the first that needs a model folder reads it for all.
  for (const cell of cells) {
    const folder = join(place.folder, cell.name)
    await checkCell(folder, await configOf(cell.train, place)) // oxlint-disable-line no-await-in-loop
    const result = await resultOf(cell, place) // oxlint-disable-line no-await-in-loop
    if (result !== undefined) found.set(cell.name, result)
  }
  return found
}

/** What a run has come to; undefined where it is not done, or was ranked by something else. One that diverged has no rank. */
async function resultOf(cell: Cell, place: CellsPlace): Promise<CellResult | undefined> {
  const result = await readResult(join(place.folder, cell.name))
  return result === undefined || result.diverged !== undefined || result.validationBy === rankedBy(cell, place) ? result : undefined
}

/** What a run that is searched chooses its best by. */
export function choiceIn(command: Pick<TaskCommand, 'choice' | 'headline'>, train: JsonObject): Choice {
  return command.choice?.(train) ?? choiceOf(command.headline)
}

/** What its result says that it is ranked by: nothing of the headline. */
function rankedBy({ train }: Cell, { command, searching = false }: CellsPlace): string | undefined {
  const metric = searching ? choiceIn(command, train).metric : command.headline
  return metric === command.headline ? undefined : metric
}

async function configOf(train: JsonObject, { command, prepare, inputsOf }: CellsPlace): Promise<CellConfig> {
  return { config: { task: command.name, prepare, train }, command, inputs: await inputsOf(train) }
}

/**
 * Trains and measures runs, a few at a time; one that was interrupted goes on from its last checkpoint. A run that diverges is a
 * result, and the runs beside it go on.
 *
 * @throws What training threw; the signal's reason when it stops.
 */
export async function runCells(cells: readonly Cell[], options: CellsOptions): Promise<void> {
  let rest = cells
  const seconds: number[] = []
  const timing: CellsOptions = {
    ...options,
    onResult: async (cell, result) => {
      // One that diverged ended early.
      if (result.diverged === undefined) seconds.push(result.seconds)
      await options.onResult(cell, result)
    },
  }
  while (rest.length > 0) {
    const group = rest.slice(0, options.together)
    sayGroup(options, { all: cells.length, left: rest.length, now: group.length, pace: meanOf(seconds) })
    // oxlint-disable-next-line no-await-in-loop -- a group fills the machine
    const unfinished = await runGroup(group, timing)
    rest = [...unfinished, ...rest.slice(group.length)]
  }
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}

function sayGroup({ terminal, together }: CellsOptions, { all, left, now, pace }: { readonly all: number; readonly left: number; readonly now: number; readonly pace: number | undefined }): void {
  const first = all - left + 1
  const which = now === 1 ? `Run ${fixed(first)}` : `Runs ${fixed(first)} ${now === 2 ? 'and' : 'to'} ${fixed(first + now - 1)}`
  const eta = pace === undefined ? '' : `, about ${duration(Math.ceil(left / together) * pace)} left`
  terminal.line()
  terminal.line(terminal.style('bold', `${which} of ${fixed(all)}${eta}`))
}

/** Resolves to the runs that have to go on: those that stopped because another one diverged. */
async function runGroup(group: readonly Cell[], options: CellsOptions): Promise<readonly Cell[]> {
  const { command, task, weights, terminal, signal } = options
  const runs = group.map((cell) => runOf(cell, options))
  // A folder in which nothing was begun has nothing to go on from.
  const resume = ({ folder }: ArmRun): boolean => existsSync(join(folder, 'events.jsonl'))
  for (const [index, cell] of group.entries()) await claimCell(runs[index]?.folder ?? '', await configOf(trainOf(cell, options), options)) // oxlint-disable-line no-await-in-loop -- a few files
  let stopped: readonly Going[] = []
  const failed = (going: readonly Going[], failure: unknown): never => {
    stopped = going
    throw failure
  }
  try {
    await trainTogether({ command, task, weights, terminal, signal, resume }, runs, (going, early) => measureAll(group, going, early, options), failed)
    return []
  } catch (error) {
    const diverged = group.find(({ name }) => hasDiverged(error, name))
    if (diverged === undefined || !isSagetrainError(error)) throw error
    terminal.line(`${error.message}: kept as this run's result.`)
    const { step = 0, seconds = 0, setups = [] } = stopped.find(({ run }) => run.name === diverged.name)?.record ?? {}
    await keep(diverged, { steps: step, bestStep: 0, seconds, validation: null, ...present({ validationBy: rankedBy(diverged, options) }), metrics: {}, signatures: {}, diverged: error.message, machine: machineOf(options, setups) }, {}, options)
    // Where it was measuring that found it, those before it have their results.
    const results = await Promise.all(group.map((cell) => resultOf(cell, options)))
    return group.filter((_, index) => results[index] === undefined)
  }
}

function trainOf({ train }: Cell, { threads }: CellsOptions): Cell['train'] {
  return setAt(train, ['threads'], threads)
}

/** As its own arm, so that an error names it. */
function runOf(cell: Cell, options: CellsOptions): ArmRun {
  const { name, label, seed } = cell
  return { name, arm: name, label, seed, folder: join(options.folder, name), train: trainOf(cell, options) }
}

function hasDiverged(error: unknown, name: string): boolean {
  return (isSagetrainError(error, 'ERR_NON_FINITE') || isSagetrainError(error, 'ERR_DIVERGED')) && error.fields['arm'] === name
}

async function measureAll(group: readonly Cell[], going: readonly Going[], stopped: boolean, options: CellsOptions): Promise<void> {
  const { command, terminal, task, signal, searching = false, predictTest = false } = options
  if (stopped) signal.throwIfAborted()
  if (!searching) terminal.line(`Measuring on ${task.measuredOn} …`)
  for (const [index, { record, training, run }] of going.entries()) {
    const cell = group[index]
    if (cell === undefined) continue
    // oxlint-disable-next-line no-await-in-loop -- each fills the machine, and is kept as soon as it is there
    const { bestStep, metrics, signatures, outputs } = searching ? UNMEASURED : await failingAs(run, training.measure(signal))
    const validation = searching ? chosenIn(record, choiceIn(command, cell.train)) : bestOf(record.curves().evaluations.map(({ metrics: scored }) => scored[command.headline] ?? null))
    if (!searching) terminal.line(`${run.name}  ${metricsLine(metrics, command.columns)}`)
    // oxlint-disable-next-line no-await-in-loop -- as above
    const files = predictTest ? await failingAs(run, testFiles(training, options)) : {}
    // oxlint-disable-next-line no-await-in-loop -- as above
    await keep(cell, { steps: record.step, bestStep, seconds: record.seconds, validation, ...present({ validationBy: rankedBy(cell, options) }), metrics: { ...metrics, ...record.costs() }, signatures, machine: machineOf(options, record.setups) }, { outputs, files }, options)
  }
}

/** A run that went on elsewhere, or with other threads, names both. */
function machineOf({ machine }: CellsOptions, setups: readonly string[]): string {
  return setups.length === 0 ? machine : `${machine}: ${setups.join(', then ')}`
}

async function testFiles(training: ArmTraining, { terminal, signal }: CellsOptions): Promise<NonNullable<Beside['files']>> {
  if (training.predictTest === undefined) return {}
  terminal.line('Predicting the test parts …')
  return training.predictTest(signal)
}

const UNMEASURED: Measured = { bestStep: 0, metrics: {}, signatures: {}, outputs: [] }

/** At the evaluation that the run keeps as its best. */
function chosenIn({ best }: ArmRecord, choice: Choice): number | null {
  return best === undefined ? null : chosenNumber(choice, best)
}

function bestOf(scores: readonly (number | null)[]): number | null {
  const known = scores.filter((score): score is number => score !== null && Number.isFinite(score))
  return known.length === 0 ? null : Math.max(...known)
}

async function keep(cell: Cell, result: CellResult, beside: Beside, { folder, keeps, onResult }: CellsOptions): Promise<void> {
  await writeResult(join(folder, cell.name), result, beside)
  await tidyCell(join(folder, cell.name), result, keeps)
  await onResult(cell, result)
}
