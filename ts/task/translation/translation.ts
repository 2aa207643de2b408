import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { chosenScore, choiceOf } from '../../choice.js'
import { Dataset } from '../../dataset.js'
import { SagetrainError } from '../../errors.js'
import { present } from '../../json.js'
import { Model, withModel } from '../../model.js'
import type { JointVocabulary, ModelOptions, TransformerShapeOptions, TwoVocabularies } from '../../model-spec.js'
import { count, expected, fraction, object, oneOf, parse, show } from '../../options.js'
import { bpeDropoutOf } from '../../loader.js'
import type { Run } from '../../run.js'
import { TextSteps } from '../../text/text-steps.js'
import type { Tokenizer } from '../../tokenizer.js'
import { checkTrainOptions, configKeys, trainEntries, type EvaluationSchedule, type TrainOptions } from '../../train-options.js'
import { startRun, type TaskTraining } from '../training.js'
import { evaluateTranslation, spokenOf, type EvaluationPart, type TextTools, type TranslationMetrics, type TranslationScores } from './evaluate.js'
import { prepare, prepareOptions, type Prepared, type PrepareOptions } from './prepare.js'
import { searchEntries, type SearchOptions } from './search.js'
import { openTokenizers, TEXT_FILES, type Tokenizers } from './tokenizers.js'

/** What {@link Translation.train} takes. */
export interface TranslationTrainOptions extends TrainOptions {
  /**
   * A Transformer's fields or a preset, the sizes of the vocabularies filled in; or a model to train further. With a vocabulary for each side
   * a preset's `shared` embeddings become `decoderShared`.
   */
  readonly model: TransformerShapeOptions | Model
  /** Size of a batch. */
  readonly batch: {
    /**
     * Sentences × longest side, at most (fairseq's `--max-tokens`). `'auto'` finds the largest that fits into memory by trying small ones
     * on the longest sentences; a run that goes on keeps what was found. How many tokens make an update is a matter of learning too: `accumulate`
     * makes more of them.
     */
    readonly maxTokens: number | 'auto'
    /** Bytes that the process may take with `'auto'`; without it what it has and what is free. */
    readonly memoryBytes?: number
    /** Sentences, at most. */
    readonly maxSamples?: number
    /**
     * BPE-dropout: the probability with which a merge of a word is left out, anew each epoch; one for both sides or one each. The paper
     * takes 0.1. Batches are cut by the lengths without it, so one may exceed `maxTokens` by what its sentences grow.
     * @default none
     */
    readonly bpeDropout?: number | { readonly source?: number; readonly target?: number }
  }
  /**
   * ε of label smoothing.
   * @default 0.1
   */
  readonly labelSmoothing?: number
  /** When and how to score on the validation part. */
  readonly evaluation?: EvaluationSchedule & SearchOptions
  /**
   * What the best is chosen by on the validation part: the highest BLEU or chrF, or the lowest loss (label smoothing included, fairseq's
   * criterion) or negative log-likelihood.
   * @default { metric: 'bleu' }
   */
  readonly best?: { readonly metric: 'bleu' | 'chrf' | 'loss' | 'nll' }
}

/** What {@link Translation.evaluate} takes. */
export interface TranslationEvaluateOptions extends SearchOptions {
  /** @default 'test' */
  readonly part?: 'train' | 'valid' | 'test'
  /** Calls the evaluation off. */
  readonly signal?: AbortSignal
}

type Part = 'train' | 'valid' | 'test'

