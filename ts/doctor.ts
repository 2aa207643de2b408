import { existsSync, realpathSync, statfsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

import { probeAddon, type AddonProbe } from './doctor-addon.js'
import { firstLine, run } from './setup/child.mjs'
import { libtorchVersionOf } from './setup/libtorch.mjs'
import { pythonCommand } from './setup/obtain.mjs'
import { addonPath, cacheFolder, libtorchLink, toolEnvironment } from './setup/paths.mjs'
import { compilerCommand } from './setup/prerequisites.mjs'
import { libtorchVersion } from './setup/wheels.mjs'

/** One thing that was looked for. */
export interface Finding {
  readonly name: string
  /** Its version or place; `undefined` when it is not there. */
  readonly found: string | undefined
  /** Whether it will do. */
  readonly ok: boolean
  /** Whether training needs it; else only set-up does. */
  readonly needed: boolean
  /** What to do when it will not do. */
  readonly remedy: string
}

/** What `sagetrain doctor` found. */
export interface DoctorReport {
  /** Whether training can run here. */
  readonly ok: boolean
  /** The machine: not judged. */
  readonly machine: Machine
  readonly findings: readonly Finding[]
  /** What became of loading the addon in a child process, and what libtorch then said. */
  readonly addon: AddonProbe
}

/** The machine that was looked at. */
export interface Machine {
  readonly platform: string
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly cacheFolder: string
  readonly cacheFreeBytes: number
}

/**
 * Looks at the machine, the tools and libtorch, and loads the addon in a child process, so that one that brings its process
 * down is a finding like any other. Never throws for what it finds.
 *
 * @example
 * const report = await doctor()
 * if (!report.ok) console.error(doctorLines(report).join('\n'))
 */
export async function doctor(): Promise<DoctorReport> {
  const [tools, addon] = await Promise.all([lookForTools(), probeAddon(addonPath)])
  const findings = [lookAtNode(), ...tools, lookAtLibtorch(), judgeAddon(addon)]
  return { ok: findings.every(({ ok, needed }) => ok || !needed), machine: lookAtMachine(), findings, addon }
}

function lookAtMachine(): Machine {
  const folder = cacheFolder()
  const cores = cpus()
  return {
    platform: `${process.platform} ${process.arch}`,
    processor: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryBytes: totalmem(),
    cacheFolder: folder,
    cacheFreeBytes: freeBytes(folder),
  }
}

/** Room on the disk that holds a folder, or will when it is made. */
function freeBytes(folder: string): number {
  if (!existsSync(folder)) return freeBytes(dirname(folder))
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

function lookAtNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  return { name: 'node', found: process.versions.node, ok, needed: true, remedy: 'install Node 20.19 or newer' }
}

async function lookForTools(): Promise<Finding[]> {
  const env = toolEnvironment()
  const look = async (name: string, command: string, args: readonly string[], remedy: string): Promise<Finding> => {
    const found = await firstLine(command, args, env)
    return { name, found, ok: found !== undefined, needed: false, remedy }
  }
  return Promise.all([
    look('npm', 'npm', ['--version'], 'install it with Node'),
    look('cargo', 'cargo', ['--version'], 'install Rust from https://rustup.rs'),
    look('C++ compiler', compilerCommand(), ['--version'], 'install one (Debian: `sudo apt install g++`) or name it in CXX'),
    look('python', pythonCommand, ['--version'], 'install it (Debian: `sudo apt install python3-pip`) or set LIBTORCH'),
    lookForPip(),
  ])
}

async function lookForPip(): Promise<Finding> {
  const { code, output } = await run(pythonCommand, ['-m', 'pip', '--version'])
  const found = code === 0 ? /^pip \S+/.exec(output)?.[0] : undefined
  return { name: 'pip', found, ok: found !== undefined, needed: false, remedy: 'install it (Debian: `sudo apt install python3-pip`) or set LIBTORCH' }
}

function lookAtLibtorch(): Finding {
  const link = join(libtorchLink, 'link')
  const version = existsSync(link) ? (libtorchVersionOf(link) ?? 'unknown version') : undefined
  const found = version === undefined ? undefined : `${version} in ${realpathSync(libtorchLink)}${originOf(libtorchLink)}`
  const ok = version === libtorchVersion && existsSync(join(libtorchLink, 'run/torch/lib/libtorch_cpu.so'))
  return { name: 'libtorch', found, ok, needed: true, remedy: `run \`npm run setup\` (expected: ${libtorchVersion})` }
}

/** Where the libraries come from, when it is a folder that LIBTORCH named. */
function originOf(folder: string): string {
  const torch = join(folder, 'run/torch')
  if (!existsSync(torch) || realpathSync(torch) === join(realpathSync(folder), 'run/torch')) return ''
  return ` (LIBTORCH: ${realpathSync(torch)})`
}

function judgeAddon(addon: AddonProbe): Finding {
  const built = existsSync(addonPath)
  const found = addon.loads ? `loads in ${addon.seconds.toFixed(2)} s` : built ? addon.problem : undefined
  return { name: 'addon', found, ok: addon.loads, needed: true, remedy: 'run `npm run setup`' }
}
