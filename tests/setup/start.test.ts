import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { COMMON_OPTIONS } from '#ts/cli/help.js'
import { start } from '#ts/cli/start.js'
import { startOptions } from '#ts/setup/start-arguments.mjs'

import { Sandbox } from './sandbox.js'

/** A checkout whose command line is the given module. */
function checkoutWith(sandbox: Sandbox, cli: string): string {
  const root = sandbox.checkout()
  writeFileSync(join(root, 'cli.mjs'), cli)
  return root
}

test('start sets up, then runs the command line with its arguments; stdout is its own', async (t) => {
  const sandbox = new Sandbox(t)
  const root = checkoutWith(sandbox, 'console.log(JSON.stringify(process.argv.slice(2)))')
  const outcome = await sandbox.run(root, ['start', '--cpu', '--json', '--seed', '2'])
  t.is(outcome.code, 0, outcome.stderr)
  t.deepEqual(JSON.parse(outcome.stdout), ['start', '--json', '--seed', '2'])
})

test('the exit code is the command line\'s', async (t) => {
  const sandbox = new Sandbox(t)
  t.is((await sandbox.run(checkoutWith(sandbox, 'process.exitCode = 7'), ['start'])).code, 7)
})

test('a signal reaches the command line once, and no handler of set-up', async (t) => {
  const sandbox = new Sandbox(t)
  const cli = `
    let count = 0
    process.on('SIGINT', () => { count += 1; setTimeout(() => { console.log('caught ' + count); process.exit(130) }, 300) })
    console.log('ready')
    setInterval(() => {}, 1000)`
  const running = sandbox.launch(checkoutWith(sandbox, cli), ['start'])
  let output = ''
  running.child.stdout?.on('data', (data: Buffer) => (output += data.toString()))
  while (!output.includes('ready')) await sleep(20)
  running.child.kill('SIGINT')
  const outcome = await running.ended
  t.is(outcome.code, 130)
  t.is(outcome.stdout, 'ready\ncaught 1\n')
})

test('a command line that throws is a failure that names it', async (t) => {
  const sandbox = new Sandbox(t)
  const outcome = await sandbox.run(checkoutWith(sandbox, 'throw new Error("out of order")'), ['start'])
  t.is(outcome.code, 1)
  t.regex(outcome.stderr, /out of order/)
})

test('what the quickstart would refuse is refused before anything is set up', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  for (const args of [['--epohcs', '1'], ['--optimizer.lrr', '1'], ['--compare.adam.optimizer.lrr=1'], ['spiral']]) {
    const { code, stderr } = await sandbox.run(root, ['start', '--cpu', ...args])
    t.is(code, 2, stderr)
    t.true(stderr.includes(`\`${args[0] ?? ''}\` was not understood: see \`npm start -- --help\``), stderr)
  }
  t.deepEqual(sandbox.calls(), [])
  t.is((await sandbox.run(root, ['start', '--epochs=1', '--compare.adam-sage.optimizer.sage.beta0', '0.9', '--optimizer.lr', '-1', '--seeds', '2'])).code, 0)
})

test('help needs no set-up, and is the quickstart\'s own where that is compiled', async (t) => {
  const sandbox = new Sandbox(t)
  const root = checkoutWith(sandbox, 'console.log(process.argv.slice(2).join(" "))')
  const bare = await sandbox.run(root, ['start', '--help'])
  t.is(bare.code, 0)
  t.regex(bare.stdout, /^usage: npm start[^]*--cpu[^]*--seeds[^]*docs\/command-line\.md/)
  t.deepEqual(sandbox.calls(), [])
  await sandbox.run(root, ['setup'])
  t.is((await sandbox.run(root, ['start', '--help'])).stdout, 'start --help\n')
})

test('set-up knows the options of the quickstart', (t) => {
  t.deepEqual([...startOptions, 'help'].toSorted(), Object.keys({ ...start.options, ...COMMON_OPTIONS }).toSorted())
})
