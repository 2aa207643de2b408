import type { Report } from '../report/document.js'
import { duration, fixed } from '../report/format.js'
import { pointCells, seedCells, sweepCells, type Cell, type Experiment, type Keeps } from '../reproduce/experiment.js'
import { gridOf, gridReport } from '../reproduce/grid.js'
import { sweepReport, tableReport, tableVerdict, type Provenance } from '../reproduce/report.js'
import { baselineCells, sweepOf } from '../reproduce/sweep.js'
import { chosenPoints, tableOf } from '../reproduce/table.js'
import { writeDocument } from '../reproduce/write.js'
import type { OptionSpec } from './arguments.js'
import type { Command, Context } from './command.js'
import { MatrixRuns, threadsEach } from './matrix.js'
import { reproductionOf, type Reproduction } from './reproduction.js'
import { stoppable } from './stoppable.js'
import { printFacts } from './table.js'
import type { PreparedTask } from './task-command.js'

const OPTIONS = {
  table: { type: 'string', value: 'N', about: 'nmt: 4, Adam against Adam-SAGE; glue: 2 in small, 12, what modulates the rate' },
  figure: { type: 'string', value: 'N', about: 'nmt: 8, BLEU over β0; glue: 7, scores over learning rate and β1, and 8, MNLI over β0' },
  scale: { type: 'string', value: 'NAME', about: 'paper (default), or quick: small models on what two processor cores can train' },
  data: { type: 'string', value: 'FOLDER', about: 'the published files of the paper’s data sets' },
  pretrained: { type: 'string', value: 'FOLDER', about: 'glue: the pretrained model, a Hugging Face folder with its tokenizer' },
  experiments: { type: 'string', value: 'LIST', about: 'some of the data sets (default: all)' },
  seeds: { type: 'string', value: 'N|LIST', about: 'of a table: seeds 1 to N, or a list such as 1,5,9 (default: 3; glue: 5, of Table 12 1)' },
  runs: { type: 'string', value: 'FOLDER', about: 'where runs are kept (default: runs)' },
  'keep-models': { type: 'boolean', about: 'glue: keep the measured weights of every run, in its model/ (default: figures alone); runs that are done have none' },
  plan: { type: 'boolean', about: 'say what would be trained and about how long it takes, and stop' },
} as const satisfies Record<string, OptionSpec>

export const reproduce: Command = {
  name: 'reproduce',
  usage: 'sagetrain reproduce nmt|glue --table N | --figure N [--data FOLDER] [--scale quick] [options] [--KEY VALUE …]',
  about: 'the paper’s experiments from raw files to the table, run by run; the same command goes on where it was stopped',
  options: OPTIONS,
  takesConfiguration: 'all',
  ofTasks: ['translation', 'classification'],
  examples: () => [
    'sagetrain reproduce nmt --table 4 --scale quick',
    'sagetrain reproduce nmt --table 4 --data downloads --experiments iwslt14-de-en --seeds 5',
    'sagetrain reproduce glue --table 2 --scale quick',
    'sagetrain reproduce glue --table 12 --data glue_data --pretrained bert-base-uncased',
  ],
  run: async (args, context) => {
    const reproduction = reproductionOf(args, context)
    return stoppable(reproduction.folder, context, (folder, signal) => new Reproducing({ ...reproduction, folder }, context, signal).run())
  },
}

/** What stays of a run that is done. */
const KEPT = {
  checkpoints: 'of a run that is done its checkpoints too',
  model: 'of a run that is done its figures and the weights that were measured, in model/',
  results: 'of a run that is done its figures, not its weights',
} as const satisfies Record<Keeps, string>

/** What is to be done for an experiment. */
interface ExperimentPlan {
  readonly experiment: string
  readonly runs: number
  readonly done: number
  /** Of training; null where it cannot be said. */
  readonly secondsLeft: number | null
}

/** A reproduction under way. */
class Reproducing {
  readonly #asked: Reproduction
  readonly #context: Context
  readonly #runs: MatrixRuns

  constructor(asked: Reproduction, context: Context, signal: AbortSignal) {
    this.#asked = asked
    this.#context = context
    this.#runs = new MatrixRuns({ folder: asked.folder, context, signal, searching: asked.part.shows === 'grid', onResult: async () => void (await this.#report()) })
  }

