// Whether this machine has an NVIDIA driver, and with it a use for the CUDA half of libtorch.
import { firstLine } from './child.mjs'

// dlopen says "did not self-register" of any library that loads and is no addon. In a child: a driver's initialiser runs.
const probe = `
  try { process.dlopen({ exports: {} }, 'libcuda.so.1') } catch (error) {
    console.log(/self-register/.test(error.message) ? 'loads' : error.message)
  }`

/** @param {NodeJS.ProcessEnv} [env] */
export async function cudaDriverLoads(env = process.env) {
  return (await firstLine(process.execPath, ['-e', probe], env)) === 'loads'
}

/**
 * Which libtorch a machine gets: what was asked for, else what its driver can use.
 *
 * @param {{ cpu?: boolean, cuda?: boolean }} asked
 * @param {() => Promise<boolean>} driverLoads
 * @returns {Promise<'cpu' | 'cuda'>}
 */
export async function chooseVariant({ cpu = false, cuda = false }, driverLoads) {
  if (cpu) return 'cpu'
  return cuda || (await driverLoads()) ? 'cuda' : 'cpu'
}
