import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import * as v from 'valibot'
import { native } from '../../binding.js'
import { count, expected, flag, object, parse, positive, text, whole } from '../../options.js'
import { cacheFolder } from '../../setup/paths.mjs'
import { runPreparation } from '../preparation.js'
import { importFairseq } from './fairseq.js'

/** Parallel text: two UTF-8 files with as many lines each, or one TSV (source TAB target); each may be gzipped. */
export interface CorpusFiles {
  /** Source sentences, one a line. */
  readonly source?: string
  /** Their translations. */
  readonly target?: string
  /** Both in one file. */
  readonly tsv?: string
}

/** A corpus that is published, with the field's way to prepare it. */
export type RecipeName = 'iwslt14-de-en' | 'wmt16-en-de'

/** What to prepare from which files. Without `recipe`, `source`, `target` and `tsv` it is the embedded corpus: LibreOffice Help, German to English. */
export interface PrepareOptions extends CorpusFiles {
  /** Instead of files: a published corpus, prepared as the field does; other options are laid over the recipe's. */
  readonly recipe?: RecipeName
  /** The folder with the published files of the recipe, packed or unpacked. What is missing is named, with where it is published. */
  readonly data?: string
  /** Sentences to choose by. Without them some are held out of the training corpus. */
  readonly valid?: CorpusFiles
  /** Sentences to report on. */
  readonly test?: CorpusFiles
  /** What the two sides are written in, as ISO 639-1 codes such as `de` and `en`; for `normalize` and `tokenization`. */
  readonly languages?: { readonly source: string; readonly target: string }
  /**
   * First, in every part: make punctuation alike, as Moses' `normalize-punctuation.perl`.
   * @default false
   */
  readonly normalize?: boolean
  /**
   * Then, in every part: put spaces between words and punctuation, as Moses' `tokenizer.perl`.
   * @default 'none'
   */
  readonly tokenization?: 'none' | 'moses'
  /**
   * The files have gone through `tokenization` already: it is not done again, only told to whoever translates.
   * @default false
   */
  readonly tokenized?: boolean
  /**
   * Moses' `-a`: hyphens within words become ` @-@ `.
   * @default false
   */
  readonly aggressiveHyphens?: boolean
  /** Words of a side, at least; lines with fewer are left out of the training corpus and what is held out of it. */
  readonly minWords?: number
  /** Words of a side, at most; likewise. */
  readonly maxWords?: number
  /** Words of one side over those of the other, at most, either way; likewise (`clean-corpus-n -ratio`; IWSLT's scripts have 1.5). */
  readonly maxRatio?: number
  /** Characters of a word, at most; likewise (`clean-corpus-n -max-word-length`, which has 1,000 where nobody says). */
  readonly maxWordLength?: number
  /**
   * Then, in every part: lower case.
   * @default false
   */
  readonly lowercase?: boolean
  /** Lines to hold out of the training corpus, among those that are left; which ones depends on the seed and the line numbers alone. */
  readonly heldOut?: {
    /** @default one in twenty, at most 1,000, where there are no validation files */
    readonly valid?: number
    /** @default 0 */
    readonly test?: number
    /** @default 0 */
    readonly seed?: number
    /** Instead: every so-many-th line goes to validation (fairseq's IWSLT script: 23). */
    readonly every?: number
  }
  /** The tokenizer, learnt from the training part or taken as it is. */
  readonly vocabulary?: {
    /**
     * BPE over bytes, or that of `subword-nmt`: over characters, words being what lies between spaces.
     * @default 'byteLevel'
     */
    readonly type?: 'byteLevel' | 'subword'
    /**
     * Byte level: tokens to learn, at least 259.
     * @default 8000
     */
    readonly size?: number
    /**
     * Subword: merges to learn, from both sides together.
     * @default 10000
     */
    readonly merges?: number
    /**
     * Whether both sides share one vocabulary; else a model's embeddings are `decoderShared` or `separate`.
     * @default true
     */
    readonly joint?: boolean
    /** A `tokenizer.json` that an earlier preparation made, or its folder, to use instead. */
    readonly tokenizer?: string
  }
  /**
   * Tokens of a side, `</s>` counted; longer lines are rejected.
   * @default 256
   */
  readonly maxLength?: number
  /** Samples of a training shard, at most: for data larger than memory. Without it the training part is one file. */
  readonly shardSamples?: number
  /** Threads; they change nothing but the time. @default all */
  readonly threads?: number
  /**
   * The folder in which prepared corpora are kept, to be found again by what they were made from.
   * @default the user's cache
   */
  readonly output?: string
  /**
   * A folder of `fairseq-preprocess --dataset-impl mmap` instead of text: `train.de-en.de.{bin,idx}`, `dict.de.txt` and so on. Of the other
   * options only `maxLength` (1,024 unless given), `output` and `signal` go with it. Text to translate must then be split as that text was.
   */
  readonly fairseq?: {
    readonly folder: string
    /** The language to translate from, as in the files' names. */
    readonly source: string
    /** The language to translate to. */
    readonly target: string
  }
  /** Told of each stage, the lines it has done and its share that is done (0 to 1), a few times a second. */
  readonly onProgress?: (progress: { readonly stage: string; readonly lines: number; readonly share: number }) => void
  /** Calls the preparation off; the same one asked for again goes on from there. */
  readonly signal?: AbortSignal
}

