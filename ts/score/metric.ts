import * as v from 'valibot'
import { expected, flag, object, oneOf, parse, positive } from '../options.js'

/** How BLEU splits lines into tokens: `mteval-v13a.pl`'s tokenizer, `mteval-v14.pl`'s by Unicode classes, characters, or not at all. */
export type BleuTokenizer = '13a' | 'intl' | 'char' | 'none'

/** What stands for an n-gram order without a match (Chen and Cherry, 2014), in sacreBLEU's words. */
export type BleuSmoothing = 'exp' | 'none' | 'floor' | 'add-k' | { readonly type: 'floor' | 'add-k'; readonly value: number }

/** How to compute BLEU; the defaults are sacreBLEU's. */
export interface BleuOptions {
  /** @default '13a' */
  readonly tokenizer?: BleuTokenizer
  /** @default false */
  readonly lowercase?: boolean
  /**
   * `floor` counts 0.1 matches, `add-k` adds 1, unless `value` says otherwise.
   * @default 'exp'
   */
  readonly smoothing?: BleuSmoothing
  /**
   * Leaves out orders longer than the text: for scores of single sentences.
   * @default false
   */
  readonly effectiveOrder?: boolean
  /**
   * Length of the longest n-grams, 1 to 64; sacreBLEU's signature does not tell it.
   * @default 4
   */
  readonly maxOrder?: number
}

/** How to compute chrF; the defaults are sacreBLEU's chrF2, and `wordOrder: 2` makes it chrF2++. */
export interface ChrfOptions {
  /**
   * Length of the longest character n-grams, 1 to 64.
   * @default 6
   */
  readonly charOrder?: number
  /**
   * Length of the longest word n-grams, 0 to 64.
   * @default 0
   */
  readonly wordOrder?: number
  /**
   * How many times as much recall counts as precision; a whole number.
   * @default 2
   */
  readonly beta?: number
  /** @default false */
  readonly lowercase?: boolean
  /**
   * Whether white space counts as characters.
   * @default false
   */
  readonly whitespace?: boolean
  /**
   * Whether orders too long for the text count, with ε, as in chrF++.py, Moses and NLTK.
   * @default false
   */
  readonly epsSmoothing?: boolean
}

/** How to compute TER; the defaults are sacreBLEU's. */
export interface TerOptions {
  /**
   * Splits punctuation off and resolves XML entities.
   * @default false
   */
  readonly normalized?: boolean
  /**
   * Leaves punctuation out.
   * @default false
   */
  readonly noPunct?: boolean
  /**
   * Whether the two above also treat Chinese and Japanese text.
   * @default false
   */
  readonly asianSupport?: boolean
  /** @default false */
  readonly caseSensitive?: boolean
}

/** How to compute BLEU of tokenized text, as `fairseq-score` does. */
export interface TokenizedBleuOptions {
  /**
   * Length of the longest n-grams, 1 to 4.
   * @default 4
   */
  readonly maxOrder?: number
  /** @default false */
  readonly lowercase?: boolean
  /**
   * Splits hyphenated compounds first, as fairseq's `compound_split_bleu.sh`.
   * @default false
   */
  readonly splitCompounds?: boolean
}

/** A metric with its options. */
export type MetricSpec =
  | ({ readonly type: 'bleu' } & BleuOptions)
  | ({ readonly type: 'chrf' } & ChrfOptions)
  | ({ readonly type: 'ter' } & TerOptions)
  | ({ readonly type: 'tokenizedBleu' } & TokenizedBleuOptions)

/** A metric, by its name where its defaults will do. */
export type Metric = MetricSpec['type'] | MetricSpec

const order = (least: number, most: number) => {
  const what = `a whole number from ${least} to ${most}`
  return v.pipe(v.number(expected(what)), v.check((value) => Number.isInteger(value) && value >= least && value <= most, expected(what)))
}

const off = v.optional(flag, false)

const smoothing = v.pipe(
  v.union([oneOf(['exp', 'none', 'floor', 'add-k']), object({ type: oneOf(['floor', 'add-k']), value: positive })], expected('"exp" | "none" | "floor" | "add-k" | { type, value }')),
  v.transform((value) => {
    if (value === 'floor') return { type: value, value: 0.1 }
    if (value === 'add-k') return { type: value, value: 1 }
    return typeof value === 'string' ? { type: value } : value
  }),
)

const SCHEMAS = {
  bleu: object({
    type: v.literal('bleu'),
    tokenizer: v.optional(oneOf(['13a', 'intl', 'char', 'none']), '13a'),
    lowercase: off,
    smoothing: v.optional(smoothing, 'exp'),
    effectiveOrder: off,
    maxOrder: v.optional(order(1, 64), 4),
  }),
  chrf: object({
    type: v.literal('chrf'),
    charOrder: v.optional(order(1, 64), 6),
    wordOrder: v.optional(order(0, 64), 0),
    beta: v.optional(order(0, 1000), 2),
    lowercase: off,
    whitespace: off,
    epsSmoothing: off,
  }),
  ter: object({ type: v.literal('ter'), normalized: off, noPunct: off, asianSupport: off, caseSensitive: off }),
  tokenizedBleu: object({ type: v.literal('tokenizedBleu'), maxOrder: v.optional(order(1, 4), 4), lowercase: off, splitCompounds: off }),
} as const

const kind = oneOf(['bleu', 'chrf', 'ter', 'tokenizedBleu'])

/** A checked metric as the addon reads it. */
export function metricJson(metric: unknown, where: string): string {
  const named = typeof metric === 'object' && metric !== null ? metric : { type: metric }
  const type = parse(kind, (named as { readonly type?: unknown }).type, typeof metric === 'object' ? `${where}.type` : where, 'ERR_ARGUMENT')
  return JSON.stringify(parse(SCHEMAS[type], named, where, 'ERR_ARGUMENT'))
}
