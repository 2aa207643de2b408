import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { SagetrainError } from '../errors.js'
import { drawBoundaries } from './boundary.js'
import { renderPage } from './page.js'
import type { ComparisonReport } from './report-data.js'

/** Writes a file whole or not at all: under a temporary name first, then renamed over the old one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await replaceWhole(path, (file) => file.writeFile(text))
}

/**
 * The same for what `fill` writes piece by piece; the old file stands until all of it is there.
 *
 * @throws {@link SagetrainError} `ERR_IO` naming the file where it cannot be written; whatever else `fill` throws, as it is.
 */
export async function replaceWhole(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w')
    try {
      await fill(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined) // why it failed matters more
    throw isOfWriting(error, temporary) ? new SagetrainError('ERR_IO', `${path}: cannot be written (${error.message}); what was there still is`, { fields: { path }, cause: error }) : error
  }
}

/**
 * What `fill` writes goes straight into a pipe or a device, which cannot be replaced.
 *
 * @throws {@link SagetrainError} `ERR_IO` naming it where it cannot be written; whatever else `fill` throws, as it is.
 */
export async function writeThrough(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    const file = await open(path, 'w')
    await fill(file).finally(() => file.close())
  } catch (error) {
    throw isOfWriting(error, path) ? new SagetrainError('ERR_IO', `${path}: cannot be written (${error.message})`, { fields: { path }, cause: error }) : error
  }
}

/** The system's refusal to write: of the file's handle it names no path, of opening and renaming the name it was `opened` by. */
function isOfWriting(error: unknown, opened: string): error is Error {
  if (!(error instanceof Error && 'syscall' in error)) return false
  return 'path' in error ? error.path === opened : ['write', 'fsync', 'close'].includes(String(error.syscall))
}

/** What {@link writeReport} wrote. */
export interface WrittenReport {
  readonly page: string
  readonly result: string
}

/** Writes `result.json`, `report.html` and, where there are decision boundaries, `boundaries.svg` into `folder`. */
export async function writeReport(folder: string, report: ComparisonReport): Promise<WrittenReport> {
  const [page, result] = [join(folder, 'report.html'), join(folder, 'result.json')]
  await writeWhole(result, `${JSON.stringify(report, null, 1)}\n`)
  await writeWhole(page, renderPage(report))
  if (report.boundaries.length > 0) await writeWhole(join(folder, 'boundaries.svg'), `${drawBoundaries(report.boundaries).text}\n`)
  return { page, result }
}
