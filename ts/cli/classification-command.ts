import { modelFolder } from '../checkpoint.js'
import type { Dataset } from '../dataset.js'
import { fixed } from '../report/format.js'
import type { Fact } from '../report/report-data.js'
import { chosenBy } from '../task/classification/best.js'
import { Classification, classificationKeys, classificationTrainOptions, type ClassificationTrainOptions } from '../task/classification/classification.js'
import { majorityOf, prepareClassification, type ClassificationPart, type ClassificationPrepared, type ClassificationPrepareOptions } from '../task/classification/prepare.js'
import { PREDICTIONS_FILE, predictionsText } from '../reproduce/test-predictions.js'
import { armEvents, numbersOf } from './arm-events.js'
import { withTrained } from './measuring.js'
import { isObject, type JsonObject } from '../merge.js'
import { eachStage, following, leftOutOf } from './preparing.js'
import type { ArmOptions, ArmTraining, Compared, Measured, PreparedTask, TaskCommand } from './task-command.js'

export const classificationCommand: TaskCommand = {
  name: 'classification',
  about: 'fine-tunes BERT or RoBERTa on labelled texts or pairs of texts, GLUE’s tasks among them: classes or numbers',
  title: 'Classification',
  examples: [
    'sagetrain train classification --recipe rte --data glue --tokenizer bert-base-uncased --optimizer adamax-sage --optimizer.lr 3e-4 --batch.batchSize 16 --epochs 6',
    'sagetrain train classification --train reviews.csv --columns.text review --columns.label stars --kind regression --tokenizer all-MiniLM-L6-v2 --optimizer adam-sage',
    'sagetrain predict runs/classification input.txt --json',
  ],
  keys: classificationKeys,
  files: ['data', 'train', 'valid', 'test', 'tokenizer', 'output'],
  modelFolders: ['model.pretrained', 'model.fineTuned'],
  impliedModel: ({ tokenizer }, { model }) => {
    const named = isObject(model) && ['pretrained', 'fineTuned', 'preset'].some((key) => model[key] !== undefined)
    return named || typeof tokenizer !== 'string' ? undefined : { key: 'model.pretrained', folder: tokenizer }
  },
  check: (train) => void classificationTrainOptions(train),
  columns: [
    { key: 'score', label: 'mean of the metrics', digits: 2, better: 'higher', format: 'percent' },
    { key: 'accuracy', label: 'accuracy', digits: 2, better: 'higher', format: 'percent' },
    { key: 'f1', label: 'F1', digits: 2, better: 'higher', format: 'percent' },
    { key: 'matthews', label: 'Matthews', digits: 3, better: 'higher' },
    { key: 'pearson', label: 'Pearson', digits: 3, better: 'higher' },
    { key: 'spearman', label: 'Spearman', digits: 3, better: 'higher' },
    { key: 'accuracyMismatched', label: 'accuracy, mismatched', digits: 2, better: 'higher', format: 'percent' },
    { key: 'loss', label: 'loss', digits: 4, better: 'lower' },
    { key: 'tokensPerSecond', label: 'samples/s', digits: 0, better: 'higher' },
    { key: 'optimizerShare', label: 'optimizer’s share', digits: 1, format: 'percent' },
    { key: 'dataWait', label: 'data wait', digits: 1, format: 'percent' },
    { key: 'trainingSeconds', label: 'training', digits: 0, format: 'duration' },
    { key: 'peakMemory', label: 'peak memory', digits: 0, format: 'bytes' },
  ],
  headline: 'score',
  choice: (train) => chosenBy(classificationTrainOptions(train).best),
  defaults: {
    prepare: {},
    train: {
      optimizer: { type: 'adamw', lr: 5e-5, eps: 1e-6, weightDecay: 0.01 },
      // As the paper's code, whatever the optimizer.
      groups: [{ include: ['*.bias', '*LayerNorm.weight'], weightDecay: 0 }],
      schedule: { type: 'warmupLinear', warmupRatio: 0.1 },
      batch: { batchSize: 32 },
      maxGradientNorm: 1,
      epochs: 3,
    },
  },
  prepareData: async (options, follow, signal) => {
    const prepared = await prepareClassification({ ...(options as unknown as ClassificationPrepareOptions), signal, onProgress: following(follow) })
    const leftOut = await leftOutOf(prepared.report)
    return { result: { ...prepared, leftOut } as unknown as JsonObject, facts: preparedFacts(prepared), leftOut }
  },
  prepare: async (options, say, signal) => {
    const task = await Classification.prepare({ ...(options as unknown as ClassificationPrepareOptions), signal, onProgress: eachStage(say) })
    return new PreparedClassification(task)
  },
}

