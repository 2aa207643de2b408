import { join, resolve } from 'node:path'
import { readFile } from 'node:fs/promises'
import type { ClassificationPrepareOptions, LabelledColumns } from '../task/classification/prepare.js'
import { type Arguments, type OptionSpec, valueOf } from './arguments.js'
import { UsageError } from './exit-codes.js'
import { isObject, type JsonObject } from '../merge.js'
import { CONFIG_FILE } from './run-folder.js'

/** How files of labelled text are read, as options of a command: what a configuration's `prepare` has. */
export const LABELLED_OPTIONS = {
  'columns.text': { type: 'string', value: 'COLUMN', about: 'the text: a name of the header or of JSON keys, or a number from 0 (default: as the run was trained)' },
  'columns.pair': { type: 'string', value: 'COLUMN', about: 'the second text of a pair, likewise' },
  header: { type: 'string', value: 'true|false', about: 'whether the first line names the columns (default: where a column is named; predict finds a recipe’s too)' },
} as const satisfies Record<string, OptionSpec>

/** How a file is read, as far as it is known. */
export type Reading = { readonly columns: Partial<LabelledColumns> } & Pick<ClassificationPrepareOptions, 'header'>

/** What the options say, laid over what the model's run was trained with. */
export function readingOf(options: Arguments['options'], trained: JsonObject): Reading {
  const given = ['text', 'pair', 'label'].flatMap((name) => (options[`columns.${name}`] === undefined ? [] : [[name, columnOf(options[`columns.${name}`])]]))
  // Named anew, the file is another one: a column that is left out is none of it.
  const columns = given.length > 0 ? (Object.fromEntries(given) as Partial<LabelledColumns>) : isObject(trained['columns']) ? (trained['columns'] as Partial<LabelledColumns>) : {}
  const header = options['header'] === undefined ? (given.length > 0 ? undefined : trained['header']) : flagOf(options['header'])
  return { columns, ...(typeof header === 'boolean' && { header }) }
}

function columnOf(written: string | boolean | undefined): string | number {
  const text = String(written)
  return /^\d+$/.test(text) ? Number(text) : text
}

function flagOf(written: string | boolean): boolean {
  const value = valueOf(String(written))
  if (typeof value === 'boolean') return value
  throw new UsageError(`--header ${String(written)}: give true or false`)
}

/** `prepare` of the run that a run's folder, one of its arms, a checkpoint or a model folder belongs to; empty for a model without one. */
export async function trainedWith(path: string): Promise<JsonObject> {
  // runs/NAME/ARM/checkpoints/step-…/model
  for (const above of ['.', '..', '../..', '../../..', '../../../..']) {
    const config = await configIn(resolve(path, above)) // oxlint-disable-line no-await-in-loop -- the nearest is meant
    if (config !== undefined) return config
  }
  return {}
}

async function configIn(folder: string): Promise<JsonObject | undefined> {
  try {
    const config: unknown = JSON.parse(await readFile(join(folder, CONFIG_FILE), 'utf8'))
    return isObject(config) && config['task'] === 'classification' && isObject(config['prepare']) ? config['prepare'] : undefined
  } catch {
    return undefined
  }
}
