import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import { SagetrainError } from '../errors.js'
import { expected, object, text, whole } from '../options.js'
import { writeWhole } from '../report/write.js'
import { GLUE } from '../task/classification/glue.js'
import { submissionText } from '../task/classification/submission.js'
import { armOf, type ExperimentArm } from './experiment.js'
import { devScore, glueCell } from './glue-table.js'
import type { GlueExperiment } from './glue.js'
import type { Results } from './table.js'
import { readPredictions } from './test-predictions.js'

/** What the benchmark's server wants beside the tasks' files, and why it is never there. */
const NO_TASKS = { 'WNLI.tsv': 'WNLI is no task here, as the paper leaves it out', 'AX.tsv': 'the diagnostic set is no task here' } as const

const number = v.number(expected('a number'))
const handedIn = object({ task: text, run: text, seed: whole, step: whole, score: number, seeds: v.array(whole), samples: whole })
const manifest = object({ schema: v.literal(1), arm: text, label: text, files: v.record(text, handedIn), missing: v.record(text, text) })

/** Where a file of a submission comes from: the run that is best on the development set, of the seeds that are named. */
export type HandedIn = v.InferOutput<typeof handedIn>

/** An arm's files for the test server, as the manifest beside their folder tells of them. */
export interface GlueSubmission {
  readonly arm: string
  readonly label: string
  /** By name; what an earlier command wrote of other tasks, or from more seeds, stays. */
  readonly files: { readonly [file: string]: HandedIn }
  /** Why the others of the archive are not there. */
  readonly missing: { readonly [file: string]: string }
}

/** Runs that predictions may come from. */
export interface GlueRuns {
  /** Holds the tasks' folders. */
  readonly folder: string
  readonly experiments: readonly GlueExperiment[]
  readonly seeds: readonly number[]
  /** Results by the experiment's name. */
  readonly results: ReadonlyMap<string, Results>
}

/**
 * Writes `submission/<arm>/` with a file for every task of which all seeds are done, from the run that is best on the development set, as the
 * paper's test table has it, and `submission/<arm>.json`, which says which run that was. Arms of which no task is done have neither.
 *
 * @throws {@link SagetrainError} `ERR_DATA` for predictions or a manifest that are damaged.
 */
export async function writeSubmissions(runs: GlueRuns): Promise<readonly GlueSubmission[]> {
  const arms = runs.experiments[0]?.arms ?? []
  const written = await Promise.all(arms.map((arm) => writeSubmission(runs, arm)))
  return written.filter((one) => one !== undefined)
}

async function writeSubmission(runs: GlueRuns, { name: arm, label }: ExperimentArm): Promise<GlueSubmission | undefined> {
  const folder = join(runs.folder, 'submission', arm)
  const files = await handedInBefore(folder)
  const reasons: Record<string, string> = {}
  for (const experiment of runs.experiments) {
    const chosen = chosenOf(experiment, armOf(experiment, arm), runs)
    for (const file of experiment.glue.submission) reasons[file] = typeof chosen === 'string' ? chosen : `${chosen.run} predicted nothing for it: the data that it was measured with have no such test part`
    if (typeof chosen === 'string' || experiment.glue.submission.every((file) => isFrom(files[file], chosen))) continue
    for (const part of (await readPredictions(join(runs.folder, chosen.run))) ?? []) {
      if (isWider(files[part.file], runs.seeds)) continue
      await mkdir(folder, { recursive: true })
      await writeWhole(join(folder, part.file), submissionText(part))
      files[part.file] = { ...chosen, samples: part.predictions.length }
    }
  }
  if (Object.keys(files).length === 0) return undefined
  const lacking = GLUE.flatMap(({ submission }) => submission).filter((file) => !(file in files))
  const missing = { ...Object.fromEntries(lacking.map((file) => [file, reasons[file] ?? 'its task was not asked for'])), ...NO_TASKS }
  const submission: GlueSubmission = { arm, label, files, missing }
  await writeWhole(`${folder}.json`, `${JSON.stringify({ schema: 1, ...submission }, null, 1)}\n`)
  return submission
}

/** Whether a file is of the best of these seeds and more. */
function isWider(before: HandedIn | undefined, seeds: readonly number[]): boolean {
  return before !== undefined && before.seeds.length > seeds.length && seeds.every((seed) => before.seeds.includes(seed))
}

type Chosen = Omit<HandedIn, 'samples'>

/** Whether a file is what would be written, which a task of many runs would otherwise be after each of them. */
function isFrom(before: HandedIn | undefined, chosen: Chosen): boolean {
  return before !== undefined && isDeepStrictEqual({ ...chosen, samples: before.samples }, before)
}

/** The run that is best on the development set, or why there is none yet. */
function chosenOf(experiment: GlueExperiment, arm: ExperimentArm, { seeds, results }: GlueRuns): Chosen | string {
  const { name: task, glue } = experiment
  const found: Results = results.get(task) ?? new Map()
  const runs = seeds.map((seed) => {
    const { name } = glueCell(experiment, arm, seed)
    return { seed, name, result: found.get(name) }
  })
  const toCome = runs.filter(({ result }) => result === undefined).length
  if (toCome > 0) return `${toCome} of its ${runs.length} runs ${toCome === 1 ? 'is' : 'are'} still to come`
  const scored = runs.flatMap(({ seed, name, result }) => {
    const score = result === undefined ? null : devScore(glue, result)
    return score === null || result === undefined ? [] : [{ seed, name, score, step: result.bestStep }]
  })
  const [best] = scored.toSorted((one, other) => other.score - one.score)
  if (best === undefined) return 'none of its runs has a score'
  const { name, seed, step, score } = best
  return { task, run: `${task}/${name}`, seed, step, score, seeds: [...seeds] }
}

/** What is there already, as the manifest has it. */
async function handedInBefore(folder: string): Promise<Record<string, HandedIn>> {
  const path = `${folder}.json`
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (content === undefined) return {}
  try {
    const { files } = v.parse(manifest, JSON.parse(content))
    return Object.fromEntries(Object.entries(files).filter(([file]) => existsSync(join(folder, file))))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SagetrainError('ERR_DATA', `${path}: is no manifest of this program (${reason}); move it and the folder beside it away, and they are written anew`, { fields: { path }, cause })
  }
}
