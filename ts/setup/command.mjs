// The commands of package.json: set-up, then what was asked for.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { stopTools } from './child.mjs'
import { doctorLines } from './doctor-text.mjs'
import { doctor } from './doctor.mjs'
import { exitCodes, recogniseFailure, SetupFailure } from './failures.mjs'
import { lint } from './lint.mjs'
import { cacheFolder, root } from './paths.mjs'
import { say } from './progress.mjs'
import { asksForHelp, startOptions, unknownArguments } from './start-arguments.mjs'
import { setUp } from './steps.mjs'
import { test } from './testing.mjs'

const usage = `usage: npm start | npm test | npm run setup | npm run doctor | npm run lint | npm run check

Each does all set-up that is missing first, but for the doctor, who only looks. After \`--\`:
  --cpu    leave out libtorch's GPU half
  --cuda   take it, whether or not a driver is found here
\`npm start\` also takes ${startOptions.map((name) => `--${name}`).join(', ')} and every key of a configuration, such as
--epochs 1 or --compare.adam.optimizer.lr 2e-3: docs/command-line.md.`

const setUpFlags = new Set(['--cpu', '--cuda'])

/** Signal numbers, for exit codes as a shell reports them. */
const signals = /** @type {const} */ ({ SIGINT: 2, SIGTERM: 15 })

/** @param {string[]} argv */
export async function main([command = '', ...args]) {
  if (command === 'start' && asksForHelp(args)) return help(args)
  const forget = passSignalsOn()
  try {
    process.exitCode = await perform(command, args)
  } catch (error) {
    process.exitCode = report(error)
  } finally {
    forget()
  }
  if (command === 'start' && process.exitCode === 0) await quickstart(args)
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit code
 */
async function perform(command, args) {
  if (command === 'doctor') return examine(args)
  const asked = { cpu: args.includes('--cpu'), cuda: args.includes('--cuda') }
  const others = args.filter((arg) => !setUpFlags.has(arg))
  const unknown = command === 'start' ? unknownArguments(others) : []
  if (unknown.length > 0) throw notUnderstood(unknown, 'see `npm start -- --help`')
  if (command !== 'start' && others.length > 0) throw notUnderstood(others, 'only `npm start` takes arguments of its own')
  if (command === 'test') return test(asked)
  if (command === 'lint') return lint(asked)
  if (command === 'check') return (await lint(asked)) || test(asked)
  if (command === 'setup' || command === 'start') return setUp(asked).then(() => 0)
  say(usage)
  return exitCodes.usage
}

/**
 * @param {readonly string[]} args
 * @param {string} remedy
 */
const notUnderstood = (args, remedy) => new SetupFailure('usage', `\`${args.join(' ')}\` was not understood`, remedy)

/** @param {readonly string[]} args */
async function examine(args) {
  const surplus = args.filter((arg) => arg !== '--json')
  if (surplus.length > 0) throw notUnderstood(surplus, 'the doctor takes `--json` and nothing else')
  const found = await doctor()
  process.stdout.write(`${args.length > 0 ? JSON.stringify(found) : doctorLines(found).join('\n')}\n`)
  return found.ok ? 0 : 1
}

/**
 * The quickstart runs in this process, so that there is no second one between it and the terminal: Ctrl-C reaches it
 * once, its exit code is this process's.
 *
 * @param {readonly string[]} args
 */
async function quickstart(args) {
  const cli = join(root, 'dist/cli/main.js')
  process.argv = [process.execPath, cli, 'start', ...args.filter((arg) => !setUpFlags.has(arg))]
  await import(pathToFileURL(cli).href)
}

/**
 * The quickstart's own help where it is compiled; there is no need to set up first.
 *
 * @param {readonly string[]} args
 */
async function help(args) {
  await quickstart(args).catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    process.stdout.write(`${usage}\n`)
  })
}

/** While set-up works, a signal ends the tools it runs and then itself. */
function passSignalsOn() {
  const handlers = Object.entries(signals).map(([name, number]) => {
    const signal = /** @type {keyof typeof signals} */ (name)
    const handler = () => {
      stopTools(signal)
      process.exit(128 + number)
    }
    process.on(signal, handler)
    return () => void process.off(signal, handler)
  })
  return () => handlers.forEach((remove) => remove())
}

/**
 * @param {unknown} error
 * @returns {number} the exit code
 */
function report(error) {
  const errors = error instanceof AggregateError ? error.errors : [error]
  const failures = errors.map(toFailure)
  for (const { message } of failures) say(`sagetrain: ${message}`)
  return failures[0]?.exitCode ?? exitCodes.build
}

/**
 * @param {unknown} error
 * @returns {SetupFailure}
 */
function toFailure(error) {
  if (error instanceof SetupFailure) return error
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return recogniseFailure(text, 'set-up', cacheFolder()) ?? new SetupFailure('build', `set-up failed unexpectedly: ${text}`, 'this is a fault in sagetrain, please report it')
}
