import * as v from 'valibot'
import { native } from '../../binding.js'
import { chosenScore, choiceOf } from '../../choice.js'
import { adoptDataset, type Dataset } from '../../dataset.js'
import { nativeOf } from '../../handle.js'
import { encode } from '../../json.js'
import { Model, withModel } from '../../model.js'
import type { MlpOptions } from '../../model-spec.js'
import { calling } from '../../native-error.js'
import { count, expected, nonNegative, object, oneOf, parse, positive, whole } from '../../options.js'
import type { Run } from '../../run.js'
import { checkTrainOptions, configKeys, trainEntries, type EvaluationSchedule, type TrainOptions } from '../../train-options.js'
import { startRun } from '../training.js'

/** The shape of the arms. */
export interface SpiralOptions {
  /**
   * Points to train on, both arms together.
   * @default 2000
   */
  readonly samples?: number
  /**
   * Points to validate on, drawn with another seed.
   * @default 1000
   */
  readonly validSamples?: number
  /**
   * Turns of an arm from the centre to the rim.
   * @default 1.75
   */
  readonly turns?: number
  /**
   * Standard deviation of the noise on each coordinate; the rim has radius 1.
   * @default 0.03
   */
  readonly noise?: number
  /** @default 0 */
  readonly seed?: number
}

/** Scores of a classifier of the arms. */
export interface SpiralMetrics {
  /** Mean cross-entropy in nats. */
  readonly loss: number
  /** Share of points on the right arm, 0 to 1. */
  readonly accuracy: number
}

/** What {@link Spiral.train} takes. */
export interface SpiralTrainOptions extends TrainOptions {
  /**
   * The perceptron; three hidden layers of 100 units as in Figure 5 of the paper unless given. Or a model to train further.
   * @default {}
   */
  readonly model?: Partial<Pick<MlpOptions, 'hidden' | 'activation'>> | Model
  /**
   * Points of a batch.
   * @default { batchSize: 100 }
   */
  readonly batch?: { readonly batchSize: number }
  /**
   * When to score on the validation points.
   * @default { everySteps: 100 }
   */
  readonly evaluation?: EvaluationSchedule
  /**
   * What the best is chosen by on the validation points: the highest accuracy or the lowest loss.
   * @default { metric: 'accuracy' }
   */
  readonly best?: { readonly metric: 'accuracy' | 'loss' }
}

/** P(arm 1) on a square grid. */
export interface Boundary {
  /** Grid points a side. */
  readonly resolution: number
  /** The grid reaches from −extent to +extent on both axes. */
  readonly extent: number
  /** Row by row from the bottom left. */
  readonly probabilities: Float32Array
}

type Part = 'train' | 'valid'

/**
 * The Spiral: two arms, and a perceptron to tell them apart (Figure 5 of the SAGE paper).
 *
 * @example
 * const task = await Spiral.prepare()
 * const { best } = await task.train({ optimizer: adam({ lr: 1e-3 }), epochs: 100 }).done
 */
export class Spiral {
  readonly #parts: Readonly<Record<Part, Dataset>>

  private constructor(parts: Readonly<Record<Part, Dataset>>) {
    this.#parts = parts
  }

  /**
   * Draws the points: the same options give the same ones.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG`.
   */
  static async prepare(options: SpiralOptions = {}): Promise<Spiral> {
    const { samples, validSamples, turns, noise, seed } = parse(spiralOptions, options, 'prepare')
    const draw = async (count_: number, seed_: number): Promise<Dataset> => {
      const json = encode({ samples: count_, turns, noise, seed: seed_ }, 'prepare')
      return adoptDataset(await calling(() => native().Dataset.spiral(json)))
    }
    return new Spiral({ train: await draw(samples, seed), valid: await draw(validSamples, seed + 1) })
  }

  /** The points of a part: columns `features` (x, y) and `label` (the arm, 0 or 1). */
  dataset(part: Part): Dataset {
    return this.#parts[parse(partName, part, 'part', 'ERR_ARGUMENT')]
  }

  /**
   * Trains a perceptron; the best is the one with the highest accuracy on the validation points, or as `best.metric` says.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for an unknown, missing or impossible option, before anything has begun.
   */
  train(options: SpiralTrainOptions): Run<SpiralMetrics> {
    const parsed = spiralTrainOptions(options)
    const { model, batch, evaluation, best } = parsed
    return startRun<SpiralMetrics>({
      task: 'spiral',
      options: parsed,
      dataset: this.#parts.train,
      model: model instanceof Model ? model : ({ type: 'mlp', inputs: 2, classes: 2, ...model } as MlpOptions),
      batch,
      evaluateEvery: evaluation.everySteps,
      evaluate: ({ model: trained }) => this.evaluate(trained),
      score: chosenScore(choiceOf(best.metric)),
      attachments: [],
    })
  }

  /**
   * Scores a classifier.
   *
   * @param model - A model, or the folder of one, such as `join(best.path, 'model')`.
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_MODEL`.
   */
  async evaluate(model: Model | string, part: Part = 'valid'): Promise<SpiralMetrics> {
    const dataset = this.dataset(part)
    return withModel(model, async (loaded) => {
      const { loss, accuracy = 0 } = await loaded.evaluate(dataset, { batchSize: 1000 })
      return { loss, accuracy }
    })
  }

  /**
   * What a classifier decides, on a grid of the plane.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for a grid that is none.
   */
  async boundary(model: Model | string, options: { readonly resolution?: number; readonly extent?: number } = {}): Promise<Boundary> {
    const { resolution, extent } = parse(boundaryOptions, options, 'boundary')
    return withModel(model, async (loaded) => {
      const handle = nativeOf(loaded, 'Model', 'model')
      return { resolution, extent, probabilities: await calling(() => handle.boundary(resolution, extent)) }
    })
  }

  /** Lets go of the points; idempotent. */
  [Symbol.dispose](): void {
    for (const dataset of Object.values(this.#parts)) dataset[Symbol.dispose]()
  }
}

const partName = v.picklist(['train', 'valid'], expected('"train" or "valid"'))

const spiralOptions = object({
  samples: v.optional(count, 2000),
  validSamples: v.optional(count, 1000),
  turns: v.optional(nonNegative, 1.75),
  noise: v.optional(nonNegative, 0.03),
  seed: v.optional(whole, 0),
})

const trainOptions = object({
  ...trainEntries,
  model: v.optional(v.custom<Partial<MlpOptions> | Model>((value) => typeof value === 'object' && value !== null, expected('{ hidden, activation } or a Model')), {}),
  batch: v.optional(object({ batchSize: count }), { batchSize: 100 }),
  evaluation: v.optional(object({ everySteps: v.optional(count, 100) }), {}),
  best: v.optional(object({ metric: oneOf(['accuracy', 'loss']) }), { metric: 'accuracy' }),
})

const boundaryOptions = object({ resolution: v.optional(count, 200), extent: v.optional(positive, 1.2) })

/**
 * Checks what {@link Spiral.train} takes and fills in its defaults.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG`.
 */
export function spiralTrainOptions(options: unknown): v.InferOutput<typeof trainOptions> {
  const parsed = parse(trainOptions, options, 'train')
  checkTrainOptions(parsed, 'train')
  return parsed
}

/** Keys of the two parts of a configuration. */
export const spiralKeys = configKeys(spiralOptions, trainOptions)
