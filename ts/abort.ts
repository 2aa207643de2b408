import { isSagetrainError, SagetrainError } from './errors.js'
import { calling } from './native-error.js'
import { show } from './options.js'

/** What native work can be called off on. */
interface Cancellable {
  cancel(): void
  resume(): void
}

/**
 * Awaits native work that `signal` can call off; it then rejects with the signal's reason, as the platform's own functions do. The work
 * stops at its next safe point, not at once.
 */
export async function abortable<T>(signal: AbortSignal | undefined, target: Cancellable, run: () => Promise<T>): Promise<T> {
  checkSignal(signal)
  signal?.throwIfAborted()
  const cancel = (): void => target.cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return await calling(run)
  } catch (error) {
    throw isSagetrainError(error, 'ERR_ABORTED') && signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', cancel)
    if (signal?.aborted) target.resume()
  }
}

/** Refuses what is no AbortSignal. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new SagetrainError('ERR_ARGUMENT', `signal: expected an AbortSignal, got ${show(signal)}`, { fields: { argument: 'signal' } })
}
