import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SagetrainError } from '../errors.js'

/** Lines of a UTF-8 file (gzipped where its name ends in .gz), or of standard input for `-`. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  yield* createInterface({ input: Readable.from(decoded(path.endsWith('.gz') ? unzipped(input) : input, path)), crlfDelay: Infinity })
}

/** All lines of a file. */
async function allLines(path: string): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of readLines(path)) lines.push(line)
  return lines
}

function unzipped(input: Readable): Readable {
  const gunzip = createGunzip()
  // `pipe` hands on bytes and not errors: without this a missing file would wait for ever.
  input.on('error', (error) => gunzip.destroy(error))
  return input.pipe(gunzip)
}

/** Bytes to text; what is not UTF-8 is an error and not a silent replacement. */
async function* decoded(bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true })
    yield decoder.decode()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new SagetrainError('ERR_DATA', `${path}: is not UTF-8; convert it, for example with iconv`, { fields: { path }, cause: error })
  }
}

/** Pairs of a TSV (source TAB target), or of two files with as many lines each. */
export async function readPairs(files: { readonly tsv: string } | { readonly source: string; readonly target: string }): Promise<{ readonly sources: readonly string[]; readonly references: readonly string[] }> {
  if ('tsv' in files) return splitTsv(await allLines(files.tsv), files.tsv)
  const [sources, references] = await Promise.all([allLines(files.source), allLines(files.target)])
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
