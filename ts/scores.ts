import * as v from 'valibot'
import { native } from './binding.js'
import { calling } from './native-error.js'
import { count, expected, object, parse, whole } from './options.js'

/** Corpus BLEU with its parts. */
export interface Bleu {
  /** 0 to 100. */
  readonly score: number
  /** Of 1- to 4-grams, in percent. */
  readonly precisions: readonly number[]
  readonly brevityPenalty: number
  readonly systemLength: number
  readonly referenceLength: number
  /** sacreBLEU's signature. */
  readonly signature: string
}

/** Corpus chrF2. */
export interface Chrf {
  /** 0 to 100. */
  readonly score: number
  /** sacreBLEU's signature. */
  readonly signature: string
}

/** A number on the corpus, and its spread over the resamples. */
export interface Estimate {
  /** On the corpus itself. */
  readonly score: number
  /** Over the resamples. */
  readonly mean: number
  /** Lower end of the 95 % interval. */
  readonly lower: number
  /** Upper end of the 95 % interval. */
  readonly upper: number
  /** sacreBLEU prints "mean ± this". */
  readonly halfWidth: number
}

/** Two systems compared on the same sentences. */
export interface PairedBootstrap {
  readonly baseline: Estimate
  readonly system: Estimate
  /** `system` − `baseline`, resample by resample. */
  readonly difference: Estimate
  /** sacreBLEU's two-sided p-value of "the two systems do not differ". */
  readonly pValue: number
  /** Share of resamples in which `system` scores higher (Koehn, 2004). */
  readonly wins: number
  readonly resamples: number
  readonly seed: number
}

/** How to resample; the defaults are sacreBLEU's. */
export interface BootstrapOptions {
  /** @default 'bleu' */
  readonly metric?: 'bleu' | 'chrf'
  /**
   * At most 1,000,000: all draws are held at once.
   * @default 1000
   */
  readonly resamples?: number
  /** @default 12345 */
  readonly seed?: number
}

/**
 * Corpus BLEU, equal to sacreBLEU's (tokenizer 13a, exponential smoothing).
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists that are empty or of unequal length.
 * @example
 * (await bleu(['the cat sat on the mat'], ['the cat sat on the mat'])).score // 100
 */
export async function bleu(hypotheses: readonly string[], references: readonly string[]): Promise<Bleu> {
  const [left, right] = [sentences(hypotheses, 'hypotheses'), sentences(references, 'references')]
  return (await calling(() => native().corpusBleu(left, right))) as Bleu
}

/**
 * Corpus chrF2, equal to sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists that are empty or of unequal length.
 */
export async function chrf(hypotheses: readonly string[], references: readonly string[]): Promise<Chrf> {
  const [left, right] = [sentences(hypotheses, 'hypotheses'), sentences(references, 'references')]
  return (await calling(() => native().corpusChrf(left, right))) as Chrf
}

/**
 * Paired bootstrap resampling (Koehn, 2004): are two systems' scores on the same sentences different? Draws, intervals and p-value are
 * sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT`.
 */
export async function pairedBootstrap(
  baseline: readonly string[],
  system: readonly string[],
  references: readonly string[],
  options: BootstrapOptions = {},
): Promise<PairedBootstrap> {
  const { metric, resamples, seed } = parse(bootstrapOptions, options, 'options', 'ERR_ARGUMENT')
  const lists = [sentences(baseline, 'baseline'), sentences(system, 'system'), sentences(references, 'references')] as const
  return (await calling(() => native().pairedBootstrap(metric, ...lists, resamples, seed))) as PairedBootstrap
}

function sentences(value: unknown, where: string): string[] {
  return parse(v.array(v.string(expected('a string')), expected('an array of strings')), value, where, 'ERR_ARGUMENT')
}

const bootstrapOptions = object({
  metric: v.optional(v.picklist(['bleu', 'chrf'], expected('"bleu" or "chrf"')), 'bleu'),
  resamples: v.optional(v.pipe(count, v.maxValue(1_000_000, expected('a whole number from 1 to 1,000,000'))), 1000),
  seed: v.optional(whole, 12345),
})
