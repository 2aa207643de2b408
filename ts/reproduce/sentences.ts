import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../merge.js'
import { SagetrainError } from '../errors.js'
import { writeWhole } from '../report/write.js'
import { cacheFolder } from '../setup/paths.mjs'
import type { ClassificationMetric } from '../task/classification/scores.js'
import type { Experiment, Point } from './experiment.js'
import { glueArm, glueTrain, RECIPE_NOTES } from './glue.js'

/** Where the labelled sets lie, and what is fine-tuned on them. */
export interface SentenceSources {
  /** Holds `<set>.train.tsv.gz`, `.valid.tsv.gz` and `.test.tsv.gz` of each set. */
  readonly data: string
  /** The folder of the pretrained model and its tokenizer. */
  readonly pretrained: string
}

/** A labelled set as a task. */
interface SentenceTask {
  readonly name: string
  readonly label: string
  readonly prepare: (data: string) => JsonObject
  readonly make?: (data: string) => Promise<void>
  readonly metric: ClassificationMetric
  readonly notes: readonly string[]
}

const PARTS = ['train', 'valid', 'test'] as const

const RATED = 'vader_movieReviewSnippets'
const [ACCEPTED, SENSES] = ['languagetool_acceptability', 'wic_wordnet'] as const
const SETS = [RATED, ACCEPTED, SENSES] as const

const TASKS: readonly SentenceTask[] = [
  {
    name: 'rating',
    label: 'Film reviews, rating (regression)',
    prepare: (data) => ({ ...filesOf(data, RATED), columns: { text: 0, label: 1 }, kind: 'regression' }),
    metric: 'pearson',
    notes: ['Sentences of film reviews (VADER’s data), rated by people from −4 to 4; the mean of the ratings is predicted.'],
  },
  {
    name: 'sentiment',
    label: 'Film reviews, sentiment',
    prepare: (data) => ({ ...Object.fromEntries(PARTS.map((part) => [part, join(derivedFolder(data), `sentiment.${part}.tsv`)])), columns: { text: 'text', label: 'label' }, labels: ['negative', 'positive'] }),
    make: makeSentiment,
    metric: 'accuracy',
    notes: ['The same sentences, with the sign of the rating as the class; those rated 0 are left out.'],
  },
  {
    name: 'acceptability',
    label: 'Acceptability',
    prepare: (data) => ({ ...filesOf(data, ACCEPTED), columns: { text: 0, label: 1 }, labels: ['0', '1'] }),
    metric: 'matthews',
    notes: ['Examples of LanguageTool’s English rules, right and wrong ones; the parts share no rule. Three in four are right.'],
  },
  {
    name: 'word-sense',
    label: 'Word sense in pairs',
    prepare: (data) => ({ ...filesOf(data, SENSES), columns: { text: 2, pair: 3, label: 4 }, labels: ['0', '1'] }),
    metric: 'accuracy',
    notes: ['Two of WordNet’s examples of one word: the same sense or not; the parts share no word. The model is not told which word it is.'],
  },
]

/** The paper's Table 2 in small: its four optimizers on labelled sets, at points that are searched for, as many for every arm. */
export function sentenceExperiments(sources: SentenceSources): readonly Experiment[] {
  return TASKS.map((task) => experimentOf(task, sources))
}

function experimentOf({ name, label, prepare, make, metric, notes }: SentenceTask, { data, pretrained }: SentenceSources): Experiment {
  return {
    name,
    label,
    task: 'classification',
    prepare: { ...prepare(data), tokenizer: pretrained, limit: 3000, maxLength: 128 },
    make: async () => {
      requireSets(data)
      await make?.(data)
    },
    train: { ...glueTrain({ batchSize: 32, epochs: 2, classifierDropout: 0.1, warmupRatio: 0.1 }, pretrained), best: { metrics: [metric] } },
    arms: [
      glueArm('adam', rates([5e-5, 1e-4, 2e-4, 4e-4])),
      glueArm('adam-sage', rates([1e-4, 2e-4, 4e-4, 8e-4]), 0.7),
      glueArm('adamax', rates([1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3])),
      glueArm('adamax-sage', rates([2e-4, 4e-4, 8e-4, 1.6e-3, 3.2e-3]), 0.7),
    ],
    weights: 'best',
    keeps: 'results',
    together: 2,
    metric,
    validation: metric,
    notes: [...notes, ...NOTES],
  }
}

const NOTES = [
  'Head and recipe are those of the paper’s GLUE runs (Table 7 and the released code): batches of 32, two epochs, 3,000 training sentences drawn by a fixed seed.',
  ...RECIPE_NOTES,
  'Adam and Adam-SAGE have four learning rates, Adamax and Adamax-SAGE five, each twice the one before, tried with the first seed; the best by the validation part goes on with the other seeds. Those of an arm with SAGE begin at twice the rate of the same optimizer without it, as Table 7 has them of BERT-base two to ten times as high with Adam and two to five with Adamax; β0 is 0.7 for both. The grids were set after two trial runs of Adam on the ratings; those of Adamax got a fifth rate when the highest of four was best on the first two sets.',
  'Measured on the test part with the weights of the epoch that was best on the validation part.',
] as const

function rates(values: readonly number[]): readonly Point[] {
  return values.map((rate) => ({ rate }))
}

function filesOf(data: string, set: string): JsonObject {
  return { ...Object.fromEntries(PARTS.map((part) => [part, join(data, `${set}.${part}.tsv.gz`)])), header: false }
}

/** Of what is derived from the sets in that folder. */
function derivedFolder(data: string): string {
  return join(cacheFolder(), 'sentences', createHash('sha256').update(data).digest('hex').slice(0, 12))
}

/** Refuses a folder that lacks a set, with all that it lacks. */
function requireSets(data: string): void {
  const files = SETS.flatMap((set) => PARTS.map((part) => `${set}.${part}.tsv.gz`))
  const missing = files.filter((file) => !existsSync(join(data, file)))
  if (missing.length === 0) return
  throw new SagetrainError('ERR_DATA', `${data}: lacks ${missing.join(', ')}; give the folder of the labelled sentences with --data, or the one that it is in with SAGETRAIN_DATA (docs/reproduction.md has their columns)`, { fields: { path: data } })
}

/** Ratings as classes: their sign. */
async function makeSentiment(data: string): Promise<void> {
  const folder = derivedFolder(data)
  await mkdir(folder, { recursive: true })
  for (const part of PARTS) await keepWhole(join(folder, `sentiment.${part}.tsv`), await signs(join(data, `${RATED}.${part}.tsv.gz`))) // oxlint-disable-line no-await-in-loop -- one file after the other
}

/** Writes a file unless it is there: another command may be reading it. */
async function keepWhole(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) await writeWhole(path, text)
}

async function signs(file: string): Promise<string> {
  const labelled = (await unzipped(file)).split('\n').flatMap((line) => {
    const [text = '', rating = ''] = line.split('\t')
    const value = Number(rating)
    return Number.isNaN(value) || value === 0 ? [] : [`${text}\t${value > 0 ? 'positive' : 'negative'}`]
  })
  return `${['text\tlabel', ...labelled].join('\n')}\n`
}

/** @throws {@link SagetrainError} `ERR_DATA` for a file that is damaged. */
async function unzipped(file: string): Promise<string> {
  const packed = await readFile(file)
  try {
    return gunzipSync(packed).toString('utf8')
  } catch (error) {
    throw new SagetrainError('ERR_DATA', `${file}: its gzip data is truncated or damaged (${error instanceof Error ? error.message : String(error)}); fetch or pack it again`, { fields: { path: file }, cause: error })
  }
}
