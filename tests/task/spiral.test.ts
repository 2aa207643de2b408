import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, Model, readCheckpoint, Spiral, tasks, type SpiralMetrics, type TrainEvent } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'

const options = { optimizer: adam({ lr: 5e-3 }), model: { hidden: [16] }, threads: 1, precision: 'float32', seed: 3 } as const

async function collect(run: AsyncIterable<TrainEvent<SpiralMetrics>>): Promise<TrainEvent<SpiralMetrics>[]> {
  const events: TrainEvent<SpiralMetrics>[] = []
  for await (const event of run) events.push(event)
  return events
}

test('the same options draw the same points, validation draws others', async (t) => {
  using one = await Spiral.prepare({ samples: 100, validSamples: 50, seed: 4 })
  using two = await Spiral.prepare({ samples: 100, validSamples: 50, seed: 4 })
  t.is(one.dataset('train').fingerprint, two.dataset('train').fingerprint)
  t.deepEqual([one.dataset('train').length, one.dataset('valid').length], [100, 50])
  t.notDeepEqual(one.dataset('train').batch([0]).read('features'), one.dataset('valid').batch([0]).read('features'))
})

test('a run tells its events in order, keeps best and last, and logs what it told', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Spiral.prepare({ samples: 200, validSamples: 100 })
  const run = task.train({ ...options, epochs: 10, evaluation: { everySteps: 8 }, folder })
  const events = await collect(run)
  t.deepEqual([events[0]?.type, events.at(-1)?.type], ['start', 'end'])
  const steps = events.filter((event) => event.type === 'step')
  t.deepEqual(steps.map(({ step }) => step), Array.from({ length: 20 }, (_, index) => index + 1))
  t.deepEqual([steps[0]?.epoch, steps[1]?.epoch, steps[2]?.epoch], [1, 1, 2])
  t.true(steps.every(({ loss, tokensPerSecond, dataWait, optimizerShare, skipped }) => loss > 0 && tokensPerSecond > 0 && dataWait >= 0 && dataWait <= 1 && optimizerShare <= 1 && !skipped))
  t.deepEqual(events.filter(({ type }) => type === 'evaluation').map(({ step }) => step), [8, 16, 20])
  t.deepEqual(events.filter(({ type }) => type === 'checkpoint').map(({ step }) => step), [8, 16, 20])
  const { best, checkpoint, reason, step } = await run.done
  t.deepEqual([reason, step, checkpoint], ['finished', 20, join(folder, 'checkpoints/step-00000020')])
  const kept = new Set([best?.path, checkpoint])
  t.deepEqual(new Set(readdirSync(join(folder, 'checkpoints')).map((name) => join(folder, 'checkpoints', name))), kept)
  const evaluations = events.filter((event) => event.type === 'evaluation')
  t.is(best?.metrics.accuracy, Math.max(...evaluations.map(({ metrics }) => metrics.accuracy)))
  const logged = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)
  t.deepEqual(logged, [{ schema: 1 }, ...(JSON.parse(JSON.stringify(events)) as unknown[])])
})

test('the start says what is trained, and how', async (t) => {
  using task = await Spiral.prepare({ samples: 100, validSamples: 50 })
  const [start] = await collect(task.train({ ...options, epochs: 2, folder: false }))
  t.like(start, { type: 'start', step: 0, epoch: 1, task: 'spiral', totalSteps: 2, parameters: 2 * 16 + 16 + 16 * 2 + 2 })
  if (start?.type === 'start') t.like(start, { model: { type: 'mlp', hidden: [16] }, session: { seed: 3, precision: 'float32' } })
})

test('an aborted run ends in good order and resumes to the undisturbed run, bit for bit', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Spiral.prepare({ samples: 200, validSamples: 100 })
  const settings = { ...options, optimizer: adam({ lr: 5e-3, sage: {} }), epochs: 6, batch: { batchSize: 30 }, evaluation: { everySteps: 10 } }
  const whole = await task.train({ ...settings, folder: join(folder, 'whole') }).done
  const controller = new AbortController()
  const run = task.train({ ...settings, folder: join(folder, 'parts'), signal: controller.signal })
  for await (const event of run) if (event.type === 'step' && event.step === 17) controller.abort()
  const aborted = await run.done
  t.deepEqual([aborted.reason, aborted.step], ['aborted', 17])
  t.like(await readCheckpoint(aborted.checkpoint ?? ''), { step: 17, run: { task: 'spiral', loader: { epoch: 2, batch: 3 } } })
  const resumed = task.train({ ...settings, folder: join(folder, 'parts'), resume: true })
  const events = await collect(resumed)
  t.like(events[0], { type: 'start', step: 17, epoch: 3, resumed: aborted.checkpoint ?? '' })
  const done = await resumed.done
  t.deepEqual([done.step, done.best?.metrics], [whole.step, whole.best?.metrics])
  for (const name of ['model/model.safetensors', 'optimizer.safetensors']) {
    t.deepEqual(readFileSync(join(done.checkpoint ?? '', name)), readFileSync(join(whole.checkpoint ?? '', name)), name)
  }
  const logged = readFileSync(join(folder, 'parts/events.jsonl'), 'utf8').trimEnd().split('\n').slice(1).map((line) => JSON.parse(line) as TrainEvent)
  t.deepEqual(logged.filter(({ type }) => type === 'step').map(({ step }) => step), Array.from({ length: whole.step }, (_, index) => index + 1))
})

