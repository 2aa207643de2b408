import { isDetached } from './detached.js'
import { SagetrainError } from './errors.js'
import type { NativeColumn } from './binding.js'
import { show } from './options.js'
import { hint } from './suggest.js'

/** One sample: ids in an Int32Array of any length, numbers in a Float32Array of one width. */
export type Sample = Readonly<Record<string, Int32Array | Float32Array>>

/** Gathers samples into columns, copying each at once: its arrays may be used again. */
export class ColumnBuilder {
  readonly #columns = new Map<string, Growing>()
  #samples = 0

  /** Adds a sample; all have the first one's columns. */
  push(sample: unknown): void {
    if (typeof sample !== 'object' || sample === null || Array.isArray(sample)) {
      throw refusal(this.#samples, undefined, `expected an object of typed arrays, got ${show(sample)}`)
    }
    const entries = Object.entries(sample)
    if (this.#samples === 0) entries.forEach(([name, row]) => this.#columns.set(name, growing(row, name)))
    for (const [name, row] of entries) {
      if (ArrayBuffer.isView(row) && isDetached(row)) throw refusal(this.#samples, name, 'is detached: its buffer was transferred')
      this.#column(name).push(row, this.#samples, name)
    }
    const missing = [...this.#columns.keys()].find((name) => !Object.hasOwn(sample, name))
    if (missing !== undefined) throw refusal(this.#samples, missing, 'is missing')
    this.#samples += 1
  }

  #column(name: string): Growing {
    const column = this.#columns.get(name)
    if (column !== undefined) return column
    throw refusal(this.#samples, name, `is not among the first sample's${hint(name, [...this.#columns.keys()])}`)
  }

  /** The columns as the addon takes them. */
  finish(): NativeColumn[] {
    return [...this.#columns].map(([name, column]) => column.finish(name))
  }
}

interface Growing {
  push(row: unknown, sample: number, name: string): void
  finish(name: string): NativeColumn
}

function growing(row: unknown, name: string): Growing {
  if (row instanceof Int32Array) return new Ids()
  if (row instanceof Float32Array) return new Numbers(row.length)
  throw refusal(0, name, `expected an Int32Array of ids or a Float32Array of numbers, got ${show(row)}`)
}

class Ids implements Growing {
  #values = new Int32Array(1024)
  readonly #offsets = [0]
  #used = 0

  push(row: unknown, sample: number, name: string): void {
    if (!(row instanceof Int32Array)) throw refusal(sample, name, `expected an Int32Array as in the first sample, got ${show(row)}`)
    const needed = this.#used + row.length
    if (needed > this.#values.length) {
      const larger = new Int32Array(Math.max(needed, this.#values.length * 2))
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values.set(row, this.#used)
    this.#used = needed
    this.#offsets.push(needed)
  }

  finish(name: string): NativeColumn {
    return { name, ids: this.#values.subarray(0, this.#used), offsets: Float64Array.from(this.#offsets) }
  }
}

class Numbers implements Growing {
  #values = new Float32Array(1024)
  #used = 0
  readonly #width: number

  constructor(width: number) {
    this.#width = width
  }

  push(row: unknown, sample: number, name: string): void {
    if (!(row instanceof Float32Array)) throw refusal(sample, name, `expected a Float32Array as in the first sample, got ${show(row)}`)
    if (row.length !== this.#width) throw refusal(sample, name, `has ${row.length} numbers, the first sample has ${this.#width}`, 'ERR_SHAPE')
    const needed = this.#used + row.length
    if (needed > this.#values.length) {
      const larger = new Float32Array(Math.max(needed, this.#values.length * 2))
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values.set(row, this.#used)
    this.#used = needed
  }

  finish(name: string): NativeColumn {
    return { name, numbers: this.#values.subarray(0, this.#used), width: this.#width }
  }
}

function refusal(sample: number, column: string | undefined, message: string, code: 'ERR_DATA' | 'ERR_SHAPE' = 'ERR_DATA'): SagetrainError {
  const where = column === undefined ? `sample ${sample}` : `sample ${sample}, column "${column}"`
  return new SagetrainError(code, `${where}: ${message}`, { fields: { sample, ...(column === undefined ? {} : { column }) } })
}
