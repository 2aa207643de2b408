import * as v from 'valibot'
import { count, expected, object, oneOf, positive } from './options.js'

/**
 * SMART's smoothness-inducing regularisation (Jiang et al., ACL 2020): what an encoder says should hardly change where its embeddings do. To the
 * loss comes `weight` × the symmetric Kullback-Leibler divergence (the squared error of numbers) between what is said of the embeddings and of
 * perturbed ones; the perturbation is found by ascending that divergence.
 */
export interface SmoothnessOptions {
  /** @default 1 */
  readonly weight?: number
  /**
   * Standard deviation of the noise that a perturbation begins as.
   * @default 1e-5
   */
  readonly noise?: number
  /**
   * What the gradient is multiplied with in an ascent step.
   * @default 1e-5
   */
  readonly stepSize?: number
  /**
   * Ascent steps, each about half as long as a training step without smoothness; at most 1000.
   * @default 1
   */
  readonly steps?: number
  /**
   * What a token's perturbation measures, to which it is scaled after every step.
   * @default 1, as in the code that came with SAGE
   */
  readonly radius?: number
  /**
   * By its largest magnitude or by its length.
   * @default 'infinity'
   */
  readonly norm?: 'infinity' | 'euclidean'
}

/** Checks {@link SmoothnessOptions} and fills in its defaults. */
export const smoothnessOptions = object({
  weight: v.optional(positive, 1),
  noise: v.optional(positive, 1e-5),
  stepSize: v.optional(positive, 1e-5),
  steps: v.optional(v.pipe(count, v.maxValue(1000, expected('a whole number of at most 1000'))), 1),
  radius: v.optional(positive, 1),
  norm: v.optional(oneOf(['infinity', 'euclidean']), 'infinity'),
})
