import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { isSagetrainError, SagetrainError } from '../errors.js'

/**
 * Lines of a UTF-8 file (gzipped where its name ends in .gz), or of standard input for `-`. They end where those of a training
 * corpus do: at `\n` or `\r\n`, and nowhere else.
 *
 * @param options - `returns` keeps the `\r` at a line's end, which may be text.
 * @throws {@link SagetrainError} `ERR_DATA` for what is not UTF-8 or not gzip, `ERR_IO` for what cannot be read; the signal's reason when it aborts, which also ends a wait for input.
 */
export async function* readLines(path: string, signal?: AbortSignal, { returns = false }: { readonly returns?: boolean } = {}): AsyncGenerator<string> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  if (signal !== undefined) addAbortSignal(signal, input)
  try {
    yield* decoded(splitLines(path.endsWith('.gz') ? unzipped(input) : input, returns), path)
  } catch (error) {
    signal?.throwIfAborted()
    throw refusalOf(error, path)
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

/** Bytes to text, line by line; what is not UTF-8 is an error and not a silent replacement. */
async function* decoded(lines: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string> {
  // A byte order mark is one at the beginning of a file, and a character anywhere else.
  const first = new TextDecoder('utf-8', { fatal: true })
  const others = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let line = 0
  for await (const bytes of lines) {
    line += 1
    try {
      yield (line > 1 ? others : first).decode(bytes)
    } catch (cause) {
      throw new SagetrainError('ERR_DATA', `${nameOf(path)}:${line}: is not UTF-8; convert the file, for example with iconv`, { fields: { path, line }, cause })
    }
  }
}

const [NEWLINE, RETURN] = [10, 13]

/** Not `readline`, for which a lone `\r`, and on some versions of Node U+2028, ends a line too. */
async function* splitLines(chunks: AsyncIterable<Buffer>, returns: boolean): AsyncGenerator<Uint8Array> {
  const ended = returns ? (line: Buffer): Uint8Array => line : withoutReturn
  let begun: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield ended(Buffer.concat([...begun, chunk.subarray(start, end)]))
      begun = []
      start = end + 1
    }
    if (start < chunk.length) begun.push(chunk.subarray(start))
  }
  if (begun.length > 0) yield ended(Buffer.concat(begun))
}

function withoutReturn(line: Buffer): Uint8Array {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line
}

/** What the system or the file's compression says of it, by its name; an error that speaks of something else as it is. */
function refusalOf(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error
  const refuse = (code: 'ERR_DATA' | 'ERR_IO', message: string): SagetrainError => new SagetrainError(code, `${nameOf(path)}: ${message}`, { fields: { path }, cause: error })
  if (error.code.startsWith('Z_')) return refuse('ERR_DATA', `is no whole gzip file (${error.message}); make it again, or drop the .gz from its name if it is plain text`)
  if (error.code === 'ENOENT') return refuse('ERR_IO', 'there is no such file')
  return 'syscall' in error ? refuse('ERR_IO', `cannot be read (${error.message})`) : error
}

/** As errors name it. */
export function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path
}

/**
 * An error about one of a file's samples, counted from 0 in `fields.sentence`, as one that names file and line.
 *
 * @param lineOf - The line of a sample; unless it is given each line is one.
 */
export function atLine(error: unknown, path: string, lineOf: (sample: number) => number = (sample) => sample + 1): unknown {
  if (!isSagetrainError(error) || typeof error.fields['sentence'] !== 'number') return error
  const line = lineOf(error.fields['sentence'])
  return new SagetrainError(error.code, `${nameOf(path)}:${line}: ${error.message.replace(/^source \d+: /, '')}`, { fields: { ...error.fields, path, line }, cause: error })
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
