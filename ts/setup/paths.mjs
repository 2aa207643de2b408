// Where things lie: the checkout, and the cache that a user's checkouts share.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this checkout or package; this file lies in `ts/setup/` and, compiled, in `dist/setup/`. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * The per-user cache: libtorch and the wheels it came from.
 *
 * @param {NodeJS.ProcessEnv} [env]
 */
export function cacheFolder(env = process.env) {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'sagetrain')
}

/**
 * The link that names the libtorch in use: `link/` to compile against, `run/` to load. One of the two places where the
 * addon's run path (bindings/build.rs) looks; an installed package's is outside of it, so that it outlives an update.
 */
export const libtorchLink =
  basename(dirname(root)) === 'node_modules' ? join(dirname(root), '.cache/sagetrain/libtorch') : join(root, '.libtorch')

/** The addon, where the loader looks for it. */
export const addonPath = join(root, 'bindings', 'binding.linux-x64-gnu.node')

/**
 * The environment with rustup's default folder on the PATH: right after its installation the shell does not know it yet.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment(env = process.env) {
  const cargoBin = join(env['CARGO_HOME'] || join(env['HOME'] || homedir(), '.cargo'), 'bin')
  const path = env['PATH'] ?? ''
  if (path.split(':').includes(cargoBin) || !existsSync(cargoBin)) return env
  return { ...env, PATH: `${path}:${cargoBin}` }
}
