import { realpath, stat, type FileHandle } from 'node:fs/promises'
import { replaceWhole, writeThrough } from '../report/write.js'
import type { OptionSpec } from './arguments.js'

/** `--output` of commands that write a line or more for each one they read. */
export function outputOption(what: string): { readonly output: OptionSpec } {
  return { output: { type: 'string', value: 'FILE', about: `where the ${what} go, once all are there (default: standard output)` } }
}

/** Writes the lines that `write` makes of each item into a file that may be the one being read: it is replaced when all are there. A pipe or a device is written as they come. */
export async function writeLines<T>(path: string, items: AsyncIterable<T>, write: (item: T) => readonly string[]): Promise<void> {
  const fill = async (file: FileHandle): Promise<void> => {
    for await (const item of items) for (const line of write(item)) await file.appendFile(`${line}\n`) // oxlint-disable-line no-await-in-loop -- in order
  }
  const target = await targetOf(path)
  await (target === undefined ? writeThrough(path, fill) : replaceWhole(target, fill))
}

/** The file to replace: of a link the one it leads to; undefined for a pipe or a device, which is written as it stands. */
export async function targetOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return path
  return found.isFile() ? realpath(path) : undefined
}
