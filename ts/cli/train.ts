import { basename } from 'node:path'
import { isSagetrainError } from '../errors.js'
import { occupy } from '../occupied.js'
import { requireFolder } from '../task/classification/pretrained-folder.js'
import type { ComparisonReport } from '../report/report-data.js'
import { writeReport } from '../report/write.js'
import type { OptionSpec } from './arguments.js'
import { checkArms, runsOf } from './arms.js'
import { assembleReport, commandsOf } from './assemble.js'
import type { Command, Context } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { valueAt, withAbsolutePaths } from '../merge.js'
import { printOutcome } from './outcome.js'
import { printPlan } from './plan.js'
import { applyOverrides, armsOf, checkConfig, ownConfig, parseSeeds, readConfig, type RunConfig } from './run-config.js'
import { createRunFolder, discardUntouched, readRunFolder } from './run-folder.js'
import { quoted } from './shell.js'
import { calledOff, watchInterruption } from './signals.js'
import type { PreparedTask, TaskCommand } from './task-command.js'
import type { Terminal } from './terminal.js'
import { trainAll } from './training.js'

/** Options of `train` and `start`, beside the configuration's own. */
export const TRAIN_OPTIONS = {
  config: { type: 'string', value: 'FILE', about: 'a configuration, { "task", "prepare", "train", "compare" }; flags are laid over it' },
  name: { type: 'string', value: 'NAME', about: 'name of the folder below runs/ (default: the task)' },
  runs: { type: 'string', value: 'FOLDER', about: 'where runs are kept (default: runs)' },
  seeds: { type: 'string', value: 'N|LIST', about: 'train each arm with seeds 1 to N, or with those of a list such as 1,5,9' },
  resume: { type: 'string', value: 'FOLDER', about: 'go on with an interrupted run, from its last checkpoints' },
} as const satisfies Record<string, OptionSpec>

/** A run to train: its configuration, its task and where it goes. */
export interface TrainRequest {
  readonly config: RunConfig
  readonly command: TaskCommand
  /** The folder to go on in, or the one to make a new folder in. */
  readonly place: { readonly resume: string } | { readonly parent: string; readonly name: string }
}

export const train: Command = {
  name: 'train',
  usage: 'sagetrain train TASK [options] [--KEY VALUE …]',
  about: 'trains a task, one arm or several side by side',
  options: TRAIN_OPTIONS,
  takesConfiguration: 'all',
  examples: (context) => [...context.tasks.values()].flatMap((task) => task.examples),
  run: async (args, context) => trainRequest(await requestOf(args, context), context),
}

async function requestOf({ positionals, options, overrides }: Parameters<Command['run']>[0], context: Context): Promise<TrainRequest> {
  const text = (name: keyof typeof TRAIN_OPTIONS): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined)
  const [taskName, ...surplus] = positionals
  if (surplus.length > 0) throw new UsageError(`train takes one task, got ${positionals.join(' ')}`)
  const resume = text('resume')
  if (resume !== undefined) return resumeRequest(resume, taskName, [...flagsOf(options), ...overrides.map(({ flag }) => flag)], context)
  const file = text('config')
  const read = file === undefined ? undefined : await readConfig(file)
  if (read !== undefined && taskName !== undefined && read.task !== taskName) throw new UsageError(`${file ?? ''} is of the task "${read.task}", not "${taskName}"`)
  const command = taskOf(read?.task ?? taskName, context)
  const base = read ?? ownConfig(command.name, command.defaults, overrides)
  return newRequest(command, applyOverrides(base, overrides, command.keys), { name: text('name'), runs: text('runs'), seeds: text('seeds') })
}

/** A run of its own in a fresh folder. */
export function newRequest(command: TaskCommand, config: RunConfig, given: Readonly<Partial<Record<'name' | 'runs' | 'seeds', string | undefined>>>): TrainRequest {
  const name = given.name ?? config.name ?? command.name
  const whole = checkConfig({ ...config, name, ...(given.seeds !== undefined && { seeds: parseSeeds(given.seeds) }) }, 'configuration')
  checkArms(armsOf(whole), command, whole.seeds)
  return { config: whole, command, place: { parent: given.runs ?? 'runs', name } }
}

/** The options of a new run that were given. */
function flagsOf(options: Parameters<Command['run']>[0]['options']): readonly string[] {
  return Object.keys(TRAIN_OPTIONS).filter((name) => name !== 'resume' && options[name] !== undefined).map((name) => `--${name}`)
}

async function resumeRequest(folder: string, taskName: string | undefined, flags: readonly string[], context: Context): Promise<TrainRequest> {
  if (flags.length > 0) throw new UsageError(`--resume goes on with the run's own configuration; ${flags.join(', ')} cannot change it`)
  const config = await readRunFolder(folder)
  if (taskName !== undefined && taskName !== config.task) throw new UsageError(`${folder} is a run of the task "${config.task}", not "${taskName}"`)
  return { config, command: taskOf(config.task, context), place: { resume: folder } }
}

