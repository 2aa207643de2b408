import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { Dataset } from '../../dataset.js'
import { SagetrainError } from '../../errors.js'
import { Model, withModel } from '../../model.js'
import type { ModelOptions, TransformerShapeOptions } from '../../model-spec.js'
import { count, expected, fraction, object, parse, show } from '../../options.js'
import type { Run } from '../../run.js'
import { Tokenizer } from '../../tokenizer.js'
import { checkTrainOptions, configKeys, trainEntries, type EvaluationSchedule, type TrainOptions } from '../../train-options.js'
import { startRun } from '../training.js'
import { evaluateTranslation, textsOf, type EvaluationPart, type TranslationMetrics, type TranslationScores } from './evaluate.js'
import { prepare, prepareOptions, type Prepared, type PrepareOptions } from './prepare.js'
import { searchEntries, type SearchOptions } from './search.js'

/** What {@link Translation.train} takes. */
export interface TranslationTrainOptions extends TrainOptions {
  /** A Transformer's fields or a preset, the vocabulary's size filled in; or a model to train further. */
  readonly model: TransformerShapeOptions | Model
  /** Size of a batch. */
  readonly batch: {
    /** Sentences × longest side, at most (fairseq's `--max-tokens`). */
    readonly maxTokens: number
    /** Sentences, at most. */
    readonly maxSamples?: number
  }
  /**
   * ε of label smoothing.
   * @default 0.1
   */
  readonly labelSmoothing?: number
  /** When and how to score on the validation part. */
  readonly evaluation?: EvaluationSchedule & SearchOptions
}

/** What {@link Translation.evaluate} takes. */
export interface TranslationEvaluateOptions extends SearchOptions {
  /** @default 'test' */
  readonly part?: 'train' | 'valid' | 'test'
  /** Calls the evaluation off. */
  readonly signal?: AbortSignal
}

type Part = 'train' | 'valid' | 'test'

/** Token budget of batches that are only scored. */
const SCORED_TOKENS = 8192

/**
 * Translation: parallel text in, a translator out.
 *
 * @example
 * const task = await Translation.prepare({ source: 'train.de', target: 'train.en', vocabulary: { size: 10_000 } })
 * const run = task.train({ model: { preset: 'transformer-base' }, optimizer: adam({ lr: 1e-3 }), batch: { maxTokens: 4096 }, epochs: 60 })
 */
export class Translation {
  /** What was prepared, and where it lies. */
  readonly prepared: Prepared
  /** Text to ids and back. */
  readonly tokenizer: Tokenizer
  readonly #parts: ReadonlyMap<Part, Dataset>
  readonly #texts = new Map<Part, EvaluationPart>()

  private constructor(prepared: Prepared, tokenizer: Tokenizer, parts: ReadonlyMap<Part, Dataset>) {
    this.prepared = prepared
    this.tokenizer = tokenizer
    this.#parts = parts
  }

  /**
   * Reads, checks, tokenises and stores a parallel corpus, or finds that it has been done. Without files it is the embedded corpus.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG`, `ERR_ARGUMENT` (options), `ERR_DATA` for a corpus that is empty or mostly bad, `ERR_IO`; the
   * signal's reason when it aborts.
   */
  static async prepare(options: PrepareOptions = {}): Promise<Translation> {
    const prepared = await prepare(options)
    const tokenizer = await Tokenizer.load(prepared.tokenizer)
    const parts = new Map<Part, Dataset>([['train', await Dataset.open(prepared.train)]])
    if (prepared.valid !== null) parts.set('valid', await Dataset.open(prepared.valid))
    if (prepared.test !== null) parts.set('test', await Dataset.open(prepared.test))
    return new Translation(prepared, tokenizer, parts)
  }

  /**
   * A part of the data.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for one that was not prepared.
   */
  dataset(part: Part): Dataset {
    const dataset = this.#parts.get(part)
    if (dataset !== undefined) return dataset
    const message = `part: expected one of ${[...this.#parts.keys()].join(', ')}, got ${show(part)}; prepare with test or heldOut for more`
    throw new SagetrainError('ERR_ARGUMENT', message, { fields: { argument: 'part' } })
  }

