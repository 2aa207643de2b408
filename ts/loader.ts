import * as v from 'valibot'
import { adoptBatch, type Batch, type LoaderState } from './batch.js'
import { native, type NativeBatch, type NativeDataset, type NativeLoader } from './binding.js'
import { SagetrainError } from './errors.js'
import { factory } from './handle.js'
import { encode } from './json.js'
import { call, calling } from './native-error.js'
import { count, expected, flag, object, parse, text, whole } from './options.js'

/** BPE-dropout (Provilkov et al., 2020): the words of a row are split anew each epoch, as a function of seed, epoch and sample alone. */
export interface BpeDropout {
  /** How the words of each column are split, by its name. */
  readonly columns: Readonly<Record<string, BpeDropoutColumn>>
  /**
   * A row that would have more tokens keeps its stored ids.
   * @default none
   */
  readonly maxLength?: number
}

/** {@link BpeDropout} of a column. */
export interface BpeDropoutColumn {
  /** The byte-level BPE `tokenizer.json` of its ids, or that one's folder. */
  readonly tokenizer: string
  /** With which a merge is left out each time it could be made; the paper takes 0.1. */
  readonly probability: number
}

/** {@link BpeDropout} of columns whose tokenizers are known by the columns' names; for this package's own modules. */
export function bpeDropoutOf(probabilities: Readonly<Record<string, number>>, tokenizers: Readonly<Record<string, string>>, maxLength?: number): BpeDropout {
  const column = ([name, share]: readonly [string, number]): [string, BpeDropoutColumn] => [name, { tokenizer: tokenizers[name] ?? '', probability: share }]
  return { columns: Object.fromEntries(Object.entries(probabilities).map(column)), ...(maxLength !== undefined && { maxLength }) }
}

/** What a run keeps of it: what changes rows, which the places of the tokenizers do not. */
export function keptBpeDropout({ columns, maxLength }: BpeDropout): string {
  const probabilities = Object.entries(columns).map(([name, column]) => [name, column.probability])
  return JSON.stringify([Object.fromEntries(probabilities), maxLength ?? null])
}

/** The same again, with tokenizers by column. */
export function readBpeDropout(kept: string, tokenizers: Readonly<Record<string, string>>): BpeDropout {
  const [probabilities, maxLength] = JSON.parse(kept) as [Readonly<Record<string, number>>, number | null]
  return bpeDropoutOf(probabilities, tokenizers, maxLength ?? undefined)
}

/** How to cut and order batches; exactly one of `maxTokens` and `batchSize`. */
export interface LoaderOptions {
  /** Samples × longest row of a batch, at most (fairseq's `--max-tokens`). Rows are packed: nothing is padded. */
  readonly maxTokens?: number
  /** Samples of a batch. */
  readonly batchSize?: number
  /** With `maxTokens`: samples of a batch, at most. */
  readonly maxSamples?: number
  /**
   * The order is a function of seed and epoch.
   * @default 0
   */
  readonly seed?: number
  /**
   * Another order each epoch; with `maxTokens` samples of like length share a batch.
   * @default true
   */
  readonly shuffle?: boolean
  /**
   * With `batchSize`: leave out the last batch of an epoch where it is smaller.
   * @default false
   */
  readonly dropLast?: boolean
  /**
   * Batches gathered ahead, at most 1,024; 0 gathers when asked.
   * @default 4
   */
  readonly prefetch?: number
  /** Splits words anew each epoch. Batches are cut by the stored lengths: one may exceed `maxTokens` by what its rows grow. */
  readonly bpeDropout?: BpeDropout
  /**
   * Epochs after which the loader ends, counted from epoch 0; Infinity never ends.
   * @default the epoch it stands in, so that each `for await` is one epoch
   */
  readonly epochs?: number
  /**
   * Where to begin, such as an earlier loader's `state()`.
   * @default the first batch of epoch 0
   */
  readonly state?: LoaderState
}

const position = object({ epoch: whole, batch: whole })
const probability = v.pipe(v.number(expected('a number from 0 to 1')), v.minValue(0, expected('a number from 0 to 1')), v.maxValue(1, expected('a number from 0 to 1')))
const epochs = v.union([count, v.literal(Infinity)], expected('a whole number >= 1, or Infinity'))

