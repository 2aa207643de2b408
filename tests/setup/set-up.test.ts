import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import test from 'ava'

import { Sandbox } from './sandbox.js'

const wheelCalls = ['torch==2.13.0', 'nvidia-cuda-runtime==13.0.96', 'nvidia-cuda-cupti==13.0.85', 'nvidia-cuda-nvrtc==13.0.88'].map((name) => `pip ${name}`)
const buildCall = 'cargo build --release --locked -p sagetrain-bindings'

test('the first set-up does everything, the second nothing', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  const first = await sandbox.run(root, ['setup'])
  t.is(first.code, 0, first.stderr)
  t.deepEqual(sandbox.calls().toSorted(), [...wheelCalls, buildCall, 'npm ci'].toSorted())

  const started = performance.now()
  const second = await sandbox.run(root, ['setup'])
  t.like(second, { code: 0, stderr: '', stdout: '' })
  t.is(sandbox.calls().length, 6)
  t.true(performance.now() - started < 2000, 'an up-to-date checkout is recognised in no time')
})

test('libtorch has its two folders, without what stays packed', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  t.is((await sandbox.run(root, ['setup'])).code, 0)
  t.true(lstatSync(join(root, '.libtorch')).isSymbolicLink())
  t.is(realpathSync(join(root, '.libtorch')), realpathSync(join(sandbox.cache, 'libtorch-2.13.0')))
  const list = (path: string): string[] => readdirSync(join(root, '.libtorch', path)).toSorted()
  t.deepEqual(list('run/torch/lib'), ['libc10.so', 'libgomp.so.1', 'libtorch.so', 'libtorch_cpu.so'])
  t.deepEqual(list('link/lib'), ['libc10.so', 'libgomp.so', 'libgomp.so.1', 'libtorch.so', 'libtorch_cpu.so'])
  t.is(readFileSync(join(root, '.libtorch/link/include/ATen/ATen.h'), 'utf8'), 'torch/include/ATen/ATen.h')
  t.is(readFileSync(join(root, '.libtorch/link/build-version'), 'utf8'), '2.13.0\n')
  t.false(existsSync(join(root, '.libtorch/run/torchgen')))
  t.deepEqual(readdirSync(sandbox.cache).toSorted(), ['libtorch-2.13.0', 'wheels'], 'nothing unfinished is left')
})

test('the addon and its declarations stand where the loader looks', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  t.is((await sandbox.run(root, ['setup'])).code, 0)
  t.is(readFileSync(join(root, 'bindings/binding.linux-x64-gnu.node'), 'utf8'), 'addon\n')
  const declarations = readFileSync(join(root, 'bindings/binding.d.cts'), 'utf8')
  t.regex(declarations, /export declare function add\(a: number\): number/)
  t.regex(declarations, /export declare function runtime\(\): object/)
})

test('a changed source makes its own step anew and no other', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  await sandbox.run(root, ['setup'])
  writeFileSync(join(root, 'crates/kernels/src/lib.rs'), '// changed')
  await sandbox.run(root, ['setup'])
  t.deepEqual(sandbox.calls().slice(6), [buildCall])
  writeFileSync(join(root, 'package-lock.json'), '{ "changed": 1 }')
  await sandbox.run(root, ['setup'])
  t.is(sandbox.calls()[7], 'npm ci')
})

test('a second checkout takes libtorch from the cache', async (t) => {
  const sandbox = new Sandbox(t)
  await sandbox.run(sandbox.checkout('one'), ['setup'])
  const calls = sandbox.calls().length
  sandbox.removeTool('python3')
  t.is((await sandbox.run(sandbox.checkout('two'), ['setup'])).code, 0)
  t.deepEqual(sandbox.calls().slice(calls).toSorted(), [buildCall, 'npm ci'].toSorted())
})

test('a harmed wheel in the cache is fetched again', async (t) => {
  const sandbox = new Sandbox(t)
  const wheel = sandbox.wheels[0]
  if (!wheel) return t.fail()
  const root = sandbox.checkout()
  await sandbox.run(root, ['setup'], { FAIL_PIP: 'absent nvidia-cuda-nvrtc==13.0.88' })
  writeFileSync(join(sandbox.cache, 'wheels', wheel.file), 'harmed')
  const outcome = await sandbox.run(root, ['setup'])
  t.is(outcome.code, 0, outcome.stderr)
  t.is(sandbox.calls().filter((call) => call === 'pip torch==2.13.0').length, 2)
})
