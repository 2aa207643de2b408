import { join } from 'node:path'
import * as v from 'valibot'
import { native } from '../../binding.js'
import { modelFolderAt } from '../../model-folder.js'
import { count, expected, flag, object, oneOf, parse, text, whole } from '../../options.js'
import { runPreparation, type PreparationProgress } from '../preparation.js'
import { cacheFolder } from '../../setup/paths.mjs'
import type { GlueTaskName } from './glue.js'
import { requireFolder } from './pretrained-folder.js'
import type { Submission } from './submission.js'

/** Which columns hold what: names of a header or of JSON keys, or numbers from 0. */
export interface LabelledColumns {
  readonly text: string | number
  /** The second text of a pair. */
  readonly pair?: string | number
  /** The class, or the number of a regression. */
  readonly label: string | number
}

/** What to prepare from which files: a GLUE task (`recipe` and `data`), or labelled text of one's own (`train` and `columns`). */
export interface ClassificationPrepareOptions {
  /** A GLUE task, read from its published files. */
  readonly recipe?: GlueTaskName
  /** The folder of GLUE, or of this task. What is missing is named, with where it is published. */
  readonly data?: string
  /** Labelled text: .tsv, .csv or .jsonl, each may be gzipped; one file or several. */
  readonly train?: string | readonly string[]
  /** To choose by. Without it some samples are held out of the training file. */
  readonly valid?: string | readonly string[]
  /** To report on, or, without labels, to predict. */
  readonly test?: string | readonly string[]
  readonly columns?: LabelledColumns
  /**
   * Whether the first line names the columns.
   * @default as the columns are given: by names or by numbers
   */
  readonly header?: boolean
  /** @default 'classification', or what the recipe is */
  readonly kind?: 'classification' | 'regression'
  /**
   * The classes as the files write them, in the order of their ids.
   * @default those of the training file, sorted
   */
  readonly labels?: readonly string[]
  /** Samples to hold out of the training file, for a recipe's `valid` too but never for its `test`; which ones depends on the seed and the line numbers alone. */
  readonly heldOut?: {
    /** @default one in twenty, at most 1,000, where there is no validation file */
    readonly valid?: number
    /** @default 0 */
    readonly test?: number
    /** @default 0 */
    readonly seed?: number
    /** Instead: every so-many-th line goes to validation. */
    readonly every?: number
  }
  /** Trains on so many samples. */
  readonly limit?: number
  /**
   * Which ones.
   * @default 0
   */
  readonly limitSeed?: number
  /** The folder of the pretrained model whose tokenizer it is; also a checkpoint, or a run. */
  readonly tokenizer: string
  /**
   * Tokens of a sample, the special ones counted; longer texts are cut, the longer of a pair first.
   * @default where the texts of a fine-tuned model were cut, else what the model holds, at most 512
   */
  readonly maxLength?: number
  /** Threads; they change nothing but the time. @default all */
  readonly threads?: number
  /**
   * The folder in which prepared data are kept, to be found again by what they were made from.
   * @default the user's cache
   */
  readonly output?: string
  /** Told of each stage, the lines it has done and its share that is done (0 to 1), a few times a second. */
  readonly onProgress?: (progress: PreparationProgress) => void
  /** Calls the preparation off; the same one asked for again goes on from there. */
  readonly signal?: AbortSignal
}

/** Size of one part. */
export interface ClassificationPart {
  readonly file: string
  readonly samples: number
  /** Special tokens counted. */
  readonly tokens: number
  readonly meanTokens: number
  /** Of the longest sample. */
  readonly longest: number
  /** Samples that were cut to `maxLength`. */
  readonly truncated: number
  /** Whether it can be scored. */
  readonly labelled: boolean
  /** Samples of each class, in the order of the prepared labels. */
  readonly labels?: readonly number[]
  /** Numbers of a regression. */
  readonly target?: { readonly least: number; readonly mean: number; readonly greatest: number }
  /** Rows of its own files that were left out, by reason; the report has their lines. */
  readonly leftOut?: Readonly<Record<string, number>>
  /** What GLUE's server knows the samples by, as runs `[first, last]`. */
  readonly indices?: readonly (readonly [first: number, last: number])[]
  readonly fingerprint: string
}

