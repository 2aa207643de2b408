import { fileURLToPath } from 'node:url'
import type { Command } from './command.js'
import { UsageError } from './exit-codes.js'
import { applyOverrides, readConfig } from './run-config.js'
import { newRequest, taskOf, TRAIN_OPTIONS, trainRequest } from './train.js'

/** The committed configuration of the quickstart, in the checkout as in the package. */
export const QUICKSTART = fileURLToPath(new URL('../../ts/task/translation/quickstart.json', import.meta.url))

const { name, runs, seeds } = TRAIN_OPTIONS

export const start: Command = {
  name: 'start',
  usage: 'sagetrain start [--KEY VALUE …]',
  about: 'the quickstart: German to English, Adam and Adam-SAGE side by side (what `npm start` runs)',
  options: { name, runs, seeds },
  takesConfiguration: 'all',
  ofTasks: ['translation'],
  examples: () => ['npm start', 'npm start -- --epochs 1', 'sagetrain start --compare.adam-sage.optimizer.sage.beta0 0.9'],
  run: async ({ positionals, options, overrides }, context) => {
    if (positionals.length > 0) throw new UsageError(`start takes no words, got ${positionals.join(' ')}; other tasks: sagetrain train TASK`)
    const config = await readConfig(QUICKSTART)
    const command = taskOf(config.task, context)
    const given = Object.fromEntries(Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
    return trainRequest(newRequest(command, applyOverrides(config, overrides, command.keys), given), context)
  },
}
