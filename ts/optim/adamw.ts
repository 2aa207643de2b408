import type { MomentOptions, MomentSpec, ReleasedOptions, ReleasedSpec } from './moments.js'
import { resolveOptimizer } from './spec.js'

/** An AdamW, as checkpoints and logs hold it. */
export type AdamwSpec = MomentSpec<'adamw'> | ReleasedSpec<'adamw'>

/**
 * AdamW (Loshchilov & Hutter, ICLR 2019); with `sage`, AdamW-SAGE (Liang et al., ICLR 2022). Weight decay is decoupled and 0 unless given;
 * torch.optim.AdamW's default is 0.01.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option, with its path.
 * @example
 * adamw({ lr: 1e-4, weightDecay: 0.01 }).decay // 'decoupled'
 */
export function adamw(options: MomentOptions): MomentSpec<'adamw'>
export function adamw(options: ReleasedOptions): ReleasedSpec<'adamw'>
export function adamw(options: MomentOptions | ReleasedOptions): AdamwSpec {
  return resolveOptimizer('adamw', options)
}