/** What {@link LoaderOptions} may hold. */
export const loaderOptions = object({
  maxTokens: v.exactOptional(count),
  batchSize: v.exactOptional(count),
  maxSamples: v.exactOptional(count),
  seed: v.optional(whole, 0),
  shuffle: v.optional(flag, true),
  dropLast: v.optional(flag, false),
  prefetch: v.optional(whole, 4),
  bpeDropout: v.exactOptional(object({ columns: v.record(v.string(), object({ tokenizer: text, probability })), maxLength: v.exactOptional(count) })),
  epochs: v.exactOptional(epochs),
  state: v.optional(position, { epoch: 0, batch: 0 }),
})

/**
 * A cursor over a dataset's batches. Iterating moves it, leaving early leaves it where it is, and `state()` says where that is.
 *
 * @example
 * const loader = dataset.loader({ maxTokens: 4096, seed: 1 })
 * for await (const batch of loader) await session.step(batch) // one epoch
 * JSON.stringify(loader.state()) // {"epoch":1,"batch":0}
 */
export class Loader implements AsyncIterable<Batch> {
  readonly #dataset: NativeDataset
  readonly #options: v.InferOutput<typeof loaderOptions>
  #state: LoaderState
  #running: NativeLoader | undefined
  #waited = 0
  #busy = false

  /** @hidden Made by {@link Dataset.loader}. */
  constructor(dataset: NativeDataset, options: v.InferOutput<typeof loaderOptions>, right: symbol) {
    if (right !== factory) throw new SagetrainError('ERR_ARGUMENT', 'a Loader is not made with new; use dataset.loader({ … })')
    refuseIdle(options)
    this.#dataset = dataset
    this.#options = options
    this.#state = options.state
  }

  /** Where the next batch lies. */
  state(): LoaderState {
    return { ...this.#state }
  }

  /** Seconds that iterations have waited for batches so far. */
  get waited(): number {
    return this.#waited + (this.#running?.waited() ?? 0)
  }

  /**
   * How many batches an epoch has, without gathering them.
   *
   * @throws {@link SagetrainError} `ERR_DATA` for a sample longer than `maxTokens`, `ERR_DATASET`.
   */
  async batches(epoch: number = this.#state.epoch): Promise<number> {
    const number = parse(whole, epoch, 'epoch', 'ERR_ARGUMENT')
    const loader = await this.#start({ epoch: number, batch: 0 }, number + 1)
    try {
      return await calling(() => loader.batchesIn(number))
    } finally {
      loader.dispose()
    }
  }

  /**
   * The batches from {@link state} on.
   *
   * @throws {@link SagetrainError} `ERR_STATE` while another iteration of this loader runs or at a position that does not exist,
   * `ERR_DATA` for a sample longer than `maxTokens`, `ERR_DATASET` for damaged rows.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    if (this.#busy) throw new SagetrainError('ERR_STATE', 'this loader is being iterated; make a second one for a second loop')
    this.#busy = true
    try {
      this.#running = await this.#start(this.#state, this.#options.epochs ?? this.#state.epoch + 1)
      for (let batch = await next(this.#running); batch !== null; batch = await next(this.#running)) {
        this.#state = Object.freeze(batch.next())
        yield adoptBatch(batch)
      }
    } finally {
      this.#waited = this.waited
      this.#running?.dispose()
      this.#running = undefined
      this.#busy = false
    }
  }

  #start(state: LoaderState, end: number): Promise<NativeLoader> {
    const ending = end === Infinity ? {} : { epochs: end }
    const { epochs: _, ...options } = this.#options
    return calling(() => native().Loader.create(this.#dataset, encode({ ...options, state, ...ending }, 'loader')))
  }
}

/** A batch that is gathered already costs no turn of the event loop. */
async function next(loader: NativeLoader): Promise<NativeBatch | null> {
  const ready = call(() => loader.poll())
  return ready === undefined ? await calling(() => loader.wait()) : ready
}

function refuseIdle({ maxTokens, batchSize, maxSamples, dropLast }: LoaderOptions): void {
  const refuse = (key: string, message: string): never => {
    throw new SagetrainError('ERR_CONFIG', `loader.${key}: ${message}`, { fields: { key: `loader.${key}` } })
  }
  if (maxTokens === undefined && batchSize === undefined) refuse('maxTokens', 'is missing, and batchSize too; give one of them')
  if (maxTokens !== undefined && batchSize !== undefined) refuse('batchSize', 'excludes maxTokens; give one of them')
  if (maxSamples !== undefined && maxTokens === undefined) refuse('maxSamples', 'has no effect without maxTokens')
  if (dropLast === true && maxTokens !== undefined) refuse('dropLast', 'has no effect with maxTokens, whose batches are cut by length')
}
