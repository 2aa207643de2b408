import * as v from 'valibot'
import { SagetrainError, type SagetrainErrorCode } from './errors.js'
import { hint } from './suggest.js'
import { tellingIssue, type Issue } from './union-issue.js'

/**
 * Checks `value` against `schema` and fills in its defaults. `where` begins the path in the message: `adam.betas[1]: …`.
 * For the options of calls; specifications (optimizer, schedule, model) are checked by the native crate that reads them.
 */
export function parse<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  where: string,
  code: SagetrainErrorCode = 'ERR_CONFIG',
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, withoutUndefined(value))
  if (result.success) return result.output
  const { issue, path } = tellingIssue(schema, result.issues)
  const key = where + path
  throw new SagetrainError(code, `${key}: ${issue.message}`, { fields: { key, value: issue.input } })
}

/** `{ sage: undefined }` means what `{}` means. Deeper than any option lies, a value is left as it is: it may be cyclic. */
function withoutUndefined(value: unknown, depth = 0): unknown {
  if (depth > 16) return value
  if (Array.isArray(value)) return value.map((item) => withoutUndefined(item, depth + 1))
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value
  const kept = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutUndefined(item, depth + 1)]))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** How a value looks in a message: short, and never its contents when it is large. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === 'function') return 'a function'
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${'length' in value ? String(value.length) : value.byteLength})`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return value.constructor?.name === 'Object' ? 'an object' : `a ${value.constructor?.name ?? 'bare object'}`
  return String(value)
}

/** A message of the form "expected …, got …". */
export function expected(what: string): (issue: Issue) => string {
  return (issue) => (issue.input === undefined ? `is missing; expected ${what}` : `expected ${what}, got ${show(issue.input)}`)
}

/** An object with exactly these keys; an unknown one is answered with the nearest known one. */
export function object<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, (issue) => {
    if (issue.expected === 'Object') return `expected an object, got ${show(issue.input)}`
    if (issue.expected !== 'never') return 'is missing and has no default'
    return `unknown option${hint(String(issue.path?.at(-1)?.key), Object.keys(entries))}`
  })
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return v.picklist(words, (issue) => {
    const what = words.map((word) => `"${word}"`).join(' | ')
    const near = typeof issue.input === 'string' ? hint(issue.input, words) : ''
    return `expected ${what}, got ${show(issue.input)}${near.startsWith('; did') ? near : ''}`
  })
}

const finite = (what: string, holds: (value: number) => boolean) =>
  v.pipe(v.number(expected(what)), v.check((value) => Number.isFinite(value) && holds(value), expected(what)))

/** A finite number > 0. */
export const positive = v.pipe(finite('a finite number > 0', (value) => value > 0), v.minValue(0))
/** A finite number ≥ 0. */
export const nonNegative = v.pipe(finite('a finite number >= 0', (value) => value >= 0), v.minValue(0))
/** A number in [0, 1). */
export const fraction = v.pipe(finite('a number in [0, 1)', (value) => value >= 0 && value < 1), v.minValue(0), v.maxValue(1))
/** A whole number ≥ 1. */
export const count = v.pipe(finite('a whole number >= 1', (value) => Number.isSafeInteger(value) && value >= 1), v.integer(), v.minValue(1))
/** A whole number ≥ 0. */
export const whole = v.pipe(finite('a whole number >= 0', (value) => Number.isSafeInteger(value) && value >= 0), v.integer(), v.minValue(0))
/** true or false. */
export const flag = v.boolean(expected('true or false'))
/** A string that is not empty. */
export const text = v.pipe(v.string(expected('a string that is not empty')), v.check((value) => value.length > 0, expected('a string that is not empty')), v.minLength(1))
