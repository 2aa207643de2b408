import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { SagetrainError } from '../errors.js'
import { count, expected, object, text, whole } from '../options.js'
import type { TestPredictions } from '../task/classification/submission.js'

/** A run's predictions of the test parts, in its folder. */
export const PREDICTIONS_FILE = 'test-predictions.json'

const number = v.number(expected('a number'))
const schema = object({
  schema: v.literal(1),
  parts: v.array(
    object({
      file: v.pipe(text, v.regex(/^[\w-]+\.tsv$/, expected('a file of the archive'))),
      header: text,
      labels: v.array(text),
      decimals: v.exactOptional(count),
      range: v.exactOptional(v.tuple([number, number])),
      indices: v.array(v.tuple([whole, whole])),
      predictions: v.array(number),
    }),
  ),
})

/** What {@link readPredictions} reads: class ids, not their words, since a test part may have 390,965 samples. */
export function predictionsText(parts: readonly TestPredictions[]): string {
  return `${JSON.stringify({ schema: 1, parts })}\n`
}

/**
 * The predictions that a run's folder holds; undefined where it kept none.
 *
 * @throws {@link SagetrainError} `ERR_DATA` for a file that is damaged.
 */
export async function readPredictions(folder: string): Promise<readonly TestPredictions[] | undefined> {
  const path = join(folder, PREDICTIONS_FILE)
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return content === undefined ? undefined : parsed(content, path)
}

function parsed(content: string, path: string): readonly TestPredictions[] {
  try {
    const { parts } = v.parse(schema, JSON.parse(content))
    const wrong = parts.find(({ indices, predictions }) => indices.reduce((sum, [first, last]) => sum + last - first + 1, 0) !== predictions.length)
    if (wrong !== undefined) throw new RangeError(`${wrong.file} has other samples than predictions`)
    return parts as readonly TestPredictions[]
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SagetrainError('ERR_DATA', `${path}: holds no predictions of this program (${reason}); remove it and the cell.json beside it, and the run is measured again`, { fields: { path }, cause })
  }
}
