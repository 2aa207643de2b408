import { join } from 'node:path'
import { readIfThere } from '../event-log.js'
import type { EvaluationEvent, StartEvent, StepEvent, TrainEvent } from '../events.js'
import { summarise } from '../report/observed.js'
import type { Metrics, TaskEvent, TimedEvent } from './task-command.js'

/**
 * A run's events as the command follows them, on one clock: a resumed run's earlier part comes first, read from its `events.jsonl`, and
 * its time counts on from there.
 */
export async function* armEvents<M extends object>(run: AsyncIterable<TrainEvent<M>>, folder: string | false): AsyncGenerator<TimedEvent> {
  const clock = new RunClock()
  for await (const event of run) {
    if (event.type === 'start' && event.resumed !== undefined && folder !== false) yield* pastEvents(folder, event, clock)
    const seconds = clock.at(event)
    for (const one of translate(event)) yield { ...one, seconds }
  }
}

/** Seconds of training: a stop between two parts of a run takes no time. */
class RunClock {
  #before = 0
  #begun = 0
  #now = 0

  at({ type, time }: Pick<TrainEvent<object>, 'type' | 'time'>): number {
    if (type === 'start') [this.#before, this.#begun] = [this.#now, time]
    this.#now = Math.max(this.#now, this.#before + (time - this.#begun) / 1000)
    return this.#now
  }
}

async function* pastEvents(folder: string, current: StartEvent, clock: RunClock): AsyncGenerator<TimedEvent> {
  const content = await readIfThere(join(folder, 'events.jsonl'))
  for (const line of content.split('\n').slice(1)) {
    const event = parseLine(line)
    if (event === undefined) continue
    if (event.type === 'start' && event.time === current.time) return
    const seconds = clock.at(event)
    for (const one of translate(event)) yield { ...one, seconds, past: true }
  }
}

function parseLine(line: string): TrainEvent | undefined {
  try {
    return JSON.parse(line) as TrainEvent
  } catch {
    return undefined
  }
}

function translate<M extends object>(event: TrainEvent<M>): readonly TaskEvent[] {
  const { type, step } = event
  if (type === 'start') return [startOf(event)]
  if (type === 'step') return stepsOf(event)
  if (type === 'evaluation') return [evaluationOf(event)]
  if (type === 'checkpoint') return [{ type, step, path: event.path }]
  if (type === 'warning') return [{ type, message: event.message }]
  return [{ type, step, reason: event.reason === 'finished' || event.reason === 'earlyStopped' ? 'finished' : 'stopped' }]
}

function startOf({ totalSteps, parameters, session, data }: StartEvent): TaskEvent {
  const { device, precision, threads } = session
  const maxTokens = data?.['maxTokens']
  return { type: 'start', parameters, device, precision, threads, ...(totalSteps !== undefined && { totalSteps }), ...(typeof maxTokens === 'number' && { maxTokens }) }
}

function stepsOf({ step, loss, tokensPerSecond, optimizerShare, dataWait, sensitivity }: StepEvent): readonly TaskEvent[] {
  const taken: TaskEvent = { type: 'step', step, loss: finite(loss), tokensPerSecond, optimizerShare, dataWait }
  return sensitivity === undefined ? [taken] : [taken, { type: 'sensitivity', step, point: summarise(sensitivity.tensors, step) }]
}

function evaluationOf({ step, metrics, best }: EvaluationEvent<object>): TaskEvent {
  return { type: 'evaluation', step, metrics: numbersOf(metrics), best }
}

/** What of an object is a number; JSON has no NaN, so one that is not finite is null. */
export function numbersOf(values: object): Metrics {
  const numbers = Object.entries(values).filter(([, value]) => typeof value === 'number' || value === null)
  return Object.fromEntries(numbers.map(([key, value]) => [key, finite(value as number | null)]))
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}
