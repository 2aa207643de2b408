import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { classIds, type ClassIds } from './values.js'

/** Samples by their class and by what was predicted. */
export interface ConfusionMatrix {
  /** Every class that is predicted or labelled, in order. */
  readonly classes: readonly number[]
  /** `counts[i][j]`: samples of `classes[i]` for which `classes[j]` was predicted. */
  readonly counts: readonly (readonly number[])[]
}

/**
 * Which class was taken for which: rows are labels, columns predictions, as in scikit-learn's `confusion_matrix`.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link accuracy}, and for more than 4,096 classes.
 * @example
 * await confusionMatrix([1, 0, 1, 1], [1, 1, 1, 0]) // { classes: [0, 1], counts: [[0, 1], [1, 2]] }
 */
export async function confusionMatrix(predictions: ClassIds, labels: ClassIds): Promise<ConfusionMatrix> {
  const [predicted, labelled] = [classIds(predictions, 'predictions'), classIds(labels, 'labels')]
  return (await calling(() => native().confusionMatrixOf(predicted, labelled))) as ConfusionMatrix
}
