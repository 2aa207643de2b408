import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import test from 'ava'

import { chooseVariant } from '#ts/setup/cuda.mjs'

import { Sandbox } from './sandbox.js'

/** A folder as PyTorch installs it, or as the libtorch archive holds it. */
function makeLibtorch(sandbox: Sandbox, versionFile: 'version.py' | 'build-version'): string {
  const folder = join(sandbox.folder, `theirs-${versionFile}`, 'torch')
  for (const name of ['lib', 'include']) mkdirSync(join(folder, name), { recursive: true })
  for (const name of ['libtorch_cpu.so', 'libc10.so', 'libtorch.so', 'libgomp-98b21ff3.so.1']) writeFileSync(join(folder, 'lib', name), name)
  writeFileSync(join(folder, versionFile), versionFile === 'version.py' ? "__version__ = '2.13.0+cpu'\n" : '2.13.0+cpu\n')
  return folder
}

for (const versionFile of ['version.py', 'build-version'] as const) {
  test(`LIBTORCH with a ${versionFile} is linked in; no Python is needed`, async (t) => {
    const sandbox = new Sandbox(t)
    sandbox.removeTool('python3')
    const theirs = makeLibtorch(sandbox, versionFile)
    const root = sandbox.checkout()
    const outcome = await sandbox.run(root, ['setup'], { LIBTORCH: theirs })
    t.is(outcome.code, 0, outcome.stderr)
    t.is(realpathSync(join(root, '.libtorch/run/torch')), realpathSync(theirs))
    t.is(readFileSync(join(root, '.libtorch/link/lib/libgomp.so'), 'utf8'), 'libgomp-98b21ff3.so.1')
    t.is(readFileSync(join(root, '.libtorch/link/build-version'), 'utf8'), '2.13.0\n')
  })
}

test('a libtorch once chosen by LIBTORCH stays until it goes', async (t) => {
  const sandbox = new Sandbox(t)
  const theirs = makeLibtorch(sandbox, 'version.py')
  const root = sandbox.checkout()
  await sandbox.run(root, ['setup'], { LIBTORCH: theirs })
  const calls = sandbox.calls().length
  t.is((await sandbox.run(root, ['setup'])).code, 0)
  t.is(sandbox.calls().length, calls)
  rmSync(theirs, { recursive: true })
  t.is((await sandbox.run(root, ['setup'])).code, 0)
  t.is(realpathSync(join(root, '.libtorch')), realpathSync(join(sandbox.cache, 'libtorch-2.13.0')))
})

test('LIBTORCH that leads to our own link folder changes nothing', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  await sandbox.run(root, ['setup'])
  const outcome = await sandbox.run(root, ['setup'], { LIBTORCH: join(root, '.libtorch/link') })
  t.like(outcome, { code: 0, stderr: '' })
})

/** A machine with a driver: any library of that name loads. */
function installDriver(sandbox: Sandbox): Record<string, string> {
  const folder = join(sandbox.folder, 'driver')
  mkdirSync(folder)
  writeFileSync(join(folder, 'driver.c'), 'int cuInit(unsigned flags) { return (int)flags; }\n')
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(folder, 'libcuda.so.1'), join(folder, 'driver.c')])
  return { LD_LIBRARY_PATH: folder }
}

test('where a driver loads, the CUDA half comes along, and its size is said', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  const outcome = await sandbox.run(root, ['setup'], installDriver(sandbox))
  t.is(outcome.code, 0, outcome.stderr)
  t.is(sandbox.calls().filter((call) => call.startsWith('pip')).length, 15)
  t.regex(outcome.stderr, /libtorch 2\.13\.0: [\d.]+ MB to fetch into .*`npm run setup -- --cpu` leaves out the GPU half/)
  const list = (path: string): string[] => readdirSync(join(root, '.libtorch', path))
  t.true(list('run/torch/lib').includes('libtorch_cuda.so'))
  t.true(list('run/nvidia/cu13/lib').includes('nvidia_cublas.so'))
  t.false(list('link/lib').includes('libtorch_cuda.so'), 'the addon links the CPU half only')
})

test('--cpu leaves the CUDA half out, --cuda takes it without a driver, and either choice stays', async (t) => {
  const sandbox = new Sandbox(t)
  const env = installDriver(sandbox)
  const root = sandbox.checkout()
  const usesCuda = (): boolean => existsSync(join(root, '.libtorch/run/torch/lib/libtorch_cuda.so'))
  t.is((await sandbox.run(root, ['setup', '--cpu'], env)).code, 0)
  t.false(usesCuda())
  await sandbox.run(root, ['setup'], env)
  t.false(usesCuda())
  t.is((await sandbox.run(root, ['setup', '--cuda'])).code, 0)
  t.true(usesCuda())
  await sandbox.run(root, ['setup'])
  t.true(usesCuda())
})

test('what was asked for decides, else the driver', async (t) => {
  const yes = (): Promise<boolean> => Promise.resolve(true)
  const no = (): Promise<boolean> => Promise.resolve(false)
  t.is(await chooseVariant({}, yes), 'cuda')
  t.is(await chooseVariant({}, no), 'cpu')
  t.is(await chooseVariant({ cpu: true }, yes), 'cpu')
  t.is(await chooseVariant({ cuda: true }, no), 'cuda')
})
