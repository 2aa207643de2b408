import type { CommonOptions, CommonSpec } from './moments.js'
import { resolveOptimizer } from './spec.js'

/** Options of {@link sgd}. */
export interface SgdOptions extends CommonOptions {
  /**
   * μ of the momentum buffer, in [0, 1).
   * @default 0
   */
  readonly momentum?: number
  /**
   * Nesterov's momentum; needs `momentum`.
   * @default false
   */
  readonly nesterov?: boolean
}

/** An SGD, as checkpoints and logs hold it. */
export interface SgdSpec extends CommonSpec<'sgd'> {
  readonly momentum: number
  readonly nesterov: boolean
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD's; with `sage`, SGD-SAGE (Liang et al., ICLR 2022, Algorithm 1), whose
 * first modulation is β0/(1 − β0): warm-up is the guard.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option, with its path.
 * @example
 * sgd({ lr: 0.1, momentum: 0.9, sage: {} }).decay // 'coupled'
 */
export function sgd(options: SgdOptions): SgdSpec {
  return resolveOptimizer('sgd', options)
}
