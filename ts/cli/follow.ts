import { fixed, significant } from '../report/format.js'
import { showMetric } from '../report/metric.js'
import type { MetricColumn } from '../report/report-data.js'
import { Pace, type Progress } from './progress.js'
import type { ArmRecord } from './record.js'
import type { Metrics, TimedEvent } from './task-command.js'

/** Weight of a step in the figures that are shown: about the last twenty count. */
const RECENT = 0.05

/** A figure that follows the recent ones. */
class Recent {
  #value: number | undefined

  add(value: number | null): number | null {
    if (value !== null && Number.isFinite(value)) this.#value = this.#value === undefined ? value : this.#value + RECENT * (value - this.#value)
    return this.#value ?? null
  }
}

/** Metrics in one line, in the table's order. */
export function metricsLine(metrics: Metrics, columns: readonly MetricColumn[]): string {
  const known = columns.filter(({ key }) => key in metrics)
  return known.map((column) => `${column.label} ${showMetric(column, metrics[column.key])}`).join('  ') || Object.entries(metrics).map(([key, value]) => `${key} ${significant(value)}`).join('  ')
}

/** Records an arm's events and shows them as they come. */
export async function follow(name: string, events: AsyncIterable<TimedEvent>, record: ArmRecord, progress: Progress, columns: readonly MetricColumn[]): Promise<'finished' | 'stopped'> {
  const [loss, speed, pace] = [new Recent(), new Recent(), new Pace()]
  const unit = columns.find(({ key }) => key === 'tokensPerSecond')?.label ?? 'tokens/s'
  let totalSteps: number | undefined
  let reason: 'finished' | 'stopped' = 'stopped'
  for await (const event of events) {
    record.add(event)
    if (event.past) continue
    if (event.type === 'start') {
      totalSteps = event.totalSteps
      progress.print(`${name}  ${fixed(event.parameters)} parameters, ${event.precision}, ${event.threads} ${event.threads === 1 ? 'thread' : 'threads'}${event.maxTokens === undefined ? '' : `, batches of up to ${fixed(event.maxTokens)} tokens`}${record.step > 0 ? `, going on from step ${fixed(record.step)}` : ''}`)
    } else if (event.type === 'step') {
      const eta = pace.eta(event.step, totalSteps, event.seconds)
      progress.update(name, {
        step: event.step,
        loss: loss.add(event.loss),
        tokensPerSecond: speed.add(event.tokensPerSecond) ?? 0,
        unit,
        ...(totalSteps !== undefined && { totalSteps }),
        ...(eta !== undefined && { eta }),
      })
    } else if (event.type === 'evaluation') progress.print(`${name}  step ${fixed(event.step)}  validation: ${metricsLine(event.metrics, columns)}${event.best ? '  (best so far)' : ''}`)
    else if (event.type === 'warning') progress.print(`${name}  warning: ${event.message}`)
    else if (event.type === 'end') reason = event.reason
  }
  return reason
}