  /**
   * Trains a translator, scoring it on the validation part; the best is the one with the highest BLEU.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for an unknown, missing or impossible option, before anything has begun.
   */
  train(options: TranslationTrainOptions): Run<TranslationMetrics> {
    const parsed = translationTrainOptions(options)
    const { model, batch, labelSmoothing, evaluation, signal } = parsed
    const { everySteps, ...search } = evaluation
    const valid = this.#parts.has('valid') ? this.#part('valid') : undefined
    const scored = { search, maxTokens: SCORED_TOKENS, signal }
    return startRun<TranslationMetrics>({
      task: 'translation',
      options: parsed,
      dataset: this.dataset('train'),
      model: this.#model(model),
      batch,
      labelSmoothing,
      evaluateEvery: everySteps,
      ...(valid === undefined ? {} : { evaluate: async ({ model: trained }) => (await evaluateTranslation(trained, valid, this.tokenizer, scored)).metrics }),
      score: ({ bleu }) => bleu,
      attachments: ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'].map((file) => join(dirname(this.prepared.tokenizer), file)),
    })
  }

  /**
   * Scores a model on a part of the data.
   *
   * @param model - A model, or the folder of one, such as `join(best.path, 'model')`.
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_CONFIG`, `ERR_MODEL`, `ERR_NON_FINITE` for a model that scores with NaN; the signal's reason when it aborts.
   */
  async evaluate(model: Model | string, options: TranslationEvaluateOptions = {}): Promise<TranslationScores> {
    const { part, signal, ...search } = parse(evaluateOptions, options, 'evaluate')
    const [data, scored] = [this.#part(part), { search, maxTokens: SCORED_TOKENS, signal }]
    return withModel(model, (loaded) => evaluateTranslation(loaded, data, this.tokenizer, scored))
  }

  /** A part with its text, decoded once. */
  #part(part: Part): EvaluationPart {
    const known = this.#texts.get(part)
    if (known !== undefined) return known
    const dataset = this.dataset(part)
    const [sources, references] = [textsOf(dataset, 'source', this.tokenizer), textsOf(dataset, 'target', this.tokenizer)]
    const made = { dataset, sources, references }
    this.#texts.set(part, made)
    return made
  }

  #model(model: object): ModelOptions | Model {
    const vocabularySize = this.tokenizer.size
    if (!(model instanceof Model)) return { type: 'transformer', ...model, vocabularySize }
    const { spec } = model
    if (spec.type === 'transformer' && 'vocabularySize' in spec && spec.vocabularySize === vocabularySize) return model
    const message = `train.model: expected a transformer with a vocabulary of ${vocabularySize}, got ${JSON.stringify(spec)}`
    throw new SagetrainError('ERR_CONFIG', message, { fields: { key: 'train.model' } })
  }

  /** Lets go of data and tokenizer; idempotent. */
  [Symbol.dispose](): void {
    for (const dataset of this.#parts.values()) dataset[Symbol.dispose]()
    this.tokenizer[Symbol.dispose]()
  }
}

const trainOptions = object({
  ...trainEntries,
  model: v.custom<object>((value) => typeof value === 'object' && value !== null, expected('a preset such as { preset: "transformer-small" }')),
  batch: object({ maxTokens: count, maxSamples: v.exactOptional(count) }),
  labelSmoothing: v.optional(fraction, 0.1),
  evaluation: v.optional(object({ everySteps: v.exactOptional(count), ...searchEntries }), {}),
})

const evaluateOptions = object({
  ...searchEntries,
  part: v.optional(v.picklist(['train', 'valid', 'test'], expected('"train", "valid" or "test"')), 'test'),
  signal: v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal'))),
})

/**
 * Checks what {@link Translation.train} takes and fills in its defaults.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG`.
 */
export function translationTrainOptions(options: unknown): v.InferOutput<typeof trainOptions> {
  const parsed = parse(trainOptions, options, 'train')
  checkTrainOptions(parsed, 'train')
  return parsed
}

/** Keys of the two parts of a configuration. */
export const translationKeys = configKeys(prepareOptions, trainOptions)
