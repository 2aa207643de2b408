import { existsSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { isSagetrainError, SagetrainError } from '../../errors.js'
import { Tokenizer } from '../../tokenizer.js'

/**
 * Refuses a folder that is not there, by the option that names it.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG`.
 */
export function requireFolder(key: string, path: string): void {
  if (existsSync(path)) return
  const message = `${key}: there is no folder ${path}; give a Hugging Face folder on this machine: names are not looked up, and what can be fetched \`sagetrain weights\` fetches`
  throw new SagetrainError('ERR_CONFIG', message, { fields: { key, path } })
}

/** The prepared data's tokenizer, and where it came from. */
export interface DataTokenizer {
  /** What was asked for. */
  readonly path: string
  readonly tokenizer: Tokenizer
}

/**
 * Refuses an encoder that knows other tokens than the data are made of. Gives a warning where that cannot be known.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` with both and what to do.
 */
export async function checkVocabulary(folder: string, { path, tokenizer }: DataTokenizer): Promise<readonly string[]> {
  if (await isSame(folder, path)) return []
  const rows = await rowsOf(folder)
  const remedy = `give --tokenizer ${folder}, or the model of the tokenizer`
  if (rows !== undefined && tokenizer.size > rows) {
    throw refusal(folder, path, `the tokenizer ${path} has ${tokenizer.size} tokens, and ${folder} has embeddings of ${rows}; ${remedy}`)
  }
  using own = await tokenizerOf(folder)
  if (own === undefined) {
    if (rows === undefined || rows === tokenizer.size) return []
    return [`${folder}: has no tokenizer and embeddings of ${rows} tokens, and ${path} has ${tokenizer.size}: see that they belong together`]
  }
  const different = differenceOf(own, tokenizer)
  if (different === undefined) return []
  throw refusal(folder, path, `the tokenizer ${path} is not that of ${folder}: ${different}; ${remedy}`)
}

function refusal(folder: string, tokenizer: string, message: string): SagetrainError {
  return new SagetrainError('ERR_CONFIG', `train.model.pretrained: ${message}`, { fields: { key: 'train.model.pretrained', folder, tokenizer } })
}

/** A tokenizer may be named by its `tokenizer.json`. */
async function isSame(folder: string, tokenizer: string): Promise<boolean> {
  const [one, two] = await Promise.all([folder, tokenizer].map((path) => realpath(path).catch(() => path)))
  return one === two || one === dirname(two ?? '')
}

/** Rows of its table of tokens. */
async function rowsOf(folder: string): Promise<number | undefined> {
  const content = await readFile(join(folder, 'config.json'), 'utf8').catch(() => '')
  const found = v.safeParse(v.pipe(v.string(), v.parseJson(), v.looseObject({ vocab_size: v.number() })), content)
  return found.success ? found.output.vocab_size : undefined
}

/** A folder of weights alone has none. */
async function tokenizerOf(folder: string): Promise<Tokenizer | undefined> {
  try {
    return await Tokenizer.load(folder)
  } catch (error) {
    if (isSagetrainError(error, 'ERR_IO')) return undefined
    throw error
  }
}

/** How two tokenizers differ: in their number of tokens, or in the first token that is another. */
function differenceOf(own: Tokenizer, data: Tokenizer): string | undefined {
  if (own.size !== data.size) return `${data.size} tokens, and ${own.size}`
  const ids = Array.from({ length: own.size }, (_, id) => Int32Array.of(id))
  const [mine, other] = [own.decode(ids), data.decode(ids)]
  const first = mine.findIndex((token, id) => token !== other[id])
  return first < 0 ? undefined : `its token ${first} is "${other[first]}", and the model’s "${mine[first]}"`
}
