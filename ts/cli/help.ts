import type { Command, Context } from './command.js'
import { EXIT_CODES } from './exit-codes.js'
import type { OptionSpec } from './arguments.js'
import { inWords } from './plan.js'
import type { TaskCommand } from './task-command.js'

/** Options of every command. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', about: 'the result as JSON on standard output; text for people goes to standard error' },
  help: { type: 'boolean', about: 'this text', short: 'h' },
} as const satisfies Record<string, OptionSpec>

function optionLines(options: Readonly<Record<string, OptionSpec>>): readonly string[] {
  const heads = Object.entries(options).map(([name, { value, short }]) => `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`)
  const width = Math.max(...heads.map((head) => head.length))
  return Object.values(options).map(({ about }, index) => `  ${(heads[index] ?? '').padEnd(width)}  ${about}`)
}

/** `sagetrain --help`. */
export function generalHelp(commands: readonly Command[], context: Pick<Context, 'tasks'>, version: string): string {
  const width = Math.max(...[...commands, ...context.tasks.values()].map(({ name }) => name.length))
  return [
    `sagetrain ${version}: trains Transformers, with sensitivity-guided learning rates (SAGE) or without.`,
    '',
    'Usage: sagetrain COMMAND [options]',
    '',
    'Commands:',
    ...commands.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    '',
    'Tasks:',
    ...[...context.tasks.values()].map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    '',
    'Examples:',
    ...commands.flatMap((command) => command.examples(context).slice(0, 2)).map((example) => `  ${example}`),
    '',
    '`sagetrain COMMAND --help` has the options and more examples of a command.',
    'NO_COLOR turns colour off, FORCE_COLOR on. More: docs/command-line.md',
    '',
    EXIT_CODES,
  ].join('\n')
}

/** `sagetrain COMMAND --help`, and `sagetrain COMMAND TASK --help`. */
export function commandHelp(command: Command, { tasks }: Pick<Context, 'tasks'>, task?: TaskCommand): string {
  const known = [...tasks.values()].filter(({ name }) => command.ofTasks?.includes(name) ?? true)
  const context = { tasks: new Map((task === undefined ? known : [task]).map((one) => [one.name, one])) }
  return [
    task === undefined ? `sagetrain ${command.name}: ${command.about}.` : `sagetrain ${command.name} ${task.name}: ${task.about}.`,
    '',
    `Usage: ${task === undefined ? command.usage : command.usage.replace('TASK', task.name)}`,
    '',
    'Options:',
    ...optionLines({ ...command.options, ...COMMON_OPTIONS }),
    ...configurationHelp(command, context),
    ...(task === undefined || command.takesConfiguration !== 'all' ? [] : defaultsHelp(task)),
    '',
    'Examples:',
    ...command.examples(context).map((example) => `  ${example}`),
    '',
    EXIT_CODES,
  ].join('\n')
}

/** What is trained where nothing is given. */
function defaultsHelp({ name, defaults: { prepare, train, compare = [] } }: TaskCommand): readonly string[] {
  const arms = compare.map((arm) => ({ label: `compare.${arm.name}`, value: arm.train }))
  const lines = [...Object.entries({ ...prepare, ...train }).map(([label, value]) => ({ label, value })), ...arms]
  const width = Math.max(0, ...lines.map(({ label }) => label.length))
  return ['', `Defaults of ${name}, where neither a file nor a flag says otherwise:`, ...lines.map(({ label, value }) => `  ${label.padEnd(width)}  ${inWords(value) || 'as the others'}`)]
}

function configurationHelp({ takesConfiguration }: Command, { tasks }: Pick<Context, 'tasks'>): readonly string[] {
  if (takesConfiguration === undefined) return []
  if (takesConfiguration === 'prepare') {
    return ['', 'Data:', '  Every key of a configuration’s "prepare" is a flag, its path with dots: --vocabulary.size 8000 --heldOut.valid 500.', ...[...tasks.values()].filter((task) => task.prepareData !== undefined).map(({ name, keys }) => `  ${name}: ${keys.prepare.join(', ')}`)]
  }
  return [
    '',
    'Configuration:',
    '  Every key of a configuration is a flag, its path with dots: --optimizer.sage.beta0 0.75 --batch.maxTokens 2000.',
    '  Values are JSON where they look like it; lists may be written 0.9,0.98 or good,bad. A flag of an object without a value turns it on: --smoothness.',
    '  --optimizer NAME sets the optimizer, NAME-sage with SAGE (adam-sage, adamw-sage). --schedule NAME likewise.',
    '  --compare.ARM.KEY VALUE changes one arm of a comparison.',
    ...[...tasks.values()].map(({ name, keys }) => `  ${name}: ${[...keys.prepare, ...keys.train].join(', ')}`),
  ]
}
