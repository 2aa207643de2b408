import * as v from 'valibot'
import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { expected, parse } from '../options.js'
import { known } from './values.js'

/** A mean and how sure it is, by Student's t. */
export interface TTest {
  readonly mean: number
  /** Sample standard deviation; null for one value. */
  readonly deviation: number | null
  /** Lower end of the mean's 95 % interval; null for one value. */
  readonly lower: number | null
  /** Upper end of it; null for one value. */
  readonly upper: number | null
  /** Two-sided p-value of "the mean is 0"; null for one value and where all are 0. */
  readonly pValue: number | null
  /** Degrees of freedom: values less one. */
  readonly degrees: number
}

/**
 * Student's t-test of a mean; with a baseline, of the mean of the differences value by value (the paired test, for results of the same seeds).
 * Equal to SciPy's `ttest_1samp` and `ttest_rel`.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists that are empty, of unequal length or hold what is no finite number.
 * @example
 * (await tTest([2, 3, 4], [1, 1, 1])).mean // 2
 */
export async function tTest(values: readonly number[], baseline?: readonly number[]): Promise<TTest> {
  const list = parse(numbers, values, 'values', 'ERR_ARGUMENT')
  const other = baseline === undefined ? undefined : parse(numbers, baseline, 'baseline', 'ERR_ARGUMENT')
  const found = (await calling(() => native().tTest(list, other))) as Record<keyof TTest, number>
  const { mean, deviation, lower, upper, pValue, degrees } = found
  return { mean, deviation: known(deviation), lower: known(lower), upper: known(upper), pValue: known(pValue), degrees }
}

const numbers = v.array(v.pipe(v.number(expected('a number')), v.finite(expected('a finite number'))), expected('an array of numbers'))
