import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import test from 'ava'

import { exitCodes } from '#ts/setup/failures.mjs'
import { platformFailure } from '#ts/setup/prerequisites.mjs'

import { Sandbox, type Tool } from './sandbox.js'

/** The lines that speak of failure. */
const complaints = (stderr: string): string[] => stderr.split('\n').filter((line) => line.startsWith('sagetrain: '))

const missingTools: readonly [Tool, number, RegExp][] = [
  ['npm', exitCodes.npm, /npm was not found: install it/],
  ['python3', exitCodes.python, /python3 was not found.*apt install python3-pip.*LIBTORCH/],
  ['cargo', exitCodes.cargo, /cargo was not found: install Rust from https:\/\/rustup\.rs/],
  ['c++', exitCodes.compiler, /no C\+\+ compiler.*apt install g\+\+.*CXX/],
]
for (const [tool, code, line] of missingTools) {
  test(`without ${tool}: one line with the remedy, and nothing is begun`, async (t) => {
    const sandbox = new Sandbox(t)
    sandbox.removeTool(tool)
    const outcome = await sandbox.run(sandbox.checkout(), ['setup'])
    t.is(outcome.code, code)
    const lines = complaints(outcome.stderr)
    t.is(lines.length, 1)
    t.regex(lines[0] ?? '', line)
    t.deepEqual(sandbox.calls(), [])
  })
}

test('all that is missing is told at once', async (t) => {
  const sandbox = new Sandbox(t)
  for (const tool of ['python3', 'cargo', 'c++'] as const) sandbox.removeTool(tool)
  const outcome = await sandbox.run(sandbox.checkout(), ['setup'])
  t.is(complaints(outcome.stderr).length, 3)
})

const failing: readonly [what: string, env: Record<string, string>, code: number, line: RegExp][] = [
  ['no pip', { FAIL_PIP: 'missing' }, exitCodes.pip, /python3 has no pip.*apt install python3-pip/],
  ['an old cargo', { CARGO_VERSION: '1.80.1' }, exitCodes.rust, /cargo 1\.80\.1 is too old, 1\.95 is needed: run `rustup update stable`/],
  ['no network for pip', { FAIL_PIP: 'network' }, exitCodes.network, /downloading torch==2\.13\.0: no network, and not in the cache: connect/],
  ['no network for npm', { FAIL_NPM: 'network' }, exitCodes.network, /npm ci: no network/],
  ['no network for cargo', { FAIL_CARGO: 'network' }, exitCodes.network, /compiling the addon: no network/],
  ['an index without the wheel', { FAIL_PIP: 'absent' }, exitCodes.network, /pip could not download torch==2\.13\.0 \(ERROR: No matching distribution.*pip config list/],
  ['a full disk', { FAIL_PIP: 'disk' }, exitCodes.disk, /the disk that holds .*wheels is full: free some space/],
  ['a wheel that pip refuses', { FAIL_PIP: 'hash' }, exitCodes.checksum, /torch-2\.13\.0.*does not match its SHA-256/],
  ['a wheel that is another', { FAIL_PIP: 'content' }, exitCodes.checksum, /torch-2\.13\.0.* has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/],
  ['a lockfile npm refuses', { FAIL_NPM: 'lockfile' }, exitCodes.build, /npm ci failed: see what npm says above/],
  ['code that does not compile', { FAIL_CARGO: 'code' }, exitCodes.build, /compiling the addon failed: see what cargo says above/],
  ['LIBTORCH that names nothing', { LIBTORCH: '/nowhere' }, exitCodes.libtorch, /LIBTORCH=\/nowhere holds no lib\/libtorch_cpu\.so/],
]
for (const [what, env, code, line] of failing) {
  test(`with ${what}: one line with the remedy, and the next set-up succeeds`, async (t) => {
    const sandbox = new Sandbox(t)
    const root = sandbox.checkout()
    const outcome = await sandbox.run(root, ['setup'], env)
    t.is(outcome.code, code, outcome.stderr)
    const lines = complaints(outcome.stderr)
    t.is(lines.length, 1, outcome.stderr)
    t.regex(lines[0] ?? '', line)
    const kept = existsSync(join(sandbox.cache, 'wheels')) ? readdirSync(join(sandbox.cache, 'wheels')) : []
    t.deepEqual(kept.filter((name) => name.includes('partial')), [])
    const next = await sandbox.run(root, ['setup'])
    t.is(next.code, 0, next.stderr)
  })
}

test('a disk without room is told before anything is fetched', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  writeFileSync(join(root, 'ts/setup/unpack.mjs'), 'export const unpackedBytes = { cpu: 1e18 }\nexport const unpackWheels = () => {}\n')
  const outcome = await sandbox.run(root, ['setup'])
  t.is(outcome.code, exitCodes.disk)
  t.regex(outcome.stderr, /is full \(1000000000\.00 GB needed, [\d.]+ [GM]B free\): free some space/)
  t.false(sandbox.calls().some((call) => call.startsWith('pip')))
})

