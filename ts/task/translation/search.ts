import * as v from 'valibot'
import { count, expected, flag, nonNegative, object, oneOf, positive, whole } from '../../options.js'

/** How tokens are drawn. */
export interface SamplingOptions {
  /**
   * Divides the logits; below 1 sharpens.
   * @default 1
   */
  readonly temperature?: number
  /** Only the likeliest so many tokens. */
  readonly topK?: number
  /** Only the likeliest tokens whose probabilities sum up to this (Holtzman et al., 2020), after `topK`. */
  readonly topP?: number
  /**
   * With a source's position it decides what is drawn, whatever the batch.
   * @default 1
   */
  readonly seed?: number
}

/** How to search for a translation. */
export interface SearchOptions {
  /**
   * Hypotheses kept a sentence; 1 is greedy. With `sampling`, how many are drawn.
   * @default 4
   */
  readonly beam?: number
  /**
   * α, the strength of the length normalisation (fairseq's `--lenpen`); 0 for none.
   * @default 1
   */
  readonly lengthPenalty?: number
  /**
   * What a hypothesis's log-probability is divided by, |y| its tokens with `</s>`: `length` |y|^α, fairseq's; `gnmt` ((5 + |y|) / 6)^α (Wu et
   * al., 2016).
   * @default 'length'
   */
  readonly lengthNormalization?: 'length' | 'gnmt'
  /**
   * The longest output has maxLengthRatio · source tokens + maxLengthExtra tokens, `</s>` counted on both sides; fairseq's `--max-len-a` and
   * `--max-len-b` allow one more.
   * @default 1.2
   */
  readonly maxLengthRatio?: number
  /** @default 10 */
  readonly maxLengthExtra?: number
  /** The longest output whatever the source, `</s>` counted. */
  readonly maxLength?: number
  /**
   * The shortest output, `</s>` not counted.
   * @default 0
   */
  readonly minLength?: number
  /** Draws hypotheses instead of searching for the likeliest; their scores are the model's own. */
  readonly sampling?: SamplingOptions
}

const penalty = v.pipe(v.number(expected('a finite number')), v.finite('expected a finite number'))
const share = v.pipe(v.number(expected('a number in (0, 1]')), v.gtValue(0, 'expected a number in (0, 1]'), v.maxValue(1, 'expected a number in (0, 1]'))

/** Hypotheses kept a sentence where nothing is said. */
export const DEFAULT_BEAM = 4

/** Entries of {@link SamplingOptions} for schemas. */
const sampling = object({
  temperature: v.optional(positive, 1),
  topK: v.exactOptional(count),
  topP: v.exactOptional(share),
  seed: v.optional(whole, 1),
})

/** Entries of {@link SearchOptions} for schemas. */
export const searchEntries = {
  beam: v.optional(count, DEFAULT_BEAM),
  lengthPenalty: v.optional(penalty, 1),
  lengthNormalization: v.optional(oneOf(['length', 'gnmt']), 'length'),
  maxLengthRatio: v.optional(nonNegative, 1.2),
  maxLengthExtra: v.optional(whole, 10),
  maxLength: v.exactOptional(count),
  minLength: v.optional(whole, 0),
  sampling: v.exactOptional(sampling),
}

/** What {@link SearchOptions} may hold. */
export const searchOptions = object(searchEntries)

/** What is searched for beyond a hypothesis's text. */
export const hypothesisEntries = { ...searchEntries, replaceUnknown: v.optional(flag, false) }
