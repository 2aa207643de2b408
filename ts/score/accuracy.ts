import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { classIds, type ClassIds } from './values.js'

/**
 * Share of `predictions` equal to their `labels`, in [0, 1].
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists that are empty, of unequal length or hold what is no class id.
 * @example
 * await accuracy([1, 0, 1, 1], [1, 1, 1, 0]) // 0.5
 */
export async function accuracy(predictions: ClassIds, labels: ClassIds): Promise<number> {
  const [predicted, labelled] = [classIds(predictions, 'predictions'), classIds(labels, 'labels')]
  return (await calling(() => native().accuracyOf(predicted, labelled))) as number
}
