// `npm test`: the crates' tests, then those of the TypeScript, and one line that counts both.
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

import { cargoEnvironment } from './addon.mjs'
import { run } from './child.mjs'
import { root } from './paths.mjs'
import { say } from './progress.mjs'
import { setUp } from './steps.mjs'

/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * @param {import('./libtorch.mjs').Asked} asked
 * @returns {Promise<number>} the exit code
 */
export async function test(asked) {
  await setUp({ ...asked, tests: true })
  const rust = await run('cargo', ['test', '--release', '--locked', '--workspace', '--no-fail-fast'], { cwd: root, env: cargoEnvironment(), show: true })
  const ava = await run(process.execPath, [join(root, 'node_modules/ava/entrypoints/cli.mjs')], { cwd: root, show: true })
  const counts = [atLeastOne(countCargo(rust.output), rust.code), atLeastOne(countAva(ava.output), ava.code)]
  const [passed, failed] = [add(counts.map((count) => count.passed)), add(counts.map((count) => count.failed))]
  say(`${passed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

/**
 * @param {string} output of `cargo test`: a result line a test binary
 * @returns {Counts}
 */
export function countCargo(output) {
  const lines = [...stripVTControlCharacters(output).matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)]
  return { passed: add(lines.map((line) => line[1])), failed: add(lines.map((line) => line[2])) }
}

/**
 * @param {string} output of ava: its summary's lines
 * @returns {Counts}
 */
export function countAva(output) {
  const text = stripVTControlCharacters(output)
  const passed = [...text.matchAll(/^\s*(\d+) tests? passed/gm)]
  const failed = [...text.matchAll(/^\s*(\d+) (?:tests? failed|hooks? failed|uncaught exceptions?|unhandled rejections?|tests? remained pending|test files? )/gm)]
  return { passed: add(passed.map((line) => line[1])), failed: add(failed.map((line) => line[1])) }
}

/**
 * A run that fails without a failing test (it did not compile, it crashed) counts as one.
 *
 * @param {Counts} counts
 * @param {number} code
 * @returns {Counts}
 */
const atLeastOne = ({ passed, failed }, code) => ({ passed, failed: code === 0 ? failed : Math.max(failed, 1) })

/** @param {readonly (string | number | undefined)[]} numbers */
const add = (numbers) => numbers.map((number) => Number(number ?? 0)).reduce((total, number) => total + number, 0)
