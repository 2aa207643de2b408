import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

/** What the texts were that a classifier was trained on, as far as its folder says so. */
export interface TrainedOn {
  /** Tokens of a sample, at most; longer ones were cut. */
  readonly maxLength?: number
  /** Whether they were pairs. */
  readonly pair?: boolean
}

/** Beyond it `model_max_length` says that there is no limit, as transformers writes it. */
const UNLIMITED = 2 ** 31

const modelSettings = v.looseObject({ model_type: v.optional(v.string(), '') })
const tokenizerSettings = v.looseObject({ model_max_length: v.optional(v.number()), sagetrain: v.optional(v.looseObject({ pair: v.optional(v.boolean()) })) })

/** Whether a model folder holds an encoder, which classifies, by its `config.json`; of what is damaged the loader says why. */
export async function classifies(folder: string): Promise<boolean> {
  const found = v.safeParse(modelSettings, await read(folder, 'config.json'))
  return found.success && ['bert', 'roberta'].includes(found.output.model_type)
}

/** What `tokenizer_config.json` says, in which a preparation writes it; transformers cuts by the same number. */
export async function trainedOn(folder: string): Promise<TrainedOn> {
  const found = v.safeParse(tokenizerSettings, await read(folder, 'tokenizer_config.json'))
  if (!found.success) return {}
  const { model_max_length: maxLength, sagetrain } = found.output
  return { ...(maxLength !== undefined && maxLength < UNLIMITED && { maxLength }), ...(sagetrain?.pair !== undefined && { pair: sagetrain.pair }) }
}

async function read(folder: string, name: string): Promise<unknown> {
  const content = await readFile(join(folder, name), 'utf8').catch(() => undefined)
  try {
    return content === undefined ? undefined : (JSON.parse(content) as unknown)
  } catch {
    return undefined
  }
}
