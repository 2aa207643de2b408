import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import type * as Addon from '../bindings/binding.cjs'
import { SagetrainError } from './errors.js'
import { ensureLink } from './setup/libtorch.mjs'

// The addon's declarations are generated from bindings/src by set-up.
export type {
  Batch as NativeBatch,
  Dataset as NativeDataset,
  Loader as NativeLoader,
  Model as NativeModel,
  Moses as NativeMoses,
  NativeColumn,
  Optimizer as NativeOptimizer,
  Preparation as NativePreparation,
  Session as NativeSession,
  TextSteps as NativeTextSteps,
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
    const addon = sleepingSoon(() => createRequire(import.meta.url)('../bindings/binding.cjs') as Native)
    if (isMainThread) process.once('exit', (code) => stopEngines(addon, code))
    else addon.markWorker()
    return addon
  } catch (cause) {
    throw new SagetrainError('ERR_LIBTORCH', `${reason(cause)}; run \`npm run setup\`, or \`npx sagetrain doctor\` for details`, { cause })
  }
}

/** Turns that a thread of OpenMP's waits awake for its next loop. By default 300,000: where anything else wants the processor, such as
 * the test suite beside a training run, every barrier then costs milliseconds. */
const SPIN_TURNS = '10000'

/** Loads with libgomp told to sleep soon, unless the user has said how it waits; libgomp reads the environment once, as it is loaded. */
function sleepingSoon<T>(body: () => T): T {
  const { env } = process
  if (env['GOMP_SPINCOUNT'] !== undefined || env['OMP_WAIT_POLICY'] !== undefined) return body()
  env['GOMP_SPINCOUNT'] = SPIN_TURNS
  try {
    return body()
  } finally {
    delete env['GOMP_SPINCOUNT']
  }
}

/** Milliseconds that an exit waits for the steps under way. */
const PATIENCE_MS = 1000

/** A thread inside libtorch while the process runs its destructors would crash; one that takes too long is left behind with them. */
function stopEngines(addon: Native, code: number): void {
  if (!addon.stopEngines(PATIENCE_MS)) addon.leaveProcess(code)
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  const library = /(lib[\w.+-]+\.so[\w.]*): cannot open shared object file/.exec(message)?.[1]
  if (library !== undefined) return `the addon does not find ${library} (libtorch 2.13.0)`
  if (message.startsWith('Cannot find module')) return 'the native addon is not built'
  return `the native addon cannot be loaded: ${message}`
}
