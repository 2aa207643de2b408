import { isSagetrainError } from '../errors.js'
import type { JsonObject } from '../merge.js'
import type { PreparedTask } from './task-command.js'

/** Steps that are timed, after a first one. */
const STEPS = 4

/**
 * About how many seconds a training takes, evaluations apart, from a few of its steps, which keep nothing; undefined where its length is not known,
 * and for one that diverges at once, which is a run's result and no end of a plan.
 *
 * @throws What else training throws; the signal's reason when it aborts.
 */
export async function trialSeconds(task: PreparedTask, { divergence: _divergence, ...train }: JsonObject, signal: AbortSignal): Promise<number | undefined> {
  const enough = new AbortController()
  try {
    // Every step is told of: on a GPU only some are, unless that is asked for.
    await using training = await task.train({ name: 'trial', train: { ...train, logEvery: 1 }, folder: false, resume: false, signal: AbortSignal.any([signal, enough.signal]) })
    const seconds = await timed(training.events, enough)
    signal.throwIfAborted()
    return seconds
  } catch (error) {
    if (isSagetrainError(error, 'ERR_NON_FINITE')) return undefined
    throw error
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
