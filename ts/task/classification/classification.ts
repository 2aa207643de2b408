import { join } from 'node:path'
import * as v from 'valibot'
import { chosenScore } from '../../choice.js'
import { Dataset } from '../../dataset.js'
import { SagetrainError } from '../../errors.js'
import { present } from '../../json.js'
import { Model, withModel } from '../../model.js'
import { modelFolderAt } from '../../model-folder.js'
import type { EncoderHeadOptions, EncoderOptions } from '../../model-spec.js'
import { count, expected, fraction, object, oneOf, parse, show } from '../../options.js'
import type { Run } from '../../run.js'
import { smoothnessOptions, type SmoothnessOptions } from '../../smoothness.js'
import { Tokenizer } from '../../tokenizer.js'
import { checkTrainOptions, configKeys, trainEntries, type EvaluationSchedule, type TrainOptions } from '../../train-options.js'
import { startRun, type TaskTraining } from '../training.js'
import { checkChoice, chosenBy, meanOf, type ChosenBy } from './best.js'
import { checkClasses } from './model-classes.js'
import { fineTuned, modelForms, pretrained, type FineTunedClassifier, type FreshEncoder, type PretrainedEncoder } from './model-forms.js'
import { classificationPrepareOptions, prepareClassification, type ClassificationPartName, type ClassificationPrepared, type ClassificationPrepareOptions } from './prepare.js'
import { glueTask } from './glue.js'
import { indicesOf, predictionsOf, type TestPredictions } from './submission.js'
import { evaluateClassification, outputsOf, type ClassificationMetric, type ClassificationMetrics, type ClassificationScores, type PartMetrics } from './scores.js'

/** What {@link Classification.train} takes. */
export interface ClassificationTrainOptions extends TrainOptions {
  /**
   * A pretrained encoder, one from random weights, or a model with a head to train further, given as a folder or as a `Model`, which its owner
   * still disposes of.
   * @default {}
   */
  readonly model?: PretrainedEncoder | FineTunedClassifier | FreshEncoder | Model
  /**
   * Samples of a batch, or as many as have so many tokens.
   * @default { batchSize: 32 }
   */
  readonly batch?: { readonly batchSize: number } | { readonly maxTokens: number; readonly maxSamples?: number }
  /**
   * ε of label smoothing, for classes.
   * @default 0
   */
  readonly labelSmoothing?: number
  /**
   * SMART's regularisation; `{}` with its defaults.
   * @default none
   */
  readonly smoothness?: SmoothnessOptions
  /** When to score on the validation part. */
  readonly evaluation?: EvaluationSchedule
  /**
   * What the best is chosen by on the validation part or parts: the mean of these metrics, or the lowest loss.
   * @default those that papers report of the recipe; else accuracy for classes, Pearson and Spearman for numbers
   */
  readonly best?: ChosenBy
}

/** What {@link Classification.evaluate} takes. */
export interface ClassificationEvaluateOptions {
  /** @default 'valid' */
  readonly part?: ClassificationPartName
  /** Calls the evaluation off. */
  readonly signal?: AbortSignal
}

/**
 * Classification of texts and pairs of texts, or their regression: labelled text in, a fine-tuned encoder out.
 *
 * @example
 * const task = await Classification.prepare({ recipe: 'rte', data: 'glue', tokenizer: 'bert-base-uncased' })
 * const run = task.train({ model: { pretrained: 'bert-base-uncased' }, optimizer: adamax({ lr: 3e-4, sage: { beta0: 0.65 } }), batch: { batchSize: 16 }, epochs: 6 })
 * const { best } = await run.done
 */
export class Classification {
  /** What was prepared, and where it lies. */
  readonly prepared: ClassificationPrepared
  /** Text to ids. */
  readonly tokenizer: Tokenizer
  readonly #options: ClassificationPrepareOptions
  readonly #parts: ReadonlyMap<ClassificationPartName, Dataset>

  private constructor(prepared: ClassificationPrepared, tokenizer: Tokenizer, options: ClassificationPrepareOptions, parts: ReadonlyMap<ClassificationPartName, Dataset>) {
    this.prepared = prepared
    this.tokenizer = tokenizer
    this.#options = options
    this.#parts = parts
  }

