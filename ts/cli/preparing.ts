import { readFile } from 'node:fs/promises'
import type { PreparationProgress } from '../task/preparation.js'
import type { DataProgress, LeftOut } from './task-command.js'

/** What the stages of preparations are called for people. */
const STAGES: Readonly<Record<string, string>> = {
  checksum: 'taking the files’ checksums',
  wait: 'waiting for another process that prepares the same',
  assemble: 'reading the published files',
  survey: 'reading and checking the lines',
  tokenizer: 'learning the vocabulary',
  encode: 'tokenising',
  publish: 'storing',
}

/** Follows every look at a preparation. */
export function following(follow: (progress: DataProgress) => void): (progress: PreparationProgress) => void {
  return ({ stage, lines, share }) => {
    if (stage !== '') follow({ stage: STAGES[stage] ?? stage, lines, share })
  }
}

/** Tells each stage once. */
export function eachStage(say: (text: string) => void): (progress: PreparationProgress) => void {
  let told = ''
  return ({ stage }) => {
    if (stage === told || stage === '') return
    told = stage
    say(`Preparing the data: ${STAGES[stage] ?? stage} …`)
  }
}

/** What is read of a `prepare-report.json`. */
interface PrepareReport {
  readonly parts: readonly {
    readonly part: string
    readonly rejected: readonly { readonly file: string; readonly what: string; readonly count: number; readonly lines: readonly (readonly [first: number, last: number])[] }[]
  }[]
}

/** What a report says was left out. */
export async function leftOutOf(path: string): Promise<readonly LeftOut[]> {
  const { parts } = JSON.parse(await readFile(path, 'utf8')) as PrepareReport
  return parts.flatMap(({ part, rejected }) => rejected.map(({ file, what, count, lines }) => ({ part, file, reason: what, lines: count, first: lines[0]?.[0] ?? 0 })))
}
