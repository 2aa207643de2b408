import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from './merge.js'
import type { PreparedTask } from './task-command.js'

/** Steps that are timed, after a first one. */
const STEPS = 4

/**
 * About how many seconds a training takes, evaluations apart, from a few of its steps; undefined where the length of it is not known. What they
 * write is thrown away.
 *
 * @param parent - The folder below which they write.
 * @throws What training throws; the signal's reason when it aborts.
 */
export async function trialSeconds(task: PreparedTask, train: JsonObject, parent: string, signal: AbortSignal): Promise<number | undefined> {
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'trial-'))
  const enough = new AbortController()
  try {
    await using training = await task.train({ name: 'trial', train, folder, resume: false, signal: AbortSignal.any([signal, enough.signal]) })
    const seconds = await timed(training.events, enough)
    signal.throwIfAborted()
    return seconds
  } finally {
    await rm(folder, { recursive: true, force: true })
    // Where nothing else is in it: a plan alone leaves no folder.
    await rmdir(parent).catch(() => undefined)
  }
}

async function timed(events: AsyncIterable<{ readonly type: string; readonly seconds: number; readonly step?: number; readonly totalSteps?: number }>, enough: AbortController): Promise<number | undefined> {
  let total: number | undefined
  let [first, last]: { step: number; seconds: number }[] = []
  for await (const { type, step = 0, seconds, totalSteps } of events) {
    if (type === 'start') total = totalSteps
    if (type !== 'step' || enough.signal.aborted) continue
    last = { step, seconds }
    first ??= last
    if (step >= first.step + STEPS) enough.abort()
  }
  if (total === undefined || first === undefined || last === undefined) return undefined
  // A training of one step has nothing between two of them.
  return last.step === first.step ? total * first.seconds : (total * (last.seconds - first.seconds)) / (last.step - first.step)
}
