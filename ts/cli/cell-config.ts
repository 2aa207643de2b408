import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SagetrainError } from '../errors.js'
import type { Json } from '../json.js'
import { writeWhole } from '../report/write.js'
import { isObject, type JsonObject } from './merge.js'
import type { RunConfig } from './run-config.js'
import { CONFIG_FILE, readRunFolder } from './run-folder.js'

/** What may differ without changing the run: where files lie, and how many threads it had, which is told by the machine. */
const PLACES: ReadonlySet<string> = new Set(['prepare.data', 'prepare.output', 'train.threads'])

/**
 * Writes the configuration of a run into its folder before it begins, as a run of its own has it.
 *
 * @throws {@link SagetrainError} `ERR_STATE` where the folder is another run's.
 */
export async function claimCell(folder: string, config: RunConfig): Promise<void> {
  await checkCell(folder, config)
  await mkdir(folder, { recursive: true })
  await writeWhole(join(folder, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`)
}

/**
 * Refuses a folder that was made with another configuration; one that is not there fits every one.
 *
 * @throws {@link SagetrainError} `ERR_STATE` with the key in which they differ.
 */
export async function checkCell(folder: string, config: RunConfig): Promise<void> {
  if (!existsSync(join(folder, CONFIG_FILE))) return
  const { task, prepare, train } = await readRunFolder(folder)
  const held = { task, prepare, train }
  const found = differing(held, { task: config.task, prepare: config.prepare, train: config.train }, '')
  if (found === undefined) return
  const { key, one, other } = found
  const message = `${folder} is of ${key} ${show(one)}, asked for is ${show(other)}: give another --runs, or move that folder away`
  throw new SagetrainError('ERR_STATE', message, { fields: { path: folder, key } })
}

function show(value: Json | undefined): string {
  return JSON.stringify(value) ?? 'nothing'
}

/** The first key in which two configurations differ. */
function differing(held: JsonObject, asked: JsonObject, before: string): { readonly key: string; readonly one: Json | undefined; readonly other: Json | undefined } | undefined {
  for (const name of new Set([...Object.keys(held), ...Object.keys(asked)])) {
    const [key, one, other] = [`${before}${name}`, held[name], asked[name]]
    if (PLACES.has(key)) continue
    if (isObject(one) && isObject(other)) {
      const found = differing(one, other, `${key}.`)
      if (found !== undefined) return found
    } else if (JSON.stringify(one) !== JSON.stringify(other)) return { key, one, other }
  }
  return undefined
}
