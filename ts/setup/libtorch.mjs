// The libtorch in use: found in LIBTORCH, in the cache, or obtained from its wheels; named by a link that the addon's run path follows.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { chooseVariant, cudaDriverLoads } from './cuda.mjs'
import { SetupFailure } from './failures.mjs'
import { layOut } from './libtorch-layout.mjs'
import { obtain, variantFolder } from './obtain.mjs'
import { cacheFolder, libtorchLink } from './paths.mjs'
import { libtorchVersion } from './wheels.mjs'

/** @typedef {{ cpu?: boolean, cuda?: boolean }} Asked */

/**
 * The version a libtorch or torch folder says it is, without its build suffix; undefined when it says none.
 *
 * @param {string} folder
 */
export function libtorchVersionOf(folder) {
  for (const [name, pattern] of /** @type {const} */ ([
    ['build-version', /^([\d.]+)/],
    ['version.py', /^__version__ = '([\d.]+)/m],
  ])) {
    const path = join(folder, name)
    const found = existsSync(path) ? pattern.exec(readFileSync(path, 'utf8'))?.[1] : undefined
    if (found) return found
  }
  return undefined
}

/**
 * The folder behind `.libtorch`, when it is whole and the one that LIBTORCH (if set) asks for.
 *
 * @param {NodeJS.ProcessEnv} [env]
 */
export function currentLibtorch(env = process.env) {
  if (!existsSync(join(libtorchLink, 'run/torch/lib/libtorch_cpu.so'))) return undefined
  if (libtorchVersionOf(join(libtorchLink, 'link')) !== libtorchVersion) return undefined
  const folder = realpathSync(libtorchLink)
  const named = namedLibtorch(env)
  return named === undefined || folder === adoptedFolder(named) ? folder : undefined
}

/**
 * Whether set-up has to obtain libtorch, and so needs Python.
 *
 * @param {Asked} asked
 */
export function mustObtainLibtorch(asked) {
  if (namedLibtorch(process.env) !== undefined) return false
  return !existsSync(variantFolder(asked.cuda ? 'cuda' : 'cpu'))
}

/**
 * Makes the link name a whole libtorch of the right version, whatever that takes.
 *
 * @param {Asked} asked
 */
export async function ensureLibtorch(asked) {
  const named = namedLibtorch(process.env)
  pointTo(named === undefined ? await obtain(await chooseVariant(asked, cudaDriverLoads)) : adopt(named))
}

/**
 * A checkout or package that was copied has lost its link; a libtorch in LIBTORCH or in the cache will do. To be called
 * before the addon is loaded: the dynamic linker remembers a folder that was not there.
 *
 * @throws {SetupFailure} when LIBTORCH names another version
 */
export function ensureLink() {
  if (existsSync(join(libtorchLink, 'run/torch/lib'))) return
  const named = namedLibtorch(process.env)
  const folder = named === undefined ? ['cpu', 'cuda'].map(variantFolder).find((path) => existsSync(path)) : adopt(named)
  if (folder) pointTo(folder)
}

/** @param {string} folder */
function pointTo(folder) {
  mkdirSync(dirname(libtorchLink), { recursive: true })
  const temporary = `${libtorchLink}.${process.pid}.tmp`
  symlinkSync(folder, temporary)
  renameSync(temporary, libtorchLink)
}

/** LIBTORCH as a real path. @param {NodeJS.ProcessEnv} env */
function namedLibtorch(env) {
  if (!env['LIBTORCH']) return undefined
  return existsSync(env['LIBTORCH']) ? realpathSync(env['LIBTORCH']) : resolve(env['LIBTORCH'])
}

/**
 * The folder in our layout that stands for a libtorch of the user's. A link folder of ours, as cargo's configuration
 * sets LIBTORCH, has its own already.
 *
 * @param {string} named
 */
function adoptedFolder(named) {
  if (existsSync(join(dirname(named), 'run/torch/lib/libtorch_cpu.so'))) return dirname(named)
  const name = createHash('sha256').update(named).digest('hex').slice(0, 12)
  return join(cacheFolder(), `libtorch-${libtorchVersion}-of-${name}`)
}

/**
 * Gives a libtorch that the user has the layout of ours, by links.
 *
 * @param {string} named real path of a libtorch or torch folder
 */
function adopt(named) {
  const remedy = `unset LIBTORCH to let set-up fetch libtorch, or let it name a libtorch ${libtorchVersion}`
  if (!existsSync(join(named, 'lib/libtorch_cpu.so')) || !existsSync(join(named, 'include'))) {
    throw new SetupFailure('libtorch', `LIBTORCH=${named} holds no lib/libtorch_cpu.so with include/`, remedy)
  }
  const found = libtorchVersionOf(named) ?? 'of an unknown version'
  if (found !== libtorchVersion) {
    throw new SetupFailure('libtorch', `LIBTORCH=${named} is libtorch ${found}, expected ${libtorchVersion}`, remedy)
  }
  const folder = adoptedFolder(named)
  if (!existsSync(folder)) makeAdopted(folder, named)
  return folder
}

/**
 * @param {string} folder
 * @param {string} named
 */
function makeAdopted(folder, named) {
  const partial = `${folder}.${process.pid}.partial`
  mkdirSync(join(partial, 'run'), { recursive: true })
  symlinkSync(named, join(partial, 'run/torch'))
  layOut(partial)
  try {
    renameSync(partial, folder)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // else another set-up was faster
  }
}
