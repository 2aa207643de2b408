import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { averageCheckpoints, listCheckpoints, modelFolder } from '../checkpoint.js'
import { choiceOf } from '../choice.js'
import type { Dataset } from '../dataset.js'
import { SagetrainError } from '../errors.js'
import { fixed } from '../report/format.js'
import type { Fact, PairedComparison, SampleTranslation } from '../report/report-data.js'
import { tokenizedBleu } from '../score/corpus.js'
import { pairedBootstrap, type Estimate } from '../score/paired.js'
import type { TranslationScores } from '../task/translation/evaluate.js'
import { prepare, type Prepared } from '../task/translation/prepare.js'
import { Translation, translationKeys, translationTrainOptions, type TranslationEvaluateOptions, type TranslationTrainOptions } from '../task/translation/translation.js'
import { armEvents, numbersOf } from './arm-events.js'
import { withTrained } from './measuring.js'
import { isObject, type JsonObject } from '../merge.js'
import { eachStage, following, leftOutOf } from './preparing.js'
import type { ArmOptions, ArmTraining, Compared, Measured, MeasuredArm, PreparedTask, TaskCommand } from './task-command.js'

/** Held-out sentences that are shown. */
const SAMPLES = 5

export const translationCommand: TaskCommand = {
  name: 'translation',
  about: 'a Transformer from parallel text; the embedded corpus (German to English) unless files are given',
  title: 'Translation',
  examples: [
    'sagetrain train translation --source train.de --target train.en --optimizer adam-sage --optimizer.lr 2e-3 --epochs 20',
    'sagetrain train translation --tsv pairs.tsv.gz --vocabulary.size 8000 --model.preset transformer-iwslt --batch.maxTokens 4000',
    'sagetrain train translation --config run.json --seeds 3 --json',
    'sagetrain train --resume runs/translation',
  ],
  keys: translationKeys,
  files: ['data', 'source', 'target', 'tsv', ...['valid', 'test'].flatMap((part) => ['source', 'target', 'tsv'].map((file) => `${part}.${file}`)), 'vocabulary.tokenizer', 'output'],
  check: (train) => void translationTrainOptions(train),
  columns: [
    { key: 'nll', label: 'NLL (nats/token)', digits: 3, better: 'lower' },
    { key: 'bits', label: 'bits/token', digits: 3, better: 'lower' },
    { key: 'perplexity', label: 'perplexity', digits: 2, better: 'lower' },
    { key: 'bleu', label: 'BLEU', digits: 1, better: 'higher' },
    { key: 'chrf', label: 'chrF', digits: 1, better: 'higher' },
    { key: 'tokenizedBleu', label: 'tokenized BLEU', digits: 1, better: 'higher' },
    { key: 'compoundSplitBleu', label: 'compound-split BLEU', digits: 1, better: 'higher' },
    { key: 'tokensPerSecond', label: 'tokens/s', digits: 0, better: 'higher' },
    { key: 'optimizerShare', label: 'optimizer’s share', digits: 1, format: 'percent' },
    { key: 'dataWait', label: 'data wait', digits: 1, format: 'percent' },
    { key: 'trainingSeconds', label: 'training', digits: 0, format: 'duration' },
    { key: 'peakMemory', label: 'peak memory', digits: 0, format: 'bytes' },
  ],
  headline: 'bleu',
  choice: (train) => choiceOf(translationTrainOptions(train).best.metric),
  defaults: {
    prepare: {},
    train: {
      model: { preset: 'transformer-small' },
      optimizer: { type: 'adam', lr: 2e-3, betas: [0.9, 0.98] },
      schedule: { type: 'inverseSqrt', warmupSteps: 400 },
      batch: { maxTokens: 2000 },
      maxGradientNorm: 1,
      labelSmoothing: 0.1,
      epochs: 10,
    },
  },
  prepareData: async (options, follow, signal) => {
    const prepared = await prepare({ ...options, signal, onProgress: following(follow) })
    const leftOut = await leftOutOf(prepared.report)
    return { result: { ...prepared, leftOut } as unknown as JsonObject, facts: preparedFacts(prepared), leftOut }
  },
  prepare: async (options, say, signal) => {
    const task = await Translation.prepare({
      ...options,
      signal,
      onProgress: eachStage(say),
    })
    return new PreparedTranslation(task, options)
  },
}

