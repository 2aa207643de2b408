import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { native } from './binding.js'
import { decode, type Json } from './json.js'
import { calling } from './native-error.js'
import { expected, parse, text } from './options.js'
import type { SessionSpec } from './session.js'

/** The newest whole checkpoint of a folder. */
export interface LatestCheckpoint {
  /** Absent where there is none. */
  readonly path?: string
  /** Why newer ones were passed over. */
  readonly damaged: readonly string[]
}

/** A checkpoint's `state.json`. */
export interface CheckpointState {
  /** Version of the layout. */
  readonly format: number
  /** Optimizer steps finished. */
  readonly step: number
  /** Batches seen. */
  readonly passes: number
  readonly options: SessionSpec
  /** Names that `sage.scope` selected. */
  readonly scope: readonly string[]
  readonly libtorch: string
  readonly threads: number
  /** libtorch's vector instruction level. */
  readonly cpuCapability: string
  /** That of the fused operations. */
  readonly kernels: string
  /** What multiplies every rate beside the schedule; absent where nothing does. */
  readonly rateFactor?: number
  /** What the training loop kept. */
  readonly run: Json
}

/** What {@link averageCheckpoints} has written. */
export interface AveragedCheckpoints {
  /** The model folder. */
  readonly path: string
  /** The model folders that were averaged. */
  readonly from: readonly string[]
  /** Tensors of the model. */
  readonly tensors: number
  /** Numbers of the model. */
  readonly elements: number
}

/**
 * Finds the checkpoint of the largest step whose files verify.
 *
 * @throws {@link SagetrainError} `ERR_IO`.
 * @example
 * const { path } = await latestCheckpoint('runs/mine/checkpoints')
 */
export async function latestCheckpoint(folder: string): Promise<LatestCheckpoint> {
  const where = parse(text, folder, 'folder', 'ERR_ARGUMENT')
  return calling(() => native().latestCheckpoint(where))
}

/**
 * Verifies a checkpoint's every file and reads its state.
 *
 * @throws {@link SagetrainError} `ERR_CHECKPOINT` for one that is absent, incomplete, altered or of an unknown format.
 */
export async function readCheckpoint(path: string): Promise<CheckpointState> {
  const where = parse(text, path, 'path', 'ERR_ARGUMENT')
  return decode(await calling(() => native().readCheckpoint(where)))
}

/**
 * A folder's finished checkpoints, oldest first; their contents are not verified.
 *
 * @throws {@link SagetrainError} `ERR_IO`.
 */
export async function listCheckpoints(folder: string): Promise<readonly string[]> {
  const where = parse(text, folder, 'folder', 'ERR_ARGUMENT')
  return calling(() => native().listCheckpoints(where))
}

/** Where the checkpoint of a step is in a folder of checkpoints, or would be. */
export function checkpointOf(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, '0')}`)
}

/** The model folder of a checkpoint to evaluate or to use: `average/` where weights are averaged, else `model/`. */
export function modelFolder(checkpoint: string): string {
  const average = join(checkpoint, 'average')
  return existsSync(average) ? average : join(checkpoint, 'model')
}

/**
 * Writes the mean of several checkpoints' weights as a complete model folder (Vaswani et al., 2017, section 6.1): added in float64, rounded
 * to float32 once, whatever the order. Memory is a few pieces of a tensor, whatever the model's size.
 *
 * @param checkpoints - Checkpoints, of which `model/` is taken, or model folders; two or more, of one model and tokenizer.
 * @param output - The folder to write; it must not be there yet.
 * @throws {@link SagetrainError} `ERR_CHECKPOINT` naming what differs, is damaged or is not finite; `ERR_CONFIG`, `ERR_IO`.
 * @example
 * await averageCheckpoints((await listCheckpoints('runs/mine/checkpoints')).slice(-10), 'runs/mine/average')
 */
export async function averageCheckpoints(checkpoints: readonly string[], output: string): Promise<AveragedCheckpoints> {
  const paths = parse(v.array(text, expected('an array of paths')), checkpoints, 'checkpoints', 'ERR_ARGUMENT')
  const folder = parse(text, output, 'output', 'ERR_ARGUMENT')
  return decode(await calling(() => native().averageCheckpoints(paths, folder)))
}

/**
 * Deletes a folder's checkpoints but those in `keep`, and returns what remains, oldest first.
 *
 * @throws {@link SagetrainError} `ERR_IO`.
 */
export async function retainCheckpoints(folder: string, keep: readonly string[]): Promise<readonly string[]> {
  const where = parse(text, folder, 'folder', 'ERR_ARGUMENT')
  const kept = parse(v.array(text, expected('an array of paths')), keep, 'keep', 'ERR_ARGUMENT')
  return calling(() => native().retainCheckpoints(where, kept))
}
