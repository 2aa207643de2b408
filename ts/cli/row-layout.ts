import { SagetrainError } from '../errors.js'
import type { Reading } from './labelled-files.js'
import { nameOf } from './lines.js'
import { looksLikeNames, type TextColumns } from './text-columns.js'

/** A row of a file, with the line where it begins, from 1. */
export interface Row {
  readonly line: number
  readonly fields: readonly string[]
}

/** Where in a row what stands. */
export interface Layout {
  readonly text: number
  readonly pair?: number
  readonly header: boolean
  /** Columns of a row: as many as the first has where some of them are asked for, else those of a sample. */
  readonly counts: readonly number[]
  readonly asked: boolean
}

/** What is known of a file before its first row. */
export interface Expected {
  readonly path: string
  /** Without a text's column: one column, or two of a pair. */
  readonly reading: Reading
  /** The texts' columns in the files of the recipe that the model was trained with. */
  readonly recipe?: TextColumns | undefined
  /** Whether the model takes pairs, where that is known. */
  readonly pair: boolean | undefined
}

/** How a file's rows are read, by its first. */
export function layoutOf(row: Row, expected: Expected): Layout {
  const { reading: { columns, header }, pair } = expected
  if (columns.text !== undefined) return placed(row, { text: columns.text, pair: columns.pair }, header, expected)
  const { recipe } = expected
  if (recipe !== undefined && header !== false && [recipe.text, recipe.pair].every((name) => name === undefined || row.fields.includes(name))) return placed(row, recipe, true, expected)
  return { text: 0, pair: 1, header: header ?? false, counts: pair === undefined ? [1, 2] : [pair ? 2 : 1], asked: false }
}

function placed({ line, fields }: Row, { text, pair }: { readonly text: string | number; readonly pair?: string | number | undefined }, header: boolean | undefined, { path }: Expected): Layout {
  const named = [text, pair].some((column) => typeof column === 'string')
  const place = (column: string | number): number => {
    const found = typeof column === 'number' ? column : fields.indexOf(column)
    if (found >= 0 && found < fields.length) return found
    if (typeof column === 'number') throw refusal(path, line, `has ${columnCount(fields.length)}, and column ${column}, counted from 0, is asked for`)
    throw refusal(path, line, `no column is named "${column}"; its first row has ${fields.map((field) => `"${field}"`).join(', ')}: name one of these with --columns.text, or number the columns from 0`)
  }
  return { text: place(text), ...(pair !== undefined && { pair: place(pair) }), header: header ?? named, counts: [fields.length], asked: true }
}

/** What to tell of a first row that is read as text although it looks like a header, where nobody has said which it is. */
export function headerWarning({ line, fields }: Row, { text, pair, header }: Layout, { path, reading }: Expected): string | undefined {
  const read = [fields[text], pair === undefined ? undefined : fields[pair]].filter((field) => field !== undefined)
  if (header || reading.header !== undefined || !looksLikeNames(read)) return undefined
  return `${nameOf(path)}:${line}: the first line, ${read.map((field) => `"${field}"`).join(', ')}, was taken as text, and looks like names of columns; leave it out with --header true, read a column by its name with --columns.text NAME, or say that it is text with --header false`
}

/** What is wrong with a file, by its line. */
export function refusal(path: string, line: number, message: string): SagetrainError {
  return new SagetrainError('ERR_DATA', `${nameOf(path)}:${line}: ${message}`, { fields: { path, line } })
}

/** `2 columns`. */
export const columnCount = (count: number): string => `${count} column${count === 1 ? '' : 's'}`
