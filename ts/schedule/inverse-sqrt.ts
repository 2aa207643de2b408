import { resolveSchedule, type ScheduleSpec } from './spec.js'

/** Options of {@link inverseSqrt}. */
export interface InverseSqrtOptions {
  /** Steps of warm-up, at least 1. */
  readonly warmupSteps: number
}

/**
 * Linear to 1 over the warm-up, then √(warmupSteps / t) (fairseq's `inverse_sqrt`; Vaswani et al., 2017, Section 5.3).
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option.
 * @example
 * inverseSqrt({ warmupSteps: 8000 }) // { type: 'inverseSqrt', warmupSteps: 8000 }
 */
export function inverseSqrt(options: InverseSqrtOptions): Extract<ScheduleSpec, { type: 'inverseSqrt' }> {
  return resolveSchedule('inverseSqrt', options)
}
