import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Model } from '../model.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { findModelFolder } from './model-folder.js'

/** What makes text of ids, beside the model. */
const TOKENIZER = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']

export const exportModel: Command = {
  name: 'export',
  usage: 'sagetrain export MODEL --output FOLDER [--format marian|pegasus]',
  about: 'writes a model with its tokenizer into a folder that transformers and CTranslate2 open',
  options: {
    output: { type: 'string', value: 'FOLDER', about: 'where the model goes; its files of the same names are replaced' },
    format: { type: 'string', value: 'NAME', about: 'marian (post-norm) or pegasus (pre-norm); refused where it cannot hold the model (default: the one that can)' },
  },
  examples: () => ['sagetrain export runs/translation --output model', 'sagetrain export runs/translation/checkpoints/step-00001200 --format pegasus --output model'],
  run: async ({ positionals, options }, context) => {
    const [source, ...surplus] = positionals
    const { output, format } = options
    if (source === undefined || surplus.length > 0) throw new UsageError('export takes one model: a model folder, a checkpoint or a run')
    if (typeof output !== 'string' || output === '') throw new UsageError('--output is missing: name the folder to write')
    const folder = await findModelFolder(source)
    using model = await Model.load(folder)
    await model.save(output, typeof format === 'string' ? { format } : {})
    const tokenizer = TOKENIZER.filter((file) => existsSync(join(folder, file)))
    for (const file of tokenizer) await copyFile(join(folder, file), join(output, file))
    context.json({ model: folder, output, tokenizer: tokenizer.length > 0 })
    context.terminal.line(`${folder} → ${output}${tokenizer.length > 0 ? '' : ' (there is no tokenizer beside it)'}`)
    return EXIT.ok
  },
}