  async run(): Promise<void> {
    const { experiments, folder, planOnly } = this.#asked
    const plans: ExperimentPlan[] = []
    // All data first: what is missing for the last experiment is said before the first has trained for days.
    for (const experiment of experiments) plans.push(await this.#plan(experiment)) // oxlint-disable-line no-await-in-loop -- each fills the machine
    if (planOnly) return this.#context.json({ folder, plans })
    for (const experiment of experiments) await this.#experiment(experiment) // oxlint-disable-line no-await-in-loop -- as above
    const written = await this.#report()
    this.#context.terminal.line(`Report: ${this.#context.terminal.style('bold', written.page)}`)
    this.#context.json({ folder, report: written.page, results: written.results })
  }

  async #experiment(experiment: Experiment): Promise<void> {
    const { seeds, part: { shows } } = this.#asked
    const [runs, { name }, [first = 1, ...others]] = [this.#runs, experiment, seeds]
    await using task = await runs.prepare(experiment)
    await runs.runMissing(experiment, task, this.#known(experiment))
    if (shows !== 'table') return
    const points = chosenPoints(experiment, first, runs.of(name))
    await runs.runMissing(experiment, task, others.flatMap((seed) => seedCells(experiment, points, seed)))
    this.#context.terminal.line(`\n${this.#context.terminal.style('bold', `${experiment.label}: ${tableVerdict(await tableOf(experiment, seeds, runs.of(name)))}`)}`)
  }

  /** The runs that come first, whatever the others show. */
  #known(experiment: Experiment): readonly Cell[] {
    const { seeds: [first = 1], part: { shows } } = this.#asked
    return shows === 'sweep' ? [...sweepCells(experiment, first), ...baselineCells(experiment, first)] : pointCells(experiment, first)
  }

  /** The runs that the report tells of, as far as they are known: with the other seeds at the points that are chosen. */
  #told(experiment: Experiment): readonly Cell[] {
    const { seeds: [first = 1, ...others], part: { shows } } = this.#asked
    const repeats = shows === 'table' ? others.flatMap((seed) => seedCells(experiment, chosenPoints(experiment, first, this.#runs.of(experiment.name)), seed)) : []
    return [...this.#known(experiment), ...repeats]
  }

  /** Makes the data ready, looks what is done, and says what is left. */
  async #plan(experiment: Experiment): Promise<ExperimentPlan> {
    const { seeds: [, ...others], part: { shows } } = this.#asked
    const [runs, known] = [this.#runs, this.#known(experiment)]
    await using task = await runs.prepare(experiment)
    await runs.read(experiment, this.#allCells(experiment))
    const results = runs.of(experiment.name)
    const cells = this.#told(experiment)
    // Repeats of arms whose point is still to be chosen.
    const unsettled = shows === 'table' ? experiment.arms.filter((arm) => known.some((cell) => cell.arm === arm.name && !results.has(cell.name)) && arm.points.length > 1).length : 0
    const [left, done] = [cells.filter(({ name }) => !results.has(name)).length + others.length * unsettled, cells.filter(({ name }) => results.has(name)).length]
    const converged = cells.flatMap(({ name }) => results.get(name) ?? []).filter(({ diverged }) => diverged === undefined)
    const each = converged.length > 0 ? converged.reduce((sum, { seconds }) => sum + seconds, 0) / converged.length : known[0] === undefined ? undefined : await runs.trialSeconds(experiment, task, known[0])
    const plan = { experiment: experiment.name, runs: done + left, done, secondsLeft: left === 0 ? 0 : each === undefined ? null : (each * left) / experiment.together }
    this.#sayPlan(experiment, task, plan)
    return plan
  }

  /** Every run that a report may tell of, done or not. */
  #allCells(experiment: Experiment): readonly Cell[] {
    const { seeds } = this.#asked
    const [first = 1] = seeds
    const repeated = seeds.flatMap((seed) => pointCells(experiment, seed))
    return [...repeated, ...sweepCells(experiment, first)]
  }

  #sayPlan(experiment: Experiment, task: PreparedTask, { runs, done, secondsLeft }: ExperimentPlan): void {
    const { terminal } = this.#context
    const { label, together, keeps } = experiment
    const from = done > 0 ? 'at the pace of the runs that are done' : 'from a few steps of one run; what the others cost it, and evaluations, come on top'
    terminal.line()
    terminal.line(terminal.style('bold', `Plan: ${label}, ${fixed(runs)} runs${together > 1 ? `, ${together} at a time` : ''}${done > 0 ? `; ${fixed(done)} are done` : ''}`))
    printFacts(terminal, [
      ...task.facts,
      { label: 'measured on', value: task.measuredOn },
      { label: 'threads each', value: String(threadsEach(experiment)) },
      { label: 'estimate', value: secondsLeft === null ? 'follows from the first runs' : `about ${duration(secondsLeft)} of training, ${from}` },
      ...(keeps === undefined ? [] : [{ label: 'kept', value: `${KEPT[keeps]}${keeps === 'results' && this.#asked.part.shows !== 'grid' ? '; --keep-models keeps the measured weights too' : ''}` }]),
      { label: 'folder', value: this.#runs.folderOf(experiment) },
    ])
  }

  /** Writes the report of what is done so far. */
  async #report(): Promise<{ readonly page: string; readonly results: unknown }> {
    const { part: { wanted, number }, experiments, folder } = this.#asked
    const told = new Map(experiments.map((experiment) => [experiment.name, new Set(this.#told(experiment).map(({ name }) => name))]))
    const { report, results } = await this.#shown({ command: `npx ${this.#context.written}`, facts: this.#runs.facts((matrix, run) => told.get(matrix)?.has(run) === true) })
    return { page: await writeDocument(folder, `${wanted}-${number}`, report, results), results }
  }

  async #shown(provenance: Provenance): Promise<{ readonly report: Report; readonly results: unknown }> {
    const { part: { shows, title }, experiments, seeds } = this.#asked
    const [[first = 1], resultsOf] = [seeds, ({ name }: Experiment) => this.#runs.of(name)]
    if (shows === 'table') {
      const results = await Promise.all(experiments.map((experiment) => tableOf(experiment, seeds, resultsOf(experiment))))
      return { report: tableReport(title, experiments, results, provenance), results }
    }
    if (shows === 'grid') {
      const results = experiments.map((experiment) => gridOf(experiment, first, resultsOf(experiment)))
      return { report: gridReport(title, experiments, results, provenance), results }
    }
    const results = experiments.map((experiment) => sweepOf(experiment, first, resultsOf(experiment)))
    return { report: sweepReport(title, experiments, results, provenance), results }
  }
}
