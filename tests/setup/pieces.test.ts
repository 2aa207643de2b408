import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test from 'ava'

import { renderDeclarations } from '#ts/setup/declarations.mjs'
import { recogniseFailure } from '#ts/setup/failures.mjs'
import { toolEnvironment } from '#ts/setup/paths.mjs'
import { Meter } from '#ts/setup/progress.mjs'
import { hashInputs, isCurrent, replaceFile } from '#ts/setup/stamps.mjs'
import { countAva, countCargo } from '#ts/setup/testing.mjs'

test('the results of all test binaries are summed', (t) => {
  const output = `
running 2 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 40 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s
`
  t.deepEqual(countCargo(output), { passed: 42, failed: 3 })
  t.deepEqual(countCargo('error: could not compile'), { passed: 0, failed: 0 })
})

test('ava\'s summary is read, whatever failed', (t) => {
  t.deepEqual(countAva('\n  ─\n\n  12 tests passed\n'), { passed: 12, failed: 0 })
  t.deepEqual(countAva('\u001B[32m\n  1 test passed\u001B[39m\n'), { passed: 1, failed: 0 })
  t.deepEqual(countAva('  2 tests failed\n  1 hook failed\n  7 tests passed\n  1 uncaught exception\n  1 unhandled rejection\n'), { passed: 7, failed: 5 })
})

test('declarations: classes get their methods, enums become unions, the C++ half is appended', (t) => {
  const lines = [
    { kind: 'struct', name: 'Loader', js_doc: '/** Batches. */\n', def: '' },
    { kind: 'impl', name: 'Loader', js_doc: '', def: ' constructor(size: number)\n/**\n * One.\n */\nnext(): number | null' },
    { kind: 'interface', name: 'Options', js_doc: '', def: 'seed?: number' },
    { kind: 'string_enum', name: 'Device', js_doc: '', def: "Cpu = 'cpu',\nCuda = 'cuda'" },
    { kind: 'fn', name: 'open', js_doc: '/** Opens. */\n', def: 'function open(path: string): Loader' },
  ]
  const text = renderDeclarations([...lines, ...lines].map((line) => JSON.stringify(line)).join('\n'), 'export declare function runtime(): object\n')
  t.is(text, `// Made by set-up from the Rust half; do not edit.

/** Batches. */
export declare class Loader {
  constructor(size: number)
  /**
   * One.
   */
  next(): number | null
}

export interface Options {
  seed?: number
}

export type Device = 'cpu' | 'cuda'

/** Opens. */
export declare function open(path: string): Loader

export declare function runtime(): object
`)
})

test('a kind of declaration that is not known is refused by name', (t) => {
  const line = JSON.stringify({ kind: 'mod', name: 'inner', def: '' })
  t.throws(() => renderDeclarations(line, ''), { message: /exports inner as mod/ })
})

test('hashes follow names and contents, not the place or the time', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sagetrain-stamps-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const fill = (name: string, files: Record<string, string>): string => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, path, '..'), { recursive: true })
      writeFileSync(join(folder, name, path), text)
    }
    return hashInputs(join(folder, name), ['src', 'absent'])
  }
  const hash = fill('a', { 'src/x': '1', 'src/y/z': '2' })
  t.is(fill('b', { 'src/y/z': '2', 'src/x': '1', 'other': '3', 'src/target/made': '4' }), hash)
  t.not(fill('c', { 'src/x': '12', 'src/y/z': '' }), hash)
  t.not(fill('d', { 'src/x': '1', 'src/y/w': '2' }), hash)

  const stamp = join(folder, 'stamp')
  t.false(isCurrent(stamp, hash, []))
  replaceFile(stamp, hash)
  t.true(isCurrent(stamp, hash, [folder]))
  t.false(isCurrent(stamp, hash, [join(folder, 'absent')]))
})

test('the meter repaints one line on a terminal and writes few lines elsewhere', async (t) => {
  const paint = async (isTTY: boolean): Promise<string> => {
    let written = ''
    const meter = new Meter('torch', 2e9, { isTTY, columns: 80, write: (text) => (written += text) })
    for (const bytes of [0, 0.5e9, 1e9]) {
      await new Promise((resolve) => setTimeout(resolve, 120))
      meter.update(bytes)
    }
    meter.done()
    return written
  }
  const living = await paint(true)
  t.regex(living.replaceAll('\r\u001B[K', '|'), /\|torch: 1\.00 GB of 2\.00 GB, [\d.]+ GB\/s, [\d.]+ s left/)
  t.is(living.split('\n').length, 2)
  t.regex(await paint(false), /^torch: 2\.00 GB in [\d.]+ s\n$/)
})

test('system errors with a remedy of their own are recognised', (t) => {
  t.is(recogniseFailure('ENOSPC: no space left on device, write', 'x', '/cache')?.kind, 'disk')
  t.is(recogniseFailure("EACCES: permission denied, mkdir '/cache'", 'x', '/cache')?.kind, 'access')
  t.is(recogniseFailure('npm error code E404', 'x', '/cache'), undefined)
})

test('rustup\'s folder is on the PATH even before the shell knows it', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'sagetrain-home-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  t.is(toolEnvironment({ HOME: home, PATH: '/bin' })['PATH'], '/bin')
  mkdirSync(join(home, '.cargo/bin'), { recursive: true })
  t.is(toolEnvironment({ HOME: home, PATH: '/bin' })['PATH'], `/bin:${home}/.cargo/bin`)
})

test('the lockfile is whole, and names no registry', (t) => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }> }
  const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')))
  for (const [path, { resolved, optionalDependencies = {} }] of Object.entries(packages)) {
    t.is(resolved, undefined, path)
    // `npm ci` refuses a lockfile that lacks a platform's package, and says so only where the registry has it.
    for (const name of Object.keys(optionalDependencies)) t.true(names.has(name), `${path} lacks ${name}`)
  }
})
