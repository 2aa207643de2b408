import { isSagetrainError, SagetrainError } from './errors.js'
import { calling } from './native-error.js'
import { show } from './options.js'

/** What native work can be called off on; all of it at once, that of other calls too. */
interface Cancellable {
  cancel(): void
  resume(): void
}

/** What has been called off on a target. */
interface CalledOff {
  /** Calls of which the work has not ended yet. */
  pending: number
  /** Calls ever. */
  total: number
}

const targets = new WeakMap<Cancellable, CalledOff>()

function calledOffOn(target: Cancellable): CalledOff {
  const known = targets.get(target) ?? { pending: 0, total: 0 }
  targets.set(target, known)
  return known
}

/** What a signal ends, and its listener for all of that. */
interface Watch {
  readonly actions: Set<() => void>
  readonly listener: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/**
 * Has `action` called when `signal` aborts, until what is returned is called. A signal has one listener for all that it can end: calls side by
 * side are as many as there are, and a listener each would pass for a leak.
 */
export function onAbort(signal: AbortSignal | undefined, action: () => void): () => void {
  if (signal === undefined) return () => undefined
  const { actions, listener } = watches.get(signal) ?? watch(signal)
  const own = (): void => action()
  actions.add(own)
  return () => {
    if (!actions.delete(own) || actions.size > 0) return
    signal.removeEventListener('abort', listener)
    watches.delete(signal)
  }
}

function watch(signal: AbortSignal): Watch {
  const actions = new Set<() => void>()
  const made = { actions, listener: () => [...actions].forEach(apart) }
  watches.set(signal, made)
  signal.addEventListener('abort', made.listener, { once: true })
  return made
}

/** One that throws keeps none of the others from being called; it is a fault of the program, as of any listener. */
function apart(action: () => void): void {
  try {
    action()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/**
 * Awaits native work that `signal` can call off; it then rejects with the signal's reason, as the platform's own functions do. The work
 * stops at its next safe point, not at once.
 */
export async function abortable<T>(signal: AbortSignal | undefined, target: Cancellable, run: () => Promise<T>): Promise<T> {
  checkSignal(signal)
  signal?.throwIfAborted()
  const state = calledOffOn(target)
  const cancel = (): void => {
    state.pending += 1
    state.total += 1
    target.cancel()
  }
  const release = onAbort(signal, cancel)
  try {
    return await undisturbed(signal, state, run)
  } finally {
    release()
    if (signal?.aborted) state.pending -= 1
    if (signal?.aborted && state.pending === 0) target.resume()
  }
}

/** Runs the work, and again where it was only another call on the target that was called off. */
async function undisturbed<T>(signal: AbortSignal | undefined, state: CalledOff, run: () => Promise<T>): Promise<T> {
  const { pending, total } = state
  try {
    return await calling(run)
  } catch (error) {
    if (!isSagetrainError(error, 'ERR_ABORTED')) throw error
    signal?.throwIfAborted()
    if (pending === 0 && total === state.total) throw error
    return undisturbed(signal, state, run)
  }
}

/** Refuses what is no AbortSignal. */
function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new SagetrainError('ERR_ARGUMENT', `signal: expected an AbortSignal, got ${show(signal)}`, { fields: { argument: 'signal' } })
}
