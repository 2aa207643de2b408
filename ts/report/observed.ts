import type { LogHistogram, SensitivityPoint } from './report-data.js'

/** Statistics of one quantity over one tensor, as `observe` reports them. */
export interface ObservedStatistics {
  readonly count: number
  readonly mean: number
  readonly histogram: {
    /** Elements that are exactly 0. */
    readonly zeros: number
    /** Binary exponent at which the first bin begins. */
    readonly lowest: number
    /** Elements by power of two. */
    readonly counts: readonly number[]
  }
}

/** One tensor of an `observe` report. */
export interface ObservedTensor {
  readonly name: string
  readonly sensitivity: ObservedStatistics
  readonly average: ObservedStatistics
  readonly variation: ObservedStatistics
  readonly modulation: ObservedStatistics
}

/** Binary orders of magnitude of r that are drawn: from 2⁻²⁰ (10⁻⁶) to 2⁶ (64); what lies beyond counts into the ends. */
const DRAWN = { low: -20, high: 6 } as const
const LOG10_OF_2 = Math.log10(2)

/** What was observed of all tensors, as one point of the report's curves: means over all elements. */
export function summarise(tensors: readonly ObservedTensor[], at: { readonly step: number; readonly seconds: number }): SensitivityPoint {
  return {
    ...at,
    sensitivity: meanOver(tensors.map((tensor) => tensor.sensitivity)),
    average: meanOver(tensors.map((tensor) => tensor.average)),
    variation: meanOver(tensors.map((tensor) => tensor.variation)),
    modulation: meanOver(tensors.map((tensor) => tensor.modulation)),
    modulationHistogram: histogramOver(tensors.map((tensor) => tensor.modulation)),
  }
}

function meanOver(list: readonly ObservedStatistics[]): number | null {
  let [total, elements] = [0, 0]
  for (const { count, mean } of list) {
    total += count * mean
    elements += count
  }
  const mean = total / elements
  return Number.isFinite(mean) ? mean : null
}

function histogramOver(list: readonly ObservedStatistics[]): LogHistogram {
  const counts = Array.from({ length: DRAWN.high - DRAWN.low }, () => 0)
  const add = (exponent: number, count: number): void => {
    const bin = Math.min(counts.length - 1, Math.max(0, exponent - DRAWN.low))
    counts[bin] = (counts[bin] ?? 0) + count
  }
  for (const { histogram } of list) {
    add(-Infinity, histogram.zeros)
    histogram.counts.forEach((count, index) => add(histogram.lowest + index, count))
  }
  return { log10Min: DRAWN.low * LOG10_OF_2, log10Max: DRAWN.high * LOG10_OF_2, counts }
}
