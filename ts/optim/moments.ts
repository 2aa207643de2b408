import type { ObserveOptions } from './observe.js'
import type { ReleasedSageOptions, ReleasedSageSpec, SageOptions, SageSpec } from './sage.js'

/**
 * How weight decay λ acts: `coupled` adds λθ to the gradient (but not to the sensitivity), `decoupled` is θ ← θ − ηλθ before the step,
 * `modulated` θ ← θ − ηrλθ with SAGE's modulation r.
 */
export type Decay = 'coupled' | 'decoupled' | 'modulated'

/** Options that every optimizer has. */
export interface CommonOptions {
  /** Base learning rate, at least 0; a schedule multiplies it, a group may override it. */
  readonly lr: number
  /**
   * λ. A group with `weightDecay: 0` excludes biases and norms.
   * @default 0
   */
  readonly weightDecay?: number
  /**
   * How λ acts.
   * @default 'decoupled' for `adamw`, 'coupled' for the others
   */
  readonly decay?: Decay
  /** Sensitivity-guided learning rates; `{}` turns them on with defaults. */
  readonly sage?: SageOptions
  /** Watches sensitivity without steering by it. */
  readonly observe?: ObserveOptions
}

/** Options that Adam, AdamW and Adamax share. */
export interface MomentOptions extends CommonOptions {
  /**
   * Decay of the first and the second moment's average (of the infinity norm in Adamax), each in [0, 1).
   * @default [0.9, 0.999]
   */
  readonly betas?: readonly [number, number]
  /**
   * ε of the denominator, above 0.
   * @default 1e-8
   */
  readonly eps?: number
}

/** {@link MomentOptions} with the released form of SAGE, which has a decay of its own and 1e-6 for `eps`. */
export interface ReleasedOptions extends Omit<MomentOptions, 'decay' | 'sage'> {
  readonly decay?: never
  readonly sage: ReleasedSageOptions
}

/** {@link CommonOptions} with defaults filled in. */
export interface CommonSpec<Type extends string> {
  /** The optimizer's kind. */
  readonly type: Type
  readonly lr: number
  readonly weightDecay: number
  readonly decay: Decay
  readonly sage?: SageSpec
  readonly observe?: ObserveOptions
}

/** {@link MomentOptions} with defaults filled in. */
export interface MomentSpec<Type extends string> extends CommonSpec<Type> {
  readonly betas: readonly [number, number]
  readonly eps: number
}

/** {@link ReleasedOptions} with defaults filled in. */
export interface ReleasedSpec<Type extends string> extends Omit<MomentSpec<Type>, 'decay' | 'sage'> {
  readonly decay?: never
  readonly sage: ReleasedSageSpec
}
