import type { MomentOptions, MomentSpec, ReleasedOptions, ReleasedSpec } from './moments.js'
import { resolveOptimizer } from './spec.js'

/** An Adamax, as checkpoints and logs hold it. */
export type AdamaxSpec = MomentSpec<'adamax'> | ReleasedSpec<'adamax'>

/**
 * Adamax (Kingma & Ba, ICLR 2015, Section 7.1); with `sage`, Adamax-SAGE. In the paper's form the first step is all but null; in the
 * released one the first modulation is β0/(1 − β0), and warm-up is the guard. Weight decay is coupled, as torch.optim.Adamax's.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for a missing, unknown or impossible option, with its path.
 * @example
 * adamax({ lr: 5e-5, sage: { form: 'released', scope: 'encoder-linear' } }).eps // 0.000001
 */
export function adamax(options: MomentOptions): MomentSpec<'adamax'>
export function adamax(options: ReleasedOptions): ReleasedSpec<'adamax'>
export function adamax(options: MomentOptions | ReleasedOptions): AdamaxSpec {
  return resolveOptimizer('adamax', options)
}
