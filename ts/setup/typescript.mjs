// TypeScript, compiled by the tsc of the lockfile: `ts/` into `dist/`, `tests/` into `dist/tests/`.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { run } from './child.mjs'
import { SetupFailure } from './failures.mjs'
import { root } from './paths.mjs'
import { hashInputs, isCurrent, listFiles, replaceFile } from './stamps.mjs'

/** @typedef {'ts' | 'tests'} Project */

const dist = join(root, 'dist')
const outputFolder = { ts: dist, tests: join(dist, 'tests') }
const shared = ['tsconfig.base.json', 'package.json', 'package-lock.json', 'bindings/binding.d.cts']

/** @param {string} path */
const isSource = (path) => /\.(ts|mts|cts|mjs|json)$/.test(path)

/** @param {Project} project */
const currentHash = (project) => hashInputs(root, [...shared, 'ts', ...(project === 'tests' ? ['tests'] : [])], isSource)

/** @param {Project} project */
const stampOf = (project) => join(dist, `${project}.stamp`)

/** @param {Project} project */
export const isTypeScriptCurrent = (project) => isCurrent(stampOf(project), currentHash(project), [outputFolder[project]])

/** @param {Project} project the tests include what they test */
export async function compileTypeScript(project) {
  const hash = currentHash(project)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { code, output } = await run(process.execPath, [tsc, '--build', project], { cwd: root })
  if (code !== 0) {
    process.stderr.write(output)
    throw new SetupFailure('build', 'the TypeScript does not compile', 'see what tsc says above')
  }
  removeStale(project)
  replaceFile(stampOf(project), hash)
}

/**
 * tsc leaves the outputs of files that are gone; a test among them would still run.
 *
 * @param {Project} project
 */
function removeStale(project) {
  const folder = outputFolder[project]
  for (const output of listFiles(folder, (path) => /\.m?js$/.test(path))) {
    if (project === 'ts' && output.startsWith(outputFolder.tests)) continue
    const source = join(root, project, output.slice(folder.length).replace(/js$/, 'ts'))
    if (existsSync(source) || existsSync(source.replace(/ts$/, 'js'))) continue
    for (const ending of ['', '.map']) rmSync(`${output}${ending}`, { force: true })
  }
}
