import * as v from 'valibot'
import { adoptBatch, type Batch } from './batch.js'
import { native, type NativeDataset } from './binding.js'
import { ColumnBuilder, type Sample } from './columns.js'
import { SagetrainError } from './errors.js'
import { disown, factory, nativeOf, own } from './handle.js'
import { decode, encode, type Json } from './json.js'
import { Loader, loaderOptions, type LoaderOptions } from './loader.js'
import { call, calling } from './native-error.js'
import { expected, parse, show, text, whole } from './options.js'

/** What is known of a column: rows of ids with their extremes, or rows of `width` numbers. */
export type ColumnInfo =
  | {
      readonly name: string
      readonly type: 'ragged'
      /** Stored width of an id. */
      readonly element: 'u16' | 'i32'
      /** Tokens of the longest row. */
      readonly longest: number
      /** Smallest id, 0 when there is none. */
      readonly least: number
      /** Greatest id, 0 when there is none. */
      readonly greatest: number
    }
  | { readonly name: string; readonly type: 'dense'; readonly width: number }

/** Wraps what the addon made; for this package's own modules. */
export let adoptDataset: (handle: NativeDataset) => Dataset

/**
 * Samples with named columns, read-only: a memory-mapped file, or memory.
 *
 * @example
 * const dataset = await Dataset.from([{ features: Float32Array.of(0, 1), label: Int32Array.of(1) }])
 * for await (const batch of dataset.loader({ batchSize: 32, seed: 1 })) console.log(batch.samples)
 */
export class Dataset {
  /** Samples. */
  readonly length: number
  /** The columns, in order. */
  readonly columns: readonly ColumnInfo[]
  /** SHA-256 that stands for the contents, in hexadecimal. */
  readonly fingerprint: string
  /** What the writer said of the data; null in memory. */
  readonly about: Json

  static {
    adoptDataset = (handle) => new Dataset(handle, factory)
  }

  private constructor(handle: NativeDataset, right: symbol) {
    own(this, 'Dataset', handle, right)
    this.length = handle.samples()
    this.columns = decode(handle.columns())
    this.fingerprint = handle.fingerprint()
    this.about = decode(handle.about())
  }

  /**
   * Maps a dataset file, the shards in a folder (its `.dataset` files in the order of their names), or a list of files as one dataset, and
   * checks the headers; {@link verify} checks every byte. A loader reads several shards one after the other, in another order each epoch, so
   * that they may be larger than memory. Replace such a file by renaming another over it, as
   * preparation does: one that is cut short in place while it is open ends the process (SIGBUS), as with every mapped file.
   *
   * @throws {@link SagetrainError} `ERR_DATASET` for a truncated, altered or foreign file, `ERR_IO`.
   */
  static async open(path: string | readonly string[]): Promise<Dataset> {
    const files = typeof path === 'string' ? [parse(text, path, 'path', 'ERR_ARGUMENT')] : parse(v.array(text, expected('a path or an array of paths')), path, 'path', 'ERR_ARGUMENT')
    return new Dataset(await calling(() => native().Dataset.open(files)), factory)
  }

  /**
   * Copies samples into a dataset in memory. Int32Array rows are ids of any number, Float32Array rows numbers of one width; all samples
   * have the first one's columns.
   *
   * @throws {@link SagetrainError} `ERR_DATA` naming sample and column, `ERR_SHAPE`, `ERR_ARGUMENT`.
   */
  static async from(samples: Iterable<Sample> | AsyncIterable<Sample>): Promise<Dataset> {
    if (!isIterable(samples)) {
      throw new SagetrainError('ERR_ARGUMENT', `samples: expected an iterable of samples, got ${show(samples)}`, { fields: { argument: 'samples' } })
    }
    const builder = new ColumnBuilder()
    for await (const sample of samples) builder.push(sample)
    return new Dataset(await calling(() => native().Dataset.from(builder.finish())), factory)
  }

  /**
   * Batches of this dataset, gathered ahead on a thread of their own.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for missing, unknown or contradictory options.
   */
  loader(options: LoaderOptions): Loader {
    return new Loader(nativeOf(this, 'Dataset'), parse(loaderOptions, options, 'loader'), factory)
  }

  /**
   * The samples `indices` as a batch, in that order.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for an index past the end, `ERR_DATASET`, `ERR_DISPOSED`.
   */
  batch(indices: readonly number[]): Batch {
    const handle = nativeOf(this, 'Dataset')
    const list = parse(v.array(whole, expected('an array of indices')), indices, 'indices', 'ERR_ARGUMENT')
    return adoptBatch(call(() => handle.batch(Float64Array.from(list))))
  }

  /**
   * Compares every byte of the file with the header's checksums.
   *
   * @throws {@link SagetrainError} `ERR_DATASET`, naming the damaged column.
   */
  async verify(): Promise<void> {
    const handle = nativeOf(this, 'Dataset')
    await calling(() => handle.verify())
  }

  /**
   * Writes the dataset to a file, durable and under its name in one step.
   *
   * @param about - Kept in the header.
   * @throws {@link SagetrainError} `ERR_DATASET` where `path` is something else than a dataset, `ERR_IO`.
   */
  async write(path: string, about: Json = null): Promise<void> {
    const handle = nativeOf(this, 'Dataset')
    const file = parse(text, path, 'path', 'ERR_ARGUMENT')
    const json = encode(about, 'about')
    await calling(() => handle.write(file, json))
  }

  /** Releases the memory or the mapping once no loader uses it; idempotent. */
  [Symbol.dispose](): void {
    disown(this, 'Dataset')?.dispose()
  }
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && (Symbol.iterator in value || Symbol.asyncIterator in value)
}
