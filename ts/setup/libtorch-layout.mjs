// The two halves of a libtorch folder: `run/` holds the unpacked wheels, `link/` is what compilers and linkers are shown.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { libtorchVersion } from './wheels.mjs'

/**
 * Makes `link/` beside a filled `run/`. Its lib holds no libtorch_cuda, so that torch-sys links torch_cpu and c10 only
 * and one addon serves machines with and without a GPU.
 *
 * @param {string} folder
 */
export function layOut(folder) {
  const lib = join(folder, 'link/lib')
  mkdirSync(lib, { recursive: true })
  const shown = readdirSync(join(folder, 'run/torch/lib')).filter((name) => /^(libtorch_cpu|libtorch|libc10|libgomp.*)\.so/.test(name))
  for (const name of shown) symlinkSync(`../../run/torch/lib/${name}`, join(lib, name))
  const gomp = shown.find((name) => name.startsWith('libgomp') && name !== 'libgomp.so')
  if (gomp && !shown.includes('libgomp.so')) symlinkSync(`../../run/torch/lib/${gomp}`, join(lib, 'libgomp.so'))
  symlinkSync('../run/torch/include', join(folder, 'link/include'))
  writeFileSync(join(folder, 'link/build-version'), `${libtorchVersion}\n`)
}
