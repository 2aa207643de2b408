import { existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Model } from '../model.js'
import { textFilesOf } from '../task/translation/tokenizers.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { findModelFolder } from '../model-folder.js'

export const exportModel: Command = {
  name: 'export',
  usage: 'sagetrain export MODEL --output FOLDER [--format marian|pegasus]',
  about: 'writes a model with its tokenizers into a folder that transformers opens, and CTranslate2 where both sides share a vocabulary',
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
    const files = textFilesOf(model.spec).filter((file) => existsSync(join(folder, file)))
    for (const file of files) {
      await mkdir(dirname(join(output, file)), { recursive: true })
      await copyFile(join(folder, file), join(output, file))
    }
    const tokenizer = files.includes('tokenizer.json')
    context.json({ model: folder, output, tokenizer })
    context.terminal.line(`${folder} → ${output}${tokenizer ? '' : ' (there is no tokenizer beside it)'}`)
    return EXIT.ok
  },
}
