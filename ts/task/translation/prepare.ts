import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import * as v from 'valibot'
import { checkSignal } from '../../abort.js'
import { native } from '../../binding.js'
import { decode, encode } from '../../json.js'
import { isSagetrainError } from '../../errors.js'
import { call, calling } from '../../native-error.js'
import { count, expected, object, parse, text, whole } from '../../options.js'
import { importFairseq } from './fairseq.js'
import { cacheFolder } from '../../setup/paths.mjs'

/** Parallel text: two UTF-8 files with as many lines each, or one TSV (source TAB target); each may be gzipped. */
export interface CorpusFiles {
  /** Source sentences, one a line. */
  readonly source?: string
  /** Their translations. */
  readonly target?: string
  /** Both in one file. */
  readonly tsv?: string
}

/** What to prepare from which files. Without `source`, `target` and `tsv` it is the embedded corpus: LibreOffice Help, German to English. */
export interface PrepareOptions extends CorpusFiles {
  /** Sentences to choose by. Without them some are held out of the training corpus. */
  readonly valid?: CorpusFiles
  /** Sentences to report on. */
  readonly test?: CorpusFiles
  /** Lines to hold out of the training corpus; which ones depends on the seed and the line numbers alone. */
  readonly heldOut?: {
    /** @default one in twenty, at most 1,000, where there are no validation files */
    readonly valid?: number
    /** @default 0 */
    readonly test?: number
    /** @default 0 */
    readonly seed?: number
  }
  /** The tokenizer: joint byte-level BPE, learnt from the training part or taken as it is. */
  readonly vocabulary?: {
    /**
     * Tokens to learn, at least 259.
     * @default 8000
     */
    readonly size?: number
    /** A `tokenizer.json` that an earlier preparation made, or its folder, to use instead. */
    readonly tokenizer?: string
  }
  /**
   * Tokens of a side, `</s>` counted; longer lines are rejected.
   * @default 256
   */
  readonly maxLength?: number
  /** Words of a side; longer lines are left out of the training part. */
  readonly maxWords?: number
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
  /** Told of each stage and the lines it has seen, a few times a second. */
  readonly onProgress?: (progress: { readonly stage: string; readonly lines: number }) => void
  /** Calls the preparation off; nothing is left behind. */
  readonly signal?: AbortSignal
}

/** Size of one part. */
export interface PreparedPart {
  readonly file: string
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
  /** The `tokenizer.json`. */
  readonly tokenizer: string
  /** `prepare-report.json`: every line that was left out, and why. */
  readonly report: string
  /** Tokens of the tokenizer. */
  readonly vocabulary: number
  /** Datasets. */
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
  ...corpusFiles,
  valid: v.exactOptional(object(corpusFiles)),
  test: v.exactOptional(object(corpusFiles)),
  heldOut: v.exactOptional(object({ valid: v.exactOptional(whole), test: v.exactOptional(whole), seed: v.exactOptional(whole) })),
  vocabulary: v.exactOptional(object({ size: v.exactOptional(count), tokenizer: v.exactOptional(text) })),
  maxLength: v.exactOptional(count),
  maxWords: v.exactOptional(count),
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
  checkSignal(signal)
  signal?.throwIfAborted()
  if (given.fairseq !== undefined) return importFairseq(given)
  const files = withDefaultCorpus(given)
  const json = encode(files, 'prepare')
  const preparation = call(() => native().Preparation.create(json))
  const stop = (): void => preparation.cancel()
  const timer = onProgress === undefined ? undefined : setInterval(() => onProgress(preparation.progress()), 200)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return decode(await calling(() => preparation.run()))
  } catch (error) {
    throw isSagetrainError(error, 'ERR_ABORTED') && signal?.aborted ? signal.reason : error
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** Without files the embedded corpus with its own validation and test parts; what is given for those goes first. */
function withDefaultCorpus<T extends CorpusFiles>(options: T): T {
  if (options.source !== undefined || options.target !== undefined || options.tsv !== undefined) return options
  return { ...embeddedCorpus('train'), valid: embeddedCorpus('valid'), test: embeddedCorpus('test'), ...options }
}
