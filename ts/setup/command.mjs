// The commands of package.json: set-up, then what was asked for.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { signalRunning } from './child.mjs'
import { exitCodes, recogniseFailure, SetupFailure } from './failures.mjs'
import { lint } from './lint.mjs'
import { cacheFolder, root } from './paths.mjs'
import { say } from './progress.mjs'
import { setUp } from './steps.mjs'
import { test } from './testing.mjs'

const usage = `usage: npm start | npm test | npm run setup | npm run lint | npm run check

Each does all set-up that is missing first. After \`--\`:
  --cpu    leave out libtorch's GPU half
  --cuda   take it, whether or not a driver is found here
  anything else goes to the quickstart (\`npm start -- --help\`)`

/** Signal numbers, for exit codes as a shell reports them. */
const signals = /** @type {const} */ ({ SIGINT: 2, SIGTERM: 15 })

/** @param {string[]} argv */
export async function main([command = '', ...args]) {
  const forget = passSignalsOn()
  const asked = { cpu: args.includes('--cpu'), cuda: args.includes('--cuda') }
  const rest = args.filter((arg) => arg !== '--cpu' && arg !== '--cuda')
  try {
    if (command !== 'start' && rest.length > 0) throw new SetupFailure('usage', `\`${rest.join(' ')}\` was not understood`, 'only `npm start` takes more arguments')
    if (command === 'setup') await setUp(asked)
    else if (command === 'start') await start(asked, rest, forget)
    else if (command === 'test') process.exitCode = await test(asked)
    else if (command === 'lint') process.exitCode = await lint(asked)
    else if (command === 'check') process.exitCode = (await lint(asked)) || (await test(asked))
    else {
      say(usage)
      process.exitCode = exitCodes.usage
    }
  } catch (error) {
    process.exitCode = report(error)
  } finally {
    forget()
  }
}

/**
 * The quickstart runs in this process, so that there is no second one between it and the terminal: Ctrl-C reaches it
 * once, its exit code is this process's.
 *
 * @param {import('./libtorch.mjs').Asked} asked
 * @param {readonly string[]} args
 * @param {() => void} forget
 */
async function start(asked, args, forget) {
  await setUp(asked)
  forget()
  const cli = join(root, 'dist/cli/main.js')
  process.argv = [process.execPath, cli, 'start', ...args]
  await import(pathToFileURL(cli).href)
}

/** While set-up works, a signal ends the tools it runs and then itself. */
function passSignalsOn() {
  const handlers = Object.entries(signals).map(([name, number]) => {
    const signal = /** @type {keyof typeof signals} */ (name)
    const handler = () => {
      signalRunning(signal)
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
