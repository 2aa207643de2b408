import { createRequire } from 'node:module'
import type * as Addon from '../bindings/binding.cjs'
import { SagetrainError } from './errors.js'
import { ensureLink } from './setup/libtorch.mjs'

// The addon's declarations are generated from bindings/src by set-up.
export type {
  Batch as NativeBatch,
  Dataset as NativeDataset,
  Loader as NativeLoader,
  Model as NativeModel,
  NativeColumn,
  Optimizer as NativeOptimizer,
  Preparation as NativePreparation,
  Session as NativeSession,
  Tokenizer as NativeTokenizer,
} from '../bindings/binding.cjs'

/** The addon's exports. */
export type Native = typeof Addon

let loaded: Native | undefined

/**
 * The native addon, loaded at its first use. The only place that imports it.
 *
 * @throws {@link SagetrainError} `ERR_LIBTORCH` when the addon or its libtorch cannot be loaded.
 */
export function native(): Native {
  return (loaded ??= load())
}

function load(): Native {
  try {
    ensureLink()
    return createRequire(import.meta.url)('../bindings/binding.cjs') as Native
  } catch (cause) {
    throw new SagetrainError('ERR_LIBTORCH', `${reason(cause)}; run \`npm run setup\`, or \`npx sagetrain doctor\` for details`, { cause })
  }
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  const library = /(lib[\w.+-]+\.so[\w.]*): cannot open shared object file/.exec(message)?.[1]
  if (library !== undefined) return `the addon does not find ${library} (libtorch 2.13.0)`
  if (message.startsWith('Cannot find module')) return 'the native addon is not built'
  return `the native addon cannot be loaded: ${message}`
}
