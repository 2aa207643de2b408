import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

const settings = v.looseObject({ model_type: v.optional(v.string(), '') })

/** Whether a model folder holds an encoder, which classifies, by its `config.json`; of what is damaged the loader says why. */
export async function classifies(folder: string): Promise<boolean> {
  const found = v.safeParse(settings, await read(folder, 'config.json'))
  return found.success && ['bert', 'roberta'].includes(found.output.model_type)
}

async function read(folder: string, name: string): Promise<unknown> {
  const content = await readFile(join(folder, name), 'utf8').catch(() => undefined)
  try {
    return content === undefined ? undefined : (JSON.parse(content) as unknown)
  } catch {
    return undefined
  }
}
