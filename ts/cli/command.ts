import type { Fact } from '../report/report-data.js'
import type { Arguments, OptionSpec } from './arguments.js'
import type { TaskCommand } from './task-command.js'
import type { Terminal } from './terminal.js'

/** What every command is given. */
export interface Context {
  /** Where people read: standard output, or standard error with `--json`. */
  readonly terminal: Terminal
  /** Writes the machine-readable result, with `--json`; else nothing. */
  json(value: unknown): void
  readonly tasks: ReadonlyMap<string, TaskCommand>
  /** The command line, for the report. */
  readonly written: string
  /** Versions of what computes; asks the addon. */
  versions(): readonly Fact[]
}

/** A command of `sagetrain`: a row of the registry. */
export interface Command {
  readonly name: string
  readonly usage: string
  /** One line for `--help`. */
  readonly about: string
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Which part of a configuration dotted flags go into; missing for none. */
  readonly takesConfiguration?: 'all' | 'prepare'
  /** Tasks whose keys they are, where not of all. */
  readonly ofTasks?: readonly string[]
  examples(context: Pick<Context, 'tasks'>): readonly string[]
  /** Resolves to the exit code. */
  run(args: Arguments, context: Context): Promise<number>
}
