// The keys of a configuration, as the published JSON Schema has them: what a flag may name, known before anything is compiled.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './paths.mjs'

/** @typedef {{ $ref?: string, properties?: Record<string, Schema>, anyOf?: Schema[] }} Schema */

/**
 * Dotted paths of all keys of a task's parts, objects and what they hold, such as `optimizer`, `optimizer.lr`.
 *
 * @param {string} task
 * @param {readonly ('Prepare' | 'Train')[]} [parts]
 * @returns {string[]} none for a task that the schema does not have
 */
export function configurationPaths(task, parts = ['Prepare', 'Train']) {
  const { $defs } = /** @type {{ $defs: Record<string, Schema> }} */ (JSON.parse(readFileSync(join(root, 'ts/cli/run.schema.json'), 'utf8')))
  const resolve = (/** @type {Schema} */ { $ref, ...own }) => ({ ...($ref && $defs[$ref.slice('#/$defs/'.length)]), ...own })
  /** @type {(schema: Schema, before: string) => string[]} */
  const below = (schema, before) => {
    const { properties = {}, anyOf = [] } = resolve(schema)
    const own = Object.entries(properties).flatMap(([key, value]) => [before + key].concat(below(value, `${before}${key}.`)))
    return [...own, ...anyOf.flatMap((member) => below(member, before))]
  }
  return [...new Set(parts.flatMap((part) => below($defs[task + part] ?? {}, '')))]
}
