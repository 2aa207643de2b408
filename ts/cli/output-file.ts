import { realpath, stat, type FileHandle } from 'node:fs/promises'
import { replaceWhole, writeThrough } from '../report/write.js'
import type { OptionSpec } from './arguments.js'
import type { Context } from './command.js'
import { hasNoReader } from './reader.js'
import { printable } from './terminal.js'

/** `--output` of commands that write a line or more for each one they read. */
export function outputOption(what: string): { readonly output: OptionSpec } {
  return { output: { type: 'string', value: 'FILE', about: `where the ${what} go, once all are there (default: standard output)` } }
}

/** Writes the lines that `write` makes of each item into a file that may be the one being read: it is replaced when all are there. A pipe or a device is written as they come. */
async function writeLines<T>(path: string, items: AsyncIterable<T>, write: (item: T) => readonly string[]): Promise<void> {
  const fill = async (file: FileHandle): Promise<void> => {
    for await (const item of items) for (const line of write(item)) await file.appendFile(`${line}\n`) // oxlint-disable-line no-await-in-loop -- in order
  }
  const target = await targetOf(path)
  await (target === undefined ? writeThrough(path, fill) : replaceWhole(target, fill))
}

/** How items are written. */
export interface Writing<T> {
  /** The file that was asked for; else it is standard output. */
  readonly output: string | boolean | undefined
  /** For people, a line each. */
  readonly lines: (item: T) => readonly string[]
  /** For programs, with `--json`: a line of JSON. */
  readonly json?: ((item: T) => object) | undefined
}

/** Writes items as they come, to where they were asked for; ends when nobody reads any more. */
export async function writeEach<T>(items: AsyncIterable<T>, { output, lines, json }: Writing<T>, { terminal, json: put }: Context): Promise<void> {
  if (typeof output === 'string') return writeLines(output, items, json === undefined ? lines : (one) => [JSON.stringify(json(one))])
  for await (const one of items) {
    if (hasNoReader()) return
    if (json !== undefined) put(json(one))
    else for (const line of lines(one)) terminal.line(terminal.interactive ? printable(line) : line)
  }
}

/** The file to replace: of a link the one it leads to; undefined for a pipe or a device, which is written as it stands. */
export async function targetOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return path
  return found.isFile() ? realpath(path) : undefined
}
