// The libtorch in use: found in LIBTORCH, in the cache, or obtained from its wheels; named by the checkout's `.libtorch` link.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statfsSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { chooseVariant, cudaDriverLoads } from './cuda.mjs'
import { cachedWheel, fetchWheel } from './download.mjs'
import { diskFull, SetupFailure } from './failures.mjs'
import { layOut } from './libtorch-layout.mjs'
import { withLock } from './lock.mjs'
import { cacheFolder, libtorchLink } from './paths.mjs'
import { formatBytes, say } from './progress.mjs'
import { unpackedBytes, unpackWheels } from './unpack.mjs'
import { cpuWheels, cudaWheels, libtorchVersion, totalBytes } from './wheels.mjs'

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
  return !existsSync(join(cacheFolder(), variantName(asked.cuda ? 'cuda' : 'cpu')))
}

/**
 * Makes `.libtorch` name a whole libtorch of the right version, whatever that takes.
 *
 * @param {Asked} asked
 */
export async function ensureLibtorch(asked) {
  const named = namedLibtorch(process.env)
  const folder = named === undefined ? await obtain(await chooseVariant(asked, cudaDriverLoads)) : adopt(named)
  const temporary = `${libtorchLink}.${process.pid}.tmp`
  symlinkSync(folder, temporary)
  renameSync(temporary, libtorchLink)
}

/**
 * LIBTORCH as a real path. One that leads into our own link, as cargo's configuration sets it, names nothing new.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function namedLibtorch(env) {
  if (!env['LIBTORCH']) return undefined
  const named = existsSync(env['LIBTORCH']) ? realpathSync(env['LIBTORCH']) : resolve(env['LIBTORCH'])
  const own = existsSync(libtorchLink) ? realpathSync(libtorchLink) : undefined
  return own !== undefined && dirname(named) === own ? undefined : named
}

/** @param {string} named */
function adoptedFolder(named) {
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
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}.partial`
    mkdirSync(join(partial, 'run'), { recursive: true })
    symlinkSync(named, join(partial, 'run/torch'))
    layOut(partial)
    renameSync(partial, folder)
  }
  return folder
}

/** @param {'cpu' | 'cuda'} variant */
const variantName = (variant) => `libtorch-${libtorchVersion}${variant === 'cuda' ? '-cuda' : ''}`

/**
 * The folder in the cache, filled first when it is not there: wheels fetched, verified, unpacked beside, renamed.
 *
 * @param {'cpu' | 'cuda'} variant
 */
async function obtain(variant) {
  const cache = cacheFolder()
  const folder = join(cache, variantName(variant))
  if (existsSync(folder)) return folder
  const onWait = (/** @type {{ pid: number }} */ { pid }) => say(`  libtorch: waiting for another set-up (process ${pid})`)
  return withLock(join(cache, 'libtorch.lock'), onWait, async () => {
    if (!existsSync(folder)) await fill(folder, variant)
    return folder
  })
}

/**
 * @param {string} folder
 * @param {'cpu' | 'cuda'} variant
 */
async function fill(folder, variant) {
  const cache = dirname(folder)
  for (const name of readdirSync(cache)) if (name.endsWith('.partial')) rmSync(join(cache, name), { recursive: true, force: true })
  const wheels = variant === 'cuda' ? [...cpuWheels, ...cudaWheels] : cpuWheels
  const paths = await gather(join(cache, 'wheels'), wheels, variant)
  const partial = `${folder}.${process.pid}.partial`
  await unpackWheels(pythonCommand(), join(partial, 'run'), paths, variant)
  layOut(partial)
  renameSync(partial, folder)
}

/**
 * @param {string} folder
 * @param {typeof cpuWheels} wheels
 * @param {'cpu' | 'cuda'} variant
 */
async function gather(folder, wheels, variant) {
  mkdirSync(folder, { recursive: true })
  const cached = await Promise.all(wheels.map((wheel) => cachedWheel(folder, wheel)))
  const missing = wheels.filter((_, index) => cached[index] === undefined)
  requireSpace(folder, totalBytes(missing) + unpackedBytes[variant])
  if (missing.length > 0) {
    const skip = variant === 'cuda' ? '; `npm run setup -- --cpu` leaves out the GPU half' : ''
    say(`  libtorch ${libtorchVersion}: ${formatBytes(totalBytes(missing))} to fetch into ${folder}${skip}`)
  }
  for (const wheel of missing) await fetchWheel(pythonCommand(), folder, wheel)
  return wheels.map((wheel) => join(folder, wheel.file))
}

/**
 * @param {string} folder
 * @param {number} bytes
 */
function requireSpace(folder, bytes) {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= bytes) return
  throw diskFull('libtorch', folder, ` (${formatBytes(bytes)} needed, ${formatBytes(bavail * bsize)} free)`)
}

/** The Python that is asked for pip; prerequisites.mjs has seen that it is there. */
export const pythonCommand = () => 'python3'
