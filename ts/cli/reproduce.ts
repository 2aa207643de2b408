import { availableParallelism, cpus } from 'node:os'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { occupy } from '../occupied.js'
import { count, parse } from '../options.js'
import { fixed, duration } from '../report/format.js'
import type { Fact } from '../report/report-data.js'
import type { CellResult } from '../reproduce/cell-result.js'
import { rateCells, seedCells, sweepCells, type Cell, type Experiment } from '../reproduce/experiment.js'
import { NMT } from '../reproduce/nmt.js'
import { sweepReport, tableReport, tableVerdict } from '../reproduce/report.js'
import { sweepOf } from '../reproduce/sweep.js'
import { chosenRates, tableOf } from '../reproduce/table.js'
import { writeDocument } from '../reproduce/write.js'
import type { OptionSpec } from './arguments.js'
import { machineFacts } from './assemble.js'
import type { Command, Context } from './command.js'
import { EXIT } from './exit-codes.js'
import { reproductionOf, type Reproduction } from './reproduction.js'
import { readResults, runCells, type CellsPlace } from './run-cells.js'
import { calledOff, watchInterruption } from './signals.js'
import { printFacts } from './table.js'
import type { PreparedTask } from './task-command.js'
import { taskOf } from './train.js'

const OPTIONS = {
  table: { type: 'string', value: 'N', about: 'nmt: 4, Adam against Adam-SAGE' },
  figure: { type: 'string', value: 'N', about: 'nmt: 8, BLEU over β0 for several learning rates' },
  scale: { type: 'string', value: 'NAME', about: 'paper (default), or quick: a small model on the embedded corpus' },
  data: { type: 'string', value: 'FOLDER', about: 'the published archives of the paper’s data sets' },
  experiments: { type: 'string', value: 'LIST', about: `some of ${NMT.paper.map(({ name }) => name).join(',')} (default: all)` },
  seeds: { type: 'string', value: 'N|LIST', about: 'of a table: seeds 1 to N, or a list such as 1,5,9 (default: 3)' },
  runs: { type: 'string', value: 'FOLDER', about: 'where runs are kept (default: runs)' },
} as const satisfies Record<string, OptionSpec>

