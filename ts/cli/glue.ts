import { join } from 'node:path'
import { present } from '../json.js'
import { duration, fixed } from '../report/format.js'
import { writeWhole } from '../report/write.js'
import { remainingSeconds, type Work } from '../reproduce/estimate.js'
import { seedCells, type Cell } from '../reproduce/experiment.js'
import { glueCsv, glueReport, glueVerdict } from '../reproduce/glue-report.js'
import { writeSubmissions, type GlueSubmission } from '../reproduce/glue-submission.js'
import { glueSummary, means } from '../reproduce/glue-summary.js'
import { glueTableOf, pointOf, type GlueTable } from '../reproduce/glue-table.js'
import { glueNotes, type GlueExperiment } from '../reproduce/glue.js'
import { writeDocument } from '../reproduce/write.js'
import { GLUE } from '../task/classification/glue.js'
import type { OptionSpec } from './arguments.js'
import type { Command, Context } from './command.js'
import { glueRequestOf, type GlueRequest } from './glue-request.js'
import { MatrixRuns, threadsEach } from './matrix.js'
import type { JsonObject } from '../merge.js'
import { endOf, inWords } from './plan.js'
import { stoppable } from './stoppable.js'
import { printFacts, printTable } from './table.js'
import type { PreparedTask } from './task-command.js'

const OPTIONS = {
  pretrained: { type: 'string', value: 'FOLDER', about: 'the pretrained model, a Hugging Face folder with its tokenizer' },
  data: { type: 'string', value: 'FOLDER', about: 'GLUE as published, a folder a task' },
  settings: { type: 'string', value: 'NAME', about: 'whose hyper-parameters of Table 7: bert-base (default) or roberta-large' },
  smoothness: { type: 'boolean', about: 'Table 6 instead of Table 2: with the smoothness term of SMART in the loss (bert-base; adamax, adamax-sage)' },
  tasks: { type: 'string', value: 'LIST', about: `all (default), or some of ${GLUE.map(({ name }) => name).join(',')}` },
  optimizers: { type: 'string', value: 'LIST', about: 'some of adam,adam-sage,adamax,adamax-sage (default: adamax,adamax-sage)' },
  seeds: { type: 'string', value: 'N|LIST', about: 'seeds 1 to N, or a list such as 1,5,9 (default: 5; of roberta-large 3)' },
  runs: { type: 'string', value: 'FOLDER', about: 'where runs are kept (default: runs)' },
  'keep-models': { type: 'boolean', about: 'keep the measured weights of every run, in its model/ (default: figures and predictions alone); runs that are done have none' },
  plan: { type: 'boolean', about: 'say what would be trained and stop' },
} as const satisfies Record<string, OptionSpec>

export const glue: Command = {
  name: 'glue',
  usage: 'sagetrain glue --pretrained FOLDER --data FOLDER [options] [--KEY VALUE …]',
  about: 'the paper’s Table 2, or 6: tasks × optimizers × seeds, run by run; the same command goes on where it was stopped',
  options: OPTIONS,
  takesConfiguration: 'all',
  ofTasks: ['classification'],
  examples: () => [
    'sagetrain glue --pretrained bert-base-uncased --data glue_data --tasks all --optimizers adamax,adamax-sage --seeds 5',
    'sagetrain glue --pretrained roberta-large --data glue_data --settings roberta-large --tasks rte,mrpc --seeds 3 --plan',
    'sagetrain glue --pretrained bert-base-uncased --data glue_data --smoothness --tasks rte',
  ],
  run: async (args, context) => {
    const request = glueRequestOf(args, context)
    return stoppable(request.folder, context, (folder, signal) => new Comparing({ ...request, folder }, context, signal).run())
  },
}

/** A comparison under way. */
class Comparing {
  readonly #request: GlueRequest
  readonly #context: Context
  readonly #runs: MatrixRuns
  readonly #work: Work[] = []
  /** Seconds a unit of work by task, from a few steps of it. */
  readonly #trials = new Map<string, number>()

  constructor(request: GlueRequest, context: Context, signal: AbortSignal) {
    this.#request = request
    this.#context = context
    this.#runs = new MatrixRuns({ folder: request.folder, context, signal, onResult: () => this.#onResult() })
  }

  async run(): Promise<void> {
    const { experiments, folder, planOnly } = this.#request
    // All data and all folders first: what is wrong with the last task is said before the first has trained for days.
    for (const experiment of experiments) await this.#survey(experiment)
    this.#sayPlan()
    if (planOnly) return this.#context.json({ folder, runs: this.#work.length, done: this.#done(), secondsLeft: this.#secondsLeft() })
    for (const experiment of experiments) {
      await using task = await this.#runs.prepare(experiment)
      await this.#runs.runMissing(experiment, task, this.#cells(experiment))
    }
    const { page, table, submissions } = await this.#report()
    const { terminal } = this.#context
    terminal.line(`\n${glueVerdict(table)}`)
    for (const { arm, files, missing } of submissions) terminal.line(`For the test server: ${join(folder, 'submission', arm)}, ${count(Object.keys(files).length, 'file')}; missing ${Object.keys(missing).join(', ')}`)
    terminal.line(`Report: ${terminal.style('bold', page)}`)
    this.#context.json({ folder, report: page, results: table, submissions })
  }

