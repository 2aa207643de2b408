import { isDetached } from '../detached.js'
import { SagetrainError } from '../errors.js'
import { show } from '../options.js'

/** Ids of classes, one a sample. */
export type ClassIds = readonly number[] | Int32Array

/** Numbers, one a sample. */
export type Numbers = readonly number[] | Float32Array | Float64Array

/** A checked copy of ids. */
export function classIds(values: unknown, where: string): Int32Array {
  if (values instanceof Int32Array) return attached(values, where).slice()
  return Int32Array.from(listed(values, where, 'an array or an Int32Array of class ids'), (value, index) => {
    if (typeof value !== 'number' || (value | 0) !== value) throw refusal(`${where}[${index}]`, 'a whole number of 32 bits', value)
    return value
  })
}

/** A checked copy of numbers; those that are not finite are among them. */
export function numbers(values: unknown, where: string): Float64Array {
  if (values instanceof Float32Array || values instanceof Float64Array) return Float64Array.from(attached(values, where))
  return Float64Array.from(listed(values, where, 'an array, a Float32Array or a Float64Array of numbers'), (value, index) => {
    if (typeof value !== 'number') throw refusal(`${where}[${index}]`, 'a number', value)
    return value
  })
}

function listed(values: unknown, where: string, what: string): readonly unknown[] {
  if (!Array.isArray(values)) throw refusal(where, what, values)
  return values
}

function attached<T extends ArrayBufferView>(values: T, where: string): T {
  if (isDetached(values)) throw new SagetrainError('ERR_ARGUMENT', `${where}: is detached: its buffer was transferred`, { fields: { key: where } })
  return values
}

function refusal(key: string, what: string, value: unknown): SagetrainError {
  return new SagetrainError('ERR_ARGUMENT', `${key}: expected ${what}, got ${show(value)}`, { fields: { key, value } })
}

/** A number that SciPy calls NaN is none. */
export function known(value: unknown): number | null {
  return typeof value === 'number' && !Number.isNaN(value) ? value : null
}
