import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SagetrainError } from '../errors.js'

/**
 * Lines of a UTF-8 file (gzipped where its name ends in .gz), or of standard input for `-`. They end where those of a training
 * corpus do: at `\n` or `\r\n`, and nowhere else.
 *
 * @throws {@link SagetrainError} `ERR_DATA` for what is not UTF-8 or not gzip; the signal's reason when it aborts, which also ends a wait for input.
 */
export async function* readLines(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  if (signal !== undefined) addAbortSignal(signal, input)
  try {
    yield* splitLines(decoded(path.endsWith('.gz') ? unzipped(input) : input))
  } catch (error) {
    signal?.throwIfAborted()
    const problem = problemOf(error)
    throw problem === undefined ? error : new SagetrainError('ERR_DATA', `${path}: ${problem}`, { fields: { path }, cause: error })
  }
}

/** All lines of a file. */
export async function readAllLines(path: string, signal?: AbortSignal): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of readLines(path, signal)) lines.push(line)
  return lines
}

function unzipped(input: Readable): Readable {
  const gunzip = createGunzip()
  // `pipe` hands on bytes and not errors: without this a missing file would wait for ever.
  input.on('error', (error) => gunzip.destroy(error))
  return input.pipe(gunzip)
}

/** Bytes to text; what is not UTF-8 is an error and not a silent replacement. */
async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

/** Not `readline`, for which a lone `\r`, and on some versions of Node U+2028, ends a line too. */
async function* splitLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of texts) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield withoutReturn(line)
  }
  if (rest !== '') yield withoutReturn(rest)
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** What is wrong with a file's content; undefined for an error that speaks of something else. */
function problemOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  if (error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8; convert it, for example with iconv'
  if (typeof error.code === 'string' && error.code.startsWith('Z_')) return `is no whole gzip file (${error.message}); make it again, or drop the .gz from its name if it is plain text`
  return undefined
}

/** Pairs of a TSV (source TAB target), or of two files with as many lines each. */
export async function readPairs(
  files: { readonly tsv: string } | { readonly source: string; readonly target: string },
  signal?: AbortSignal,
): Promise<{ readonly sources: readonly string[]; readonly references: readonly string[] }> {
  if ('tsv' in files) return splitTsv(await readAllLines(files.tsv, signal), files.tsv)
  const [sources, references] = await Promise.all([readAllLines(files.source, signal), readAllLines(files.target, signal)])
  if (sources.length !== references.length) throw new SagetrainError('ERR_DATA', `${files.source} has ${sources.length} lines, ${files.target} has ${references.length}; they must be translations of each other, line by line`)
  return { sources, references }
}

function splitTsv(lines: readonly string[], path: string): { readonly sources: readonly string[]; readonly references: readonly string[] } {
  const pairs = lines.map((line, index) => {
    const [source, target] = line.split('\t')
    if (source === undefined || target === undefined) throw new SagetrainError('ERR_DATA', `${path}:${index + 1}: has no tab between source and target`, { fields: { path, line: index + 1 } })
    return [source, target] as const
  })
  return { sources: pairs.map(([source]) => source), references: pairs.map(([, target]) => target) }
}
