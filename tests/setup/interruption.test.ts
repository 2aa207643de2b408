import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Sandbox, type Running } from './sandbox.js'

const hangAtLast = { FAIL_PIP: 'hang nvidia-cuda-nvrtc==13.0.88' }

async function untilCalled(sandbox: Sandbox, call: string): Promise<void> {
  while (!sandbox.calls().includes(call)) await sleep(20)
}

/** Starts a set-up and waits until it is within the download of the last wheel. */
async function launchIntoDownload(sandbox: Sandbox, root: string): Promise<Running> {
  const running = sandbox.launch(root, ['setup'], hangAtLast)
  await untilCalled(sandbox, 'hanging')
  return running
}

test('after kill -9 the next set-up takes the locks over and fetches no finished wheel again', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  const running = await launchIntoDownload(sandbox, root)
  running.child.kill('SIGKILL')
  await running.ended
  t.true(existsSync(join(sandbox.cache, 'libtorch.lock')))

  const next = await sandbox.run(root, ['setup'])
  t.is(next.code, 0, next.stderr)
  t.is(sandbox.calls().filter((call) => call === 'pip torch==2.13.0').length, 1)
  t.is(sandbox.calls().filter((call) => call === 'pip nvidia-cuda-nvrtc==13.0.88').length, 2)
  t.deepEqual(readdirSync(sandbox.cache).toSorted(), ['libtorch-2.13.0', 'wheels'])
  t.deepEqual(readdirSync(join(sandbox.cache, 'wheels')).filter((name) => !name.endsWith('.whl')), [])
})

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  test(`${signal} ends set-up and its tools at once, with exit code ${code}`, async (t) => {
    const sandbox = new Sandbox(t)
    const running = await launchIntoDownload(sandbox, sandbox.checkout())
    running.child.kill(signal)
    t.is((await running.ended).code, code) // it ends only when pip, which holds its output, has ended too
    t.false(existsSync(join(sandbox.cache, 'libtorch.lock')))
  })
}

test('two checkouts at once fetch every wheel once', async (t) => {
  const sandbox = new Sandbox(t)
  const env = { PIP_SECONDS: '0.3' }
  const outcomes = await Promise.all(['one', 'two'].map((name) => sandbox.run(sandbox.checkout(name), ['setup'], env)))
  t.deepEqual(outcomes.map(({ code }) => code), [0, 0])
  t.is(sandbox.calls().filter((call) => call.startsWith('pip')).length, 4)
  t.is(outcomes.filter(({ stderr }) => /waiting for another set-up \(process \d+\)/.test(stderr)).length, 1)
})

test('two set-ups of one checkout do the work once', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  const env = { PIP_SECONDS: '0.3' }
  const outcomes = await Promise.all([sandbox.run(root, ['setup'], env), sandbox.run(root, ['setup'], env)])
  t.deepEqual(outcomes.map(({ code }) => code), [0, 0])
  t.is(sandbox.calls().length, 6)
})

test('an unfinished libtorch of a killed set-up does not count', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  const unpack = join(root, 'ts/setup/unpack.py')
  writeFileSync(unpack, 'import os, sys\nos.makedirs(sys.argv[1] + "/torch/lib", exist_ok=True)\nos.kill(os.getppid(), 9)\n')
  const killed = await sandbox.run(root, ['setup'])
  t.is(killed.signal, 'SIGKILL')
  t.is((await sandbox.run(sandbox.checkout('other'), ['setup'])).code, 0)
  t.deepEqual(readdirSync(sandbox.cache).toSorted(), ['libtorch-2.13.0', 'wheels'])
})
