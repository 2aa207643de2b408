import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { classIds, type ClassIds } from './values.js'

/**
 * Matthews' correlation of any number of classes, in [-1, 1]; 0 where all predictions or all labels are of one class. Equal to
 * scikit-learn's `matthews_corrcoef`.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link accuracy}.
 * @example
 * await matthews([1, 0, 1, 0], [1, 0, 1, 1]) // 1 / Math.sqrt(3)
 * await matthews([1, 1], [1, 0]) // 0
 */
export async function matthews(predictions: ClassIds, labels: ClassIds): Promise<number> {
  const [predicted, labelled] = [classIds(predictions, 'predictions'), classIds(labels, 'labels')]
  return (await calling(() => native().matthewsOf(predicted, labelled))) as number
}
