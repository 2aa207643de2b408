// What must be on the machine before set-up begins. All that is missing is told at once, a line each.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { firstLine, run } from './child.mjs'
import { SetupFailure } from './failures.mjs'
import { pythonCommand } from './obtain.mjs'
import { root, toolEnvironment } from './paths.mjs'

/** @typedef {'platform' | 'npm' | 'python' | 'rust' | 'compiler'} Prerequisite */

/**
 * The failures that stand in the way of the named prerequisites.
 *
 * @param {Iterable<Prerequisite>} wanted
 * @returns {Promise<SetupFailure[]>}
 */
export async function findMissing(wanted) {
  const found = await Promise.all([...new Set(wanted)].map((name) => checks[name]()))
  return found.filter((failure) => failure !== undefined)
}

/** @type {Record<Prerequisite, () => Promise<SetupFailure | undefined>>} */
const checks = { platform: checkPlatform, npm: checkNpm, python: checkPython, rust: checkRust, compiler: checkCompiler }

async function checkPlatform() {
  return platformFailure(process.platform, process.arch, glibcVersion())
}

/** The C library's version; undefined where it is another one. */
export function glibcVersion() {
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header?.glibcVersionRuntime
}

/**
 * @param {string} platform
 * @param {string} arch
 * @param {string | undefined} glibc
 */
export function platformFailure(platform, arch, glibc) {
  const remedy = 'use a Debian 10, Ubuntu 18.10, Fedora 29 or newer on an x86-64 machine'
  if (platform !== 'linux' || arch !== 'x64') return new SetupFailure('platform', `${platform} on ${arch} is not supported`, remedy)
  if (!glibc) return new SetupFailure('platform', 'this Linux has no glibc, which libtorch needs', remedy)
  return isOlder(glibc, '2.28') ? new SetupFailure('platform', `glibc ${glibc} is too old, libtorch needs 2.28`, remedy) : undefined
}

async function checkNpm() {
  if (await firstLine('npm', ['--version'])) return undefined
  return new SetupFailure('npm', 'npm was not found', 'install it with Node (Debian: `sudo apt install npm`)')
}

async function checkPython() {
  if (!(await firstLine(pythonCommand, ['--version']))) {
    return new SetupFailure('python', `${pythonCommand} was not found, and libtorch is obtained with its pip`, 'install it (Debian: `sudo apt install python3-pip`) or set LIBTORCH to a libtorch 2.13.0')
  }
  const { code } = await run(pythonCommand, ['-m', 'pip', '--version'])
  if (code === 0) return undefined
  return new SetupFailure('pip', `${pythonCommand} has no pip, and libtorch is obtained with it`, 'install it (Debian: `sudo apt install python3-pip`) or set LIBTORCH to a libtorch 2.13.0')
}

async function checkRust() {
  const line = await firstLine('cargo', ['--version'], toolEnvironment())
  if (!line) return new SetupFailure('cargo', 'cargo was not found', 'install Rust from https://rustup.rs')
  const [found = '0', needed] = [/\d+\.\d+(\.\d+)?/.exec(line)?.[0], neededRust()]
  return isOlder(found, needed) ? new SetupFailure('rust', `cargo ${found} is too old, ${needed} is needed`, 'run `rustup update stable`') : undefined
}

/** The crates' `rust-version`; a package without the crates needs none. */
export function neededRust() {
  const manifest = join(root, 'Cargo.toml')
  return (existsSync(manifest) && /^rust-version = "([\d.]+)"/m.exec(readFileSync(manifest, 'utf8'))?.[1]) || '0'
}

async function checkCompiler() {
  const compiler = compilerCommand()
  if (await firstLine(compiler, ['--version'])) return undefined
  return new SetupFailure('compiler', `no C++ compiler: ${compiler} was not found`, 'install one (Debian: `sudo apt install g++`) or name it in CXX')
}

/** The compiler that cargo's build scripts will call. */
export const compilerCommand = () => process.env['CXX'] || 'c++'

/**
 * @param {string} found
 * @param {string} needed
 */
function isOlder(found, needed) {
  const [a, b] = [found, needed].map((version) => version.split('.').map(Number))
  const at = (b ?? []).findIndex((part, index) => part !== (a?.[index] ?? 0))
  return at >= 0 && (a?.[at] ?? 0) < (b?.[at] ?? 0)
}