  /**
   * Reads, checks, tokenises and stores labelled text, or finds that it has been done.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG`, `ERR_ARGUMENT` (options), `ERR_DATA` for files that are missing, empty or mostly bad, `ERR_IO`; the
   * signal's reason when it aborts.
   */
  static async prepare(options: ClassificationPrepareOptions): Promise<Classification> {
    const prepared = await prepareClassification(options)
    const tokenizer = await Tokenizer.load(prepared.folder)
    const parts = new Map<ClassificationPartName, Dataset>()
    const task = new Classification(prepared, tokenizer, { ...options, tokenizer: await modelFolderAt(options.tokenizer) }, parts)
    try {
      for (const [name, { file }] of Object.entries(prepared.parts)) parts.set(name as ClassificationPartName, await Dataset.open(join(prepared.folder, file))) // oxlint-disable-line no-await-in-loop -- five at most
      return task
    } catch (error) {
      task[Symbol.dispose]()
      throw error
    }
  }

  /**
   * A part of the data: columns `tokens`, `types` where the model has types, and `label` or `target` where it is labelled.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for one that was not prepared.
   */
  dataset(part: ClassificationPartName): Dataset {
    const dataset = this.#parts.get(part)
    if (dataset !== undefined) return dataset
    const message = `part: expected one of ${[...this.#parts.keys()].join(', ')}, got ${show(part)}`
    throw new SagetrainError('ERR_ARGUMENT', message, { fields: { argument: 'part' } })
  }

