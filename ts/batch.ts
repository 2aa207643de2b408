import { disown, factory, nativeOf, own } from './handle.js'
import type { NativeBatch, NativeColumn } from './binding.js'
import { call } from './native-error.js'
import { parse, text } from './options.js'

/** A place in a loader's order: batch number `batch` of epoch `epoch`, both from 0. */
export interface LoaderState {
  readonly epoch: number
  readonly batch: number
}

/** Rows of ids back to back, without padding: row i is `values.subarray(offsets[i], offsets[i + 1])`. */
export interface RaggedColumn {
  readonly type: 'ragged'
  readonly values: Int32Array
  /** `samples + 1` of them. */
  readonly offsets: Float64Array
}

/** Rows of `width` numbers back to back. */
export interface DenseColumn {
  readonly type: 'dense'
  readonly values: Float32Array
  readonly width: number
}

/** A copy of one column of a batch. */
export type BatchColumn = RaggedColumn | DenseColumn

/** Wraps what the addon gathered; for this package's own modules. */
export let adoptBatch: (handle: NativeBatch) => Batch

/**
 * Some samples, gathered for a step. Its buffers are native; reading copies.
 *
 * @example
 * for await (const batch of loader) console.log(batch.samples, batch.tokens)
 */
export class Batch {
  /** Rows of each column. */
  readonly samples: number
  /** Tokens of the last ragged column; `samples` where there is none. */
  readonly tokens: number
  /** Where this batch lies in its loader's order. */
  readonly position: LoaderState

  static {
    adoptBatch = (handle) => new Batch(handle, factory)
  }

  private constructor(handle: NativeBatch, right: symbol) {
    own(this, 'Batch', handle, right)
    this.samples = handle.samples()
    this.tokens = handle.tokens()
    this.position = Object.freeze(handle.position())
  }

  /** Names of the columns. */
  get columns(): readonly string[] {
    return call(() => nativeOf(this, 'Batch').columns())
  }

  /** The dataset's sample behind each row. */
  get indices(): Float64Array {
    return call(() => nativeOf(this, 'Batch').indices())
  }

  /**
   * Copies a column.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for an unknown column, `ERR_DISPOSED`.
   */
  read(column: string): BatchColumn {
    const handle = nativeOf(this, 'Batch')
    const name = parse(text, column, 'column', 'ERR_ARGUMENT')
    return columnOf(call(() => handle.column(name)))
  }

  /** Frees the buffers; idempotent. Without it they go when the object is collected. */
  [Symbol.dispose](): void {
    disown(this, 'Batch')?.dispose()
  }
}

function columnOf({ ids, offsets, numbers, width }: NativeColumn): BatchColumn {
  if (ids !== undefined && offsets !== undefined) return { type: 'ragged', values: ids, offsets }
  return { type: 'dense', values: numbers ?? new Float32Array(), width: width ?? 1 }
}
