import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { SagetrainError } from '../errors.js'
import { expected, object, text } from '../options.js'
import { writeWhole } from '../report/write.js'

const FILE = 'cell.json'

const number = v.number(expected('a number'))
const schema = object({
  schema: v.literal(1),
  steps: number,
  bestStep: number,
  seconds: number,
  validation: v.nullable(number),
  validationBy: v.exactOptional(text),
  metrics: v.record(text, v.nullable(number)),
  signatures: v.record(text, text),
  diverged: v.exactOptional(text),
  machine: text,
})

/** What a run came to, as its folder keeps it. */
export interface CellResult {
  readonly steps: number
  readonly bestStep: number
  /** Of training. */
  readonly seconds: number
  /** The best validation score of the task's headline, or what {@link validationBy} names; null where the run diverged. */
  readonly validation: number | null
  /** What a search ranks the run by, at its best evaluation; absent where that is the headline. */
  readonly validationBy?: string
  /** On the held-out part; empty where the run diverged. */
  readonly metrics: { readonly [key: string]: number | null }
  readonly signatures: { readonly [key: string]: string }
  /** How training ended where it did not converge: that too is a result. */
  readonly diverged?: string
  readonly machine: string
}

/**
 * The result that a folder holds; undefined where the run is not done.
 *
 * @throws {@link SagetrainError} `ERR_DATA` for a file that is damaged.
 */
export async function readResult(folder: string): Promise<CellResult | undefined> {
  const path = join(folder, FILE)
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return content === undefined ? undefined : parsed(content, path)
}

function parsed(content: string, path: string): CellResult {
  try {
    return v.parse(schema, JSON.parse(content)) as CellResult
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SagetrainError('ERR_DATA', `${path}: is no result of this program (${reason}); remove it, and the run is measured again`, { fields: { path }, cause })
  }
}

/** What is kept beside a result. */
export interface Beside {
  /** One a held-out sample. */
  readonly outputs?: readonly string[]
  /** Further files, by name. */
  readonly files?: { readonly [name: string]: string }
}

/** Keeps a result and what belongs beside it, which is there before it: a run with a result is whole. */
export async function writeResult(folder: string, result: CellResult, { outputs = [], files = {} }: Beside = {}): Promise<void> {
  if (outputs.length > 0) await writeWhole(join(folder, 'outputs.txt'), outputs.map((line) => `${line}\n`).join(''))
  for (const [name, content] of Object.entries(files)) await writeWhole(join(folder, name), content)
  await writeWhole(join(folder, FILE), `${JSON.stringify({ schema: 1, ...result }, null, 1)}\n`)
}
