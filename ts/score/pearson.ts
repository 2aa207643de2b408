import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { known, numbers, type Numbers } from './values.js'

/**
 * Pearson's correlation, in [-1, 1]: how near two variables are to a line. Equal to `scipy.stats.pearsonr`; null where that is NaN, for a
 * variable that is constant or holds what is not finite.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists of unequal length, of fewer than two samples or with what is no number.
 * @example
 * await pearson([1, 2, 3], [2, 4, 6]) // 1
 * await pearson([1, 1, 1], [2, 4, 6]) // null
 */
export async function pearson(predictions: Numbers, targets: Numbers): Promise<number | null> {
  const [predicted, wanted] = [numbers(predictions, 'predictions'), numbers(targets, 'targets')]
  return known(await calling(() => native().pearsonOf(predicted, wanted)))
}