test('a run that was aborted before it began ends at step 0', async (t) => {
  const folder = join(temporaryFolder(t), 'run')
  using task = await Spiral.prepare({ samples: 100, validSamples: 50 })
  const done = await task.train({ ...options, epochs: 1, folder, signal: AbortSignal.abort() }).done
  t.deepEqual([done.reason, done.step, done.best, done.checkpoint], ['aborted', 0, null, undefined])
})

test('leaving the loop frees the session; the model given stays the caller’s', async (t) => {
  using task = await Spiral.prepare({ samples: 100, validSamples: 50 })
  using model = await Model.create({ type: 'mlp', inputs: 2, hidden: [4], classes: 2 })
  const run = task.train({ ...options, model, epochs: 5, folder: false })
  for await (const event of run) if (event.type === 'step') break
  t.like(await run.done, { reason: 'stopped', step: 1, best: null })
  const again = await task.train({ ...options, model, steps: 2, folder: false }).done
  t.deepEqual([again.reason, again.step, again.folder], ['finished', 2, undefined])
  t.is((await model.read('output.bias')).data.length, 2)
})

test('two arms at once each equal their solo run', async (t) => {
  using task = await Spiral.prepare({ samples: 100, validSamples: 50 })
  const arm = (sage: boolean) => task.train({ ...options, optimizer: adam({ lr: 5e-3, ...(sage && { sage: {} }) }), steps: 10, folder: false }).done
  const [adamAlone, sageAlone] = [await arm(false), await arm(true)]
  const [adamBeside, sageBeside] = await Promise.all([arm(false), arm(true)])
  t.deepEqual([adamBeside.best?.metrics, sageBeside.best?.metrics], [adamAlone.best?.metrics, sageAlone.best?.metrics])
})

test('a boundary is a probability for every point of a grid', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Spiral.prepare({ samples: 100, validSamples: 50 })
  const { best } = await task.train({ ...options, epochs: 2, folder }).done
  const boundary = await task.boundary(join(best?.path ?? '', 'model'), { resolution: 7, extent: 1 })
  t.is(boundary.probabilities.length, 49)
  t.true(boundary.probabilities.every((p) => p >= 0 && p <= 1))
  t.deepEqual(await task.evaluate(join(best?.path ?? '', 'model')), best?.metrics)
  await refusal(t, 'ERR_CONFIG', () => task.boundary(join(best?.path ?? '', 'model'), { resolution: 1 }))
})

test('options are refused by their path before anything has begun', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Spiral.prepare({ samples: 20, validSamples: 10 })
  const cases: [Record<string, unknown>, string][] = [
    [{ optimizer: undefined, epochs: 1 }, 'train.optimizer'],
    [{ optimizer: { type: 'adam', lr: -1 }, epochs: 1 }, 'train.optimizer.lr'],
    [{}, 'train.epochs'],
    [{ epochs: 0 }, 'train.epochs'],
    [{ epochs: 1, schedule: { type: 'cosin' } }, 'train.schedule.type'],
    [{ epochs: 1, bach: {} }, 'train.bach'],
    [{ epochs: 1, batch: { batchSize: 0 } }, 'train.batch.batchSize'],
    [{ epochs: 1, accumulate: 0 }, 'train.accumulate'],
    [{ epochs: 1, resume: true }, 'train.resume'],
    [{ epochs: 1, checkpoint: { keep: 0 } }, 'train.checkpoint.keep'],
    [{ epochs: 1, signal: {} }, 'train.signal'],
  ]
  for (const [change, key] of cases) {
    t.is((await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, ...change } as never))).fields['key'], key)
  }
  await refusal(t, 'ERR_CONFIG', () => Spiral.prepare({ sample: 3 } as never))
  await refusal(t, 'ERR_ARGUMENT', () => task.dataset('test' as never))
  t.false(existsSync(join(folder, 'checkpoints')))
})

test('a folder with another run’s checkpoints is not written into unasked', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Spiral.prepare({ samples: 40, validSamples: 10 })
  await task.train({ ...options, epochs: 1, folder }).done
  await refusal(t, 'ERR_STATE', () => task.train({ ...options, epochs: 1, folder }).done)
})

test('a folder in which a run is writing takes no second one', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Spiral.prepare({ samples: 40, validSamples: 10 })
  const run = task.train({ ...options, epochs: 2, folder })
  for await (const event of run) {
    if (event.type !== 'step' || event.step !== 1) continue
    const refused = await refusal(t, 'ERR_STATE', () => task.train({ ...options, epochs: 2, folder, resume: true }).done)
    t.regex(refused.message, /is being trained by this process/)
  }
  t.is((await run.done).step, 2)
  t.is((await task.train({ ...options, epochs: 3, folder, resume: true }).done).step, 3)
})

test('resuming where there is no checkpoint begins anew and says so', async (t) => {
  using task = await Spiral.prepare({ samples: 40, validSamples: 10 })
  const events = await collect(task.train({ ...options, epochs: 1, folder: temporaryFolder(t), resume: true }))
  t.like(events[1], { type: 'warning', code: 'WARN_RESUME' })
  t.is(events.at(-1)?.step, 1)
})

test('a task is one line in the registry', (t) => {
  t.deepEqual(Object.keys(tasks), ['translation', 'classification', 'spiral'])
  t.true(tasks.spiral.keys.prepare.includes('turns') && tasks.spiral.keys.train.includes('batch'))
})
