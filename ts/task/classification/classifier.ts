import * as v from 'valibot'
import { Dataset } from '../../dataset.js'
import { SagetrainError } from '../../errors.js'
import { nativeOf } from '../../handle.js'
import { Model, type PlaceOptions } from '../../model.js'
import { modelFolderAt } from '../../model-folder.js'
import type { EncoderHead, EncoderSpec } from '../../model-spec.js'
import { call } from '../../native-error.js'
import { count, expected, object, parse, text } from '../../options.js'
import { Tokenizer } from '../../tokenizer.js'
import { batchesOf } from '../batches.js'
import { trainedOn, type TrainedOn } from './classifier-folder.js'
import { Predictions, type Prediction } from './predictions.js'
import { likeliest, outputsOf, softmax } from './scores.js'

/** What to classify: a text, or a pair of texts. */
export type Classifiable = string | { readonly text: string; readonly pair?: string }

/** How to classify. */
export interface PredictOptions {
  /**
   * Texts that go through the model together, fewer where they come slowly; the next ones are read when these are done.
   * @default 32
   */
  readonly together?: number
  /** Calls the prediction off. */
  readonly signal?: AbortSignal
}

/**
 * A fine-tuned encoder with its tokenizer.
 *
 * @example
 * using classifier = await Classifier.load('runs/rte')
 * const [{ label, probabilities }] = await classifier.predict([{ text: 'A dog runs.', pair: 'An animal moves.' }])
 * for await (const { label } of classifier.predict(lines)) console.log(label)
 */
export class Classifier {
  /** The model; read-only use is safe. */
  readonly model: Model
  /** Text to ids. */
  readonly tokenizer: Tokenizer
  /** What the classes are called; empty for a regression. */
  readonly labels: readonly string[]
  /** Whether it says classes or numbers. */
  readonly kind: EncoderHead['kind']
  /** Tokens of a sample, at most: longer ones are cut, where those that it was trained on were. */
  readonly maxLength: number
  /** Whether it was trained on pairs; undefined where its folder does not say. */
  readonly pair: boolean | undefined

  private constructor(model: Model, tokenizer: Tokenizer, { maxPositions }: EncoderSpec, { kind, classes, labels }: EncoderHead, { maxLength = 512, pair }: TrainedOn) {
    this.model = model
    this.tokenizer = tokenizer
    this.labels = kind === 'regression' ? [] : (labels ?? Array.from({ length: classes }, (_, index) => `LABEL_${index}`))
    this.kind = kind
    this.maxLength = Math.min(maxPositions, maxLength)
    this.pair = pair
  }

  /**
   * Loads what a run has saved: the run's best weights, a checkpoint, its `model/`, or any folder of a BERT or RoBERTa `…ForSequenceClassification`.
   *
   * @throws {@link SagetrainError} `ERR_MODEL` for a damaged model or one without a head, `ERR_ARGUMENT` for a run of several arms, `ERR_DATA` for a tokenizer that is none of an encoder, `ERR_IO`.
   */
  static async load(folder: string, options: PlaceOptions = {}): Promise<Classifier> {
    const path = await modelFolderAt(parse(text, folder, 'folder', 'ERR_ARGUMENT'))
    const model = await Model.load(path, options)
    try {
      const { spec } = model
      const head = 'head' in spec ? spec.head : null
      if (head === null || !('head' in spec)) throw new SagetrainError('ERR_MODEL', `${path}: has no head that classifies; fine-tune it first`, { fields: { path } })
      return new Classifier(model, await Tokenizer.load(path), spec, head, await trainedOn(path))
    } catch (error) {
      model[Symbol.dispose]()
      throw error
    }
  }

  /**
   * Classifies texts in their order: await it for an array, or iterate over it while more texts come. Texts longer than
   * those that the model was trained on are cut.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_DATA` for a pair where the model was trained on single texts, or the other way round, and `ERR_NON_FINITE` for
   * a text of which the model says NaN, both with its place as `fields.sentence`,
   * `ERR_DISPOSED`; the signal's reason when it aborts.
   */
  predict(texts: Iterable<Classifiable> | AsyncIterable<Classifiable>, options: PredictOptions = {}): Predictions {
    return new Predictions(() => this.#predict(texts, options))
  }

  async *#predict(texts: Iterable<Classifiable> | AsyncIterable<Classifiable>, options: PredictOptions): AsyncGenerator<Prediction, void, undefined> {
    const { together, signal } = parse(predictOptions, options, 'predict')
    let done = 0
    for await (const given of batchesOf(parse(iterable, texts, 'texts', 'ERR_ARGUMENT'), together)) {
      signal?.throwIfAborted()
      const samples = given.map((item, index) => this.#sample(item, done + index))
      yield* await this.#together(samples, done, signal)
      done += samples.length
    }
  }

  /** One text, or two, as in training. */
  #sample(item: Classifiable, place: number): Sample {
    const given = parse(sample, item, 'texts', 'ERR_ARGUMENT')
    if (this.pair === undefined || this.pair === (given.pair !== undefined)) return given
    const message = this.pair ? 'is one text, and the model was trained on pairs of texts' : 'is a pair of texts, and the model was trained on single texts'
    throw new SagetrainError('ERR_DATA', message, { fields: { sentence: place } })
  }

  async #together(samples: readonly Sample[], from: number, signal: AbortSignal | undefined): Promise<Prediction[]> {
    using dataset = await Dataset.from(this.#encode(samples))
    const { outputs, width } = await outputsOf(this.model, dataset, signal, from)
    return samples.map((given, index) => this.#prediction(given, outputs.subarray(index * width, (index + 1) * width)))
  }

  #encode(samples: readonly Sample[]): Record<string, Int32Array>[] {
    const handle = nativeOf(this.tokenizer, 'Tokenizer')
    const pairs = samples.map(({ pair }) => pair ?? null)
    const { ids, types } = call(() => handle.encodePairs(samples.map((one) => one.text), pairs, this.maxLength))
    return ids.map((tokens, index) => {
      const kinds = types[index]
      return kinds === undefined ? { tokens } : { tokens, types: kinds }
    })
  }

  #prediction(given: Sample, row: Float32Array): Prediction {
    if (this.kind === 'regression') return { ...given, value: row[0] ?? Number.NaN }
    const [chosen, shares] = [likeliest(row), softmax(row)]
    return { ...given, label: this.labels[chosen] ?? String(chosen), class: chosen, probabilities: Object.fromEntries(this.labels.map((label, index) => [label, shares[index] ?? 0])) }
  }

  /** Frees model and tokenizer; idempotent. */
  [Symbol.dispose](): void {
    this.model[Symbol.dispose]()
    this.tokenizer[Symbol.dispose]()
  }
}

type Sample = v.InferOutput<typeof sample>

const string = v.string(expected('a string'))
const sample = v.pipe(
  v.union([string, object({ text: string, pair: v.exactOptional(string) })], expected('a string, or an object with a text and perhaps a pair')),
  v.transform((given) => (typeof given === 'string' ? { text: given } : given)),
)
const isIterable = (value: unknown): value is Iterable<Classifiable> | AsyncIterable<Classifiable> => typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
const iterable = v.custom<Iterable<Classifiable> | AsyncIterable<Classifiable>>(isIterable, expected('an array or another iterable of texts'))
const predictOptions = object({ together: v.optional(count, 32), signal: v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal'))) })
