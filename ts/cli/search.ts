import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSagetrainError } from '../errors.js'
import { fixed } from '../report/format.js'
import type { MetricColumn, RateSearch } from '../report/report-data.js'
import { writeWhole } from '../report/write.js'
import type { OptionSpec } from './arguments.js'
import { checkArms, runsOf, type ArmRun } from './arms.js'
import type { Command, Context } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { isObject, setAt, type JsonObject } from './merge.js'
import { printPlan } from './plan.js'
import { applyOverrides, armsOf, readConfig, type RunConfig } from './run-config.js'
import { createRunFolder, discardUntouched } from './run-folder.js'
import { calledOff, watchInterruption } from './signals.js'
import { printTable } from './table.js'
import type { PreparedTask, TaskCommand } from './task-command.js'
import type { Terminal } from './terminal.js'
import { taskOf } from './train.js'
import { trainTogether } from './training.js'

type Trial = RateSearch['trials'][number] & { readonly rate: number }

const OPTIONS = {
  config: { type: 'string', value: 'FILE', about: 'the configuration whose arms are searched' },
  rates: { type: 'string', value: 'LIST', about: 'learning rates to try, the same for every arm, e.g. 1e-3,2e-3,4e-3' },
  runs: { type: 'string', value: 'FOLDER', about: 'where runs are kept (default: runs)' },
  write: { type: 'boolean', about: 'write the best rates, and how they were found, into the configuration file' },
} as const satisfies Record<string, OptionSpec>

