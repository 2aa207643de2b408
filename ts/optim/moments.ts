import type { ObserveOptions } from './observe.js'
import type { SageOptions, SageSpec } from './sage.js'

/**
 * How weight decay λ acts: `coupled` adds λθ to the gradient (but not to the sensitivity), `decoupled` is θ ← θ − ηλθ before the step,
 * `modulated` θ ← θ − ηrλθ with SAGE's modulation r.
 */
export type Decay = 'coupled' | 'decoupled' | 'modulated'

/** Options that Adam and AdamW share. */
export interface MomentOptions {
  /** Base learning rate, at least 0; a schedule multiplies it, a group may override it. */
  readonly lr: number
  /**
   * Decay of the first and the second moment's average, each in [0, 1).
   * @default [0.9, 0.999]
   */
  readonly betas?: readonly [number, number]
  /**
   * ε of the denominator.
   * @default 1e-8
   */
  readonly eps?: number
  /**
   * λ. A group with `weightDecay: 0` excludes biases and norms.
   * @default 0
   */
  readonly weightDecay?: number
  /**
   * How λ acts.
   * @default 'coupled' for `adam`, 'decoupled' for `adamw`
   */
  readonly decay?: Decay
  /** Sensitivity-guided learning rates; `{}` turns them on with defaults. */
  readonly sage?: SageOptions
  /** Watches sensitivity without steering by it. */
  readonly observe?: ObserveOptions
}

/** {@link MomentOptions} with defaults filled in. */
export interface MomentSpec<Type extends string> {
  /** The optimizer's kind. */
  readonly type: Type
  readonly lr: number
  readonly betas: readonly [number, number]
  readonly eps: number
  readonly weightDecay: number
  readonly decay: Decay
  readonly sage?: SageSpec
  readonly observe?: ObserveOptions
}
