// Loads the addon in a process of its own first: an incompatible library may end that process by any signal.
import { run } from './child.mjs'

/**
 * What became of it.
 *
 * @typedef {{ loads: true, seconds: number, runtime: import('../../bindings/binding.cjs').Runtime }
 *   | { loads: false, problem: string }} AddonProbe
 */

const marker = 'runtime:'
const script = `
  const addon = require(process.argv[1])
  console.log('${marker}' + JSON.stringify(addon.runtime()))`

/**
 * Loads the addon in a child process and asks it about libtorch.
 *
 * @param {string} path the `.node` file
 * @returns {Promise<AddonProbe>}
 */
export async function probeAddon(path) {
  const started = performance.now()
  const { code, output } = await run(process.execPath, ['-e', script, path])
  const answer = output.split('\n').find((line) => line.startsWith(marker))
  if (code !== 0 || answer === undefined) return { loads: false, problem: describe(code, output) }
  return { loads: true, seconds: (performance.now() - started) / 1000, runtime: JSON.parse(answer.slice(marker.length)) }
}

/**
 * @param {number} code
 * @param {string} output
 */
function describe(code, output) {
  const line = output.split('\n').find((text) => /^\w*Error: /.test(text))
  if (line !== undefined) return line.replace(/^\w*Error: /, '')
  const last = output.trim().split('\n').at(-1)
  return `ends its process with ${code > 128 ? `signal ${code - 128}` : `exit code ${code}`}${last ? ` (${last})` : ''}`
}
