// Obtains libtorch: wheels fetched, verified, unpacked beside, and moved into place by one rename.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { cachedWheel, fetchWheel } from './download.mjs'
import { diskFull } from './failures.mjs'
import { layOut } from './libtorch-layout.mjs'
import { withLock } from './lock.mjs'
import { cacheFolder } from './paths.mjs'
import { formatBytes, say } from './progress.mjs'
import { unpackedBytes, unpackWheels } from './unpack.mjs'
import { cpuWheels, cudaWheels, libtorchVersion, totalBytes } from './wheels.mjs'

/** The Python that is asked for pip; prerequisites.mjs has seen that it is there. */
export const pythonCommand = 'python3'

/** Where a variant's unpacked wheels lie, once they do. @param {string} variant `cpu` or `cuda` */
export const variantFolder = (variant) => join(cacheFolder(), `libtorch-${libtorchVersion}${variant === 'cuda' ? '-cuda' : ''}`)

/**
 * The folder in the cache, filled first when it is not there: wheels fetched, verified, unpacked beside, renamed.
 *
 * @param {'cpu' | 'cuda'} variant
 */
export async function obtain(variant) {
  const folder = variantFolder(variant)
  if (existsSync(folder)) return folder
  const onWait = (/** @type {{ pid: number }} */ { pid }) => say(`  libtorch: waiting for another set-up (process ${pid})`)
  return withLock(join(dirname(folder), 'libtorch.lock'), onWait, async () => {
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
  await unpackWheels(pythonCommand, join(partial, 'run'), paths, variant)
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
  for (const wheel of missing) await fetchWheel(pythonCommand, folder, wheel)
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
