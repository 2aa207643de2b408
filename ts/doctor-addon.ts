import { spawn } from 'node:child_process'

import type { Runtime } from '../bindings/binding.cjs'

/** What became of loading the addon in a process of its own. */
export type AddonProbe =
  | { readonly loads: true; readonly seconds: number; readonly runtime: Runtime }
  | { readonly loads: false; readonly problem: string }

/** Longer than any disk needs to hand over libtorch's 430 MB. */
const limitMs = 120_000

const script = `
  const addon = require(process.argv[1])
  process.stdout.write(JSON.stringify(addon.runtime()))`

/**
 * Loads the addon in a child process and asks it about libtorch. An incompatible library may end its process by any
 * signal; here that is a sentence.
 *
 * @param path the `.node` file
 */
export function probeAddon(path: string): Promise<AddonProbe> {
  const started = performance.now()
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
  let answer = ''
  let complaint = ''
  child.stdout.on('data', (data: Buffer) => (answer += data.toString()))
  child.stderr.on('data', (data: Buffer) => (complaint += data.toString()))
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ loads: false, problem: error.message }))
    child.on('close', (code, signal) => {
      const seconds = (performance.now() - started) / 1000
      if (code === 0) resolve({ loads: true, seconds, runtime: JSON.parse(answer) as Runtime })
      else resolve({ loads: false, problem: describe(code, signal, complaint) })
    })
  })
}

function describe(code: number | null, signal: NodeJS.Signals | null, complaint: string): string {
  const line = complaint.split('\n').find((text) => /^\w*Error: /.test(text))
  if (line !== undefined) return line.replace(/^\w*Error: /, '')
  const last = complaint.trim().split('\n').at(-1)
  const reason = last ? ` (${last})` : ''
  return signal ? `ends its process with ${signal}${reason}` : `ends its process with exit code ${code}${reason}`
}
