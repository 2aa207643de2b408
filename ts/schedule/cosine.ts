import { resolveSchedule, type ScheduleSpec } from './spec.js'

/** Options of {@link cosine}. */
export interface CosineOptions {
  /** Steps of warm-up. */
  readonly warmupSteps: number
}

/**
 * Linear to 1 over the warm-up, then half a cosine to 0 at the last step (transformers' `get_cosine_schedule_with_warmup`). Needs `totalSteps`.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option.
 * @example
 * cosine({ warmupSteps: 500 }) // { type: 'cosine', warmupSteps: 500 }
 */
export function cosine(options: CosineOptions): Extract<ScheduleSpec, { type: 'cosine' }> {
  return resolveSchedule('cosine', options)
}
