import { choiceOf, type Choice } from '../../choice.js'
import { SagetrainError } from '../../errors.js'
import type { ClassificationPrepared } from './prepare.js'
import { METRICS_OF, type ClassificationMetric, type ClassificationMetrics, type PartMetrics } from './scores.js'

/** What the best is chosen by on the validation part or parts: the mean of these metrics, or the lowest loss. */
export type ChosenBy = { readonly metrics: readonly ClassificationMetric[] } | { readonly metric: 'loss' }

/** Refuses a choice by what the data do not give: no evaluation would be the best. `usual` is what is chosen by without one. */
export function checkChoice(best: ChosenBy | undefined, { kind, parts }: Pick<ClassificationPrepared, 'kind' | 'parts'>, usual: readonly ClassificationMetric[]): void {
  if (best !== undefined && !('metrics' in best)) return
  const [known, metrics] = [METRICS_OF[kind], best?.metrics ?? usual]
  const [what, have] = kind === 'regression' ? ['classes', 'numbers'] : ['numbers', 'classes']
  const place = metrics.findIndex((metric) => !known.includes(metric))
  if (place >= 0) refuse(`train.best.metrics[${place}]`, `${metrics[place]} is of ${what}, and the data have ${have}; choose by ${known.join(', ')}, or by { metric: "loss" }`)
  if (kind === 'regression' && parts.valid?.samples === 1) {
    refuse('train.best', `${metrics.join(' and ')} correlate two samples or more, and the validation part has 1; prepare a larger one (heldOut.valid), or choose by { metric: "loss" }`)
  }
}

function refuse(key: string, message: string): never {
  throw new SagetrainError('ERR_CONFIG', `${key}: ${message}`, { fields: { key } })
}

/** The choice among evaluations whose `score` is the mean of the metrics chosen by. */
export function chosenBy(best: ChosenBy | undefined): Choice {
  return best !== undefined && 'metric' in best ? choiceOf(best.metric, ['lossMismatched']) : choiceOf('score')
}

/** The mean of metrics over one validation part, or over two. */
export function meanOf(found: PartMetrics & Partial<ClassificationMetrics>, metrics: readonly ClassificationMetric[]): number {
  const both = metrics.flatMap((metric) => [found[metric], found[`${metric}Mismatched`]])
  const values = both.filter((value) => value !== undefined)
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
