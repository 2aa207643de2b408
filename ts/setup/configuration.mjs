// The keys of a configuration, as the published JSON Schema has them: what a flag may name, known before anything is compiled.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './paths.mjs'

/** @typedef {{ $ref?: string, type?: string, enum?: unknown[], properties?: Record<string, Schema>, items?: Schema, anyOf?: Schema[] }} Schema */

/**
 * Dotted paths of all keys of a task's parts, objects and what they hold, such as `optimizer`, `optimizer.lr`.
 *
 * @param {string} task
 * @param {readonly ('Prepare' | 'Train')[]} [parts]
 * @returns {string[]} none for a task that the schema does not have
 */
export function configurationPaths(task, parts = ['Prepare', 'Train']) {
  return [...new Set(keysOf(task, parts).map(([path]) => path))]
}

/**
 * What a key holds where that decides how a flag's text is read: an object and nothing else, or a list of texts and nothing else.
 *
 * @param {string} task
 * @param {'Prepare' | 'Train'} part
 * @param {string} path
 * @returns {'object' | 'texts' | undefined}
 */
export function configurationKind(task, part, path) {
  const found = keysOf(task, [part]).filter(([key]) => key === path).map(([, schema]) => schema)
  const all = (/** @type {(schema: Schema) => boolean} */ holds) => found.length > 0 && found.every(holds)
  if (all(({ properties, anyOf }) => properties !== undefined && anyOf === undefined)) return 'object'
  if (all(({ type, items }) => type === 'array' && (items?.type === 'string' || items?.enum !== undefined))) return 'texts'
  return undefined
}

/**
 * @param {string} task
 * @param {readonly ('Prepare' | 'Train')[]} parts
 * @returns {[path: string, schema: Schema][]}
 */
function keysOf(task, parts) {
  const { $defs } = /** @type {{ $defs: Record<string, Schema> }} */ (JSON.parse(readFileSync(join(root, 'ts/cli/run.schema.json'), 'utf8')))
  const resolve = (/** @type {Schema} */ { $ref, ...own }) => ({ ...($ref && $defs[$ref.slice('#/$defs/'.length)]), ...own })
  /** @type {(schema: Schema, before: string) => [string, Schema][]} */
  const below = (schema, before) => {
    const { properties = {}, anyOf = [] } = schema
    const own = Object.entries(properties).flatMap(([key, value]) => {
      const whole = resolve(value)
      return [/** @type {[string, Schema]} */ ([before + key, whole])].concat(below(whole, `${before}${key}.`))
    })
    return [...own, ...anyOf.flatMap((member) => below(resolve(member), before))]
  }
  return parts.flatMap((part) => below(resolve($defs[task + part] ?? {}), ''))
}
