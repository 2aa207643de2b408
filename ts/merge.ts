import { resolve } from 'node:path'
import type { Json } from './json.js'

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json }

/** Whether a value is a JSON object, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * `over` laid on `base`, objects key by key, everything else replaced. An object of another `type` replaces the whole of the one
 * below: its keys would not fit.
 */
export function merge(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isObject(below) && isObject(value) && sameType(below, value) ? merge(below, value) : value
  }
  return merged
}

function sameType(below: JsonObject, above: JsonObject): boolean {
  return above['type'] === undefined || below['type'] === undefined || above['type'] === below['type']
}

/** A copy in which the relative paths at these dotted keys, alone or in lists, hold from every folder. */
export function withAbsolutePaths(base: JsonObject, keys: readonly string[], before = ''): JsonObject {
  const absolute = ([key, value]: [string, Json]): [string, Json] => {
    if (isObject(value)) return [key, withAbsolutePaths(value, keys, `${before}${key}.`)]
    if (!keys.includes(before + key)) return [key, value]
    const whole = (one: Json): Json => (typeof one === 'string' ? resolve(one) : one)
    return [key, Array.isArray(value) ? value.map(whole) : whole(value)]
  }
  return Object.fromEntries(Object.entries(base).map(absolute))
}

/** A copy with `value` at `path`, objects made on the way. */
export function setAt(base: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [first, ...rest] = path
  if (first === undefined) return base
  const below = base[first]
  return { ...base, [first]: rest.length === 0 ? value : setAt(isObject(below) ? below : {}, rest, value) }
}

/** What is at a dotted key; undefined where nothing is. */
export function valueAt(base: JsonObject, key: string): unknown {
  return key.split('.').reduce<unknown>((value, word) => (isObject(value) ? value[word] : undefined), base)
}

/** Whether something is set at `path` or on the way to it. */
export function isSetAt(base: Json | undefined, path: readonly string[]): boolean {
  const [first, ...rest] = path
  if (first === undefined) return base !== undefined
  if (!isObject(base)) return base !== undefined
  return isSetAt(base[first], rest)
}
