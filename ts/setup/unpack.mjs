// Unpacks wheels, with the zipfile of the Python that fetched them.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from './child.mjs'
import { recogniseFailure, SetupFailure } from './failures.mjs'
import { Meter } from './progress.mjs'

/** What stays packed: Python's half, and without a GPU the CUDA half, which stays in the cached wheel for a later set-up. */
const left = {
  cpu: String.raw`torch/lib/(libtorch_python|libshm|libtorch_cuda|libtorch_nvshmem|libc10_cuda|libcaffe2_nvrtc)`,
  cuda: String.raw`torch/lib/(libtorch_python|libshm)`,
}

/** Room on the disk that the unpacked wheels take. */
export const unpackedBytes = { cpu: 0.85e9, cuda: 4.2e9 }

/**
 * @param {string} python
 * @param {string} folder where to, made when missing
 * @param {readonly string[]} wheels paths
 * @param {'cpu' | 'cuda'} variant
 */
export async function unpackWheels(python, folder, wheels, variant) {
  mkdirSync(folder, { recursive: true })
  const script = join(dirname(fileURLToPath(import.meta.url)), 'unpack.py')
  /** @type {Meter | undefined} */
  let meter
  const onText = (/** @type {string} */ text) => {
    const total = /^total (\d+)$/m.exec(text)?.[1]
    if (total) meter = new Meter('  unpacking libtorch', Number(total))
    const done = [...text.matchAll(/^done (\d+)$/gm)].at(-1)?.[1]
    if (done) meter?.update(Number(done))
  }
  const { code, output } = await run(python, [script, folder, left[variant], ...wheels], { onText })
  if (code === 0) return meter?.done()
  meter?.clear()
  throw recogniseFailure(output, 'unpacking libtorch', folder) ?? new SetupFailure('build', `unpacking libtorch failed (${output.trim().split('\n').at(-1)})`, 'run the command again; if it stays, remove the cache folder')
}