  /**
   * Fine-tunes an encoder, scoring it on the validation part; the best is the one with the highest mean of the task's metrics, or as `best` says.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for an unknown, missing or impossible option, and for a `Model` with a head for other classes than the
   * data's or for the same in another order, before anything has begun. What is wrong with a folder is said when the run begins: `ERR_CONFIG` likewise,
   * `ERR_ARGUMENT` for a run of several arms, `ERR_MODEL`, `ERR_IO`.
   */
  train(options: ClassificationTrainOptions): Run<ClassificationMetrics> {
    const parsed = classificationTrainOptions(options)
    const { batch, labelSmoothing, smoothness, evaluation, best, signal } = parsed
    if (this.#parts.has('valid')) checkChoice(best, this.prepared, this.#metrics())
    return startRun<ClassificationMetrics>({
      task: 'classification',
      options: parsed,
      dataset: this.dataset('train'),
      model: this.#model(parsed),
      batch,
      ...(labelSmoothing !== 0 && { labelSmoothing }),
      ...present({ smoothness }),
      evaluateEvery: evaluation.everySteps,
      ...(this.#parts.has('valid') && { evaluate: async ({ model }) => this.scored(await this.validate(model, present({ signal })), best) }),
      score: chosenScore(chosenBy(best)),
      attachments: this.prepared.tokenizerFiles.map((file) => join(this.prepared.folder, file)),
    })
  }

  /**
   * Scores a model on a part that is labelled.
   *
   * @param model - A model, or the folder of one: a checkpoint such as `best.path`, or a run. A folder's is loaded on the CPU; `Model.load` puts it elsewhere.
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_DATA` for a part without labels, `ERR_MODEL` also for one whose classes are not the data's or
   * have another order; the signal's reason when it aborts.
   */
  async evaluate(model: Model | string, { part = 'valid', signal }: ClassificationEvaluateOptions = {}): Promise<ClassificationScores> {
    const dataset = this.dataset(part)
    return withModel(model, (loaded) => {
      checkClasses(loaded.spec, this.prepared, 'model')
      return evaluateClassification(loaded, dataset, signal)
    })
  }

  /** What a model says of a part, which needs no labels: logits of the classes, or one number, in the data's order. */
  async outputs(model: Model | string, { part = 'test', signal }: ClassificationEvaluateOptions = {}): Promise<Pick<ClassificationScores, 'outputs' | 'width'>> {
    const dataset = this.dataset(part)
    return withModel(model, (loaded) => outputsOf(loaded, dataset, signal))
  }

  /**
   * What a model says of the test parts of a GLUE task, as its test server takes it: MNLI has two parts, and one whose file is not there is left out.
   *
   * @throws {@link SagetrainError} `ERR_MODEL` as {@link evaluate}, `ERR_NON_FINITE`; the signal's reason when it aborts.
   * @example
   * for (const part of await task.testPredictions(best.path)) await writeFile(part.file, submissionText(part))
   */
  async testPredictions(model: Model | string, { signal }: Omit<ClassificationEvaluateOptions, 'part'> = {}): Promise<readonly TestPredictions[]> {
    const { submission, parts } = this.prepared
    const known = (['test', 'testMismatched'] as const).flatMap((part) => {
      const [file, found] = [submission?.files[part], parts[part]]
      const indices = found && indicesOf(found)
      return submission && file !== undefined && indices !== undefined ? [{ submission, part, file, indices }] : []
    })
    if (known.length === 0) return []
    return withModel(model, async (loaded) => {
      checkClasses(loaded.spec, this.prepared, 'model')
      const made: TestPredictions[] = []
      for (const { submission: how, part, file, indices } of known) made.push(predictionsOf(how, file, indices, await this.outputs(loaded, { part, ...present({ signal }) })))
      return made
    })
  }

  /** Scores of a model on the validation part, or on MNLI's two. */
  async validate(model: Model | string, { signal }: Omit<ClassificationEvaluateOptions, 'part'> = {}): Promise<ClassificationMetrics> {
    return withModel(model, async (loaded) => {
      const { metrics } = await this.evaluate(loaded, present({ signal }))
      const other = this.#parts.has('validMismatched') ? (await this.evaluate(loaded, { part: 'validMismatched', ...present({ signal }) })).metrics : {}
      const renamed = Object.entries(other).map(([name, value]) => [`${name}Mismatched`, value])
      return this.scored({ ...metrics, ...(Object.fromEntries(renamed) as object) })
    })
  }

  /** Scores with their mean over the metrics that the best is chosen by, or over those that papers report of the task. */
  scored<M extends PartMetrics>(metrics: M, best?: ClassificationTrainOptions['best']): M & { readonly score: number } {
    return { ...metrics, score: meanOf(metrics, best !== undefined && 'metrics' in best ? best.metrics : this.#metrics()) }
  }

  /** What papers report of the task. */
  #metrics(): readonly ClassificationMetric[] {
    const { recipe } = this.#options
    if (recipe !== undefined) return [...new Set(glueTask(recipe).figures.map(({ metric }) => metric))]
    return this.prepared.kind === 'regression' ? ['pearson', 'spearman'] : ['accuracy']
  }

  #model({ model, seed }: ReturnType<typeof classificationTrainOptions>): TaskTraining<ClassificationMetrics>['model'] {
    if (model instanceof Model) {
      checkClasses(model.spec, this.prepared, 'train.model')
      return model
    }
    const data = { path: this.#options.tokenizer, tokenizer: this.tokenizer }
    if ('fineTuned' in model && !('preset' in model)) return fineTuned(model.fineTuned, data, this.prepared)
    const { classifierDropout, poolerDropout, ...rest } = model
    const head: EncoderHeadOptions = { ...this.#head(), dropout: classifierDropout, poolerDropout }
    if (!('preset' in rest)) return pretrained({ ...rest, pretrained: rest.pretrained ?? data.path }, data, head, seed)
    const { type = rest.preset.startsWith('roberta') ? 'roberta' : 'bert', ...shape } = rest
    return { type, vocabularySize: this.prepared.vocabulary, ...shape, head } as EncoderOptions
  }

  #head(): EncoderHeadOptions {
    const { kind, labels } = this.prepared
    return kind === 'regression' ? { kind } : { kind, classes: labels.length, labels }
  }

  /** Lets go of data and tokenizer; idempotent. */
  [Symbol.dispose](): void {
    for (const dataset of this.#parts.values()) dataset[Symbol.dispose]()
    this.tokenizer[Symbol.dispose]()
  }
}

const metricName = oneOf(['accuracy', 'f1', 'matthews', 'pearson', 'spearman'])
const trainOptions = object({
  ...trainEntries,
  model: v.optional(v.union([v.custom<Model>((value) => value instanceof Model), ...modelForms], expected('{ pretrained: a folder }, { fineTuned: a folder }, { preset } or a Model')), {}),
  batch: v.optional(v.union([object({ batchSize: count }), object({ maxTokens: count, maxSamples: v.exactOptional(count) })], expected('{ batchSize } or { maxTokens }')), { batchSize: 32 }),
  labelSmoothing: v.optional(fraction, 0),
  smoothness: v.exactOptional(smoothnessOptions),
  evaluation: v.optional(object({ everySteps: v.exactOptional(count) }), {}),
  best: v.exactOptional(v.union([object({ metrics: v.pipe(v.array(metricName), v.minLength(1, 'has no metric')) }), object({ metric: oneOf(['loss']) })], expected('{ metrics } or { metric: "loss" }'))),
})

/**
 * Checks what {@link Classification.train} takes and fills in its defaults.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG`.
 */
export function classificationTrainOptions(options: unknown): v.InferOutput<typeof trainOptions> {
  const parsed = parse(trainOptions, options, 'train')
  checkTrainOptions(parsed, 'train')
  return parsed
}

/** Keys of the two parts of a configuration. */
export const classificationKeys = configKeys(classificationPrepareOptions, trainOptions)
