// Runs the tools that set-up stands on, keeping what they say.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** Enough of a tool's last words to recognise why it failed. */
const keptCharacters = 200_000

/**
 * @typedef {object} Outcome
 * @property {number} code exit code; 127 when the command does not exist, 128 + n when signal n ended it
 * @property {string} output the end of stdout and stderr together
 */

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [show] whether the tool's output also goes to the terminal
 * @property {(text: string) => void} [onText] hears the output as it comes
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
let stopped = false

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Outcome>}
 */
export function run(command, args, { cwd, env, show = false, onText } = {}) {
  if (stopped) return Promise.resolve({ code: 143, output: '' })
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    let output = ''
    const finish = (/** @type {number} */ code) => {
      running.delete(child)
      resolve({ code, output })
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output = (output + text).slice(-keptCharacters)
        if (show) process.stderr.write(text)
        onText?.(text)
      })
    }
    child.on('error', (error) => {
      output += error.message
      finish(127)
    })
    child.on('close', (code, signal) => finish(code ?? 128 + signalNumber(signal)))
  })
}

/** @param {NodeJS.Signals | null} signal */
const signalNumber = (signal) => (signal ? constants.signals[signal] : 1)

/** Ends every tool that is running, and lets none begin any more. @param {NodeJS.Signals} signal */
export function stopTools(signal) {
  stopped = true
  for (const child of running) child.kill(signal)
}

/**
 * The first line a command prints, or undefined when it cannot be run.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function firstLine(command, args, env) {
  const { code, output } = await run(command, args, env ? { env } : {})
  return code === 0 ? (output.split('\n', 1)[0] ?? '').trim() : undefined
}