/** Positions of a model whose specification does not say. */
const MAX_POSITIONS = 1024

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
  /** Source text to ids and back; target text too, where the two share a vocabulary. */
  readonly tokenizer: Tokenizer
  /** Target text to ids and back. */
  readonly targetTokenizer: Tokenizer
  /** Paths of the two, by the dataset's column. */
  readonly tokenizerFiles: Readonly<Record<'source' | 'target', string>>
  /** Whether words and punctuation were put apart: then {@link TranslationScores.tokens} are words. */
  readonly tokenized: boolean
  readonly #text: TextSteps
  readonly #parts: ReadonlyMap<Part, Dataset>
  readonly #texts = new Map<Part, EvaluationPart>()

  private constructor(prepared: Prepared, { source, target }: Tokenizers, tokenized: boolean, parts: ReadonlyMap<Part, Dataset>) {
    this.prepared = prepared
    this.tokenizer = source
    this.targetTokenizer = target
    this.tokenizerFiles = { source: prepared.tokenizer, target: prepared.targetTokenizer }
    this.tokenized = tokenized
    this.#text = TextSteps.open(prepared.folder)
    this.#parts = parts
  }

  /**
   * Reads, checks, tokenises and stores a parallel corpus, or finds that it has been done. Without files it is the embedded corpus.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG`, `ERR_ARGUMENT` (options), `ERR_DATA` for a corpus that is empty, mostly bad or of unequal files, `ERR_IO`; the
   * signal's reason when it aborts.
   */
  static async prepare(options: PrepareOptions = {}): Promise<Translation> {
    const prepared = await prepare(options)
    const tokenizers = await openTokenizers(prepared.tokenizer, prepared.targetTokenizer)
    const parts = new Map<Part, Dataset>([['train', await Dataset.open(prepared.train)]])
    if (prepared.valid !== null) parts.set('valid', await Dataset.open(prepared.valid))
    if (prepared.test !== null) parts.set('test', await Dataset.open(prepared.test))
    const { tokenization } = JSON.parse(await readFile(prepared.text, 'utf8')) as { readonly tokenization: 'none' | 'moses' }
    return new Translation(prepared, tokenizers, tokenization !== 'none', parts)
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
   * Trains a translator, scoring it on the validation part; the best is the one with the highest BLEU, or as `best.metric` says.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for an unknown, missing or impossible option, before anything has begun.
   */
  train(options: TranslationTrainOptions): Run<TranslationMetrics> {
    const parsed = translationTrainOptions(options)
    const { model, batch, labelSmoothing, evaluation, best, signal } = parsed
    const { everySteps, ...search } = evaluation
    const valid = this.#parts.has('valid') ? this.#part('valid') : undefined
    const scored = { search, maxTokens: SCORED_TOKENS, signal }
    return startRun<TranslationMetrics>({
      task: 'translation',
      options: parsed,
      dataset: this.dataset('train'),
      model: this.#model(model),
      batch: this.#batch(parsed),
      ...(batch.maxTokens === 'auto' && { tokenBudget: present({ memoryBytes: batch.memoryBytes }) }),
      labelSmoothing,
      evaluateEvery: everySteps,
      ...(valid === undefined ? {} : { evaluate: async ({ model: trained }) => (await evaluateTranslation(trained, valid, this.#target, scored)).metrics }),
      score: chosenScore(choiceOf(best.metric)),
      attachments: this.#attachments(),
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
    return withModel(model, (loaded) => evaluateTranslation(loaded, data, this.#target, scored))
  }

  get #target(): TextTools {
    return { tokenizer: this.targetTokenizer, text: this.#text }
  }

  /** A part with its text, decoded once. */
  #part(part: Part): EvaluationPart {
    const known = this.#texts.get(part)
    if (known !== undefined) return known
    const dataset = this.dataset(part)
    const [sources, spoken] = [spokenOf(dataset, 'source', this.tokenizer), spokenOf(dataset, 'target', this.targetTokenizer)]
    const made = { dataset, sources: this.#text.restore('source', sources), references: this.#text.restore('target', spoken), spoken }
    this.#texts.set(part, made)
    return made
  }

  #batch({ model, batch: { maxTokens, maxSamples, bpeDropout } }: ReturnType<typeof translationTrainOptions>): TaskTraining<TranslationMetrics>['batch'] {
    const batch = present({ maxTokens: maxTokens === 'auto' ? undefined : maxTokens, maxSamples })
    if (bpeDropout === undefined) return batch
    const probabilities = typeof bpeDropout === 'number' ? { source: bpeDropout, target: bpeDropout } : bpeDropout
    const held = (model instanceof Model ? model.spec : model) as { readonly maxPositions?: number }
    return { ...batch, bpeDropout: bpeDropoutOf(probabilities, this.tokenizerFiles, held.maxPositions ?? MAX_POSITIONS) }
  }

  /** What a model folder needs for text, the target's tokenizer in a folder of its own where it has one. */
  #attachments(): readonly string[] {
    const { folder, targetTokenizer } = this.prepared
    const files = TEXT_FILES.map((file) => join(folder, file))
    return this.#isJoint ? files : [...files, dirname(targetTokenizer)]
  }

  get #isJoint(): boolean {
    return this.targetTokenizer === this.tokenizer
  }

  get #vocabulary(): JointVocabulary | TwoVocabularies {
    const [source, target] = [this.tokenizer.size, this.targetTokenizer.size]
    return this.#isJoint ? { vocabularySize: source } : { sourceVocabularySize: source, targetVocabularySize: target }
  }

  #model(model: object): ModelOptions | Model {
    const vocabulary = this.#vocabulary
    if (!(model instanceof Model)) {
      if (!this.#isJoint) refuseSharedEmbeddings(model)
      return { type: 'transformer', ...model, ...vocabulary }
    }
    const { spec } = model
    const [sizes, own] = [Object.entries(vocabulary), new Map<string, unknown>(Object.entries(spec))]
    if (spec.type === 'transformer' && sizes.every(([key, size]) => own.get(key) === size)) return model
    const wanted = sizes.map(([key, size]) => `${key} ${String(size)}`).join(' and ')
    const message = `train.model: expected a transformer of ${wanted}, as the data have, got ${JSON.stringify(spec)}`
    throw new SagetrainError('ERR_CONFIG', message, { fields: { key: 'train.model' } })
  }

  /** Lets go of data and tokenizers; idempotent. */
  [Symbol.dispose](): void {
    for (const dataset of this.#parts.values()) dataset[Symbol.dispose]()
    this.tokenizer[Symbol.dispose]()
    this.targetTokenizer[Symbol.dispose]()
  }
}

/** One table cannot hold two vocabularies. */
function refuseSharedEmbeddings(model: { readonly embeddings?: unknown }): void {
  if (model.embeddings !== 'shared') return
  const key = 'train.model.embeddings'
  const message = `${key}: "shared" is one table for both sides, which have a vocabulary each; give "decoderShared" or "separate", or prepare with vocabulary.joint: true`
  throw new SagetrainError('ERR_CONFIG', message, { fields: { key } })
}

const probability = v.pipe(v.number(expected('a number from 0 to 1')), v.minValue(0, expected('a number from 0 to 1')), v.maxValue(1, expected('a number from 0 to 1')))

const bpeDropout = v.union(
  [probability, object({ source: v.exactOptional(probability), target: v.exactOptional(probability) })],
  expected('a number from 0 to 1, or { source, target }'),
)

const trainOptions = object({
  ...trainEntries,
  model: v.custom<object>((value) => typeof value === 'object' && value !== null, expected('a preset such as { preset: "transformer-small" }')),
  batch: object({ maxTokens: v.union([count, v.literal('auto')], expected('a whole number >= 1, or "auto"')), memoryBytes: v.exactOptional(count), maxSamples: v.exactOptional(count), bpeDropout: v.exactOptional(bpeDropout) }),
  labelSmoothing: v.optional(fraction, 0.1),
  evaluation: v.optional(object({ everySteps: v.exactOptional(count), ...searchEntries }), {}),
  best: v.optional(object({ metric: oneOf(['bleu', 'chrf', 'loss', 'nll']) }), { metric: 'bleu' }),
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
  if (parsed.batch.memoryBytes !== undefined && parsed.batch.maxTokens !== 'auto') {
    const key = 'train.batch.memoryBytes'
    throw new SagetrainError('ERR_CONFIG', `${key}: has no effect without maxTokens: "auto"`, { fields: { key } })
  }
  return parsed
}

/** Keys of the two parts of a configuration. */
export const translationKeys = configKeys(prepareOptions, trainOptions)
