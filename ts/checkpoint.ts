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
  /** What the training loop kept. */
  readonly run: Json
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
 * Deletes a folder's checkpoints but those in `keep`, and returns what remains, oldest first.
 *
 * @throws {@link SagetrainError} `ERR_IO`.
 */
export async function retainCheckpoints(folder: string, keep: readonly string[]): Promise<readonly string[]> {
  const where = parse(text, folder, 'folder', 'ERR_ARGUMENT')
  const kept = parse(v.array(text, expected('an array of paths')), keep, 'keep', 'ERR_ARGUMENT')
  return calling(() => native().retainCheckpoints(where, kept))
}