  /** Seed by seed, the arms of a seed beside each other: what is stopped early has pairs to compare. */
  #cells(experiment: GlueExperiment): readonly Cell[] {
    const points = new Map(experiment.arms.map((arm) => [arm.name, pointOf(arm)]))
    return this.#request.seeds.flatMap((seed) => seedCells(experiment, points, seed))
  }

  async #survey(experiment: GlueExperiment): Promise<void> {
    await using task = await this.#runs.prepare(experiment)
    const cells = this.#cells(experiment)
    await this.#runs.read(experiment, cells)
    const work = cells.map(({ name, train }) => ({ name, kind: experiment.name, amount: samplesSeen(train, task.dataset?.length) }))
    this.#work.push(...work)
    printFacts(this.#context.terminal, [{ label: experiment.label, value: [...task.facts.map(({ label, value }) => `${label} ${value}`), `measured on ${task.measuredOn}`].join('; ') }])
    if (this.#runs.of(experiment.name).size === 0) await this.#try(experiment, task, { cell: cells[0], amount: work[0]?.amount ?? 0 })
  }

  /** A few steps of the task say how long its runs take. */
  async #try(experiment: GlueExperiment, task: PreparedTask, { cell, amount }: { readonly cell: Cell | undefined; readonly amount: number }): Promise<void> {
    const seconds = cell === undefined ? undefined : await this.#runs.trialSeconds(experiment, task, cell)
    if (seconds !== undefined && amount > 0) this.#trials.set(experiment.name, seconds / amount)
  }

  #done(): number {
    return this.#work.filter(({ name, kind }) => this.#runs.of(kind).has(name)).length
  }

  #secondsLeft(): number | null {
    return remainingSeconds(this.#work, (kind) => this.#runs.of(kind), this.#trials)
  }

  #sayPlan(): void {
    const [{ terminal }, { experiments, seeds, folder }, left] = [this.#context, this.#request, this.#secondsLeft()]
    const [first] = experiments
    const words = [count(experiments.length, 'task'), count(first?.arms.length ?? 0, 'optimizer'), count(seeds.length, 'seed')]
    terminal.line()
    terminal.line(terminal.style('bold', `Plan: GLUE${first?.smoothness === true ? ' with the smoothness term' : ''}, ${words.join(' × ')}: ${count(this.#work.length, 'run')}; ${fixed(this.#done())} are done`))
    printFacts(terminal, [
      ...experiments.map(({ label, arms, train }) => ({ label, value: `${arms.map((arm) => `${arm.label} lr ${pointOf(arm).rate}`).join(', ')}; ${lengthOf(train)}` })),
      { label: 'threads', value: first === undefined ? '' : String(threadsEach(first)) },
      { label: 'estimate', value: left === null ? 'follows from the first run' : `about ${duration(left)} of training${this.#done() > 0 ? ' at the pace of the runs that are done' : ', from a few steps of each task; evaluations come on top'}` },
      { label: 'kept', value: `of a run that is done its figures and predictions${first?.keeps === 'model' ? ', and the weights that were measured, in model/' : '; --keep-models keeps the measured weights too'}` },
      { label: 'folder', value: folder },
    ])
  }

  async #onResult(): Promise<void> {
    const { terminal } = this.#context
    const { table } = await this.#report()
    const { head, rows } = glueSummary(table, means)
    const left = this.#secondsLeft()
    terminal.line()
    printTable(terminal, head.map((label, index) => ({ label, align: index === 0 ? 'left' : 'right' })), rows)
    terminal.line(`${fixed(this.#done())} of ${count(this.#work.length, 'run')}${left === null ? '' : `, about ${duration(left)} left`}`)
  }

  /** Writes what is done so far: page, Markdown, JSON, lines for other programs, and files for the test server. */
  async #report(): Promise<{ readonly page: string; readonly table: GlueTable; readonly submissions: readonly GlueSubmission[] }> {
    const { experiments, seeds, folder } = this.#request
    const [first] = experiments
    const results = new Map(experiments.map(({ name }) => [name, this.#runs.of(name)]))
    const [table, submissions] = [await glueTableOf(experiments, seeds, results), await writeSubmissions({ folder, experiments, seeds, results })]
    const report = glueReport(table, first === undefined ? [] : glueNotes(first), { command: `npx ${this.#context.written}`, facts: this.#runs.facts() }, submissions)
    await writeWhole(join(folder, 'glue.csv'), glueCsv(table))
    return { page: await writeDocument(folder, 'glue', report, table), table, submissions }
  }
}

/** What says how long a run is. */
function lengthOf(train: JsonObject): string {
  const { epochs, steps, batch, earlyStopping } = train
  const end = endOf(train, undefined)
  return [...(end === undefined ? [] : [end]), inWords(present(end === undefined ? { epochs, steps, batch, earlyStopping } : { batch, earlyStopping }))].join(', ')
}

/** Samples that a run trains on, a measure of its length. */
function samplesSeen({ epochs = 1, steps = Infinity, batch = {}, accumulate = 1 }: Partial<Record<'epochs' | 'steps' | 'batch' | 'accumulate', unknown>>, samples = 1): number {
  const { batchSize = 1 } = batch as { readonly batchSize?: unknown }
  return Math.min(Number(epochs) * samples, Number(steps) * Number(accumulate) * Number(batchSize))
}

function count(number: number, what: string): string {
  return `${fixed(number)} ${what}${number === 1 ? '' : 's'}`
}
