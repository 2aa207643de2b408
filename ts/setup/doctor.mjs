// What a machine has and lacks. Plain JavaScript like all of set-up, because it is wanted most when nothing could be compiled.
import { existsSync, realpathSync, statfsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

import { firstLine, run } from './child.mjs'
import { ensureLink, libtorchVersionOf } from './libtorch.mjs'
import { pythonCommand } from './obtain.mjs'
import { addonPath, cacheFolder, libtorchLink, toolEnvironment } from './paths.mjs'
import { compilerCommand, findMissing, glibcVersion, neededRust } from './prerequisites.mjs'
import { probeAddon } from './probe.mjs'
import { libtorchVersion } from './wheels.mjs'

/**
 * One thing that was looked for.
 *
 * @typedef {object} Finding
 * @property {string} name
 * @property {string | null} found its version or place; null when it is not there
 * @property {boolean} ok whether it will do
 * @property {boolean} needed whether training needs it; else only set-up does
 * @property {string} remedy what to do when it will not do
 */

/**
 * The machine that was looked at; not judged.
 *
 * @typedef {object} Machine
 * @property {string} platform
 * @property {string} processor
 * @property {number} cores
 * @property {number} memoryBytes
 * @property {string} cacheFolder
 * @property {number} cacheFreeBytes
 */

/**
 * What `doctor` found.
 *
 * @typedef {object} DoctorReport
 * @property {boolean} ok whether training can run here
 * @property {Machine} machine
 * @property {Finding[]} findings
 * @property {import('./probe.mjs').AddonProbe} addon what became of loading the addon in a child process, and what libtorch then said
 */

/**
 * Looks at the machine, the tools and libtorch, and loads the addon in a child process, so that one that brings its process
 * down is a finding like any other. Never throws for what it finds.
 *
 * @returns {Promise<DoctorReport>}
 */
export async function doctor() {
  const linkFailure = repairLink()
  const [system, tools, addon] = await Promise.all([lookAtSystem(), lookForTools(), probeAddon(addonPath)])
  const findings = [system, lookAtNode(), ...tools, lookAtLibtorch(linkFailure), judgeAddon(addon)]
  return { ok: findings.every(({ ok, needed }) => ok || !needed), machine: lookAtMachine(), findings, addon }
}

/** @returns {Machine} */
function lookAtMachine() {
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

/**
 * Room on the disk that holds a folder, or will when it is made.
 *
 * @param {string} folder
 * @returns {number}
 */
function freeBytes(folder) {
  if (!existsSync(folder)) return freeBytes(dirname(folder))
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** As loading the addon does, so that a copied checkout is judged as it will run. Without an addon the choice is set-up's. */
function repairLink() {
  try {
    return existsSync(addonPath) ? void ensureLink() : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** @returns {Promise<Finding>} */
async function lookAtSystem() {
  const [failure] = await findMissing(['platform'])
  const found = `${process.platform} ${process.arch}, ${glibcVersion() ? `glibc ${glibcVersion()}` : 'no glibc'}`
  return { name: 'system', found, ok: failure === undefined, needed: true, remedy: failure?.remedy ?? '' }
}

/** @returns {Finding} */
function lookAtNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  return { name: 'node', found: process.versions.node, ok, needed: true, remedy: 'install Node 20.19 or newer' }
}

/** @returns {Promise<Finding[]>} */
async function lookForTools() {
  const env = toolEnvironment()
  const python = 'install it (Debian: `sudo apt install python3-pip`) or set LIBTORCH'
  const version = (/** @type {string} */ command) => firstLine(command, ['--version'], env)
  const [rust] = await findMissing(['rust'])
  const pip = await run(pythonCommand, ['-m', 'pip', '--version'])
  return [
    forSetUp('npm', await version('npm'), 'install it with Node'),
    { ...forSetUp('cargo', await version('cargo'), rust ? `${rust.remedy} (needed: ${neededRust()})` : ''), ok: rust === undefined },
    forSetUp('C++ compiler', await version(compilerCommand()), 'install one (Debian: `sudo apt install g++`) or name it in CXX'),
    forSetUp('python', await version(pythonCommand), python),
    forSetUp('pip', pip.code === 0 ? /^pip \S+/.exec(pip.output)?.[0] : undefined, python),
  ]
}

/**
 * @param {string} name
 * @param {string | undefined} found
 * @param {string} remedy
 * @returns {Finding}
 */
const forSetUp = (name, found, remedy) => ({ name, found: found ?? null, ok: found !== undefined, needed: false, remedy })

/**
 * @param {string | undefined} linkFailure why no link could be made
 * @returns {Finding}
 */
function lookAtLibtorch(linkFailure) {
  const link = join(libtorchLink, 'link')
  const version = existsSync(link) ? (libtorchVersionOf(link) ?? 'unknown version') : undefined
  const found = version === undefined ? null : `${version} in ${realpathSync(libtorchLink)}${originOf(libtorchLink)}`
  const ok = version === libtorchVersion && existsSync(join(libtorchLink, 'run/torch/lib/libtorch_cpu.so'))
  return { name: 'libtorch', found, ok, needed: true, remedy: linkFailure ?? `run \`npm run setup\` (expected: ${libtorchVersion})` }
}

/**
 * Where the libraries come from, when it is a folder that LIBTORCH named.
 *
 * @param {string} folder
 */
function originOf(folder) {
  const torch = join(folder, 'run/torch')
  if (!existsSync(torch) || realpathSync(torch) === join(realpathSync(folder), 'run/torch')) return ''
  return ` (LIBTORCH: ${realpathSync(torch)})`
}

/**
 * @param {import('./probe.mjs').AddonProbe} addon
 * @returns {Finding}
 */
function judgeAddon(addon) {
  const problem = addon.loads || !existsSync(addonPath) ? null : addon.problem
  const found = addon.loads ? `loads in ${addon.seconds.toFixed(2)} s` : problem
  return { name: 'addon', found, ok: addon.loads, needed: true, remedy: 'run `npm run setup`' }
}
