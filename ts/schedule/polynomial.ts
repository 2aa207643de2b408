import { resolveSchedule, type ScheduleSpec } from './spec.js'

/** Options of {@link polynomial}. */
export interface PolynomialOptions {
  /** The exponent, above 0. */
  readonly power: number
  /** Steps of warm-up. */
  readonly warmupSteps: number
}

/**
 * Linear to 1 over the warm-up, then (share of steps left)^power (fairseq's `polynomial_decay`). Needs `totalSteps`.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option.
 * @example
 * polynomial({ power: 2, warmupSteps: 500 }) // { type: 'polynomial', power: 2, warmupSteps: 500 }
 */
export function polynomial(options: PolynomialOptions): Extract<ScheduleSpec, { type: 'polynomial' }> {
  return resolveSchedule('polynomial', options)
}
