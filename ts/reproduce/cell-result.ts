import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { JsonObject } from '../cli/merge.js'
import { SagetrainError } from '../errors.js'
import { expected, object, text } from '../options.js'
import { writeWhole } from '../report/write.js'

const FILE = 'cell.json'

const number = v.number(expected('a number'))
const json = v.custom<JsonObject>((value) => typeof value === 'object' && value !== null, expected('an object'))
const schema = object({
  schema: v.literal(1),
  train: json,
  steps: number,
  bestStep: number,
  seconds: number,
  validation: v.nullable(number),
  metrics: v.record(text, v.nullable(number)),
  signatures: v.record(text, text),
  diverged: v.exactOptional(text),
  machine: text,
})

/** What a run came to, as its folder keeps it. */
export interface CellResult {
  /** The complete training specification. */
  readonly train: JsonObject
  readonly steps: number
  readonly bestStep: number
  /** Of training. */
  readonly seconds: number
  /** The best validation score of the task's headline; null where the run diverged. */
  readonly validation: number | null
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
 * @throws {@link SagetrainError} `ERR_STATE` for a result of another training than `train`; `ERR_DATA` for a file that is damaged.
 */
export async function readResult(folder: string, train: JsonObject): Promise<CellResult | undefined> {
  const path = join(folder, FILE)
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (content === undefined) return undefined
  const result = parsed(content, path)
  const other = differing(result.train, train)
  if (other === undefined) return result
  const [held, asked] = [result.train, train].map((one) => JSON.stringify(one[other]) ?? 'nothing')
  const message = `${folder} holds a run with train.${other} ${held}, not ${asked}: give another --runs, or move that folder away`
  throw new SagetrainError('ERR_STATE', message, { fields: { path: folder, key: `train.${other}` } })
}

function parsed(content: string, path: string): CellResult {
  try {
    return v.parse(schema, JSON.parse(content)) as CellResult
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SagetrainError('ERR_DATA', `${path}: is no result of this program (${reason}); remove it, and the run is measured again`, { fields: { path }, cause })
  }
}

/** The first key in which two trainings differ. How many threads there were is told by the machine and not asked for. */
function differing(held: JsonObject, asked: JsonObject): string | undefined {
  const keys = [...new Set([...Object.keys(held), ...Object.keys(asked)])].filter((key) => key !== 'threads')
  return keys.find((key) => stable(held[key]) !== stable(asked[key]))
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).toSorted(([one], [other]) => (one < other ? -1 : 1))) : item)) ?? ''
}

/** Keeps a result, with the held-out outputs beside it. */
export async function writeResult(folder: string, result: CellResult, outputs: readonly string[]): Promise<void> {
  if (outputs.length > 0) await writeWhole(join(folder, 'outputs.txt'), outputs.map((line) => `${line}\n`).join(''))
  await writeWhole(join(folder, FILE), `${JSON.stringify({ schema: 1, ...result }, null, 1)}\n`)
}
