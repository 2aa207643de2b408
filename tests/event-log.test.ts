import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { EventLog } from '#ts/event-log.js'
import type { TrainEvent } from '#ts/index.js'
import { temporaryFolder } from './temporary.js'

const warning = (step: number): TrainEvent => ({ type: 'warning', time: 1, step, epoch: 1, code: 'WARN_DATA', message: `at ${step}` })
const end: TrainEvent = { type: 'end', time: 2, step: 2, epoch: 1, reason: 'aborted', best: null }

test('the first line names the schema, each further line is an event', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  using log = await EventLog.open(path, 0)
  log.add(warning(1))
  log.add(end)
  t.deepEqual(readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown), [{ schema: 1 }, warning(1), end])
})

test('a resumed log drops what came after the checkpoint, the end, and a torn line', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  using log = await EventLog.open(path, 0)
  for (const event of [warning(1), warning(2), warning(3), end]) log.add(event)
  appendFileSync(path, '{"type":"step","st')
  using resumed = await EventLog.open(path, 2)
  resumed.add(warning(9))
  const steps = readFileSync(path, 'utf8').trimEnd().split('\n').slice(1).map((line) => (JSON.parse(line) as TrainEvent).step)
  t.deepEqual(steps, [1, 2, 9])
})

test('where the training goes back, so does its log', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  using log = await EventLog.open(path, 0)
  for (const event of [warning(1), warning(2), warning(3)]) log.add(event)
  await log.backTo(1)
  log.add(warning(2))
  t.deepEqual(readFileSync(path, 'utf8').trimEnd().split('\n').slice(1).map((line) => (JSON.parse(line) as TrainEvent).step), [1, 2])
})

test('a log that cannot be read is not taken for an empty one', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  mkdirSync(path)
  await t.throwsAsync(EventLog.open(path, 2), { code: 'ERR_IO', message: /events\.jsonl: the run's events cannot be read/ })
})

test('a run from the beginning begins its log anew', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  {
    using log = await EventLog.open(path, 0)
    log.add(warning(1))
  }
  using again = await EventLog.open(path, 0)
  t.truthy(again)
  t.is(readFileSync(path, 'utf8'), '{"schema":1}\n')
})
