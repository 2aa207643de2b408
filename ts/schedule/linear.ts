import { resolveSchedule, type ScheduleSpec } from './spec.js'

/** Length of the warm-up: in steps, or as a share of all steps in [0, 1]; not both. */
export type LinearOptions = { readonly warmupSteps?: number; readonly warmupRatio?: never } | { readonly warmupRatio: number; readonly warmupSteps?: never }

/**
 * Linear to 1 over the warm-up, then linear to 0 at the last step (transformers' `get_linear_schedule_with_warmup`). Needs `totalSteps`.
 *
 * @param options - No warm-up unless given.
 * @throws {@link SagetrainError} `ERR_CONFIG` for an unknown or impossible option.
 * @example
 * linear({ warmupRatio: 0.1 }) // { type: 'linear', warmupRatio: 0.1 }
 */
export function linear(options: LinearOptions = {}): Extract<ScheduleSpec, { type: 'linear' }> {
  return resolveSchedule('linear', options)
}
