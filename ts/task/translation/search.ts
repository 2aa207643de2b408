import * as v from 'valibot'
import { count, expected, nonNegative, object, whole } from '../../options.js'

/** How to search for a translation. */
export interface SearchOptions {
  /**
   * Hypotheses kept a sentence; 1 is greedy.
   * @default 4
   */
  readonly beam?: number
  /**
   * Exponent of the length that a hypothesis's score is divided by (fairseq's `--lenpen`).
   * @default 1
   */
  readonly lengthPenalty?: number
  /**
   * The longest output has maxLengthRatio · source tokens + maxLengthExtra tokens.
   * @default 1.2
   */
  readonly maxLengthRatio?: number
  /** @default 10 */
  readonly maxLengthExtra?: number
}

const penalty = v.pipe(v.number(expected('a finite number')), v.finite('expected a finite number'))

/** Entries of {@link SearchOptions} for schemas. */
export const searchEntries = {
  beam: v.optional(count, 4),
  lengthPenalty: v.optional(penalty, 1),
  maxLengthRatio: v.optional(nonNegative, 1.2),
  maxLengthExtra: v.optional(whole, 10),
}

/** What {@link SearchOptions} may hold. */
export const searchOptions = object(searchEntries)
