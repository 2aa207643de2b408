import { onAbort } from '../abort.js'
import type { NativePreparation } from '../binding.js'
import { isSagetrainError } from '../errors.js'
import { decode, encode } from '../json.js'
import { call, calling } from '../native-error.js'

/** How far a preparation is. */
export interface PreparationProgress {
  readonly stage: string
  /** Lines of the stage that are done. */
  readonly lines: number
  /** Share of the stage that is done, 0 to 1. */
  readonly share: number
}

/** How often `onProgress` is told, in milliseconds. */
const EVERY_MS = 200

/** Runs a native preparation, tells how far it is, and ends it with the signal's reason. */
export async function runPreparation<T>(
  create: (options: string) => NativePreparation,
  options: object,
  { signal, onProgress }: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((progress: PreparationProgress) => void) | undefined },
): Promise<T> {
  signal?.throwIfAborted()
  const json = encode(options, 'prepare')
  const preparation = call(() => create(json))
  const timer = onProgress === undefined ? undefined : setInterval(() => onProgress(preparation.progress()), EVERY_MS)
  const release = onAbort(signal, () => preparation.cancel())
  try {
    return decode(await calling(() => preparation.run()))
  } catch (error) {
    throw isSagetrainError(error, 'ERR_ABORTED') && signal?.aborted ? signal.reason : error
  } finally {
    clearInterval(timer)
    release()
  }
}
