import * as v from 'valibot'
import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { expected, object, oneOf, parse } from '../options.js'
import { classIds, type ClassIds } from './values.js'

/** Which F1: of one class of two, or the mean over all classes. */
export type F1Options =
  | {
      /** @default 'binary' */
      readonly average?: 'binary'
      /**
       * The class whose F1 it is.
       * @default 1
       */
      readonly positive?: number
    }
  | { readonly average: 'macro' }

/**
 * F1, the harmonic mean of precision and recall, in [0, 1]. Equal to scikit-learn's `f1_score`; 0 where that divides by zero.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists as {@link accuracy} refuses them, for options that do not exist, and for a
 * `binary` average where there is more than one class beside `positive`.
 * @example
 * await f1([1, 0, 1, 1], [1, 1, 1, 0]) // 2 / 3
 * await f1([0, 1, 2, 2], [0, 1, 1, 2], { average: 'macro' }) // (1 + 2 / 3 + 2 / 3) / 3
 */
export async function f1(predictions: ClassIds, labels: ClassIds, options: F1Options = {}): Promise<number> {
  const [predicted, labelled] = [classIds(predictions, 'predictions'), classIds(labels, 'labels')]
  const positive = positiveOf(options)
  return (await calling(() => native().f1Of(predicted, labelled, positive))) as number
}

/** The class whose F1 is asked for; undefined for the mean of all. */
function positiveOf(options: unknown): number | undefined {
  const macro = typeof options === 'object' && options !== null && 'average' in options && options.average === 'macro'
  if (!macro) return parse(binaryOptions, options, 'options', 'ERR_ARGUMENT').positive
  parse(macroOptions, options, 'options', 'ERR_ARGUMENT')
  return undefined
}

const classId = v.pipe(v.number(expected('a whole number of 32 bits')), v.check((value) => (value | 0) === value, expected('a whole number of 32 bits')))
const average = oneOf(['binary', 'macro'])
const binaryOptions = object({ average: v.optional(average), positive: v.optional(classId, 1) })
/** `positive` has no effect here and is refused as unknown. */
const macroOptions = object({ average })
