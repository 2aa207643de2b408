import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { fixed } from '../report/format.js'
import type { RateSearch } from '../report/report-data.js'
import { writeWhole } from '../report/write.js'
import { pointCells, withPoint, type Point } from '../reproduce/experiment.js'
import { gridOf, gridReport, settingOf, TIES, type GridResult } from '../reproduce/grid.js'
import { digitsOf, metricLabel } from '../reproduce/metric-names.js'
import { writeDocument } from '../reproduce/write.js'
import type { OptionSpec } from './arguments.js'
import type { Command, Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { MatrixRuns } from './matrix.js'
import { isObject, merge, setAt, type JsonObject } from '../merge.js'
import { targetOf } from './output-file.js'
import { searchRequestOf, type SearchRequest } from './search-request.js'
import { stoppable } from './stoppable.js'
import { printFacts, printTable } from './table.js'
import type { PreparedTask } from './task-command.js'

const OPTIONS = {
  config: { type: 'string', value: 'FILE', about: 'the configuration whose arms are searched, with its first seed' },
  rates: { type: 'string', value: 'LIST', about: 'learning rates to try, the same for every arm, e.g. 1e-3,2e-3,4e-3' },
  beta0: { type: 'string', value: 'LIST', about: 'β0 to try with each of them, of the arms that have SAGE' },
  beta1: { type: 'string', value: 'LIST', about: 'decays of the first moment to try with each of them' },
  runs: { type: 'string', value: 'FOLDER', about: 'where runs are kept (default: runs)' },
  write: { type: 'boolean', about: 'write the best points, and how they were found, into the configuration file' },
} as const satisfies Record<string, OptionSpec>

export const search: Command = {
  name: 'search',
  usage: 'sagetrain search --config FILE --rates LIST [--beta0 LIST] [--beta1 LIST] [--KEY VALUE …]',
  about: 'finds each arm’s learning rate, β0 and β1, the same grid for all, on the validation part; the same command goes on where it was stopped',
  options: OPTIONS,
  takesConfiguration: 'all',
  examples: () => [
    'sagetrain search --config ts/task/translation/quickstart.json --rates 1e-3,2e-3,4e-3,8e-3 --write',
    'sagetrain search --config rte.json --rates 1e-5,8e-5,2e-4 --beta0 0.6,0.7,0.8 --beta1 0.5,0.7,0.9',
  ],
  run: async (args, context) => {
    const request = await searchRequestOf(args, context)
    return stoppable(request.folder, context, (folder, signal) => new Searching({ ...request, folder }, context, signal).run())
  },
}

/** What a search found; `tied` are the points as good as the chosen one of their arm. */
type Found = Omit<RateSearch, 'trials'> & { readonly trials: readonly (RateSearch['trials'][number] & Point & { readonly tied: boolean })[] }

/** A search under way. */
class Searching {
  readonly #request: SearchRequest
  readonly #context: Context
  readonly #runs: MatrixRuns

  constructor(request: SearchRequest, context: Context, signal: AbortSignal) {
    this.#request = request
    this.#context = context
    this.#runs = new MatrixRuns({ folder: request.folder, context, signal, searching: true, onResult: async () => void (await this.#report()) })
  }

  async run(): Promise<void> {
    const { grid, seed, file, write } = this.#request
    const cells = pointCells(grid, seed)
    await using task = await this.#runs.prepare(grid)
    await this.#runs.read(grid, cells)
    this.#sayPlan(task, cells.length)
    await this.#runs.runMissing(grid, task, cells)
    const { page, result } = await this.#report()
    const found = this.#found(result)
    this.#print(found)
    this.#context.terminal.line(`\nReport: ${this.#context.terminal.style('bold', page)}`)
    if (write) await writeInto(file, found)
    this.#context.json({ ...found, report: page })
  }

  #sayPlan(task: PreparedTask, all: number): void {
    const [{ terminal }, { grid, folder }] = [this.#context, this.#request]
    const done = this.#runs.of(grid.name).size
    terminal.line()
    terminal.line(terminal.style('bold', `Plan: ${grid.label}, ${fixed(all)} run${all === 1 ? '' : 's'}${grid.together > 1 ? `, ${grid.together} at a time` : ''}${done > 0 ? `; ${fixed(done)} are done` : ''}`))
    printFacts(terminal, [...task.facts, ...grid.arms.map(({ name, points }) => ({ label: name, value: points.map(settingOf).join('; ') })), { label: 'kept', value: 'of a run that is done its scores, not its weights' }, { label: 'folder', value: folder }])
  }

  #found({ points, best, ties, metric }: GridResult): Found {
    const trials = points.map((point) => {
      const { arm, validation, ...setting } = point
      return { arm, setting: settingOf(setting), ...setting, value: validation, chosen: best.includes(point), tied: ties.includes(point) }
    })
    const { description } = this.#request
    return { description: ties.length === 0 ? description : `${description} ${TIES}`, command: this.#context.written, metric: `validation ${metricLabel(metric)}`, ...(digitsOf(metric) !== 2 && { digits: digitsOf(metric) }), trials }
  }

  #print({ metric, digits, trials }: Found): void {
    const said = ({ chosen, tied }: Found['trials'][number]): string => (chosen ? 'best' : tied ? 'equally good' : '')
    printTable(this.#context.terminal, [{ label: 'arm', align: 'left' }, { label: 'setting', align: 'left' }, { label: metric }, { label: '', align: 'left' }], trials.map((trial) => [trial.arm, trial.setting, fixed(trial.value, digits ?? 2), said(trial)]))
    if (trials.some(({ tied }) => tied)) this.#context.terminal.line(TIES)
  }

  /** Writes the report of what is done so far. */
  async #report(): Promise<{ readonly page: string; readonly result: GridResult }> {
    const { grid, seed, folder } = this.#request
    const result = gridOf(grid, seed, this.#runs.of(grid.name))
    const report = gridReport(`Search: ${grid.label}`, [grid], [result], { command: `npx ${this.#context.written}`, facts: this.#runs.facts() })
    return { page: await writeDocument(folder, 'search', report, result), result }
  }
}

/** Writes the chosen points and the search into the file, leaving its other keys as they stand. */
async function writeInto(file: string, { trials, ...found }: Found): Promise<void> {
  const config: unknown = v.safeParse(v.pipe(v.string(), v.parseJson()), await readFile(file, 'utf8')).output
  if (!isObject(config)) throw new UsageError(`${file}: is no longer a configuration; nothing was written into it, and the same command writes once it is one again`)
  const chosen = new Map(trials.filter((trial) => trial.chosen).map((trial) => [trial.arm, trial]))
  const rates = { ...found, trials: trials.map(({ arm, setting, value, chosen: best }) => ({ arm, setting, value, chosen: best })) }
  await writeWhole((await targetOf(file)) ?? file, `${JSON.stringify({ ...withChosen(config, chosen), rates }, null, 2)}\n`)
}

function withChosen(config: JsonObject, chosen: ReadonlyMap<string, Point>): JsonObject {
  const shared = isObject(config['train']) ? config['train'] : {}
  const { compare } = config
  if (!Array.isArray(compare)) return { ...config, train: withPoint(shared, [...chosen.values()][0], shared) }
  return { ...config, compare: compare.filter(isObject).map((arm) => {
    const own = isObject(arm['train']) ? arm['train'] : {}
    return setAt(arm, ['train'], withPoint(own, chosen.get(String(arm['name'])), merge(shared, own)))
  }) }
}
