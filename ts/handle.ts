import * as worker from 'node:worker_threads'
import { SagetrainError } from './errors.js'
import type { NativeBatch, NativeDataset, NativeModel, NativeMoses, NativeOptimizer, NativeSession, NativeTextSteps, NativeTokenizer } from './binding.js'
import { show } from './options.js'

/** The classes that own something native, and what they own. */
interface Owned {
  Batch: NativeBatch
  Dataset: NativeDataset
  Model: NativeModel
  Moses: NativeMoses
  Optimizer: NativeOptimizer
  Session: NativeSession
  TextSteps: NativeTextSteps
  Tokenizer: NativeTokenizer
}

type Kind = keyof Owned

interface Entry {
  readonly kind: Kind
  native: Owned[Kind] | undefined
}

/** Outside the objects, so that no property leads into the addon and a clone in another thread owns nothing. */
const entries = new WeakMap<object, Entry>()

/** A right to construct, so that only this package's factories make handles. */
export const factory = Symbol('sagetrain.factory')

/** Records that `handle` owns `native`. `right` is {@link factory}, or the constructor was called by someone else. */
export function own<K extends Kind>(handle: object, kind: K, native: Owned[K], right: symbol): void {
  if (right !== factory) {
    throw new SagetrainError('ERR_ARGUMENT', `a ${kind} is not made with new; see its static functions`, { fields: { kind } })
  }
  entries.set(handle, { kind, native })
  if ('markAsUncloneable' in worker) (worker.markAsUncloneable as (value: object) => void)(handle)
}

/** What `value` owns; `where` names the argument in messages. */
export function nativeOf<K extends Kind>(value: unknown, kind: K, where = 'this'): Owned[K] {
  const entry = typeof value === 'object' && value !== null ? entries.get(value) : undefined
  if (entry?.kind !== kind) {
    const message = `${where}: expected a ${kind}, got ${show(value)}; one that was sent from another thread is an empty copy`
    throw new SagetrainError('ERR_ARGUMENT', message, { fields: { argument: where, expected: kind } })
  }
  if (entry.native === undefined) {
    throw new SagetrainError('ERR_DISPOSED', `${where}: the ${kind} is disposed`, { fields: { argument: where, kind } })
  }
  return entry.native as Owned[K]
}

/** Takes what `handle` owns, for disposal; undefined the second time. */
export function disown<K extends Kind>(handle: object, kind: K): Owned[K] | undefined {
  const entry = entries.get(handle)
  if (entry?.kind !== kind) return undefined
  const { native } = entry
  entry.native = undefined
  return native as Owned[K] | undefined
}
