import type { MomentOptions, MomentSpec } from './moments.js'
import { resolveOptimizer } from './spec.js'

/** An Adam, as checkpoints and logs hold it. */
export type AdamSpec = MomentSpec<'adam'>

/**
 * Adam (Kingma & Ba, ICLR 2015); with `sage`, Adam-SAGE (Liang et al., ICLR 2022, Algorithm 2). Weight decay is coupled, as torch.optim.Adam's.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option, with its path.
 * @example
 * adam({ lr: 1e-3, betas: [0.9, 0.98], sage: { beta0: 0.8 } }).sage?.modulation // 'sage'
 */
export function adam(options: MomentOptions): AdamSpec {
  return resolveOptimizer('adam', options)
}
