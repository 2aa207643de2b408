import { CsvRows } from './csv.js'
import { readLines } from './lines.js'
import { columnCount, headerWarning, layoutOf, refusal, type Expected, type Layout, type Row } from './row-layout.js'

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
export interface TextsOptions extends Expected {
  readonly format: Format
  readonly signal: AbortSignal
  /** Told what is read otherwise than may be meant. */
  readonly warn: (message: string) => void
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
    if (layout === undefined) {
      layout = layoutOf(row, options)
      const warning = options.format === 'plain' ? undefined : headerWarning(row, layout, options)
      if (warning !== undefined) options.warn(warning)
      if (layout.header) continue
    }
    yield textOf(row, layout, options)
  }
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

function textOf({ line, fields }: Row, { text, pair, counts, asked }: Layout, { path, format }: TextsOptions): Given {
  if (!counts.includes(fields.length)) {
    const expected = counts.map(columnCount).join(' or ')
    const found = asked ? `its first has ${expected}` : `the model takes ${expected}; say which ones are read: --columns.text 0`
    const quotes = format === 'comma' ? ' and put texts with commas in quotes' : ''
    throw refusal(path, line, `the row has ${columnCount(fields.length)}, and ${found}${quotes}`)
  }
  const second = pair === undefined ? undefined : fields[pair]
  return { line, text: fields[text] ?? '', ...(second !== undefined && { pair: second }) }
}

async function* readObjects({ path, reading: { columns }, recipe, signal }: TextsOptions): AsyncGenerator<Given> {
  let line = 0
  // Where nobody names the keys, "text" goes before what a recipe calls it.
  const keysOf = (found: unknown): Keys => (columns.text !== undefined ? columns : hasText(found) ? {} : (recipe ?? {}))
  for await (const given of readLines(path, signal)) {
    line += 1
    const found = parsed(given)
    if (typeof found === 'string') yield { line, text: found }
    else yield objectOf(found, line, path, keysOf(found))
  }
}

type Keys = Pick<TextsOptions['reading']['columns'], 'text' | 'pair'>

function hasText(found: unknown): boolean {
  return typeof found === 'object' && found !== null && 'text' in found
}

/** The keys are those of the columns, or `text` and `pair`. */
function objectOf(found: unknown, line: number, path: string, columns: Keys): Given {
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
