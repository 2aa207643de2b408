import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkpointOf, latestCheckpoint, modelFolder } from '../checkpoint.js'
import type { CellResult } from '../reproduce/cell-result.js'
import type { Keeps } from '../reproduce/experiment.js'

/**
 * Removes from the folder of a run that has a result what is not to be kept of it; may be killed and called again at any time, since it is
 * the result that says that a run is done.
 */
export async function tidyCell(folder: string, result: CellResult, keeps: Keeps): Promise<void> {
  const checkpoints = join(folder, 'checkpoints')
  if (keeps === 'checkpoints' || !existsSync(checkpoints)) return
  if (keeps === 'model') await keepModel(folder, checkpoints, result)
  await rm(checkpoints, { recursive: true, force: true })
}

/** Moves the weights that were measured to `model/`, as a checkpoint has them; a run that diverged has none. */
async function keepModel(folder: string, checkpoints: string, { bestStep, diverged }: CellResult): Promise<void> {
  if (diverged !== undefined) return
  const [kept, best] = [join(folder, 'model'), checkpointOf(checkpoints, bestStep)]
  const measured = existsSync(best) ? best : (await latestCheckpoint(checkpoints)).path
  // Moved already, by a command that was killed before it removed the rest.
  if (measured === undefined || !existsSync(modelFolder(measured))) return
  // One from before the result was removed to be measured again.
  await rm(kept, { recursive: true, force: true })
  await rename(modelFolder(measured), kept)
}
