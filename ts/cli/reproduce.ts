import { fixed } from '../report/format.js'
import { rateCells, seedCells, sweepCells, type Cell, type Experiment } from '../reproduce/experiment.js'
import { NMT } from '../reproduce/nmt.js'
import { sweepReport, tableReport, tableVerdict } from '../reproduce/report.js'
import { sweepOf } from '../reproduce/sweep.js'
import { chosenRates, tableOf } from '../reproduce/table.js'
import { writeDocument } from '../reproduce/write.js'
import type { OptionSpec } from './arguments.js'
import type { Command, Context } from './command.js'
import { MatrixRuns, threadsEach } from './matrix.js'
import { reproductionOf, type Reproduction } from './reproduction.js'
import { stoppable } from './stoppable.js'
import { printFacts } from './table.js'
import type { PreparedTask } from './task-command.js'

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
    return stoppable(reproduction.folder, context, (folder, signal) => new Reproducing({ ...reproduction, folder }, context, signal).run())
  },
}

/** A reproduction under way. */
class Reproducing {
  readonly #asked: Reproduction
  readonly #context: Context
  readonly #runs: MatrixRuns

  constructor(asked: Reproduction, context: Context, signal: AbortSignal) {
    this.#asked = asked
    this.#context = context
    this.#runs = new MatrixRuns({ folder: asked.folder, context, signal, onResult: async () => void (await this.#report()) })
  }

  async run(): Promise<void> {
    const { experiments, folder } = this.#asked
    // All data first: what is missing for the last experiment is said before the first has trained for days.
    for (const experiment of experiments) (await this.#runs.prepare(experiment))[Symbol.asyncDispose]() // oxlint-disable-line no-await-in-loop -- each fills the machine
    for (const experiment of experiments) await this.#experiment(experiment) // oxlint-disable-line no-await-in-loop -- as above
    const written = await this.#report()
    this.#context.terminal.line(`Report: ${this.#context.terminal.style('bold', written.page)}`)
    this.#context.json({ folder, report: written.page, results: written.results })
  }

  async #experiment(experiment: Experiment): Promise<void> {
    const { seeds, wanted } = this.#asked
    const [runs, { name }, [first = 1, ...others]] = [this.#runs, experiment, seeds]
    await using task = await runs.prepare(experiment)
    const known = wanted === 'table' ? rateCells(experiment, first) : sweepCells(experiment, first)
    await runs.read(experiment, this.#allCells(experiment))
    const chosen = chosenRates(experiment, first, runs.of(name))
    const repeats = wanted === 'table' ? others.flatMap((seed) => seedCells(experiment, chosen, seed)) : []
    this.#sayPlan(experiment, task, { all: known.length + (wanted === 'table' ? others.length * experiment.arms.length : 0), done: [...known, ...repeats].filter((cell) => runs.of(name).has(cell.name)).length })
    await runs.runMissing(experiment, task, known)
    if (wanted !== 'table') return
    const rates = chosenRates(experiment, first, runs.of(name))
    await runs.runMissing(experiment, task, others.flatMap((seed) => seedCells(experiment, rates, seed)))
    this.#context.terminal.line(`\n${this.#context.terminal.style('bold', `${experiment.label}: ${tableVerdict(await tableOf(experiment, seeds, runs.of(name)))}`)}`)
  }

  /** Every run that a report may tell of, done or not. */
  #allCells(experiment: Experiment): readonly Cell[] {
    const { seeds } = this.#asked
    const [first = 1] = seeds
    const repeated = seeds.flatMap((seed) => rateCells(experiment, seed))
    return [...repeated, ...sweepCells(experiment, first)]
  }

  #sayPlan(experiment: Experiment, task: PreparedTask, { all, done }: { readonly all: number; readonly done: number }): void {
    const { terminal } = this.#context
    const { label, together } = experiment
    terminal.line()
    terminal.line(terminal.style('bold', `Plan: ${label}, ${fixed(all)} runs${together > 1 ? `, ${together} at a time` : ''}${done > 0 ? `; ${fixed(done)} are done` : ''}`))
    printFacts(terminal, [...task.facts, { label: 'measured on', value: task.measuredOn }, { label: 'threads each', value: String(threadsEach(experiment)) }, { label: 'estimate', value: 'follows from the first runs' }, { label: 'folder', value: this.#runs.folderOf(experiment) }])
  }

  /** Writes the report of what is done so far. */
  async #report(): Promise<{ readonly page: string; readonly results: unknown }> {
    const { experiments, folder, seeds, wanted, number } = this.#asked
    const provenance = { command: `npx ${this.#context.written}`, facts: this.#runs.facts() }
    if (wanted === 'table') {
      const results = await Promise.all(experiments.map((experiment) => tableOf(experiment, seeds, this.#runs.of(experiment.name))))
      return { page: await writeDocument(folder, `table-${number}`, tableReport(experiments, results, provenance), results), results }
    }
    const results = experiments.map((experiment) => sweepOf(experiment, seeds[0] ?? 1, this.#runs.of(experiment.name)))
    return { page: await writeDocument(folder, `figure-${number}`, sweepReport(experiments, results, provenance), results), results }
  }
}
