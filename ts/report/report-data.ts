import type { Json } from '../json.js'
import type { Boundary } from './boundary.js'

/** A labelled fact of the configuration: machine, versions, data. */
export interface Fact {
  readonly label: string
  readonly value: string
}

/** One column of the result table. `key` names the entry of {@link ArmResult.metrics}. */
export interface MetricColumn {
  readonly key: string
  readonly label: string
  readonly digits: number
  /** Which direction is better; without it no arm is marked as the better one. */
  readonly better?: 'higher' | 'lower'
  readonly format?: 'number' | 'percent' | 'bytes' | 'duration'
}

/** A training step as drawn. Times are seconds since the arm's first step began. */
export interface StepPoint {
  readonly step: number
  readonly seconds: number
  /** Mean loss per token (or sample) with label smoothing; null where the step was not finite. */
  readonly loss: number | null
}

/** An evaluation during training on the validation part. */
export interface EvaluationPoint {
  readonly step: number
  readonly seconds: number
  readonly metrics: { readonly [key: string]: number | null }
}

/** A histogram over equal bins of log10, as `observe` reports it. */
export interface LogHistogram {
  readonly log10Min: number
  readonly log10Max: number
  /** Elements per bin; the outermost bins also hold what lies beyond them. */
  readonly counts: readonly number[]
}

/** What `observe` saw at one step, over all observed elements. */
export interface SensitivityPoint {
  readonly step: number
  readonly seconds: number
  /** Mean of I = |θ ⊙ g|. */
  readonly sensitivity: number | null
  /** Mean of Î, the moving average of I. */
  readonly average: number | null
  /** Mean of U = |I − Î|, the local temporal variation. */
  readonly variation: number | null
  /** Mean of r, the modulation of the learning rate (what it would be, on an arm without SAGE). */
  readonly modulation: number | null
  readonly modulationHistogram?: LogHistogram
}

/** What an arm came to, measured on the held-out part by the weights of `bestStep`. */
export interface ArmResult {
  readonly steps: number
  readonly bestStep: number
  readonly seconds: number
  readonly metrics: { readonly [key: string]: number | null }
  /** Bootstrap intervals (95 %) by metric. */
  readonly intervals: { readonly [key: string]: readonly [low: number, high: number] }
  /** Metric signatures, as sacreBLEU prints them. */
  readonly signatures: { readonly [key: string]: string }
}

/** One run of one arm: one optimizer, one seed. */
export interface ArmReport {
  /** Unique in the report, and the run's folder: the arm, with its seed where there are several. */
  readonly name: string
  /** What is compared; runs that differ only in their seed share it, and their colour. */
  readonly arm: string
  readonly label: string
  readonly seed: number
  readonly steps: readonly StepPoint[]
  readonly evaluations: readonly EvaluationPoint[]
  readonly sensitivity: readonly SensitivityPoint[]
  readonly result: ArmResult | null
  /** The arm's complete training specification. */
  readonly train: Json
}

/** A paired bootstrap of one metric between two arms on the same sentences. */
export interface PairedComparison {
  readonly metric: string
  readonly baseline: string
  readonly arm: string
  /** `arm` minus `baseline`. */
  readonly difference: number
  readonly interval: readonly [low: number, high: number]
  readonly pValue: number
  readonly samples: number
  readonly resamples: number
}

/** A held-out sentence with every run's translation; `outputs` is keyed by the run's name. */
export interface SampleTranslation {
  readonly source: string
  readonly reference: string
  readonly outputs: { readonly [name: string]: string }
}

/** How each arm's learning rate was found: the same search for all of them. */
export interface RateSearch {
  readonly description: string
  readonly command: string
  readonly metric: string
  /**
   * Of its values, after the point.
   * @default 2
   */
  readonly digits?: number
  readonly trials: readonly { readonly arm: string; readonly setting: string; readonly value: number | null; readonly chosen: boolean }[]
}

/** Everything that the page shows; written beside it as `result.json`. */
export interface ComparisonReport {
  readonly schema: 1
  readonly name: string
  readonly task: string
  readonly title: string
  /** ISO 8601, UTC. */
  readonly created: string
  readonly status: 'complete' | 'interrupted'
  readonly command: string
  /** What the metrics were measured on, e.g. "426 held-out sentences, beam 5". */
  readonly measuredOn: string
  /** The metric that decides who is ahead. */
  readonly headline: string
  readonly columns: readonly MetricColumn[]
  readonly arms: readonly ArmReport[]
  readonly comparisons: readonly PairedComparison[]
  readonly samples: readonly SampleTranslation[]
  readonly boundaries: readonly Boundary[]
  readonly rates: RateSearch | null
  readonly data: readonly Fact[]
  readonly machine: readonly Fact[]
  readonly config: Json
}
