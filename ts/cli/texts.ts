import { SagetrainError } from '../errors.js'
import { CsvRows } from './csv.js'
import type { Reading } from './labelled-files.js'
import { nameOf, readLines } from './lines.js'

/** A text or a pair to label, with where it stands and what it is called. */
export interface Given {
  readonly text: string
  readonly pair?: string
  /** Where it begins in its file, from 1. */
  readonly line: number
  /** Of a JSON object. */
  readonly id?: unknown
}

/** How lines are written: plain ones are a text, or two with a tab between them. */
export type Format = 'plain' | 'tab' | 'comma' | 'json'

/** By the file's name, as a preparation takes it but for .txt, which is plain lines as standard input is. */
export function formatOf(path: string): Format {
  const extension = /\.(tsv|csv|jsonl|ndjson)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase()
  if (extension === undefined) return 'plain'
  return extension === 'tsv' ? 'tab' : extension === 'csv' ? 'comma' : 'json'
}

/** What is read of a file. */
export interface TextsOptions {
  readonly path: string
  readonly format: Format
  /** Without a text's column: one column, or two of a pair. */
  readonly reading: Reading
  /** Whether the model takes pairs, where that is known. */
  readonly pair: boolean | undefined
  readonly signal: AbortSignal
}

/**
 * The texts of a file in their order.
 *
 * @throws {@link SagetrainError} `ERR_DATA` with file and line for a row of other columns.
 */
export async function* readTexts(options: TextsOptions): AsyncGenerator<Given> {
  if (options.format === 'json') return yield* readObjects(options)
  let layout: Layout | undefined
  for await (const row of readRows(options)) {
    const isFirst = layout === undefined
    layout ??= layoutOf(row, options)
    if (isFirst && layout.header) continue
    yield textOf(row, layout, options)
  }
}

interface Row {
  readonly line: number
  readonly fields: readonly string[]
}

async function* readRows({ path, format, signal }: TextsOptions): AsyncGenerator<Row> {
  let [line, begun] = [0, 1]
  const csv = new CsvRows()
  for await (const read of readLines(path, signal, { returns: format === 'comma' })) {
    line += 1
    if (format !== 'comma') yield { line, fields: read.split('\t') }
    else if (csv.isOpen || !/^\r?$/.test(read)) {
      if (!csv.isOpen) begun = line
      const fields = csv.push(read)
      if (fields !== undefined) yield { line: begun, fields }
    }
  }
  if (csv.isOpen) throw refusal(path, begun, 'a quote in the row that begins here is not closed; close it, or double it where it belongs to the text')
}

/** Where in a row what stands. */
interface Layout {
  readonly text: number
  readonly pair?: number
  readonly header: boolean
  /** Columns of a row. */
  readonly counts: readonly number[]
}

function layoutOf({ line, fields }: Row, { path, reading: { columns, header }, pair }: TextsOptions): Layout {
  if (columns.text === undefined) return { text: 0, pair: 1, header: header ?? false, counts: pair === undefined ? [1, 2] : [pair ? 2 : 1] }
  const named = [columns.text, columns.pair].some((column) => typeof column === 'string')
  const place = (column: string | number): number => {
    const found = typeof column === 'number' ? column : fields.indexOf(column)
    if (found >= 0 && found < fields.length) return found
    if (typeof column === 'number') throw refusal(path, line, `has ${columnCount(fields.length)}, and column ${column}, counted from 0, is asked for`)
    throw refusal(path, line, `no column is named "${column}"; its first row has ${fields.map((field) => `"${field}"`).join(', ')}: name one of these with --columns.text, or number the columns from 0`)
  }
  return { text: place(columns.text), ...(columns.pair !== undefined && { pair: place(columns.pair) }), header: header ?? named, counts: [fields.length] }
}

function textOf({ line, fields }: Row, { text, pair, counts }: Layout, { path, reading, format }: TextsOptions): Given {
  if (!counts.includes(fields.length)) {
    const expected = counts.map(columnCount).join(' or ')
    const found = reading.columns.text === undefined ? `the model takes ${expected}; say which ones are read: --columns.text 0` : `its first has ${expected}`
    const quotes = format === 'comma' ? ' and put texts with commas in quotes' : ''
    throw refusal(path, line, `the row has ${columnCount(fields.length)}, and ${found}${quotes}`)
  }
  const second = pair === undefined ? undefined : fields[pair]
  return { line, text: fields[text] ?? '', ...(second !== undefined && { pair: second }) }
}

const columnCount = (count: number): string => `${count} column${count === 1 ? '' : 's'}`

async function* readObjects({ path, reading: { columns }, signal }: TextsOptions): AsyncGenerator<Given> {
  let line = 0
  for await (const given of readLines(path, signal)) {
    line += 1
    const found = parsed(given)
    if (typeof found === 'string') yield { line, text: found }
    else yield objectOf(found, line, path, columns)
  }
}

/** The keys are those of the columns, or `text` and `pair`. */
function objectOf(found: unknown, line: number, path: string, columns: Reading['columns']): Given {
  const object = typeof found === 'object' && found !== null ? new Map(Object.entries(found)) : new Map<string, unknown>()
  const at = (column: string | number | undefined, usual: string): unknown => object.get(typeof column === 'string' && object.has(column) ? column : usual)
  const [text, pair] = [at(columns.text, 'text'), at(columns.pair, 'pair')]
  if (typeof text === 'string' && (pair === undefined || pair === null || typeof pair === 'string')) {
    return { line, text, ...(typeof pair === 'string' && { pair }), ...(object.has('id') && { id: object.get('id') }) }
  }
  const keys = typeof columns.text === 'string' && columns.text !== 'text' ? ` or "${columns.text}"` : ''
  throw refusal(path, line, `expected a JSON string, or an object with a "text"${keys} and perhaps a "pair", both strings`)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function refusal(path: string, line: number, message: string): SagetrainError {
  return new SagetrainError('ERR_DATA', `${nameOf(path)}:${line}: ${message}`, { fields: { path, line } })
}
