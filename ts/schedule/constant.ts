import { resolveSchedule, type ScheduleSpec } from './spec.js'

/**
 * s(t) = 1.
 *
 * @example
 * constant() // { type: 'constant' }
 */
export function constant(): Extract<ScheduleSpec, { type: 'constant' }> {
  return resolveSchedule('constant', {})
}