export const search: Command = {
  name: 'search',
  usage: 'sagetrain search --config FILE --rates LIST [--KEY VALUE …]',
  about: 'finds the learning rate of each arm, the same search for all, on the validation part',
  options: OPTIONS,
  takesConfiguration: 'all',
  examples: () => ['sagetrain search --config ts/task/translation/quickstart.json --rates 1e-3,2e-3,4e-3,8e-3 --write'],
  run: async ({ positionals, options, overrides }, context) => {
    if (positionals.length > 0) throw new UsageError(`search takes no task: it is the configuration's; got ${positionals.join(' ')}`)
    const file = required(options['config'], '--config FILE')
    const rates = ratesOf(required(options['rates'], '--rates LIST'))
    const read = await readConfig(file)
    const command = taskOf(read.task, context)
    const config = applyOverrides(read, overrides, command.keys)
    for (const rate of rates) checkArms(armsOf(withRate(config, rate)), command)
    const parent = typeof options['runs'] === 'string' ? options['runs'] : 'runs'
    using interruption = watchInterruption(() => context.terminal.line('\nStopping the search; once more to exit at once.'))
    const { signal } = interruption
    try {
      const trials = await searchAll({ command, config, rates, parent, context, signal })
      const found = { ...describe(command, overrides.map(({ flag, text }) => `${flag} ${text ?? ''}`.trim()), rates), command: context.written, trials }
      if (options['write'] === true) await writeInto(file, found)
      context.json(found)
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

function required(value: string | boolean | undefined, what: string): string {
  if (typeof value !== 'string') throw new UsageError(`search needs ${what}`)
  return value
}

function ratesOf(written: string): readonly number[] {
  const rates = written.split(',').map(Number)
  if (!rates.every((rate) => Number.isFinite(rate) && rate > 0)) throw new UsageError(`--rates ${written}: give numbers above 0 with commas between them`)
  return [...new Set(rates)]
}

interface Search {
  readonly command: TaskCommand
  readonly config: RunConfig
  readonly rates: readonly number[]
  /** Where the search's folder goes. */
  readonly parent: string
  readonly context: Context
  readonly signal: AbortSignal
}

/** All trials, the best of each arm marked. Throws the signal's reason when it stops them. */
async function searchAll(asked: Search): Promise<readonly Trial[]> {
  const { command, config, rates, parent, context: { terminal }, signal } = asked
  await using task = await command.prepare(config.prepare, (line) => terminal.line(line), signal)
  const folder = await createRunFolder(parent, config, `${config.name ?? command.name}-search`)
  try {
    printPlan(terminal, config, runsOf(config, folder), [...task.facts, { label: 'rates to try', value: rates.join(', ') }], folder)
    return printTrials(await tryAll(asked, task, folder), headlineOf(command), terminal)
  } catch (error) {
    await discardUntouched(folder)
    throw error
  }
}

async function tryAll({ command, config, rates, context, signal }: Search, task: PreparedTask, folder: string): Promise<readonly Trial[]> {
  const trials: Trial[] = []
  for (const rate of rates) {
    const runs = runsOf(withRate(config, rate), join(folder, `lr-${rate}`)).flat()
    context.terminal.line(context.terminal.style('bold', `lr ${rate}`))
    // oxlint-disable-next-line no-await-in-loop -- the arms of one rate fill the machine: one rate after the other
    const scores = await tryRate(runs, { command, task, context, signal })
    signal.throwIfAborted()
    trials.push(...runs.map(({ arm }, index) => ({ arm, setting: `lr ${rate}`, rate, value: scores[index] ?? null, chosen: false })))
  }
  return trials
}

function printTrials(trials: readonly Trial[], column: MetricColumn, terminal: Terminal): readonly Trial[] {
  const marked = markBest(trials, column)
  printTable(terminal, [{ label: 'arm', align: 'left' }, { label: 'setting', align: 'left' }, { label: `validation ${column.label}` }, { label: '', align: 'left' }], marked.map(({ arm, setting, value, chosen }) => [arm, setting, fixed(value, 2), chosen ? 'best' : '']))
  return marked
}

function withRate(config: RunConfig, rate: number): RunConfig {
  const arms = armsOf(config).map(({ name, train }) => ({ name, train: setAt(train, ['optimizer', 'lr'], rate) }))
  return { ...config, train: {}, compare: arms }
}

/** The best validation score of each run; null for one that diverged, which is an answer too. */
async function tryRate(runs: readonly ArmRun[], { command, task, context, signal }: { command: TaskCommand; task: PreparedTask; context: Context; signal: AbortSignal }): Promise<readonly (number | null)[]> {
  const column = headlineOf(command)
  const together = { command, task, resume: false, terminal: context.terminal, signal }
  try {
    return await trainTogether(together, runs, async (going) => going.map(({ record }) => bestOf(record.curves().evaluations.map(({ metrics }) => metrics[column.key] ?? null), column)))
  } catch (error) {
    if (!isSagetrainError(error, 'ERR_NON_FINITE')) throw error
    if (runs.length === 1) return [null]
    // One of them diverged and stopped the others: each by itself, to know which.
    const alone: (number | null)[] = []
    // oxlint-disable-next-line no-await-in-loop -- one after the other, each with the threads it had beside the others
    for (const run of runs) alone.push(...(await tryRate([{ ...run, folder: `${run.folder}-alone` }], { command, task, context, signal })))
    return alone
  }
}

function headlineOf(command: TaskCommand): MetricColumn {
  return command.columns.find(({ key }) => key === command.headline) ?? { key: command.headline, label: command.headline, digits: 2 }
}

function bestOf(values: readonly (number | null)[], { better }: MetricColumn): number | null {
  const finite = values.filter((value): value is number => value !== null && Number.isFinite(value))
  if (finite.length === 0) return null
  return better === 'lower' ? Math.min(...finite) : Math.max(...finite)
}

function markBest(trials: readonly Trial[], column: MetricColumn): readonly Trial[] {
  const best = (arm: string): Trial | undefined => {
    const own = trials.filter((trial) => trial.arm === arm)
    const value = bestOf(own.map((trial) => trial.value), column)
    return value === null ? undefined : own.find((trial) => trial.value === value)
  }
  const chosen = new Set([...new Set(trials.map(({ arm }) => arm))].map(best))
  return trials.map(({ arm, setting, rate, value }, index) => ({ arm, setting, rate, value, chosen: chosen.has(trials[index]) }))
}

function describe(command: TaskCommand, changes: readonly string[], rates: readonly number[]): Pick<RateSearch, 'description' | 'metric'> {
  const metric = `validation ${headlineOf(command).label}`
  const how = changes.length === 0 ? 'the configuration of this run' : `the configuration of this run with ${changes.join(', ')}`
  return { metric, description: `The same search for every arm: ${how}, trained at each of lr ${rates.join(', ')}; the best by ${metric} was taken.` }
}

/** Writes the chosen rates and the search into the file, leaving its other keys as they stand. */
async function writeInto(file: string, { trials, ...found }: Omit<RateSearch, 'trials'> & { readonly trials: readonly Trial[] }): Promise<void> {
  const config: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isObject(config)) throw new UsageError(`${file}: is no longer a configuration`)
  const chosen = new Map(trials.filter((trial) => trial.chosen).map(({ arm, rate }) => [arm, rate]))
  const rates = { ...found, trials: trials.map(({ arm, setting, value, chosen: best }) => ({ arm, setting, value, chosen: best })) }
  await writeWhole(file, `${JSON.stringify({ ...withChosen(config, chosen), rates }, null, 2)}\n`)
}

function withChosen(config: JsonObject, chosen: ReadonlyMap<string, number>): JsonObject {
  const lay = (train: JsonObject, rate: number | undefined): JsonObject => (rate === undefined ? train : setAt(train, ['optimizer', 'lr'], rate))
  const { compare } = config
  if (Array.isArray(compare)) return { ...config, compare: compare.filter(isObject).map((arm) => setAt(arm, ['train'], lay(isObject(arm['train']) ? arm['train'] : {}, chosen.get(String(arm['name']))))) }
  return { ...config, train: lay(isObject(config['train']) ? config['train'] : {}, [...chosen.values()][0]) }
}