function vocabularyOf({ vocabulary, targetVocabulary, tokenizer, targetTokenizer }: Prepared): string {
  if (tokenizer === targetTokenizer) return `${fixed(vocabulary)} tokens, joint`
  return `${fixed(vocabulary)} source and ${fixed(targetVocabulary)} target tokens`
}

function preparedFacts(prepared: Prepared): readonly Fact[] {
  const sizes = Object.entries(prepared.parts).map(([part, { samples, sourceTokens, targetTokens }]) => ({
    label: part,
    value: `${fixed(samples)} pairs, ${fixed(sourceTokens)} source and ${fixed(targetTokens)} target tokens`,
  }))
  return [
    { label: 'folder', value: `${prepared.folder}${prepared.reused ? ' (prepared before)' : ''}` },
    ...sizes,
    { label: 'vocabulary', value: vocabularyOf(prepared) },
    { label: 'report', value: prepared.report },
    ...prepared.warnings.map((warning) => ({ label: 'warning', value: warning })),
  ]
}

class PreparedTranslation implements PreparedTask {
  readonly facts: readonly Fact[]
  readonly measuredOn: string
  readonly #task: Translation
  /** The part that results are measured on; a corpus without a test part has only the one it chose by. */
  readonly #part: 'test' | 'valid' | undefined

