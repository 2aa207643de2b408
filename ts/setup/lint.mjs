// `npm run lint`: every lint, all of them even when one fails.
import { join } from 'node:path'

import { cargoEnvironment } from './addon.mjs'
import { run } from './child.mjs'
import { root } from './paths.mjs'
import { say } from './progress.mjs'
import { setUp } from './steps.mjs'

const clippy = ['clippy', '--release', '--locked', '--workspace', '--all-targets', '--features', 'sagetrain-benches/torch', '--', '--deny', 'warnings']

/** @type {readonly [name: string, command: string, args: readonly string[]][]} */
const lints = [
  ['rustfmt', 'cargo', ['fmt', '--all', '--check']],
  ['oxlint', process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), '--deny-warnings']],
  ['clippy', 'cargo', clippy],
  // Of the crates that stand by themselves; a broken link is an error of theirs.
  ['rustdoc', 'cargo', ['doc', '--locked', '--no-deps', '--package', 'sagetrain-kernels', '--package', 'sagetrain-optim']],
]

/**
 * @param {import('./libtorch.mjs').Asked} asked
 * @returns {Promise<number>} the exit code
 */
export async function lint(asked) {
  await setUp({ ...asked, tests: true }) // tsc is a lint too: strict, and a failure of set-up
  const failed = []
  for (const [name, command, args] of lints) {
    const { code } = await run(command, args, { cwd: root, env: cargoEnvironment(), show: true })
    if (code !== 0) failed.push(name)
  }
  say(failed.length === 0 ? 'lint: clean' : `lint: ${failed.join(', ')} failed`)
  return failed.length === 0 ? 0 : 1
}
