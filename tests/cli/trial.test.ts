import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { trialSeconds } from '#ts/cli/trial.js'
import { temporaryFolder } from '../temporary.js'
import { scriptedTask, type Script } from './scripted-task.js'

test('a trial of a few steps says how long all take, and leaves nothing', async (t) => {
  const parent = join(temporaryFolder(t), 'runs')
  const script: Script = { started: [], disposed: 0 }
  let [steps, { signal }] = [0, new AbortController()]
  script.onStep = (_arm, step) => void (steps = step)
  const task = await scriptedTask(script).prepare({}, () => undefined, signal)
  const seconds = await trialSeconds(task, { steps: 1000 }, parent, signal)
  // A step of the script takes a tenth of a second of its own time.
  t.true(Math.abs((seconds ?? 0) - 100) < 1e-9, String(seconds))
  t.true(steps >= 5 && steps < 10, String(steps))
  t.deepEqual([script.disposed, existsSync(parent)], [1, false])
  t.true(Math.abs(((await trialSeconds(task, { steps: 3 }, parent, signal)) ?? 0) - 0.3) < 1e-9, 'a training shorter than the trial is over with it')
  await t.throwsAsync(trialSeconds(task, { steps: 1000 }, parent, AbortSignal.abort(new Error('called off'))), { message: 'called off' })
  t.false(existsSync(parent))
})
