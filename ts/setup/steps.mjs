// Set-up: what is missing, in order, and nothing else. When nothing is, it costs milliseconds.
import { join } from 'node:path'

import { buildAddon, isAddonCurrent } from './addon.mjs'
import { stopTools } from './child.mjs'
import { areDependenciesCurrent, installDependencies } from './dependencies.mjs'
import { SetupFailure } from './failures.mjs'
import { currentLibtorch, ensureLibtorch, mustObtainLibtorch } from './libtorch.mjs'
import { withLock } from './lock.mjs'
import { root } from './paths.mjs'
import { findMissing } from './prerequisites.mjs'
import { formatSeconds, say } from './progress.mjs'
import { compileTypeScript, isTypeScriptCurrent } from './typescript.mjs'

/** @typedef {import('./libtorch.mjs').Asked & { tests?: boolean }} Options */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {() => boolean} isCurrent
 * @property {() => import('./prerequisites.mjs').Prerequisite[]} needs asked only when the step is not current
 * @property {() => Promise<void>} perform
 */

/**
 * The steps in stages: those of one stage do not need each other and run side by side.
 *
 * @param {Options} options
 * @returns {Step[][]}
 */
function plan(options) {
  const project = options.tests ? 'tests' : 'ts'
  return [
    [
      { name: 'dependencies', isCurrent: areDependenciesCurrent, needs: () => ['npm'], perform: installDependencies },
      {
        name: 'libtorch',
        isCurrent: () => !options.cpu && !options.cuda && currentLibtorch() !== undefined,
        needs: () => (mustObtainLibtorch(options) ? ['python'] : []),
        perform: () => ensureLibtorch(options),
      },
    ],
    [{ name: 'addon (several minutes the first time)', isCurrent: isAddonCurrent, needs: () => ['rust', 'compiler'], perform: buildAddon }],
    [{ name: 'TypeScript', isCurrent: () => isTypeScriptCurrent(project), needs: () => ['npm'], perform: () => compileTypeScript(project) }],
  ]
}

/**
 * Makes everything ready that the options ask for.
 *
 * @param {Options} options
 * @throws {import('./failures.mjs').SetupFailure} or an AggregateError of several
 */
export async function setUp(options) {
  const stages = plan(options)
  if (stages.flat().every((step) => step.isCurrent())) return
  const onWait = (/** @type {{ pid: number }} */ { pid }) => say(`set-up: waiting for another one in this checkout (process ${pid})`)
  await withLock(join(root, 'target/set-up.lock'), onWait, () => perform(stages))
}

/** @param {readonly Step[][]} stages */
async function perform(stages) {
  const missing = stages.flat().filter((step) => !step.isCurrent())
  const failures = await findMissing(['platform', ...missing.flatMap((step) => step.needs())])
  if (failures.length > 0) throw new AggregateError(failures)
  if (missing.length > 0) say(`set-up: ${missing.map(({ name }) => name).join(', ')}`)
  for (const stage of stages) await performStage(stage.filter((step) => !step.isCurrent()))
}

/**
 * Without a network, or room, no step can succeed: the others end at once. Any other failure lets them finish, for what
 * they have done need not be done again.
 *
 * @param {readonly Step[]} steps
 */
async function performStage(steps) {
  /** @type {unknown[]} */
  const failures = []
  const fail = (/** @type {unknown} */ error) => {
    if (failures.length > 0 && isHopeless(failures[0])) return // ended by us
    failures.push(error)
    if (isHopeless(error)) stopTools('SIGTERM')
  }
  await Promise.all(steps.map((step) => performStep(step).catch(fail)))
  if (failures.length > 0) throw new AggregateError(failures)
}

/** @param {unknown} error */
const isHopeless = (error) => error instanceof SetupFailure && (error.kind === 'network' || error.kind === 'disk')

/** @param {Step} step */
async function performStep({ name, perform: work }) {
  const started = performance.now()
  await work()
  say(`set-up: ${name.replace(/ \(.*/, '')} ready after ${formatSeconds((performance.now() - started) / 1000)}`)
}
