import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { present } from '../json.js'
import { count, parse } from '../options.js'
import { duration, fixed } from '../report/format.js'
import type { Fact } from '../report/report-data.js'
import type { CellResult } from '../reproduce/cell-result.js'
import type { Cell, Keeps, Matrix } from '../reproduce/experiment.js'
import { machineFacts, processor } from './assemble.js'
import type { Context } from './command.js'
import { tidyCell } from './finished-cell.js'
import { describeModel, modelsOf, type Inputs } from './inputs.js'
import { setAt, type JsonObject } from '../merge.js'
import { readResults, runCells, type CellsPlace } from './run-cells.js'
import type { PreparedTask } from './task-command.js'
import { taskOf } from './train.js'
import { trialSeconds } from './trial.js'

/** Where matrices are run, and who is told. */
export interface MatrixOptions {
  /** The matrices' folders go below. */
  readonly folder: string
  readonly context: Context
  readonly signal: AbortSignal
  /** Whether only the validation part counts. */
  readonly searching?: boolean
  /** Told of every run that has come to its end. */
  readonly onResult: () => Promise<void>
}

/** The runs of matrices: what is there of them, and what is missing. */
export class MatrixRuns {
  readonly #options: MatrixOptions
  /** Fingerprints of each matrix's data, as found when they were made ready. */
  readonly #data = new Map<string, string | undefined>()
  /** Fingerprints of model folders by their paths: reading one takes a second. */
  readonly #models = new Map<string, string>()
  readonly #results = new Map<string, Map<string, CellResult>>()

  constructor(options: MatrixOptions) {
    this.#options = options
  }

  /** Makes a matrix's data ready. */
  async prepare({ name, task, prepare, make }: Matrix): Promise<PreparedTask> {
    const { context, signal } = this.#options
    await make?.()
    const prepared = await taskOf(task, context).prepare(prepare, (line) => context.terminal.line(line), signal)
    this.#data.set(name, prepared.fingerprint)
    return prepared
  }

  /**
   * Reads what the folder holds of these runs.
   *
   * @throws {@link SagetrainError} `ERR_STATE` for a run that was trained with another configuration.
   */
  async read(matrix: Matrix, cells: readonly Cell[]): Promise<void> {
    this.#results.set(matrix.name, await readResults(cells, this.#place(matrix)))
  }

  /** Results of a matrix by the names of their runs. */
  of(name: string): ReadonlyMap<string, CellResult> {
    return this.#results.get(name) ?? new Map()
  }

  /** Where a matrix's runs lie. */
  folderOf({ name }: Matrix): string {
    return join(this.#options.folder, name)
  }

  /** Trains and measures those of the runs that are not done. */
  async runMissing(matrix: Matrix, task: PreparedTask, cells: readonly Cell[]): Promise<void> {
    const { context: { terminal }, signal, onResult } = this.#options
    const results = this.#results.get(matrix.name) ?? new Map<string, CellResult>()
    const missing = cells.filter(({ name }) => !results.has(name))
    await this.#tidy(matrix, results)
    if (missing.length === 0) return
    await runCells(missing, {
      ...this.#place(matrix),
      task,
      weights: matrix.weights,
      together: matrix.together,
      threads: threadsEach(matrix),
      machine: processor(),
      terminal,
      signal,
      predictTest: matrix.predictTest === true,
      keeps: this.#keeps(matrix),
      onResult: async (cell, result) => {
        this.#results.set(matrix.name, results.set(cell.name, result))
        await onResult()
      },
    })
  }

  /** What stays of a run: a search wants its figures alone. */
  #keeps({ keeps = 'checkpoints' }: Matrix): Keeps {
    return this.#options.searching === true ? 'results' : keeps
  }

  /** A command that was killed right after a run's result has left its checkpoints. */
  async #tidy(matrix: Matrix, results: ReadonlyMap<string, CellResult>): Promise<void> {
    for (const [name, result] of results) await tidyCell(join(this.folderOf(matrix), name), result, this.#keeps(matrix)) // oxlint-disable-line no-await-in-loop -- one disk
  }

  /** About how many seconds one run takes, evaluations apart, from a few steps of it; undefined where that cannot be said. */
  trialSeconds(matrix: Matrix, task: PreparedTask, { train }: Cell): Promise<number | undefined> {
    return trialSeconds(task, setAt(train, ['threads'], threadsEach(matrix)), this.#options.signal)
  }

  #place(matrix: Matrix): CellsPlace {
    const { task, name, prepare } = matrix
    const command = taskOf(task, this.#options.context)
    const inputsOf = async (train: JsonObject): Promise<Inputs> => ({ models: await modelsOf(command, { prepare, train }, this.#models), ...present({ data: this.#data.get(name) }) })
    return { command, prepare, inputsOf, folder: this.folderOf(matrix), searching: this.#options.searching === true }
  }

  /** What a report says of the machine and the time; `tells` says which runs it is of. */
  facts(tells: (matrix: string, run: string) => boolean = () => true): readonly Fact[] {
    const trained = Array.from(this.#results, ([matrix, results]) => Array.from(results).flatMap(([run, result]) => (tells(matrix, run) ? [result] : []))).flat()
    const seconds = trained.reduce((total, result) => total + result.seconds, 0)
    return [
      ...Array.from(this.#models.keys(), (folder) => ({ label: 'fine-tuned', value: describeModel(folder) })),
      ...machineFacts(),
      ...this.#options.context.versions(),
      { label: 'trained on', value: [...new Set(trained.map(({ machine }) => machine))].join('; ') },
      { label: 'training', value: `${fixed(trained.length)} runs, ${duration(seconds)} in all, where runs that share the machine count each` },
    ]
  }
}

/** Threads of each run: an equal share of what the matrix or the machine gives. */
export function threadsEach({ together, train }: Matrix): number {
  const threads = parse(v.optional(count, availableParallelism()), train['threads'], 'train.threads')
  return Math.max(1, Math.floor(threads / together))
}
