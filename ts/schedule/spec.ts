import * as v from 'valibot'
import { native } from '../binding.js'
import { decode, encode } from '../json.js'
import { call } from '../native-error.js'
import { count, parse } from '../options.js'

/** A multiplier of the learning rate as plain JSON, its kind in `type`; made by {@link constant}, {@link inverseSqrt} and the others. */
export type ScheduleSpec =
  | { readonly type: 'constant' }
  | { readonly type: 'linear'; readonly warmupSteps: number }
  | { readonly type: 'linear'; readonly warmupRatio: number }
  | { readonly type: 'inverseSqrt'; readonly warmupSteps: number }
  | { readonly type: 'cosine'; readonly warmupSteps: number }
  | { readonly type: 'polynomial'; readonly power: number; readonly warmupSteps: number }
  | { readonly type: 'warmupLinear'; readonly warmupRatio: number }

/** Fills in the defaults of a schedule of that type. */
export function resolveSchedule<Type extends ScheduleSpec['type']>(type: Type, options: unknown): Extract<ScheduleSpec, { type: Type }> {
  const plain = typeof options === 'object' && options !== null ? { ...options, type } : options
  return scheduleSpec(plain, type) as Extract<ScheduleSpec, { type: Type }>
}

/** Checks a specification and fills in its defaults; `where` begins the paths in messages. */
export function scheduleSpec(value: unknown, where: string): ScheduleSpec {
  const json = encode(value ?? null, where)
  return decode<ScheduleSpec>(call(() => native().resolveSchedule(json, where)))
}

/**
 * s(step), the factor of the learning rate at `step`, which counts from 1.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` when the schedule needs `totalSteps` and there are none.
 * @example
 * multiplierAt(inverseSqrt({ warmupSteps: 100 }), 400) // 0.5
 */
export function multiplierAt(schedule: ScheduleSpec, step: number, totalSteps?: number): number {
  const [at, of] = [parse(count, step, 'step', 'ERR_ARGUMENT'), parse(v.optional(count), totalSteps, 'totalSteps', 'ERR_ARGUMENT')]
  const json = encode(schedule ?? null, 'schedule')
  return call(() => native().scheduleMultiplier(json, at, of))
}