/** Size of one part. */
export interface PreparedPart {
  /** Name of the dataset file, or of the folder of its shards. */
  readonly file: string
  /** Files it is in. */
  readonly shards: number
  /** Pairs of sentences. */
  readonly samples: number
  /** `</s>` counted. */
  readonly sourceTokens: number
  /** `</s>` counted. */
  readonly targetTokens: number
  readonly fingerprint: string
}

/** What a preparation has made, or found made. */
export interface Prepared {
  /** Holds everything below. */
  readonly folder: string
  /** Of inputs and options. */
  readonly fingerprint: string
  /** Whether an earlier preparation is used. */
  readonly reused: boolean
  /** `text.json`: what sentences go through before they become tokens. */
  readonly text: string
  /** The `tokenizer.json` of the source, and of the target where they share it. */
  readonly tokenizer: string
  /** The target's: the same file, or one of its own. */
  readonly targetTokenizer: string
  /** `prepare-report.json`: every line that was left out, and why. */
  readonly report: string
  /** Tokens of the source's tokenizer. */
  readonly vocabulary: number
  /** Tokens of the target's. */
  readonly targetVocabulary: number
  /** Datasets; of shards the folder. */
  readonly train: string
  readonly valid: string | null
  readonly test: string | null
  /** Sizes by part: `train`, `valid`, `test`. */
  readonly parts: Readonly<Record<string, PreparedPart>>
  /** What one should know of the data. */
  readonly warnings: readonly string[]
}

const corpusFiles = { source: v.exactOptional(text), target: v.exactOptional(text), tsv: v.exactOptional(text) }
const functions = v.custom<NonNullable<PrepareOptions['onProgress']>>((value) => typeof value === 'function', expected('a function'))

/** What {@link PrepareOptions} may hold; the file options are checked against each other natively. */
export const prepareOptions = object({
  recipe: v.exactOptional(v.picklist(['iwslt14-de-en', 'wmt16-en-de'], expected('"iwslt14-de-en" or "wmt16-en-de"'))),
  data: v.exactOptional(text),
  ...corpusFiles,
  valid: v.exactOptional(object(corpusFiles)),
  test: v.exactOptional(object(corpusFiles)),
  languages: v.exactOptional(object({ source: text, target: text })),
  normalize: v.exactOptional(flag),
  tokenization: v.exactOptional(v.picklist(['none', 'moses'], expected('"none" or "moses"'))),
  tokenized: v.exactOptional(flag),
  aggressiveHyphens: v.exactOptional(flag),
  minWords: v.exactOptional(count),
  maxWords: v.exactOptional(count),
  maxRatio: v.exactOptional(positive),
  maxWordLength: v.exactOptional(count),
  lowercase: v.exactOptional(flag),
  heldOut: v.exactOptional(object({ valid: v.exactOptional(whole), test: v.exactOptional(whole), seed: v.exactOptional(whole), every: v.exactOptional(count) })),
  vocabulary: v.exactOptional(
    object({
      type: v.exactOptional(v.picklist(['byteLevel', 'subword'], expected('"byteLevel" or "subword"'))),
      size: v.exactOptional(count),
      merges: v.exactOptional(count),
      joint: v.exactOptional(flag),
      tokenizer: v.exactOptional(text),
    }),
  ),
  maxLength: v.exactOptional(count),
  shardSamples: v.exactOptional(count),
  threads: v.exactOptional(count),
  output: v.optional(text, () => join(cacheFolder(), 'prepared')),
  fairseq: v.exactOptional(object({ folder: text, source: text, target: text })),
  onProgress: v.exactOptional(functions),
  signal: v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal'))),
})

/** The corpus that comes with the package; its licence and origin lie beside it. */
export const embeddedCorpus = (part: 'train' | 'valid' | 'test'): CorpusFiles => ({
  tsv: fileURLToPath(new URL(`../../../ts/task/translation/corpus/${part}.tsv.gz`, import.meta.url)),
})

/** Reads, checks, tokenises and stores a parallel corpus, or finds that it has been done. */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { signal, onProgress, ...given } = parse(prepareOptions, options, 'prepare')
  signal?.throwIfAborted()
  if (given.fairseq !== undefined) return importFairseq(given)
  return runPreparation((json) => native().Preparation.translation(json), withDefaultCorpus(given), { signal, onProgress })
}

/** Without files the embedded corpus with its own validation and test parts; what is given for those goes first. */
function withDefaultCorpus<T extends CorpusFiles & { readonly recipe?: RecipeName }>(options: T): T {
  if (options.recipe !== undefined || options.source !== undefined || options.target !== undefined || options.tsv !== undefined) return options
  return { ...embeddedCorpus('train'), valid: embeddedCorpus('valid'), test: embeddedCorpus('test'), ...options }
}
