import { resolveSchedule, type ScheduleSpec } from './spec.js'

/** Options of {@link warmupLinear}. */
export interface WarmupLinearOptions {
  /** Share of all steps, in [0, 1]. */
  readonly warmupRatio: number
}

/**
 * With x = t / totalSteps: x / warmupRatio before the warm-up's end and 1 − x after it, with the jump between that the paper's released
 * code has. Needs `totalSteps`.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option.
 * @example
 * warmupLinear({ warmupRatio: 0.1 }) // { type: 'warmupLinear', warmupRatio: 0.1 }
 */
export function warmupLinear(options: WarmupLinearOptions): Extract<ScheduleSpec, { type: 'warmupLinear' }> {
  return resolveSchedule('warmupLinear', options)
}
