import { Dataset, Model, type Sample } from '#ts/index.js'

/** Points of two classes that a line parts. */
export function points(count: number): Sample[] {
  const wave = (index: number, factor: number): number => Math.sin(index * factor)
  return Array.from({ length: count }, (_, index) => {
    const [x, y] = [wave(index, 1.7), wave(index, 2.9)]
    return { features: Float32Array.of(x, y), label: Int32Array.of(x + y > 0 ? 1 : 0) }
  })
}

/** Sentences of a made-up language with `</s>`, source and target of different lengths. */
export function sentences(count: number, vocabulary = 40): Sample[] {
  const sentence = (index: number, length: number): number[] => Array.from({ length }, (_, place) => 2 + ((index * 7 + place * 3) % (vocabulary - 4)))
  return Array.from({ length: count }, (_, index) => ({
    source: Int32Array.of(...sentence(index, 2 + (index % 7)), 0),
    target: Int32Array.of(...sentence(index + 1, 1 + (index % 5)), 0),
  }))
}

/** {@link points} as a dataset. */
export const pointSet = (count = 64): Promise<Dataset> => Dataset.from(points(count))

/** {@link sentences} as a dataset. */
export const sentenceSet = (count = 64): Promise<Dataset> => Dataset.from(sentences(count))

/** A small perceptron for {@link points}. */
export const perceptron = (seed = 1): Promise<Model> => Model.create({ type: 'mlp', inputs: 2, hidden: [8], classes: 2 }, { seed })

/** A small Transformer for {@link sentences}. */
export const transformer = (seed = 1): Promise<Model> =>
  Model.create(
    { type: 'transformer', vocabularySize: 40, hiddenSize: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 32, dropout: 0.1 },
    { seed },
  )