/** The task of that name, or the tasks there are. */
export function taskOf(name: string | undefined, { tasks }: Context): TaskCommand {
  const names = [...tasks.keys()]
  if (name === undefined) throw new UsageError(`which task? There are: ${names.join(', ')}`)
  const found = tasks.get(name)
  if (found === undefined) throw new UsageError(`unknown task "${name}"; there are: ${names.join(', ')}`)
  return found
}

/** The configuration as it is kept: the run can be gone on with from every folder. */
function fromAnywhere(config: RunConfig, { files, modelFolders = [] }: TaskCommand): RunConfig {
  const whole = { ...config, prepare: withAbsolutePaths(config.prepare, files), train: withAbsolutePaths(config.train, modelFolders) }
  if (config.compare === undefined) return whole
  return { ...whole, compare: config.compare.map((arm) => ({ name: arm.name, train: withAbsolutePaths(arm.train, modelFolders) })) }
}

/** Trains, measures, reports. Resolves to the exit code. */
export async function trainRequest(request: TrainRequest, context: Context): Promise<number> {
  const { terminal } = context
  using interruption = watchInterruption((signal) => {
    terminal.line(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: finishing the step and saving; once more to exit at once.`)
  })
  const { config, command, place } = request
  try {
    requireModelFolders(config, command)
    await using task = await command.prepare(config.prepare, (line) => terminal.line(line), interruption.signal)
    const folder = 'resume' in place ? place.resume : await createRunFolder(place.parent, fromAnywhere(config, command), place.name)
    try {
      using occupied = await occupy(folder, 'lock')
      const report = await trainIn(occupied.folder, request, task, context, interruption.signal)
      return interruption.exitCode() ?? (report.status === 'complete' ? EXIT.ok : EXIT.error)
    } catch (error) {
      if (!('resume' in place)) await discardUntouched(folder)
      throw error
    }
  } catch (error) {
    if (calledOff(error, interruption.signal)) return interruption.exitCode() ?? EXIT.error
    throw error
  }
}

/** Refuses model folders that are not there before the data are made ready, which may take long. */
export function requireModelFolders(config: RunConfig, { modelFolders = [] }: TaskCommand): void {
  for (const { train: arm } of armsOf(config)) {
    for (const key of modelFolders) {
      const path = valueAt(arm, key)
      if (typeof path === 'string') requireFolder(`train.${key}`, path)
    }
  }
}

async function trainIn(folder: string, { config, command, place }: TrainRequest, task: PreparedTask, context: Context, signal: AbortSignal): Promise<ComparisonReport> {
  const { terminal } = context
  const seeds = runsOf(config, folder)
  printPlan(terminal, config, seeds, task, folder)
  const trained = await trainAll({ command, task, seeds, resume: 'resume' in place, terminal, signal })
  const report = assembleReport({ command, task, config, name: basename(folder), written: await commandsOf(folder, context.written), trained, versions: context.versions() })
  const { page } = await writeReport(folder, report)
  if (report.status === 'complete') printOutcome(terminal, report)
  terminal.line()
  terminal.line(`Report: ${terminal.style('bold', page)}`)
  if (trained.failure !== undefined && !calledOff(trained.failure, signal)) {
    sayRemedy(folder, config, trained.failure, terminal)
    throw trained.failure
  }
  if (report.status === 'interrupted') sayResume(folder, terminal)
  context.json({ folder, report: page, status: report.status, arms: report.arms.map(({ name, seed, result }) => ({ name, seed, result })), comparisons: report.comparisons })
  return report
}

function sayResume(folder: string, terminal: Terminal): void {
  terminal.line(`Stopped. To go on: ${resumeCommand(folder)}`)
}

/** What to do after an arm failed. */
function sayRemedy(folder: string, { compare }: RunConfig, failure: unknown, terminal: Terminal): void {
  if (!isSagetrainError(failure, 'ERR_NON_FINITE') && !isSagetrainError(failure, 'ERR_DIVERGED')) return terminal.line(`Once its cause is mended, go on from the last checkpoints: ${resumeCommand(folder)}`)
  const rate = compare === undefined ? '--optimizer.lr' : `--compare.${String(failure.fields['arm'])}.optimizer.lr`
  terminal.line(`Gone on with, it would diverge again: train anew with a lower rate (${rate}), or leave such steps out with --nonFinite skip, or go back by itself with --divergence rollback`)
}

function resumeCommand(folder: string): string {
  return `npx sagetrain train --resume ${quoted(folder)}`
}
