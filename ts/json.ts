import { SagetrainError } from './errors.js'
import { show } from './options.js'

/** Any JSON value, readonly. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * The JSON text of a specification. What JSON would lose in silence (NaN, functions, class instances) is refused by its path;
 * `undefined` is left out. The native side reads the text and checks keys and values.
 */
export function encode(value: unknown, where: string): string {
  refuseForeign(value, where, 0)
  return JSON.stringify(value)
}

function refuseForeign(value: unknown, where: string, depth: number): void {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'string') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (depth > 32) throw refusal(where, 'is nested too deeply, or within itself')
  if (Array.isArray(value)) return value.forEach((item, index) => refuseForeign(item, `${where}[${index}]`, depth + 1))
  if (!isPlain(value)) throw refusal(where, `${show(value)} cannot be part of a specification; give plain JSON`)
  for (const [key, item] of Object.entries(value)) refuseForeign(item, `${where}.${key}`, depth + 1)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function refusal(key: string, message: string): SagetrainError {
  return new SagetrainError('ERR_CONFIG', `${key}: ${message}`, { fields: { key } })
}

/** Without the keys whose value is undefined, as exact optional properties want it. */
export function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

/** Reads JSON text that this package wrote, frozen through and through. */
export function decode<T>(text: string): T {
  return deepFreeze(JSON.parse(text) as T)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
