import test from 'ava'
import { SagetrainError } from '#ts/errors.js'
import { trialSeconds } from '#ts/cli/trial.js'
import { scriptedTask, type Script } from './scripted-task.js'

test('a trial of a few steps says how long all take, and leaves nothing', async (t) => {
  const script: Script = { started: [], disposed: 0 }
  let [steps, { signal }] = [0, new AbortController()]
  script.onStep = (_arm, step) => void (steps = step)
  const task = await scriptedTask(script).prepare({}, () => undefined, signal)
  const seconds = await trialSeconds(task, { steps: 1000, divergence: 'rollback', logEvery: 50 }, signal)
  // A step of the script takes a tenth of a second of its own time.
  t.true(Math.abs((seconds ?? 0) - 100) < 1e-9, String(seconds))
  t.true(steps >= 5 && steps < 10, String(steps))
  t.is(script.disposed, 1)
  t.like(script.started[0], { folder: false, train: { steps: 1000, logEvery: 1 } }, 'nothing is written, and every step told of')
  t.false('divergence' in (script.started[0]?.train ?? {}))
  t.true(Math.abs(((await trialSeconds(task, { steps: 3 }, signal)) ?? 0) - 0.3) < 1e-9, 'a training shorter than the trial is over with it')
  await t.throwsAsync(trialSeconds(task, { steps: 1000 }, AbortSignal.abort(new Error('called off'))), { message: 'called off' })
  script.onStep = () => {
    throw new SagetrainError('ERR_NON_FINITE', 'loss: is NaN at step 1')
  }
  t.is(await trialSeconds(task, { steps: 1000 }, signal), undefined, 'that is for the run to tell')
})
