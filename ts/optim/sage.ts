import type { Scope, ScopePredicate } from './scope.js'

/**
 * What multiplies the learning rate, from a parameter's smoothed sensitivity Î and its local variation U = |I − Î|:
 * `sage` (U + ε)/(Î + ε), and the ablations of the paper's Appendix A.4.4: `product` (Î + ε)(U + ε), `inverse` (Î + ε)/(U + ε),
 * `average` Î + ε, `reciprocal` 1/(Î + ε), `variation` U + ε, `none` 1.
 */
export type Modulation = 'sage' | 'product' | 'inverse' | 'average' | 'reciprocal' | 'variation' | 'none'

/** Options of sensitivity-guided learning rates (Liang et al., ICLR 2022, Eq. 1-4). */
export interface SageOptions {
  /**
   * Decay of the sensitivity's moving average, between 0 and 1.
   * @default 0.75
   */
  readonly beta0?: number
  /**
   * `paper`: the equations as printed, with correction of the averages.
   * @default 'paper'
   */
  readonly form?: 'paper'
  /**
   * ε, added above and below the ratio.
   * @default 1e-12
   */
  readonly epsilon?: number
  /** @default 'sage' */
  readonly modulation?: Modulation
  /**
   * Which parameters are modulated; the others move as with the base optimizer.
   * @default 'all'
   */
  readonly scope?: Scope | ScopePredicate
}

/**
 * What the paper's released code computes instead: r = U / (Î + eps²), a parameter that is exactly 0 never moves, and decay comes after the
 * step. For {@link adamw} and {@link adamax}, without `decay`; `eps` is then 1e-6 unless given.
 */
export interface ReleasedSageOptions {
  readonly form: 'released'
  /** @default 0.75 */
  readonly beta0?: number
  readonly modulation?: 'sage'
  /** @default 'all' */
  readonly scope?: Scope | ScopePredicate
}

/** {@link SageOptions} with defaults filled in. */
export type SageSpec = Required<SageOptions>

/** {@link ReleasedSageOptions} with defaults filled in. */
export type ReleasedSageSpec = Required<ReleasedSageOptions>
