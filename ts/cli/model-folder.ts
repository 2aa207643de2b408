import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { latestCheckpoint, modelFolder, readCheckpoint } from '../checkpoint.js'
import { UsageError } from './exit-codes.js'
import { isObject } from './merge.js'

/**
 * The model folder that `path` means: a Hugging Face folder, a checkpoint, or a run (its best weights).
 *
 * @throws {@link UsageError} where there is no model, or more than one.
 */
export async function findModelFolder(path: string): Promise<string> {
  if (existsSync(join(path, 'model.safetensors'))) return path
  if (existsSync(join(path, 'model', 'model.safetensors'))) return modelFolder(path)
  if (existsSync(join(path, 'checkpoints'))) return modelFolder(await bestCheckpoint(path))
  const arms = await armsIn(path)
  if (arms.length === 1) return modelFolder(await bestCheckpoint(join(path, arms[0] ?? '')))
  if (arms.length > 1) throw new UsageError(`${path} has several arms; give one of ${arms.map((arm) => join(path, arm)).join(', ')}`)
  throw new UsageError(`${path}: no model is there; give a model folder (model.safetensors), a checkpoint or a run`)
}

async function armsIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path).catch(() => [])
  return entries.filter((entry) => existsSync(join(path, entry, 'checkpoints')))
}

/** The checkpoint that scored best, or the newest where nothing was scored. */
async function bestCheckpoint(run: string): Promise<string> {
  const { path: newest } = await latestCheckpoint(join(run, 'checkpoints'))
  if (newest === undefined) throw new UsageError(`${run}: no checkpoint is there yet`)
  const { run: kept } = await readCheckpoint(newest)
  const best = isObject(kept) && isObject(kept['best']) ? kept['best']['step'] : undefined
  const path = typeof best === 'number' ? join(run, 'checkpoints', `step-${String(best).padStart(8, '0')}`) : newest
  return existsSync(path) ? path : newest
}
