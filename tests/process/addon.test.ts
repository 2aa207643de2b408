import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import test, { type ExecutionContext } from 'ava'

import { addonPath, libtorchLink } from '#ts/setup/paths.mjs'
import { probeAddon } from '#ts/setup/probe.mjs'

const require = createRequire(import.meta.url)
const addonName = 'binding.linux-x64-gnu.node'

function temporary(t: ExecutionContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sagetrain-addon-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Copies the addon into a checkout or package elsewhere. */
function copyAddon(root: string): string {
  mkdirSync(join(root, 'bindings'), { recursive: true })
  const copy = join(root, 'bindings', addonName)
  copyFileSync(addonPath, copy)
  return copy
}

test('what is declared is what the addon exports', (t) => {
  const declarations = readFileSync('bindings/binding.d.cts', 'utf8')
  const declared = [...declarations.matchAll(/^export declare (?:function|class|const) (\w+)/gm)].map(([, name]) => name)
  const addon = require(addonPath) as Record<string, unknown>
  const values = Object.keys(addon).filter((name) => typeof addon[name] === 'function')
  t.deepEqual(values.toSorted(), declared.toSorted())
})

test('the run path is an RPATH of two places relative to the addon', (t) => {
  const dynamic = execFileSync('readelf', ['-d', addonPath], { encoding: 'utf8' })
  t.regex(dynamic, /\(RPATH\).*\[\$ORIGIN\/\.\.\/\.libtorch\/run\/torch\/lib:\$ORIGIN\/\.\.\/\.\.\/\.cache\/sagetrain\/libtorch\/run\/torch\/lib\]/)
  t.notRegex(dynamic, /RUNPATH/)
  t.regex(dynamic, /NODELETE/)
  t.notRegex(dynamic, /NEEDED.*libtorch_cuda/)
})

test('it loads wherever the checkout lies', async (t) => {
  const root = join(temporary(t), 'a checkout')
  const copy = copyAddon(root)
  t.like(await probeAddon(copy), { loads: false, problem: 'libtorch_cpu.so: cannot open shared object file: No such file or directory' })
  symlinkSync(realpathSync(libtorchLink), join(root, '.libtorch'))
  t.true((await probeAddon(copy)).loads)
})

test('it loads from a package under node_modules', async (t) => {
  const modules = join(temporary(t), 'node_modules')
  const copy = copyAddon(join(modules, 'sagetrain'))
  mkdirSync(join(modules, '.cache/sagetrain'), { recursive: true })
  symlinkSync(realpathSync(libtorchLink), join(modules, '.cache/sagetrain/libtorch'))
  t.true((await probeAddon(copy)).loads)
})

test('an addon that ends its process is a sentence', async (t) => {
  const folder = temporary(t)
  writeFileSync(join(folder, 'addon.c'), '__attribute__((constructor)) static void die(void) { __builtin_trap(); }\n')
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(folder, 'addon.node'), join(folder, 'addon.c')])
  t.deepEqual(await probeAddon(join(folder, 'addon.node')), { loads: false, problem: 'ends its process with signal 4' })
  writeFileSync(join(folder, 'text.node'), 'not a library')
  t.regex(JSON.stringify(await probeAddon(join(folder, 'text.node'))), /invalid ELF header|file too short/)
})

test('workers load it beside the main thread, and end cleanly', async (t) => {
  const addon = require(addonPath) as { runtime(): { libtorchVersion: string } }
  t.is(addon.runtime().libtorchVersion, '2.13.0')
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage(require(workerData).runtime().libtorchVersion)`
  const answers = Array.from({ length: 4 }, () => {
    const worker = new Worker(source, { eval: true, workerData: addonPath })
    const answer = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    return Promise.all([answer, exit])
  })
  t.deepEqual(await Promise.all(answers), Array.from({ length: 4 }, () => ['2.13.0', 0]))
})

test('a copied checkout finds libtorch in the cache or in LIBTORCH by itself', (t) => {
  const root = join(temporary(t), 'copy')
  copyAddon(root)
  for (const path of ['package.json', 'bindings/binding.cjs', 'dist', 'node_modules']) symlinkOrCopy(path, root)
  const script = "import { native } from './dist/binding.js'; console.log(native().runtime().libtorchVersion)"
  const start = (env: Record<string, string>): string => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } })
    return stdout + stderr
  }
  const empty = { XDG_CACHE_HOME: join(root, 'cache') }
  t.regex(start(empty), /ERR_LIBTORCH|does not find libtorch_cpu\.so.*npm run setup/s)
  t.is(start({ ...empty, LIBTORCH: join(realpathSync(libtorchLink), 'link') }), '2.13.0\n')
})

function symlinkOrCopy(path: string, root: string): void {
  if (path === 'dist') execFileSync('cp', ['-r', 'dist', join(root, 'dist')])
  else if (path === 'node_modules') symlinkSync(realpathSync(path), join(root, path))
  else copyFileSync(path, join(root, path))
}