export const reproduce: Command = {
  name: 'reproduce',
  usage: 'sagetrain reproduce nmt --table 4 | --figure 8 [--data FOLDER | --scale quick] [options] [--KEY VALUE …]',
  about: 'the paper’s experiments from raw files to the table, run by run; the same command goes on where it was stopped',
  options: OPTIONS,
  takesConfiguration: 'all',
  examples: () => [
    'sagetrain reproduce nmt --table 4 --scale quick',
    'sagetrain reproduce nmt --table 4 --data downloads --experiments iwslt14-de-en --seeds 5',
    'sagetrain reproduce nmt --figure 8 --scale quick',
  ],
  run: async (args, context) => {
    const reproduction = reproductionOf(args, context)
    using interruption = watchInterruption((signal) => context.terminal.line(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: finishing the step and saving; once more to exit at once.`))
    try {
      await mkdir(reproduction.folder, { recursive: true })
      using occupied = await occupy(reproduction.folder, 'lock')
      await new Reproducing({ ...reproduction, folder: occupied.folder }, context, interruption.signal).run()
      return interruption.exitCode() ?? EXIT.ok
    } catch (error) {
      if (!calledOff(error, interruption.signal)) throw error
      context.terminal.line(`Stopped. The same command goes on: npx ${context.written}`)
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

/** A reproduction under way. */
class Reproducing {
  readonly #asked: Reproduction
  readonly #context: Context
  readonly #signal: AbortSignal
  readonly #results = new Map<string, Map<string, CellResult>>()

  constructor(asked: Reproduction, context: Context, signal: AbortSignal) {
    this.#asked = asked
    this.#context = context
    this.#signal = signal
  }

  async run(): Promise<void> {
    const { experiments, folder } = this.#asked
    // All data first: what is missing for the last experiment is said before the first has trained for days.
    for (const experiment of experiments) (await this.#prepare(experiment))[Symbol.asyncDispose]() // oxlint-disable-line no-await-in-loop -- each fills the machine
    for (const experiment of experiments) await this.#experiment(experiment) // oxlint-disable-line no-await-in-loop -- as above
    const written = await this.#report()
    this.#context.terminal.line(`Report: ${this.#context.terminal.style('bold', written.page)}`)
    this.#context.json({ folder, report: written.page, results: written.results })
  }

  #prepare({ task, prepare }: Experiment): Promise<PreparedTask> {
    return taskOf(task, this.#context).prepare(prepare, (line) => this.#context.terminal.line(line), this.#signal)
  }

  async #experiment(experiment: Experiment): Promise<void> {
    const { seeds, wanted } = this.#asked
    const [first = 1, ...others] = seeds
    await using task = await this.#prepare(experiment)
    const known = wanted === 'table' ? rateCells(experiment, first) : sweepCells(experiment, first)
    this.#results.set(experiment.name, await readResults(this.#allCells(experiment), this.#place(experiment)))
    const chosen = chosenRates(experiment, first, this.#of(experiment))
    const repeats = wanted === 'table' ? others.flatMap((seed) => seedCells(experiment, chosen, seed)) : []
    this.#sayPlan(experiment, task, { all: known.length + (wanted === 'table' ? others.length * experiment.arms.length : 0), done: [...known, ...repeats].filter(({ name }) => this.#of(experiment).has(name)).length })
    await this.#runMissing(experiment, task, known)
    if (wanted !== 'table') return
    const rates = chosenRates(experiment, first, this.#of(experiment))
    await this.#runMissing(experiment, task, others.flatMap((seed) => seedCells(experiment, rates, seed)))
    this.#context.terminal.line(`\n${this.#context.terminal.style('bold', `${experiment.label}: ${tableVerdict(await tableOf(experiment, seeds, this.#of(experiment)))}`)}`)
  }

  /** Every run that a report may tell of, done or not. */
  #allCells(experiment: Experiment): readonly Cell[] {
    const { seeds } = this.#asked
    const [first = 1] = seeds
    const repeated = seeds.flatMap((seed) => rateCells(experiment, seed))
    return [...repeated, ...sweepCells(experiment, first)]
  }

  #place({ name, task, prepare }: Experiment): CellsPlace {
    return { command: taskOf(task, this.#context), prepare, folder: join(this.#asked.folder, name) }
  }

  #of({ name }: Experiment): Map<string, CellResult> {
    return this.#results.get(name) ?? new Map()
  }

  #sayPlan(experiment: Experiment, task: PreparedTask, { all, done }: { readonly all: number; readonly done: number }): void {
    const { terminal } = this.#context
    const { label, together } = experiment
    terminal.line()
    terminal.line(terminal.style('bold', `Plan: ${label}, ${fixed(all)} runs${together > 1 ? `, ${together} at a time` : ''}${done > 0 ? `; ${fixed(done)} are done` : ''}`))
    printFacts(terminal, [...task.facts, { label: 'measured on', value: task.measuredOn }, { label: 'threads each', value: String(this.#threads(experiment)) }, { label: 'estimate', value: 'follows from the first runs' }, { label: 'folder', value: join(this.#asked.folder, experiment.name) }])
  }

  #threads({ together, train }: Experiment): number {
    const threads = parse(v.optional(count, availableParallelism()), train['threads'], 'train.threads')
    return Math.max(1, Math.floor(threads / together))
  }

  async #runMissing(experiment: Experiment, task: PreparedTask, cells: readonly Cell[]): Promise<void> {
    const [{ terminal }, results, threads] = [this.#context, this.#of(experiment), this.#threads(experiment)]
    const missing = cells.filter(({ name }) => !results.has(name))
    if (missing.length === 0) return
    await runCells(missing, {
      ...this.#place(experiment),
      task,
      weights: experiment.weights,
      together: experiment.together,
      threads,
      machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${threads} thread${threads === 1 ? '' : 's'}`,
      terminal,
      signal: this.#signal,
      onResult: async (cell, result) => {
        results.set(cell.name, result)
        await this.#report()
      },
    })
  }

  /** Writes the report of what is done so far. */
  async #report(): Promise<{ readonly page: string; readonly results: unknown }> {
    const { experiments, folder, seeds, wanted, number } = this.#asked
    const provenance = { command: `npx ${this.#context.written}`, facts: this.#facts() }
    if (wanted === 'table') {
      const results = await Promise.all(experiments.map((experiment) => tableOf(experiment, seeds, this.#of(experiment))))
      return { page: await writeDocument(folder, `table-${number}`, tableReport(experiments, results, provenance), results), results }
    }
    const results = experiments.map((experiment) => sweepOf(experiment, seeds[0] ?? 1, this.#of(experiment)))
    return { page: await writeDocument(folder, `figure-${number}`, sweepReport(experiments, results, provenance), results), results }
  }

  #facts(): readonly Fact[] {
    const trained = Array.from(this.#results.values(), (results) => Array.from(results.values())).flat()
    const seconds = trained.reduce((total, result) => total + result.seconds, 0)
    return [
      ...machineFacts(),
      ...this.#context.versions(),
      { label: 'trained on', value: [...new Set(trained.map(({ machine }) => machine))].join('; ') },
      { label: 'training', value: `${fixed(trained.length)} runs, ${duration(seconds)} in all, where runs that share the machine count each` },
    ]
  }
}