  constructor(task: Translation, options: JsonObject) {
    const { prepared } = task
    this.#task = task
    this.#part = prepared.test !== null ? 'test' : prepared.valid === null ? undefined : 'valid'
    const size = fixed(prepared.parts[this.#part ?? '']?.samples ?? 0)
    this.measuredOn = this.#part === 'test' ? `${size} held-out sentences` : this.#part === 'valid' ? `the ${size} validation sentences that the best weights were chosen by` : 'nothing: there is neither a test nor a validation part'
    this.facts = factsOf(task, options)
  }

  get fingerprint(): string {
    return this.#task.prepared.fingerprint
  }

  get dataset(): Dataset {
    return this.#task.dataset('train')
  }

  get tokenizerFiles(): Translation['tokenizerFiles'] {
    return this.#task.tokenizerFiles
  }

  async train({ train, folder, resume, weights = 'best', signal }: ArmOptions): Promise<ArmTraining> {
    const run = this.#task.train({ ...(train as unknown as TranslationTrainOptions), folder, resume, signal })
    return {
      events: armEvents(run, folder),
      measure: async (measuring) => {
        const { best, checkpoint, step } = await run.done
        if (weights !== 'best') {
          if (folder === false) throw new SagetrainError('ERR_INTERNAL', 'a training that keeps nothing has no checkpoints to average')
          const { model, from } = await meanOfNewest(folder, weights.last)
          const measured = await this.#measure(model, step, train, measuring)
          return { ...measured, signatures: { ...measured.signatures, weights: `mean of ${from} checkpoint${from === 1 ? '' : 's'}` } }
        }
        const found = best?.path ?? checkpoint
        return this.#measure(found && modelFolder(found), best?.step ?? 0, train, measuring)
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  async #measure(model: string | undefined, bestStep: number, train: JsonObject, signal: AbortSignal): Promise<Measured> {
    const part = this.#part
    if (model === undefined || part === undefined) return { bestStep, metrics: {}, signatures: {}, outputs: [] }
    const scores = await withTrained(model, train, (trained) => this.#task.evaluate(trained, { ...searchOf(train), part, signal }))
    const words = this.#task.tokenized ? await wordScores(scores.tokens) : { metrics: {}, signatures: {} }
    const signatures = { bleu: resampled(scores.signatures.bleu), chrf: resampled(scores.signatures.chrf), ...words.signatures }
    return { bestStep, metrics: { ...numbersOf(scores.metrics), ...words.metrics }, signatures, outputs: scores.hypotheses, sources: scores.sources, references: scores.references }
  }

  async compare(arms: readonly MeasuredArm[]): Promise<Compared> {
    const references = arms[0]?.measured.references ?? []
    if (references.length === 0) return { comparisons: [], intervals: {}, samples: [], boundaries: [] }
    const compared = await Promise.all((['bleu', 'chrf'] as const).map((metric) => bootstrap(metric, arms, references)))
    const intervals: Record<string, Record<string, readonly [number, number]>> = {}
    for (const { metric, estimates } of compared)
      for (const [name, { lower, upper }] of estimates) intervals[name] = { ...intervals[name], [metric]: [lower, upper] }
    return { comparisons: compared.flatMap(({ pairs }) => pairs), intervals, samples: samplesOf(arms, references), boundaries: [] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#task[Symbol.dispose]()
  }
}

/** The mean of a run's newest checkpoints, of all where there are fewer; made once. */
async function meanOfNewest(folder: string, last: number): Promise<{ readonly model: string | undefined; readonly from: number }> {
  const newest = (await listCheckpoints(join(folder, 'checkpoints'))).slice(-last)
  const end = newest.at(-1)
  if (end === undefined || newest.length === 1) return { model: end && join(end, 'model'), from: newest.length }
  const model = join(folder, `average-${newest.length}-to-${basename(end)}`)
  if (!existsSync(model)) await averageCheckpoints(newest, model)
  return { model, from: newest.length }
}

/** What fairseq's programs score: BLEU of tokens, and with compounds split. */
async function wordScores({ hypotheses, references }: TranslationScores['tokens']): Promise<Pick<Measured, 'metrics' | 'signatures'>> {
  const [plain, split] = await Promise.all([tokenizedBleu(hypotheses, references), tokenizedBleu(hypotheses, references, { splitCompounds: true })])
  return { metrics: { tokenizedBleu: plain.score, compoundSplitBleu: split.score }, signatures: { tokenizedBleu: plain.signature, compoundSplitBleu: split.signature } }
}

/** Each arm against the first, and every arm's own interval. */
async function bootstrap(metric: 'bleu' | 'chrf', arms: readonly MeasuredArm[], references: readonly string[]): Promise<{ metric: string; pairs: readonly PairedComparison[]; estimates: ReadonlyMap<string, Estimate> }> {
  const [baseline, ...others] = arms
  const estimates = new Map<string, Estimate>()
  if (baseline === undefined) return { metric, pairs: [], estimates }
  const pairs: PairedComparison[] = []
  for (const arm of others.length === 0 ? [baseline] : others) {
    // oxlint-disable-next-line no-await-in-loop -- each takes a processor for a moment; there are few arms
    const { baseline: first, system, difference, pValue, resamples } = await pairedBootstrap(baseline.measured.outputs, arm.measured.outputs, references, { metric })
    estimates.set(baseline.name, first).set(arm.name, system)
    const interval = [difference.lower, difference.upper] as const
    if (arm !== baseline) pairs.push({ metric, baseline: baseline.name, arm: arm.name, difference: difference.score, interval, pValue, samples: references.length, resamples })
  }
  return { metric, pairs, estimates }
}

/** sacreBLEU's signature of a score with a bootstrap interval says how it was drawn; the defaults of {@link pairedBootstrap} are its own. */
function resampled(signature: string): string {
  return signature.replace(/^(nrefs:\w+)\|/, '$1|bs:1000|seed:12345|')
}

/** Sentences evenly from the part: chosen by their place, not by how well they came out. */
function samplesOf(arms: readonly MeasuredArm[], references: readonly string[]): readonly SampleTranslation[] {
  const count = Math.min(SAMPLES, references.length)
  const places = Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * references.length) / count))
  return places.map((place) => ({
    source: arms[0]?.measured.sources?.[place] ?? '',
    reference: references[place] ?? '',
    outputs: Object.fromEntries(arms.map(({ name, measured }) => [name, measured.outputs[place] ?? ''])),
  }))
}

/** The search that the arm was evaluated with during training. */
function searchOf({ evaluation }: JsonObject): TranslationEvaluateOptions {
  if (!isObject(evaluation)) return {}
  const { everySteps: _everySteps, ...search } = evaluation
  return search
}

function factsOf({ prepared }: Translation, options: JsonObject): readonly Fact[] {
  const files = [options['source'], options['target'], options['tsv']].filter((file) => typeof file === 'string')
  const { train, valid, test } = prepared.parts
  const sizes = [`${fixed(train?.samples)} training (${fixed(train?.targetTokens)} target tokens)`, ...(valid ? [`${fixed(valid.samples)} validation`] : []), ...(test ? [`${fixed(test.samples)} held out`] : [])]
  return [
    { label: 'corpus', value: files.length > 0 ? files.join(', ') : 'LibreOffice Help, German to English (embedded, MPL-2.0)' },
    { label: 'sentences', value: sizes.join(', ') },
    { label: 'vocabulary', value: vocabularyOf(prepared) },
    { label: 'left out', value: `listed in ${prepared.report}` },
    ...prepared.warnings.map((warning) => ({ label: 'warning', value: warning })),
  ]
}
