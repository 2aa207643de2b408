import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { known, numbers, type Numbers } from './values.js'

/**
 * Spearman's correlation, in [-1, 1]: Pearson's of the ranks, tied values sharing the mean of theirs. Equal to `scipy.stats.spearmanr`;
 * null where that is NaN, for a variable that is constant or holds NaN.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link pearson}.
 * @example
 * await spearman([1, 2, 3], [1, 10, 1000]) // 1
 * await spearman([1, 2, 2], [1, 2, 3]) // Math.sqrt(3) / 2
 */
export async function spearman(predictions: Numbers, targets: Numbers): Promise<number | null> {
  const [predicted, wanted] = [numbers(predictions, 'predictions'), numbers(targets, 'targets')]
  return known(await calling(() => native().spearmanOf(predicted, wanted)))
}
