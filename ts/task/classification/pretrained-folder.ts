import { existsSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { isSagetrainError, SagetrainError } from '../../errors.js'
import type { LeftAside } from '../../model.js'
import { Tokenizer } from '../../tokenizer.js'

/**
 * Refuses a folder that is not there, by the option that names it.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG`.
 */
export function requireFolder(key: string, path: string): void {
  if (existsSync(path)) return
  const remedy = 'give a Hugging Face folder on this machine, a checkpoint or a run: names are not looked up, and pretrained weights that can be fetched `sagetrain weights` fetches'
  const message = `${key}: there is no folder ${path}; ${remedy}`
  throw new SagetrainError('ERR_CONFIG', message, { fields: { key, path } })
}

/** What is to be told of a folder of which not everything was of use. */
export function leftAside(folder: string, { unused, unknownSettings }: LeftAside): readonly string[] {
  const lists = [['not used', unused], ['settings that nothing is known about', unknownSettings]] as const
  return lists.filter(([, names]) => names.length > 0).map(([what, names]) => `${folder}: ${what}: ${names.join(', ')}`)
}

/** The prepared data's tokenizer, and where it came from. */
export interface DataTokenizer {
  /** What was asked for. */
  readonly path: string
  readonly tokenizer: Tokenizer
}

/**
 * Refuses an encoder that knows other tokens than the data are made of, by the option that names it. Gives a warning where that cannot be known.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` with both and what to do.
 */
export async function checkVocabulary(key: string, folder: string, { path, tokenizer }: DataTokenizer): Promise<readonly string[]> {
  if (await isSame(folder, path)) return []
  const rows = await rowsOf(folder)
  const remedy = `give --tokenizer ${folder}, or the model of the tokenizer`
  if (rows !== undefined && tokenizer.size > rows) {
    throw refusal(key, folder, path, `the tokenizer ${path} has ${tokenizer.size} tokens, and ${folder} has embeddings of ${rows}; ${remedy}`)
  }
  using own = await tokenizerOf(folder)
  if (own === undefined) {
    if (rows === undefined || rows === tokenizer.size) return []
    const sizes = `the tokenizer ${path} has ${tokenizer.size} tokens, and ${folder} has embeddings of ${rows}`
    // Tables are often a little larger than their vocabularies.
    if (tokenizer.size >= MOSTLY * rows) return [`${sizes}: see that they belong together`]
    throw refusal(key, folder, path, `${sizes}; ${remedy}`)
  }
  const found = compare(own, tokenizer)
  if (found === undefined) return []
  const message = `the tokenizer ${path} is not that of ${folder}: ${found.difference}`
  // Words of a field of one's own in the places of a vocabulary's unused tokens are no other vocabulary.
  if (found.shared >= MOSTLY) return [message]
  throw refusal(key, folder, path, `${message}; ${remedy}`)
}

/** The share of tokens that two tokenizers have to have in common to be one with a few words of its own. */
const MOSTLY = 0.9

function refusal(key: string, folder: string, tokenizer: string, message: string): SagetrainError {
  return new SagetrainError('ERR_CONFIG', `${key}: ${message}`, { fields: { key, folder, tokenizer } })
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

/** A folder of weights alone has none, and one that cannot be read says nothing. */
async function tokenizerOf(folder: string): Promise<Tokenizer | undefined> {
  try {
    return await Tokenizer.load(folder)
  } catch (error) {
    if (isSagetrainError(error, 'ERR_IO') || isSagetrainError(error, 'ERR_DATA')) return undefined
    throw error
  }
}

/** How two tokenizers differ, in their number of tokens or in the first that is another, and the share that is the same; undefined for equal ones. */
function compare(own: Tokenizer, data: Tokenizer): { readonly difference: string; readonly shared: number } | undefined {
  const [mine, others] = [own, data].map((one) => one.decode(Array.from({ length: one.size }, (_, id) => Int32Array.of(id)))) as [string[], string[]]
  const different = mine.flatMap((token, id) => (token === others[id] ? [] : [id]))
  const [first] = different
  if (first === undefined && own.size === data.size) return undefined
  const difference = own.size === data.size ? `its token ${first} is "${others[first ?? 0]}", and the model’s "${mine[first ?? 0]}"` : `it has ${data.size} tokens, and the model’s ${own.size}`
  return { difference, shared: (mine.length - different.length) / Math.max(mine.length, others.length) }
}
