// Brings wheels into the cache, with pip: it knows the user's index, proxy and certificates.
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { run } from './child.mjs'
import { recogniseFailure, SetupFailure } from './failures.mjs'
import { Meter } from './progress.mjs'
import { listFiles } from './stamps.mjs'

/** @typedef {import('./wheels.mjs').Wheel} Wheel */

/**
 * The wheel's path in the cache, when a whole and unharmed one lies there. A harmed one is removed.
 *
 * @param {string} folder
 * @param {Wheel} wheel
 */
export async function cachedWheel(folder, wheel) {
  const path = join(folder, wheel.file)
  if (!statSync(path, { throwIfNoEntry: false })) return undefined
  if ((await sha256(path)) === wheel.sha256) return path
  rmSync(path)
  return undefined
}

/**
 * Fetches one wheel into the cache folder. Only a whole file whose SHA-256 is the published one ever gets its final name.
 *
 * @param {string} python the interpreter whose pip is asked
 * @param {string} folder the cache's folder for wheels
 * @param {Wheel} wheel
 */
export async function fetchWheel(python, folder, wheel) {
  const partial = join(folder, `${wheel.file}.partial`)
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const meter = new Meter(`  ${wheel.requirement.replace('==', ' ')}`, wheel.bytes)
  const poll = setInterval(() => meter.update(bytesSoFar(partial)), 100)
  try {
    const { code, output } = await askPip(python, partial, wheel)
    if (code !== 0) throw pipFailure(output, wheel, folder)
    await keepVerified(partial, folder, wheel)
    meter.done()
  } catch (error) {
    meter.clear()
    throw error
  } finally {
    clearInterval(poll)
    rmSync(partial, { recursive: true, force: true })
  }
}

/**
 * @param {string} python
 * @param {string} partial
 * @param {Wheel} wheel
 */
function askPip(python, partial, wheel) {
  const requirements = join(partial, 'requirements.txt')
  writeFileSync(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`)
  const quiet = '-m pip download --quiet --disable-pip-version-check --no-cache-dir --retries 3'
  const which = '--no-deps --only-binary :all: --python-version 3.11 --require-hashes --platform'
  const args = [...`${quiet} ${which}`.split(' '), wheel.platform, '--dest', partial, '--requirement', requirements]
  // pip works in TMPDIR, so what it has got so far can be seen there; a /tmp in memory is often too small besides.
  return run(python, args, { env: { ...process.env, TMPDIR: partial, PIP_REQUIRE_VIRTUALENV: '0' } })
}

/**
 * @param {string} partial
 * @param {string} folder
 * @param {Wheel} wheel
 */
async function keepVerified(partial, folder, wheel) {
  const name = readdirSync(partial).find((entry) => entry.endsWith('.whl'))
  const found = name ? await sha256(join(partial, name)) : 'no file'
  if (!name || found !== wheel.sha256) throw wrongContent(wheel, `has SHA-256 ${found}, expected ${wheel.sha256}`)
  renameSync(join(partial, name), join(folder, wheel.file))
}

/**
 * @param {string} output
 * @param {Wheel} wheel
 * @param {string} folder
 */
function pipFailure(output, wheel, folder) {
  if (/DO NOT MATCH THE HASHES/i.test(output)) return wrongContent(wheel, 'does not match its SHA-256')
  const recognised = recogniseFailure(output, `downloading ${wheel.requirement}`, folder)
  if (recognised) return recognised
  const last = output.trim().split('\n').findLast((line) => line.startsWith('ERROR')) ?? output.trim().split('\n').at(-1)
  return new SetupFailure('network', `pip could not download ${wheel.requirement} (${last})`, 'check the package index that `python3 -m pip config list` names, or set LIBTORCH to a libtorch')
}

/**
 * @param {Wheel} wheel
 * @param {string} problem
 */
function wrongContent(wheel, problem) {
  return new SetupFailure('checksum', `${wheel.file} as downloaded ${problem}`, 'try again, and check the package index that `python3 -m pip config list` names')
}

/** @param {string} path */
async function sha256(path) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

/**
 * Size of the largest file: pip first writes the wheel to its own folder, then copies it.
 *
 * @param {string} folder
 */
function bytesSoFar(folder) {
  try {
    return Math.max(0, ...listFiles(folder, () => true).map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0))
  } catch {
    return 0 // pip moved something between the listing and the look
  }
}
