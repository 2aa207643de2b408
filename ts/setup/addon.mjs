// The addon: Rust and C++ compiled in release mode into one file, with the declarations that TypeScript reads.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { run } from './child.mjs'
import { renderDeclarations } from './declarations.mjs'
import { recogniseFailure, SetupFailure } from './failures.mjs'
import { addonPath, root, toolEnvironment } from './paths.mjs'
import { hashInputs, isCurrent, replaceFile } from './stamps.mjs'

const target = join(root, 'target')
const stamp = join(target, 'addon.stamp')
const loader = join(root, 'bindings/binding.cjs')
const declarations = join(root, 'bindings/binding.d.cts')

const loaderText = `// Made by set-up; do not edit.
module.exports = require('./binding.linux-x64-gnu.node')
`

const inputs = ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'package-lock.json', 'crates', 'bindings']

/** What the addon is not made from. @param {string} path */
const isSource = (path) => !/\/(tests|benches)\/|\/bindings\/binding\.|\.md$/.test(path)

const currentHash = () => hashInputs(root, inputs, isSource)

export const isAddonCurrent = () => isCurrent(stamp, currentHash(), [addonPath, loader, declarations])

/** Compiles what is out of date and puts the results where the loader and TypeScript look for them. */
export async function buildAddon() {
  const hash = currentHash()
  rmSync(stamp, { force: true })
  await cargo(['build', '--release', '--locked', '-p', 'sagetrain-bindings'], 'compiling the addon')
  // A new file in the old one's place: a process that has the old one loaded keeps it.
  replaceFile(addonPath, readFileSync(join(target, 'release/libsagetrain_bindings.so')))
  replaceFile(loader, loaderText)
  const exported = join(target, 'napi/sagetrain-bindings')
  const output = existsSync(exported) ? readFileSync(exported, 'utf8') : ''
  replaceFile(declarations, renderDeclarations(output, readFileSync(join(root, 'bindings/cpp/exports.d.ts'), 'utf8')))
  replaceFile(stamp, hash)
}

/**
 * Runs cargo in the checkout with its output on the terminal, and its own progress bar where that is one.
 *
 * @param {readonly string[]} args
 * @param {string} doing what for, as a noun phrase
 */
export async function cargo(args, doing) {
  const { code, output } = await run('cargo', args, { cwd: root, env: cargoEnvironment(), show: true })
  if (code === 0) return output
  throw recogniseFailure(output.slice(-4000), doing, target) ?? new SetupFailure('build', `${doing} failed`, 'see what cargo says above')
}

/** The same for every cargo command, so that none compiles anew what another has. */
export function cargoEnvironment() {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...toolEnvironment(), CARGO_TARGET_DIR: target }
  delete env['LIBTORCH'] // .cargo/config.toml names the link folder
  if (process.stderr.isTTY) {
    env['CARGO_TERM_COLOR'] = 'always'
    env['CARGO_TERM_PROGRESS_WHEN'] = 'always'
    env['CARGO_TERM_PROGRESS_WIDTH'] = String(Math.min(process.stderr.columns ?? 80, 120))
  }
  return env
}