test('a cache that cannot be written', async (t) => {
  const sandbox = new Sandbox(t)
  writeFileSync(join(sandbox.folder, 'cache'), 'a file where a folder should be')
  const outcome = await sandbox.run(sandbox.checkout(), ['setup'])
  t.is(outcome.code, exitCodes.access, outcome.stderr)
  t.is(complaints(outcome.stderr).length, 1)
})

test('an old Node gets a sentence', async (t) => {
  const sandbox = new Sandbox(t)
  const old = "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.4'}})"
  const outcome = await sandbox.run(sandbox.checkout(), ['setup'], { NODE_OPTIONS: `--import=${old}` })
  t.is(outcome.code, exitCodes.node)
  t.regex(outcome.stderr, /Node 18\.20\.4 is too old, 20\.19 or newer is needed: install/)
})

test('a command that is not understood', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  t.is((await sandbox.run(root, [])).code, exitCodes.usage)
  t.is((await sandbox.run(root, ['setup', '--cpuu'])).code, exitCodes.usage)
  t.deepEqual(sandbox.calls(), [])
})

test('platforms without the libtorch that there is', (t) => {
  t.is(platformFailure('linux', 'x64', '2.28'), undefined)
  t.is(platformFailure('linux', 'x64', '3.0'), undefined)
  t.regex(platformFailure('linux', 'x64', '2.17')?.message ?? '', /glibc 2\.17 is too old, libtorch needs 2\.28/)
  t.regex(platformFailure('linux', 'x64', undefined)?.message ?? '', /no glibc/)
  t.regex(platformFailure('linux', 'arm64', '2.36')?.message ?? '', /linux on arm64 is not supported/)
  t.regex(platformFailure('darwin', 'x64', undefined)?.message ?? '', /darwin on x64 is not supported/)
})

test('every exit code is documented, and no other', (t) => {
  const documented = [...readFileSync('docs/set-up.md', 'utf8').matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code))
  t.deepEqual(documented, [0, ...Object.values(exitCodes)])
})

test('LIBTORCH of another version: found and expected are named', async (t) => {
  const sandbox = new Sandbox(t)
  const other = join(sandbox.folder, 'libtorch')
  for (const folder of ['lib', 'include']) mkdirSync(join(other, folder), { recursive: true })
  writeFileSync(join(other, 'lib/libtorch_cpu.so'), '')
  writeFileSync(join(other, 'build-version'), '2.5.1+cpu\n')
  const outcome = await sandbox.run(sandbox.checkout(), ['setup'], { LIBTORCH: other })
  t.is(outcome.code, exitCodes.libtorch)
  t.regex(outcome.stderr, /is libtorch 2\.5\.1, expected 2\.13\.0: unset LIBTORCH/)
})
