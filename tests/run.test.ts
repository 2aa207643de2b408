import test from 'ava'
import { Run, type RunResult, type TrainEvent } from '#ts/index.js'
import type { Training } from '#ts/run.js'

interface Scripted extends Training<object> {
  /** What has happened, in order. */
  readonly seen: string[]
}

/** A training of three warnings that may fail at the third. */
function scripted(failure?: Error): Scripted {
  const seen: string[] = []
  return {
    seen,
    async *events(): AsyncGenerator<TrainEvent<object>, void, undefined> {
      try {
        for (let step = 1; step <= 3; step++) {
          seen.push(`step ${step}`)
          if (step === 3 && failure !== undefined) throw failure
          yield { type: 'warning', time: 0, step, epoch: 1, code: 'WARN_DATA', message: '' }
        }
      } finally {
        seen.push('freed')
      }
    },
    result: (): RunResult<object> => ({ reason: 'stopped', step: seen.length, best: null }),
  }
}

test('nothing happens before it is asked for', async (t) => {
  const training = scripted()
  t.truthy(new Run(training))
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.deepEqual(training.seen, [])
})

test('asking for done runs it to its end', async (t) => {
  const training = scripted()
  t.is((await new Run(training).done).step, 4)
  t.deepEqual(training.seen, ['step 1', 'step 2', 'step 3', 'freed'])
})

test('a loop gets every event, also where done was asked for before it', async (t) => {
  const run = new Run(scripted())
  const { done } = run
  const steps: number[] = []
  for await (const event of run) steps.push(event.step)
  t.deepEqual(steps, [1, 2, 3])
  t.is((await done).step, 4)
  for await (const _ of run) t.fail('it has ended')
})

test('training waits for its consumer between events', async (t) => {
  const training = scripted()
  const iterator = new Run(training)[Symbol.asyncIterator]()
  await iterator.next()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.deepEqual(training.seen, ['step 1'])
  await iterator.return?.()
  t.deepEqual(training.seen, ['step 1', 'freed'])
})

test('leaving the loop ends it and settles done', async (t) => {
  const training = scripted()
  const run = new Run(training)
  for await (const event of run) if (event.step === 2) break
  t.deepEqual(training.seen, ['step 1', 'step 2', 'freed'])
  t.is((await run.done).reason, 'stopped')
})

test('an error reaches the loop and done, and is never unhandled', async (t) => {
  const failure = new Error('broken')
  const run = new Run(scripted(failure))
  t.is(await t.throwsAsync(async () => { for await (const _ of run); }), failure)
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.is(await t.throwsAsync(run.done), failure)
  t.is(await t.throwsAsync(new Run(scripted(failure)).done), failure)
})
