import { fixed } from '../report/format.js'
import type { Json } from '../json.js'
import { valueOf } from './arguments.js'
import type { Command, Context } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { setAt, type JsonObject } from '../merge.js'
import { PreparationProgress } from './preparation-progress.js'
import { readConfig } from './run-config.js'
import { calledOff, watchInterruption } from './signals.js'
import { printFacts, printTable } from './table.js'
import type { PreparedData, TaskCommand } from './task-command.js'
import { printable, type Terminal } from './terminal.js'
import { taskOf } from './train.js'

export const prepare: Command = {
  name: 'prepare',
  usage: 'sagetrain prepare TASK [options] [--KEY VALUE …]',
  about: 'makes the data of a task ready and keeps them for training; one that was ended goes on where it was',
  options: { config: { type: 'string', value: 'FILE', about: 'a configuration, of which "prepare" is read; flags are laid over it' } },
  takesConfiguration: 'prepare',
  examples: () => [
    'sagetrain prepare translation --source train.de --target train.en --vocabulary.size 32000 --output prepared',
    'sagetrain prepare translation --tsv pairs.tsv.gz --maxWords 175 --maxRatio 1.5 --lowercase --heldOut.every 23 --vocabulary.type subword --vocabulary.merges 10000',
    'sagetrain prepare translation --recipe iwslt14-de-en --data downloads',
    'sagetrain prepare translation --config run.json --json',
  ],
  run: async (args, context) => {
    const { prepareData, options } = await requestOf(args, context)
    const { terminal } = context
    using interruption = watchInterruption((signal) => {
      terminal.line(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: stopping; the same command goes on from here.`)
    })
    try {
      using progress = new PreparationProgress(terminal)
      const prepared = await prepareData(options, (state) => progress.update(state), interruption.signal)
      progress[Symbol.dispose]()
      context.json(prepared.result)
      print(prepared, terminal)
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, interruption.signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

async function requestOf({ positionals, options, overrides }: Parameters<Command['run']>[0], context: Context): Promise<{ readonly prepareData: NonNullable<TaskCommand['prepareData']>; readonly options: JsonObject }> {
  const [name, ...surplus] = positionals
  if (surplus.length > 0) throw new UsageError(`prepare takes one task, got ${positionals.join(' ')}`)
  const file = options['config']
  const read = typeof file === 'string' ? await readConfig(file) : undefined
  if (read !== undefined && name !== undefined && read.task !== name) throw new UsageError(`${String(file)} is of the task "${read.task}", not "${name}"`)
  const task = taskOf(read?.task ?? name, context)
  if (task.prepareData === undefined) throw new UsageError(`there is nothing to prepare for the task "${task.name}": its data are made when it is trained`)
  const foreign = overrides.find(({ path: [first = ''] }) => !task.keys.prepare.includes(first))
  if (foreign !== undefined) throw new UsageError(`${foreign.flag} is not an option of preparing "${task.name}"; there are: ${task.keys.prepare.join(', ')}`)
  const laid = overrides.reduce<JsonObject>((base, { path, text }) => setAt(base, path, valueOf(text) as Json), read?.prepare ?? task.defaults.prepare)
  return { prepareData: task.prepareData, options: laid }
}

function print({ facts, leftOut }: PreparedData, terminal: Terminal): void {
  printFacts(terminal, facts)
  if (leftOut.length === 0) return terminal.line('No line was left out.')
  terminal.line()
  const columns = [{ label: 'left out of', align: 'left' }, { label: 'lines' }, { label: 'first' }, { label: 'why', align: 'left' }, { label: 'file', align: 'left' }] as const
  printTable(terminal, columns, leftOut.map(({ part, lines, first, reason, file }) => [part, fixed(lines), fixed(first), reason, printable(file)]))
}
