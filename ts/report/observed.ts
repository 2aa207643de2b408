import type { SensitivitySummary, TensorSensitivity } from '../optim/sensitivity.js'
import type { LogHistogram, SensitivityPoint } from './report-data.js'

/** What of an `observe` report the curves need. */
export type ObservedTensor = Pick<TensorSensitivity, 'count'> & Readonly<Record<'sensitivity' | 'average' | 'variation' | 'modulation', Pick<SensitivitySummary, 'mean' | 'zeros' | 'histogram'>>>

/** Binary exponent at which a summary's histogram begins. */
const LOWEST = -72

/** Binary orders of magnitude of r that are drawn: from 2⁻¹⁴ (6·10⁻⁵) to 2⁵ (r is at most β0/(1−β0), 19 for 0.95); what lies beyond counts into the ends. */
const DRAWN = { low: -14, high: 5 } as const
const LOG10_OF_2 = Math.log10(2)

/** What was observed of all tensors, as one point of the report's curves: means over all elements. */
export function summarise(tensors: readonly ObservedTensor[], step: number): Omit<SensitivityPoint, 'seconds'> {
  return {
    step,
    sensitivity: meanOver(tensors, 'sensitivity'),
    average: meanOver(tensors, 'average'),
    variation: meanOver(tensors, 'variation'),
    modulation: meanOver(tensors, 'modulation'),
    modulationHistogram: histogramOver(tensors),
  }
}

function meanOver(tensors: readonly ObservedTensor[], quantity: 'sensitivity' | 'average' | 'variation' | 'modulation'): number | null {
  let [total, elements] = [0, 0]
  for (const tensor of tensors) {
    total += tensor.count * tensor[quantity].mean
    elements += tensor.count
  }
  const mean = total / elements
  return Number.isFinite(mean) ? mean : null
}

function histogramOver(tensors: readonly ObservedTensor[]): LogHistogram {
  const counts = Array.from({ length: DRAWN.high - DRAWN.low }, () => 0)
  const add = (exponent: number, count: number): void => {
    const bin = Math.min(counts.length - 1, Math.max(0, exponent - DRAWN.low))
    counts[bin] = (counts[bin] ?? 0) + count
  }
  for (const { modulation } of tensors) {
    add(-Infinity, modulation.zeros)
    modulation.histogram.forEach((count, index) => add(LOWEST + index, count))
  }
  return { log10Min: DRAWN.low * LOG10_OF_2, log10Max: DRAWN.high * LOG10_OF_2, counts }
}