class PreparedClassification implements PreparedTask {
  readonly facts: readonly Fact[]
  readonly measuredOn: string
  readonly #task: Classification
  /** The part that results are measured on: of GLUE's tasks the development set, as papers do, although a test part may have labels (Microsoft's MRPC). */
  readonly #part: 'test' | 'valid' | undefined

  constructor(task: Classification) {
    this.#task = task
    const parts = task.prepared.submission ? (['valid'] as const) : (['test', 'valid'] as const)
    this.#part = parts.find((part) => task.prepared.parts[part]?.labelled === true)
    const sizes = this.#part === 'test' ? [task.prepared.parts.test] : [task.prepared.parts.valid, task.prepared.parts.validMismatched]
    const size = sizes.flatMap((part) => (part === undefined ? [] : [fixed(part.samples)])).join(' and ')
    this.measuredOn = this.#part === 'test' ? `${size} held-out samples` : this.#part === 'valid' ? `the ${size} validation samples that the best weights were chosen by` : 'nothing: no part but the training part is labelled'
    const majority = majorityOf(...sizes)
    this.facts = [...preparedFacts(task.prepared), ...(majority === undefined ? [] : [{ label: 'most frequent class', value: `${fixed(majority * 100, 2)} % of what is measured: what always saying it scores` }])]
  }

  get fingerprint(): string {
    return this.#task.prepared.fingerprint
  }

  get dataset(): Dataset {
    return this.#task.dataset('train')
  }

  async train({ train, folder, resume, signal }: ArmOptions): Promise<ArmTraining> {
    const run = this.#task.train({ ...(train as unknown as ClassificationTrainOptions), folder, resume, signal })
    return {
      events: armEvents(run, folder),
      measure: async (measuring) => {
        const { best, checkpoint } = await run.done
        return this.#measure(best?.path ?? checkpoint, best?.step ?? 0, train, measuring)
      },
      ...(this.#hasTestPart() && {
        predictTest: async (predicting: AbortSignal) => {
          const { best, checkpoint } = await run.done
          return this.#predictTest(best?.path ?? checkpoint, train, predicting)
        },
      }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  async #measure(checkpoint: string | undefined, bestStep: number, train: JsonObject, signal: AbortSignal): Promise<Measured> {
    const part = this.#part
    if (checkpoint === undefined || part === undefined) return { bestStep, metrics: {}, signatures: {}, outputs: [] }
    const model = modelFolder(checkpoint)
    const metrics = await withTrained(model, train, async (trained) => (part === 'valid' ? this.#task.validate(trained, { signal }) : (await this.#task.evaluate(trained, { part, signal })).metrics))
    // Scored as the evaluations were: by the metrics that the best was chosen by.
    return { bestStep, metrics: numbersOf(this.#task.scored(metrics, (train as unknown as ClassificationTrainOptions).best)), signatures: {}, outputs: [], model }
  }

  /** Whether there is something to hand in to GLUE's server. */
  #hasTestPart(): boolean {
    const { submission, parts } = this.#task.prepared
    return Object.keys(submission?.files ?? {}).some((part) => part in parts)
  }

  async #predictTest(checkpoint: string | undefined, train: JsonObject, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const parts = checkpoint === undefined ? [] : await withTrained(modelFolder(checkpoint), train, (trained) => this.#task.testPredictions(trained, { signal }))
    return parts.length === 0 ? {} : { [PREDICTIONS_FILE]: predictionsText(parts) }
  }

  async compare(): Promise<Compared> {
    return { comparisons: [], intervals: {}, samples: [], boundaries: [] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#task[Symbol.dispose]()
  }
}

function preparedFacts(prepared: ClassificationPrepared): readonly Fact[] {
  const { kind, labels } = prepared
  return [
    { label: 'folder', value: `${prepared.folder}${prepared.reused ? ' (prepared before)' : ''}` },
    ...Object.entries(prepared.parts).map(([label, part]) => ({ label, value: sizeOf(part) })),
    { label: 'labels', value: kind === 'regression' ? 'numbers' : labels.join(', ') },
    { label: 'report', value: prepared.report },
    ...prepared.warnings.map((warning) => ({ label: 'warning', value: warning })),
  ]
}

function sizeOf({ samples, tokens, longest, truncated }: ClassificationPart): string {
  const cut = truncated === 0 ? '' : `, ${fixed(truncated)} cut`
  return `${fixed(samples)} samples, ${fixed(tokens)} tokens, the longest ${fixed(longest)}${cut}`
}
