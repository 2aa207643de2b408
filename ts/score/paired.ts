import * as v from 'valibot'
import { native } from '../binding.js'
import { calling } from '../native-error.js'
import { count, expected, object, parse, whole } from '../options.js'
import { referenceLists, sentences, type References } from './corpus.js'
import { metricJson, type Metric } from './metric.js'

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

/** Two systems compared on the same sentences by resampling these. */
export interface PairedBootstrap {
  readonly baseline: Estimate
  readonly system: Estimate
  /** `system` − `baseline`, resample by resample. */
  readonly difference: Estimate
  /** sacreBLEU's two-sided p-value of "the two systems do not differ". */
  readonly pValue: number
  /** Share of resamples in which `system` is better (Koehn, 2004). */
  readonly wins: number
  readonly resamples: number
  readonly seed: number
  /** How the scores and the test were computed. */
  readonly signature: string
}

/** Two systems compared on the same sentences by exchanging their outputs. */
export interface PairedRandomization {
  /** Score of the baseline. */
  readonly baseline: number
  /** Score of the system. */
  readonly system: number
  /** `system` − `baseline`. */
  readonly difference: number
  /** sacreBLEU's two-sided p-value of "the two systems do not differ". */
  readonly pValue: number
  readonly trials: number
  readonly seed: number
  /** How the scores and the test were computed. */
  readonly signature: string
}

/** How to resample; the defaults are sacreBLEU's. */
export interface BootstrapOptions {
  /** @default 'bleu' */
  readonly metric?: Metric
  /**
   * At most 1,000,000: all scores are held at once.
   * @default 1000
   */
  readonly resamples?: number
  /** @default 12345 */
  readonly seed?: number
}

/** How to exchange outputs; the defaults are sacreBLEU's. */
export interface RandomizationOptions {
  /** @default 'bleu' */
  readonly metric?: Metric
  /**
   * At most 1,000,000.
   * @default 10000
   */
  readonly trials?: number
  /** @default 12345 */
  readonly seed?: number
}

/**
 * Paired bootstrap resampling (Koehn, 2004): are two systems' scores on the same sentences different? Draws, intervals and p-value are
 * sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT`.
 */
export async function pairedBootstrap(baseline: readonly string[], system: readonly string[], references: References, options: BootstrapOptions = {}): Promise<PairedBootstrap> {
  const { metric, resamples, seed } = parse(bootstrapOptions, options, 'options', 'ERR_ARGUMENT')
  const lists = [sentences(baseline, 'baseline'), sentences(system, 'system'), referenceLists(references)] as const
  const spec = metricJson(metric, 'options.metric')
  return (await calling(() => native().pairedBootstrap(spec, ...lists, resamples, seed))) as PairedBootstrap
}

/**
 * Paired approximate randomization (Riezler and Maxwell, 2005): how often are two systems as different as they are, when chance decides
 * for every sentence whose output is whose? Draws and p-value are sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT`.
 */
export async function pairedRandomization(
  baseline: readonly string[],
  system: readonly string[],
  references: References,
  options: RandomizationOptions = {},
): Promise<PairedRandomization> {
  const { metric, trials, seed } = parse(randomizationOptions, options, 'options', 'ERR_ARGUMENT')
  const lists = [sentences(baseline, 'baseline'), sentences(system, 'system'), referenceLists(references)] as const
  const spec = metricJson(metric, 'options.metric')
  return (await calling(() => native().pairedRandomization(spec, ...lists, trials, seed))) as PairedRandomization
}

const million = v.pipe(count, v.maxValue(1_000_000, expected('a whole number from 1 to 1,000,000')))
const metric = v.optional(v.unknown(), 'bleu')
const seed = v.optional(whole, 12345)

const bootstrapOptions = object({ metric, resamples: v.optional(million, 1000), seed })
const randomizationOptions = object({ metric, trials: v.optional(million, 10_000), seed })
