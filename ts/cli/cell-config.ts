import { existsSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { SagetrainError } from '../errors.js'
import type { Json } from '../json.js'
import { writeWhole } from '../report/write.js'
import { readInputs, writeInputs, type Inputs } from './inputs.js'
import { isObject, type JsonObject } from '../merge.js'
import type { RunConfig } from './run-config.js'
import { CONFIG_FILE, readRunFolder } from './run-folder.js'
import type { TaskCommand } from './task-command.js'

/** What a run is made from: its configuration, which of its keys are paths, and what those hold. */
export interface CellConfig {
  readonly config: RunConfig
  readonly command: Pick<TaskCommand, 'files' | 'modelFolders'>
  readonly inputs: Inputs
}

/** What may differ without changing the run: where prepared data are kept, and how many threads it had, which changes its data in nothing and is told by the machine. */
const FREE: ReadonlySet<string> = new Set(['prepare.output', 'prepare.threads', 'train.threads'])

/**
 * Writes the configuration of a run into its folder before it begins, as a run of its own has it, and what its paths hold.
 *
 * @throws {@link SagetrainError} `ERR_STATE` where the folder is another run's.
 */
export async function claimCell(folder: string, cell: CellConfig): Promise<void> {
  await checkCell(folder, cell)
  await mkdir(folder, { recursive: true })
  await writeInputs(folder, cell.inputs)
  await writeWhole(join(folder, CONFIG_FILE), `${JSON.stringify(cell.config, null, 2)}\n`)
}

/**
 * Refuses a folder that was made with another configuration; one that is not there fits every one. Paths may differ where what they hold is the
 * same: the data by the preparation's fingerprint, models by that of their files. A folder that does not say what they held fits the same places alone.
 *
 * @throws {@link SagetrainError} `ERR_STATE` with the key in which they differ.
 */
export async function checkCell(folder: string, { config, command, inputs }: CellConfig): Promise<void> {
  if (!existsSync(join(folder, CONFIG_FILE))) return
  const [{ task, prepare, train }, held] = [await readRunFolder(folder), await readInputs(folder)]
  const paths = new Map<string, string>([...command.files.map((key) => [`prepare.${key}`, 'data'] as const), ...(command.modelFolders ?? []).map((key) => [`train.${key}`, key] as const)])
  const refuse = (key: string, what: string): never => {
    throw new SagetrainError('ERR_STATE', `${folder} is of ${what}: give another --runs, or move that folder away`, { fields: { path: folder, key } })
  }
  for (const { key, one, other } of differing({ task, prepare, train }, { task: config.task, prepare: config.prepare, train: config.train }, '', paths)) {
    const kept = paths.get(key)
    if (kept === undefined || one === undefined || other === undefined) return refuse(key, `${key} ${show(one)}, asked for is ${show(other)}`)
    if (isKnown(held, kept) && isKnown(inputs, kept)) continue
    if (!(await isSamePlace(one, other))) return refuse(key, `${key} ${show(one)}, asked for is ${show(other)}, and it does not say what was there`)
  }
  if (held?.data !== undefined && inputs.data !== undefined && held.data !== inputs.data) refuse('prepare', 'other data: what its files held when it began is not what they hold now (a test file that has come since counts too)')
  const model = Object.keys(inputs.models ?? {}).find((key) => held?.models?.[key] !== undefined && held.models[key] !== inputs.models?.[key])
  if (model !== undefined) refuse(`train.${model}`, `another train.${model}: what that folder held when it began is not what it holds now`)
}

function isKnown(inputs: Inputs | undefined, kept: string): boolean {
  return kept === 'data' ? inputs?.data !== undefined : inputs?.models?.[kept] !== undefined
}

async function isSamePlace(one: Json, other: Json): Promise<boolean> {
  if (typeof one !== 'string' || typeof other !== 'string') return false
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)))
  return first === second
}

function show(value: Json | undefined): string {
  return JSON.stringify(value) ?? 'nothing'
}

interface Difference {
  readonly key: string
  readonly one: Json | undefined
  readonly other: Json | undefined
}

/** The keys in which two configurations differ; `whole` are compared as they are, objects or not. */
function differing(held: JsonObject, asked: JsonObject, before: string, whole: ReadonlyMap<string, string>): readonly Difference[] {
  return [...new Set([...Object.keys(held), ...Object.keys(asked)])].flatMap((name) => {
    const [key, one, other] = [`${before}${name}`, held[name], asked[name]]
    if (FREE.has(key)) return []
    if (isObject(one) && isObject(other) && !whole.has(key)) return differing(one, other, `${key}.`, whole)
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ key, one, other }]
  })
}
