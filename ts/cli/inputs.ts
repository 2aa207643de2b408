import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { SagetrainError } from '../errors.js'
import { object, text } from '../options.js'
import { modelFolderAt } from '../model-folder.js'
import { fixed } from '../report/format.js'
import { writeWhole } from '../report/write.js'
import { isObject, valueAt, type JsonObject } from '../merge.js'
import type { TaskCommand } from './task-command.js'

const FILE = 'inputs.json'
const schema = object({ schema: v.literal(1), data: v.exactOptional(text), models: v.exactOptional(v.record(text, text)) })

/** What the paths of a run's configuration hold: files may be moved, and stay what they are. */
export interface Inputs {
  /** The preparation's fingerprint: of its files' bytes, its tokenizer and its options. */
  readonly data?: string
  /** Fingerprints of model folders by their keys, such as `model.pretrained`. */
  readonly models?: { readonly [key: string]: string }
}

/** What a training is configured with. */
interface Configured {
  readonly prepare: JsonObject
  readonly train: JsonObject
}

/** Fingerprints of the model folders that a training begins with, by key; of one that is not there, none. `known` keeps them by folder: each is read once. */
export async function modelsOf(command: Pick<TaskCommand, 'modelFolders' | 'impliedModel'>, { prepare, train }: Configured, known: Map<string, string>): Promise<NonNullable<Inputs['models']>> {
  const { modelFolders = [] } = command
  const named = modelFolders.map((key) => ({ key, folder: valueAt(train, key) }))
  const implied = command.impliedModel?.(prepare, train)
  const models: Record<string, string> = {}
  for (const { key, folder: path } of implied === undefined ? named : [...named, implied]) {
    if (typeof path !== 'string') continue
    const folder = await modelFolderAt(path)
    const fingerprint = known.get(folder) ?? (await modelFingerprint(folder))
    if (fingerprint === undefined) continue
    known.set(folder, fingerprint)
    models[key] = fingerprint
  }
  return models
}

/** SHA-256 over a model folder's settings and weights, with their names; undefined where there is nothing of them. */
async function modelFingerprint(folder: string): Promise<string | undefined> {
  const names: readonly string[] = await readdir(folder).catch(() => [])
  const weights = names.includes('model.safetensors') ? ['model.safetensors'] : names.filter((name) => /^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/.test(name))
  if (weights.length === 0) return undefined
  const hash = createHash('sha256')
  for (const name of ['config.json', ...weights.toSorted()].filter((one) => names.includes(one))) {
    hash.update(`${name}\n`)
    for await (const bytes of createReadStream(join(folder, name), { highWaterMark: 1 << 20 })) hash.update(bytes as Buffer)
  }
  return hash.digest('hex')
}

/** What a model folder says of itself, in words: `all-MiniLM-L6-v2: bert, 6 layers, 384 wide, 30,522 tokens`. */
export function describeModel(folder: string): string {
  const config: unknown = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const { model_type: type, num_hidden_layers: layers, hidden_size: width, vocab_size: tokens } = isObject(config) ? config : {}
  return `${basename(folder)}: ${String(type)}, ${String(layers)} layers, ${String(width)} wide, ${fixed(Number(tokens))} tokens`
}

/**
 * What the paths held when the run of a folder began; undefined where it says nothing of it.
 *
 * @throws {@link SagetrainError} `ERR_DATA` for a file that is damaged.
 */
export async function readInputs(folder: string): Promise<Inputs | undefined> {
  const path = join(folder, FILE)
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (content === undefined) return undefined
  try {
    const { schema: _schema, ...inputs } = v.parse(schema, JSON.parse(content))
    return inputs
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SagetrainError('ERR_DATA', `${path}: does not say what the run was trained on (${reason}); remove it, and the paths have to be those of its config.json`, { fields: { path }, cause })
  }
}

/** Keeps what the paths hold. */
export function writeInputs(folder: string, inputs: Inputs): Promise<void> {
  return writeWhole(join(folder, FILE), `${JSON.stringify({ schema: 1, ...inputs }, null, 1)}\n`)
}
