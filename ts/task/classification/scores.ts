import { abortable } from '../../abort.js'
import type { Dataset } from '../../dataset.js'
import { SagetrainError } from '../../errors.js'
import { nativeOf } from '../../handle.js'
import type { Model } from '../../model.js'

/** What predictions are scored by; of classes the first three, of numbers the others. */
export type ClassificationMetric = 'accuracy' | 'f1' | 'matthews' | 'pearson' | 'spearman'

/** What there is of each kind of data. */
export const METRICS_OF: Readonly<Record<'classification' | 'regression', readonly ClassificationMetric[]>> = {
  classification: ['accuracy', 'f1', 'matthews'],
  regression: ['pearson', 'spearman'],
}

/** Scores on one part of the data. */
export type PartMetrics = {
  /** Mean cross-entropy in nats, or mean squared error. */
  readonly loss: number
} & {
  /**
   * `accuracy`, `f1` (of class 1 where there are two, else the mean of all classes') and `matthews` of classes; `pearson` and `spearman` of
   * numbers, NaN where a model says the same of all, and of a single sample.
   */
  readonly [metric in ClassificationMetric]?: number
}

/** Scores on the validation part; those on a second one, MNLI's, have `Mismatched` behind their names. */
export type ClassificationMetrics = PartMetrics & { readonly [metric in 'loss' | ClassificationMetric as `${metric}Mismatched`]?: number } & {
  /** The mean, over both parts, of the metrics that the best is chosen by, or of the task's: what papers average over tasks. */
  readonly score: number
}

/** Scores with what they were computed from. */
export interface ClassificationScores {
  readonly metrics: PartMetrics
  /** In the data's order: the logits of the classes, or one number. */
  readonly outputs: Float32Array
  /** Numbers a sample. */
  readonly width: number
}

/** Samples that are scored together. */
const BATCH = 32

/** Refuses outputs that are not finite, by their sample's place; the first has the place `from`. */
function checkFinite(outputs: Float32Array, width: number, from: number): void {
  const place = outputs.findIndex((value) => !Number.isFinite(value))
  if (place < 0) return
  const sentence = from + Math.floor(place / width)
  throw new SagetrainError('ERR_NON_FINITE', `source ${sentence}: the model's outputs hold NaN or infinity, which says nothing; go back to weights that are finite, such as an earlier checkpoint's`, { fields: { sentence } })
}

/** Scores a model on a part with labels. */
export async function evaluateClassification(model: Model, dataset: Dataset, signal?: AbortSignal): Promise<ClassificationScores> {
  const [handle, data] = [nativeOf(model, 'Model', 'model'), nativeOf(dataset, 'Dataset', 'dataset')]
  const { scores, outputs } = await abortable(signal, handle, () => handle.evaluateClassification(data, BATCH))
  checkFinite(outputs.values, outputs.width, 0)
  return { metrics: scores as PartMetrics, outputs: outputs.values, width: outputs.width }
}

/** A model's outputs for a part that needs no labels; its first sample has the place `from` in errors. */
export async function outputsOf(model: Model, dataset: Dataset, signal?: AbortSignal, from = 0): Promise<Pick<ClassificationScores, 'outputs' | 'width'>> {
  const [handle, data] = [nativeOf(model, 'Model', 'model'), nativeOf(dataset, 'Dataset', 'dataset')]
  const { values, width } = await abortable(signal, handle, () => handle.outputs(data, BATCH))
  checkFinite(values, width, from)
  return { outputs: values, width }
}

/** The first of the largest. NaN is larger than nothing; outputs that hold it have been refused. */
export function likeliest(row: Float32Array): number {
  let best = 0
  for (let index = 1; index < row.length; index += 1) if ((row[index] ?? 0) > (row[best] ?? 0)) best = index
  return best
}

/** Probabilities of classes, from their logits. */
export function softmax(row: Float32Array): number[] {
  const largest = row.reduce((most, value) => Math.max(most, value), -Infinity)
  const shares = Array.from(row, (value) => Math.exp(value - largest))
  const total = shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share) => share / total)
}
