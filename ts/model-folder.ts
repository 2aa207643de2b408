import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { checkpointOf, latestCheckpoint, modelFolder, readCheckpoint } from './checkpoint.js'
import { SagetrainError } from './errors.js'

/**
 * The model folder that `path` means: a Hugging Face folder, a checkpoint, or a run (its best weights).
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` where there is no model, or more than one.
 */
export async function findModelFolder(path: string): Promise<string> {
  const found = await modelFolderIn(path)
  if (found !== undefined) return found
  throw refusal(`${path}: no model is there; give a model folder (model.safetensors), a checkpoint or a run`)
}

/** The same where it can be found; else `path` as it is, of which a model's loader says what it lacks. */
export async function modelFolderAt(path: string): Promise<string> {
  return (await modelFolderIn(path)) ?? path
}

async function modelFolderIn(path: string): Promise<string | undefined> {
  if (hasWeights(path)) return path
  if (hasWeights(join(path, 'model'))) return modelFolder(path)
  if (existsSync(join(path, 'checkpoints'))) return modelFolder(await bestCheckpoint(path))
  const arms = await armsIn(path)
  if (arms.length === 1) return modelFolder(await bestCheckpoint(join(path, arms[0] ?? '')))
  if (arms.length > 1) throw refusal(`${path} has several arms; give one of ${arms.map((arm) => join(path, arm)).join(', ')}`)
  return undefined
}

/** Whether a folder has weights, in one file or in shards. */
function hasWeights(folder: string): boolean {
  return ['model.safetensors', 'model.safetensors.index.json'].some((name) => existsSync(join(folder, name)))
}

async function armsIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path).catch(() => [])
  return entries.filter((entry) => existsSync(join(path, entry, 'checkpoints')))
}

/** The checkpoint that scored best, or the newest where nothing was scored. */
async function bestCheckpoint(run: string): Promise<string> {
  const { path: newest } = await latestCheckpoint(join(run, 'checkpoints'))
  if (newest === undefined) throw refusal(`${run}: no checkpoint is there yet`)
  const { run: kept } = await readCheckpoint(newest)
  const step = v.safeParse(scored, kept)
  const best = step.success ? step.output.best.step : undefined
  const path = typeof best === 'number' ? checkpointOf(join(run, 'checkpoints'), best) : newest
  return existsSync(path) ? path : newest
}

function refusal(message: string): SagetrainError {
  return new SagetrainError('ERR_ARGUMENT', message, { fields: { argument: 'model' } })
}

/** What a training loop keeps of the best. */
const scored = v.looseObject({ best: v.looseObject({ step: v.number() }) })
