import type { ClassificationPart } from './prepare.js'
import { likeliest, type ClassificationScores } from './scores.js'

/** How a GLUE task's predictions are handed in to the benchmark's test server. */
export interface Submission {
  /** The archive's file of each test part. */
  readonly files: { readonly [part in 'test' | 'testMismatched']?: string }
  /** Its first line. */
  readonly header: string
  /** What it writes for the class ids 0, 1, …; empty for scores. */
  readonly labels: readonly string[]
  /** Decimals of a score. */
  readonly decimals?: number
  /** The least and the greatest score; what is beyond is written as these. */
  readonly range?: readonly [least: number, greatest: number]
}

/** What a model predicts of one test part, and all that its file for the server needs. */
export interface TestPredictions extends Omit<Submission, 'files'> {
  /** The file's name in the archive: `RTE.tsv`. */
  readonly file: string
  /** What the server knows the samples by, in their order, as runs `[first, last]`. */
  readonly indices: readonly (readonly [first: number, last: number])[]
  /** Of each sample the class id, or the score. */
  readonly predictions: readonly number[]
}

/** What the server knows a part's samples by; undefined where rows that it asks for were left out. */
export function indicesOf({ indices, leftOut = {}, samples }: ClassificationPart): TestPredictions['indices'] | undefined {
  if (indices !== undefined) return indices
  // MRPC as Microsoft publishes it: GLUE's test file numbers its rows from 0.
  return Object.keys(leftOut).length === 0 && samples > 0 ? [[0, samples - 1]] : undefined
}

/** A part's predictions from a model's outputs for it. */
export function predictionsOf({ files: _files, ...how }: Submission, file: string, indices: TestPredictions['indices'], { outputs, width }: Pick<ClassificationScores, 'outputs' | 'width'>): TestPredictions {
  const predict = how.labels.length === 0 ? (at: number): number => outputs[at] ?? Number.NaN : (at: number): number => likeliest(outputs.subarray(at, at + width))
  return { file, ...how, indices, predictions: Array.from({ length: outputs.length / width }, (_, sample) => predict(sample * width)) }
}

/** The file that the server takes: the header, and a line a sample in the order of the published test file. */
export function submissionText({ header, indices, predictions, labels, decimals, range = [-Infinity, Infinity] }: TestPredictions): string {
  const [least, greatest] = range
  const written = (value: number): string => (labels.length === 0 ? Math.min(greatest, Math.max(least, value)).toFixed(decimals) : (labels[value] ?? String(value)))
  const lines = [header]
  let sample = 0
  for (const [first, last] of indices) {
    for (let index = first; index <= last; index += 1, sample += 1) lines.push(`${index}\t${written(predictions[sample] ?? Number.NaN)}`)
  }
  if (sample !== predictions.length) throw new RangeError(`${sample} indices of ${predictions.length} predictions`)
  return `${lines.join('\n')}\n`
}
