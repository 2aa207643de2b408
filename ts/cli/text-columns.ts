import { GLUE } from '../task/classification/glue.js'
import type { JsonObject } from '../merge.js'

/** Names of the columns that hold the texts. */
export interface TextColumns {
  readonly text: string
  /** The second text's. */
  readonly pair?: string
}

/** The columns of the recipe among what a run was prepared with; undefined without one. */
export function recipeColumns({ recipe }: JsonObject): TextColumns | undefined {
  return GLUE.find(({ name }) => name === recipe)?.texts
}

/** What columns of texts are called in data sets that are published. */
const USUAL: ReadonlySet<string> = new Set([
  ...GLUE.flatMap(({ texts: { text, pair } }) => (pair === undefined ? [text] : [text, pair])).map((name) => name.toLowerCase()),
  'text', 'text1', 'text2', 'text_a', 'text_b', 'sentence_a', 'sentence_b', 'premise', 'hypothesis', 'query', 'passage', 'review', 'content', 'comment',
])

/** Whether one of these fields is a name that columns of texts usually have, which is seldom the whole of a text. */
export function looksLikeNames(fields: readonly string[]): boolean {
  return fields.some((field) => USUAL.has(field.trim().toLowerCase()))
}
