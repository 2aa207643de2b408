import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import test from 'ava'

import { doctorLines } from '#ts/setup/doctor-text.mjs'
import { doctor, type DoctorReport, type Finding } from '#ts/setup/doctor.mjs'

import { Sandbox } from './sandbox.js'

test('on a machine that is set up, all that training needs is found', async (t) => {
  const report = await doctor()
  t.true(report.ok, JSON.stringify(report.findings))
  if (!report.addon.loads) return t.fail(report.addon.problem)
  t.like(report.addon.runtime, { libtorchVersion: '2.13.0', hasOpenmp: true })
  t.true(report.addon.runtime.threads > 0)
  t.true(report.addon.runtime.peakResidentBytes > 50e6)
  t.deepEqual(JSON.parse(JSON.stringify(report)), report, 'the report is plain JSON')
  t.regex(doctorLines(report).join('\n'), /libtorch +2\.13\.0 in .*\n.*addon +loads in [\d.]+ s\n/)
})

test('on a bare machine it says what is missing, before anything is installed or compiled', async (t) => {
  const sandbox = new Sandbox(t)
  for (const tool of ['cargo', 'python3'] as const) sandbox.removeTool(tool)
  const { code, stdout } = await sandbox.run(sandbox.checkout(), ['doctor'])
  t.is(code, 1)
  t.regex(stdout, /^- cargo +missing; only set-up needs it: install Rust/m)
  t.regex(stdout, /^- pip +missing/m)
  t.regex(stdout, /^✗ libtorch +missing: run `npm run setup` \(expected: 2\.13\.0\)$/m)
  t.regex(stdout, /^✗ addon +missing: run `npm run setup`$/m)
  t.deepEqual(sandbox.calls(), [])
})

test('what set-up would refuse is not called good: an old cargo, an old glibc', async (t) => {
  const sandbox = new Sandbox(t)
  const oldLibrary = "data:text/javascript,process.report.getReport=()=>({header:{glibcVersionRuntime:'2.17'}})"
  const { stdout } = await sandbox.run(sandbox.checkout(), ['doctor'], { CARGO_VERSION: '1.80.1', NODE_OPTIONS: `--import=${oldLibrary}` })
  t.regex(stdout, /^- cargo +cargo 1\.80\.1 .*: run `rustup update stable` \(needed: 1\.95\)$/m)
  t.regex(stdout, /^✗ system +linux x64, glibc 2\.17: use a Debian 10/m)
})

test('a copied checkout is judged as it will run: with the link that loading the addon restores', async (t) => {
  const sandbox = new Sandbox(t)
  const root = sandbox.checkout()
  await sandbox.run(root, ['setup'])
  rmSync(join(root, '.libtorch'))
  t.regex((await sandbox.run(root, ['doctor'])).stdout, /^ {2}libtorch +2\.13\.0 in .*\/cache\/sagetrain\/libtorch-2\.13\.0$/m)
  const bare = sandbox.checkout('bare')
  await sandbox.run(bare, ['doctor'])
  t.false(existsSync(join(bare, '.libtorch')), 'before set-up the choice is left to it')
  rmSync(join(root, '.libtorch'))
  t.regex((await sandbox.run(root, ['doctor'], { LIBTORCH: '/nowhere' })).stdout, /^✗ libtorch +missing: LIBTORCH=\/nowhere holds no lib\/libtorch_cpu\.so/m)
})

const machine = { platform: 'linux x64', processor: 'EPYC', cores: 2, memoryBytes: 8e9, cacheFolder: '/home/x/.cache/sagetrain', cacheFreeBytes: 5e8 }

function reportWith(finding: Partial<Finding>): DoctorReport {
  const full = { name: 'libtorch', found: null, ok: false, needed: true, remedy: 'run `npm run setup`', ...finding }
  return { ok: full.ok || !full.needed, machine, findings: [full], addon: { loads: false, problem: 'libc10.so: cannot open' } }
}

test('what is missing is marked, with its remedy', (t) => {
  t.true(doctorLines(reportWith({})).includes('✗ libtorch      missing: run `npm run setup`'))
  t.true(doctorLines(reportWith({ found: '2.5.1 in /x' })).includes('✗ libtorch      2.5.1 in /x: run `npm run setup`'))
  t.is(doctorLines(reportWith({})).at(-1), 'Training cannot run here yet.')
})

test('what only set-up needs does not stand in the way', (t) => {
  const lines = doctorLines(reportWith({ name: 'cargo', needed: false, remedy: 'install Rust' }))
  t.true(lines.includes('- cargo         missing; only set-up needs it: install Rust'))
  t.is(lines.at(-1), 'Training can run here.')
})
