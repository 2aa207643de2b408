import type { ScheduleSpec } from '../schedule/spec.js'
import type { NamePattern } from './scope.js'

/** Parameters that differ from the rest; what is left out is as in the specification. A parameter is in one group at most. */
export interface GroupOptions extends NamePattern {
  /** Their base learning rate. */
  readonly lr?: number
  /** Their λ; 0 excludes them from decay. */
  readonly weightDecay?: number
  /** β0 of their sensitivity. */
  readonly beta0?: number
}

/** What an optimizer does besides its rule, in a session or alone. */
export interface OptimizerOptions {
  /**
   * Multiplier of the rate.
   * @default constant()
   */
  readonly schedule?: ScheduleSpec
  /** Steps the schedule spans, where it needs to know. */
  readonly totalSteps?: number
  /** Parameters with a rate, a decay or a β0 of their own. */
  readonly groups?: readonly GroupOptions[]
  /** Global L2 norm that gradients are clipped to, as torch's `clip_grad_norm_` does. */
  readonly maxGradientNorm?: number
  /**
   * What to do about a gradient with NaN or an infinity: `error` fails the step, `skip` leaves it out and says so; either way nothing has
   * changed. `unchecked` saves one read of the gradients where nothing clips.
   * @default 'error'
   */
  readonly nonFinite?: 'error' | 'skip' | 'unchecked'
  /**
   * Type of SAGE's moving average of sensitivity. `bfloat16` halves its memory; what that costs in accuracy and time is measured in
   * docs/precision.md.
   * @default 'float32' (float64 where the parameters are)
   */
  readonly sensitivityDtype?: 'float32' | 'bfloat16'
}

/** How a dynamic loss scale moves. */
export interface LossScaleOptions {
  /** @default 65536 */
  readonly initial?: number
  /**
   * After `growthInterval` good steps in a row; above 1.
   * @default 2
   */
  readonly growthFactor?: number
  /**
   * After a step that was left out; between 0 and 1.
   * @default 0.5
   */
  readonly backoffFactor?: number
  /** @default 2000 */
  readonly growthInterval?: number
}

/** Options of {@link createOptimizer}. */
export interface StandaloneOptions extends OptimizerOptions {
  /**
   * Keeps the exponential moving average a ← d·a + (1 − d)·θ of every parameter, taken in the same pass; its first step sets it to θ, as
   * torch's `AveragedModel` with `get_ema_multi_avg_fn` does. It is read as `<parameter>/average` from {@link Optimizer.state}
   * once it has begun.
   */
  readonly average?: { readonly decay: number }
  /**
   * Dynamic loss scaling for float16, as torch's `GradScaler` has it: multiply the loss with {@link Optimizer.lossScale}; a step whose
   * gradients are not finite is left out (`nonFinite` is `skip` beside it) and halves the scale, 2,000 good ones in a row double it. A scale
   * that falls to nothing is `ERR_NON_FINITE`.
   * @default none: what {@link StepInputs.lossScale} says
   */
  readonly lossScale?: 'dynamic' | LossScaleOptions
  /**
   * How parameters of 16 bits take a step that is less than their last place: `nearest` keeps a float32 master weight (state `master`);
   * of bfloat16 alone, `stochastic` rounds up or down at the odds of the distances and keeps nothing, `kahan` keeps what rounding left
   * (state `compensation`, 2 bytes). What each costs is measured in docs/precision.md.
   * @default 'nearest'
   */
  readonly rounding?: 'nearest' | 'stochastic' | 'kahan'
  /**
   * Of stochastic rounding, whose noise is a function of seed, step, parameter's name and element.
   * @default 0
   */
  readonly seed?: number
}
