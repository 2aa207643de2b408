import { isSagetrainError, type SagetrainError, type SagetrainErrorCode } from '../errors.js'
import { present } from '../json.js'
import { configurationPaths } from '../setup/configuration.mjs'
import { suggest } from '../suggest.js'
import { parseArguments, type KnownKeys } from './arguments.js'
import type { Command, Context } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { commandHelp, COMMON_OPTIONS, generalHelp } from './help.js'
import { quoted } from './shell.js'
import type { TaskCommand } from './task-command.js'
import { createTerminal, type Output } from './terminal.js'

/** What the command is run with; tests bring their own. */
export interface Surroundings {
  readonly commands: readonly Command[]
  readonly tasks: ReadonlyMap<string, TaskCommand>
  readonly version: string
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Versions of what computes. */
  readonly versions: Context['versions']
}

/** Runs one command line. Resolves to the exit code; what went wrong has been said. */
export async function runCommand(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const json = isAsked('json', argv)
  const errors = createTerminal(surroundings.stderr, surroundings.environment)
  try {
    return await dispatch(argv, json, surroundings)
  } catch (error) {
    if (json) surroundings.stdout.write(`${JSON.stringify({ error: describe(error) })}\n`)
    for (const line of complaint(error)) errors.line(errors.style('red', line))
    return isUsage(error) ? EXIT.usage : EXIT.error
  }
}

async function dispatch([name, ...rest]: readonly string[], json: boolean, surroundings: Surroundings): Promise<number> {
  const { commands, tasks, version, stdout, stderr, environment } = surroundings
  if (name === '--version' || name === '-v') return say(stdout, version, EXIT.ok)
  if (name === undefined) return say(stderr, generalHelp(commands, surroundings, version), EXIT.usage)
  if (name === '--help' || name === '-h' || name === 'help') return help(rest, surroundings)
  const command = find(name, commands)
  if (rest.includes('-h') || isAsked('help', rest)) return say(stdout, commandHelp(command, surroundings, taskIn(command, rest, tasks)), EXIT.ok)
  const parsed = parseArguments(rest, { ...command.options, ...COMMON_OPTIONS }, knownKeys(command.takesConfiguration, rest, tasks))
  return command.run(parsed, {
    terminal: createTerminal(json ? stderr : stdout, environment),
    json: (value) => void (json && stdout.write(`${JSON.stringify(value)}\n`)),
    tasks,
    written: ['sagetrain', name, ...rest].map(quoted).join(' '),
    versions: () => surroundings.versions(),
  })
}

/** Keys of all tasks: which one it is may stand in the configuration file. Hints are of the one that is named, if any. */
function knownKeys(part: Command['takesConfiguration'], words: readonly string[], tasks: Surroundings['tasks']): KnownKeys | undefined {
  if (part === undefined) return undefined
  const named = [...tasks.keys()].filter((task) => words.includes(task))
  const keys = [...tasks.values()].flatMap((task) => (part === 'all' ? task.keys.prepare.concat(task.keys.train) : task.keys.prepare))
  const parts = part === 'all' ? (['Prepare', 'Train'] as const) : (['Prepare'] as const)
  return {
    keys: part === 'all' ? ['compare', ...keys] : keys,
    paths: () => [...new Set((named.length > 0 ? named : [...tasks.keys()]).flatMap((task) => configurationPaths(task, parts)))],
  }
}

/** Whether a flag is on, as the parser takes it: known before the parser, whose complaints it decides about. */
function isAsked(flag: 'json' | 'help', argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const written = argv.slice(0, end < 0 ? undefined : end).findLast((arg) => arg === `--${flag}` || arg.startsWith(`--${flag}=`))
  return written !== undefined && written !== `--${flag}=false`
}

/** The task that a command takes as its word, where it does. */
function taskIn(command: Command, words: readonly string[], tasks: Surroundings['tasks']): TaskCommand | undefined {
  return command.usage.includes(' TASK') ? words.map((word) => tasks.get(word)).find((task) => task !== undefined) : undefined
}

function help([name, ...rest]: readonly string[], surroundings: Surroundings): number {
  const { commands, stdout, version, tasks } = surroundings
  const commandOrTask = (command: Command): string => commandHelp(command, surroundings, taskIn(command, rest, tasks))
  return say(stdout, name === undefined ? generalHelp(commands, surroundings, version) : commandOrTask(find(name, commands)), EXIT.ok)
}

function find(name: string, commands: readonly Command[]): Command {
  const command = commands.find((one) => one.name === name)
  if (command !== undefined) return command
  const names = commands.map((one) => one.name)
  const near = suggest(name, names)
  throw new UsageError(`unknown command "${name}"; ${near === undefined ? `there are: ${names.join(', ')}` : `did you mean "${near}"?`}`)
}

function say(output: Output, text: string, code: number): number {
  output.write(`${text}\n`)
  return code
}

/** What the caller can mend on the command line or in the configuration. */
function isUsage(error: unknown): boolean {
  return error instanceof UsageError || isSagetrainError(error, 'ERR_CONFIG') || isSagetrainError(error, 'ERR_ARGUMENT')
}

/** What a failure is to a program: `ERR_USAGE` is the command line's own code. */
interface Described extends Pick<SagetrainError, 'message' | 'fields'> {
  readonly code: SagetrainErrorCode | 'ERR_USAGE'
}

function describe(error: unknown): Described {
  if (isSagetrainError(error)) return { code: error.code, message: error.message, fields: error.fields }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) return { code: 'ERR_USAGE', message, fields: {} }
  if (isSystemError(error)) return { code: 'ERR_IO', message, fields: { syscall: error.syscall, ...present({ path: error.path, errno: error.code }) } }
  return { code: 'ERR_INTERNAL', message, fields: {} }
}

/** An error that was foreseen is one line; another one is a fault of this program, with all that helps to find it. */
function complaint(error: unknown): readonly string[] {
  if (isSagetrainError(error)) return [`sagetrain: ${error.message} (${error.code})`]
  if (error instanceof UsageError || isSystemError(error)) return [`sagetrain: ${error.message}`]
  return [`sagetrain: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, 'This is a fault in sagetrain; please report it with the lines above.']
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