/** Names of the parts; the mismatched ones are MNLI's. */
export type ClassificationPartName = 'train' | 'valid' | 'test' | 'validMismatched' | 'testMismatched'

/** What a preparation has made, or found made. */
export interface ClassificationPrepared {
  /** Holds everything below. */
  readonly folder: string
  /** Of inputs and options. */
  readonly fingerprint: string
  /** Whether an earlier preparation is used. */
  readonly reused: boolean
  /** The tokenizer's files in the folder, which a fine-tuned model's folder gets too. */
  readonly tokenizerFiles: readonly string[]
  /** `prepare-report.json`: every line that was left out, and why. */
  readonly report: string
  /** Tokens of the tokenizer. */
  readonly vocabulary: number
  readonly kind: 'classification' | 'regression'
  /** Classes in the order of their ids; empty for a regression. */
  readonly labels: readonly string[]
  /** Whether a sample has two texts. */
  readonly pair: boolean
  /** Whether the model tells the first text from the second by types. */
  readonly types: boolean
  /** Tokens of a sample, at most. */
  readonly maxLength: number
  readonly parts: { readonly [name in ClassificationPartName]?: ClassificationPart }
  /** How predictions of a recipe's test parts are handed in; absent, or null, without a recipe. */
  readonly submission?: Submission | null
  /** What one should know of the data. */
  readonly warnings: readonly string[]
}

const files = v.union([text, v.pipe(v.array(text), v.minLength(1, 'has no file'))], expected('a file, or an array of files'))
const column = v.union([text, whole], expected('a column’s name, or its number from 0'))
const functions = v.custom<NonNullable<ClassificationPrepareOptions['onProgress']>>((value) => typeof value === 'function', expected('a function'))

/** What {@link ClassificationPrepareOptions} may hold; the file options are checked against each other natively. */
export const classificationPrepareOptions = object({
  recipe: v.exactOptional(oneOf(['cola', 'sst-2', 'mrpc', 'sts-b', 'qqp', 'mnli', 'qnli', 'rte'])),
  data: v.exactOptional(text),
  train: v.exactOptional(files),
  valid: v.exactOptional(files),
  test: v.exactOptional(files),
  columns: v.exactOptional(object({ text: column, pair: v.exactOptional(column), label: column })),
  header: v.exactOptional(flag),
  kind: v.exactOptional(oneOf(['classification', 'regression'])),
  labels: v.exactOptional(v.array(text, expected('an array of the classes'))),
  heldOut: v.exactOptional(object({ valid: v.exactOptional(whole), test: v.exactOptional(whole), seed: v.exactOptional(whole), every: v.exactOptional(count) })),
  limit: v.exactOptional(count),
  limitSeed: v.exactOptional(whole),
  tokenizer: text,
  maxLength: v.exactOptional(count),
  threads: v.exactOptional(count),
  output: v.optional(text, () => join(cacheFolder(), 'prepared')),
  onProgress: v.exactOptional(functions),
  signal: v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal'))),
})

/** Reads, checks, tokenises and stores labelled text, or finds that it has been done. */
export async function prepareClassification(options: ClassificationPrepareOptions): Promise<ClassificationPrepared> {
  const { signal, onProgress, ...given } = parse(classificationPrepareOptions, options, 'prepare')
  requireFolder('prepare.tokenizer', given.tokenizer)
  const asked = { ...given, tokenizer: await modelFolderAt(given.tokenizer) }
  return runPreparation((json) => native().Preparation.classification(json), asked, { signal, onProgress })
}

/** The share of the most frequent class of all parts together: the accuracy of always saying it. None of numbers. */
export function majorityOf(...parts: readonly (ClassificationPart | undefined)[]): number | undefined {
  const counted = parts.flatMap((part) => (part?.labels === undefined ? [] : [part.labels]))
  const classes = (counted[0] ?? []).map((_, label) => counted.reduce((sum, labels) => sum + (labels[label] ?? 0), 0))
  const samples = classes.reduce((sum, one) => sum + one, 0)
  return samples === 0 ? undefined : Math.max(...classes) / samples
}
