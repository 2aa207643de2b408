import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sweepCells, type Experiment } from '../reproduce/experiment.js'
import { PARTS, type Part, type Scale, type Sources } from '../reproduce/parts.js'
import { weightsFolder } from '../setup/weights.mjs'
import type { Arguments, Override } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { withFlags } from './matrix-flags.js'
import { parseSeeds } from './run-config.js'
import { taskOf } from './train.js'

/** What `sagetrain reproduce` was asked for. */
export interface Reproduction {
  readonly part: Part
  readonly experiments: readonly Experiment[]
  /** Where the experiments' folders and the reports go. */
  readonly folder: string
  readonly seeds: readonly number[]
  /** Whether to stop after the plan. */
  readonly planOnly: boolean
}

/**
 * Reads the command line.
 *
 * @throws {@link UsageError}
 */
export function reproductionOf({ positionals, options, overrides }: Arguments, context: Context): Reproduction {
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined)
  const part = partOf(subjectOf(positionals), { table: text('table'), figure: text('figure') }, scaleOf(text('scale')))
  const seeds = text('seeds')
  if (part.shows !== 'table' && seeds !== undefined && parseSeeds(seeds).length > 1) throw new UsageError(`--seeds ${seeds}: a figure has one run a point; give one seed, such as 2,`)
  const sources = sourcesOf(part, { data: text('data'), pretrained: text('pretrained') })
  const experiments = chosen(part.experiments(sources), text('experiments')).map((experiment) => laid(experiment, { overrides, keepModels: keepsModels(options, part) }, context))
  return { part, experiments, folder: join(text('runs') ?? 'runs', `${part.of}-${part.scale}`), seeds: parseSeeds(seeds ?? String(part.seeds)), planOnly: options['plan'] === true }
}

/** Whether weights are to be kept of runs that would keep results alone. */
function keepsModels({ 'keep-models': asked }: Arguments['options'], { of, shows }: Part): boolean {
  if (asked !== true) return false
  if (of === 'nmt') throw new UsageError('--keep-models has no effect with reproduce nmt, whose runs keep their checkpoints')
  if (shows === 'grid') throw new UsageError('--keep-models has no effect with a figure of a grid, whose runs are not measured; train the point that is wanted with sagetrain train')
  return true
}

const SUBJECTS = [...new Set(PARTS.map(({ of }) => of))]

function subjectOf(positionals: readonly string[]): Part['of'] {
  const found = positionals.length === 1 ? SUBJECTS.find((one) => one === positionals[0]) : undefined
  if (found === undefined) throw new UsageError(`reproduce takes one of: ${SUBJECTS.join(', ')}; got ${positionals.join(' ') || 'nothing'}`)
  return found
}

function partOf(subject: Part['of'], { table, figure }: Readonly<Record<'table' | 'figure', string | undefined>>, scale: Scale): Part {
  const all = PARTS.filter(({ of }) => of === subject)
  const known = [...new Set(all.map((one) => `--${one.wanted} ${one.number}`))]
  if ((table === undefined) === (figure === undefined)) throw new UsageError(`reproduce ${subject} needs one of ${known.join(', ')}`)
  const [wanted, number] = table === undefined ? (['figure', figure] as const) : (['table', table] as const)
  const scales = all.filter((one) => one.wanted === wanted && one.number === number)
  if (scales.length === 0) throw new UsageError(`--${wanted} ${number ?? ''}: of ${subject} there are ${known.join(', ')}${subject === 'glue' ? '; Tables 2 and 6 are what `sagetrain glue` makes' : ''}`)
  const found = scales.find((one) => one.scale === scale)
  if (found === undefined) throw new UsageError(elsewhere(scales[0], wanted, number))
  return found
}

function elsewhere(part: Part | undefined, wanted: string, number: string | undefined): string {
  const where = part?.scale === 'quick' ? 'at the paper’s size it is what `sagetrain glue` makes; here it has --scale quick' : 'it has no quick scale'
  return `--${wanted} ${number ?? ''}: ${where}`
}

function scaleOf(written: string | undefined): Scale {
  if (written === undefined || written === 'paper' || written === 'quick') return written ?? 'paper'
  throw new UsageError(`--scale ${written}: give paper or quick`)
}

function sourcesOf(part: Part, given: { readonly [key in keyof Sources]: string | undefined }): Sources {
  const { of, scale, needs } = part
  for (const key of ['data', 'pretrained'] as const) if (given[key] !== undefined && !needs.includes(key)) throw new UsageError(`--${key} has no effect with reproduce ${of} --scale ${scale}`)
  const sourceOf = (key: keyof Sources): string => (needs.includes(key) ? resolve(given[key] ?? defaultOf(part, key)) : '')
  return { data: sourceOf('data'), pretrained: sourceOf('pretrained') }
}

/** What a source is where it is not given. */
function defaultOf({ of, scale }: Part, key: keyof Sources): string {
  if (of === 'nmt') throw new UsageError('reproduce nmt needs --data FOLDER, with the archives as published (docs/preparation.md lists them); or --scale quick, which needs none')
  if (scale === 'paper') throw new UsageError(key === 'data' ? 'reproduce glue needs --data FOLDER, with GLUE’s published files' : 'reproduce glue needs --pretrained FOLDER, of the pretrained model and its tokenizer')
  return key === 'data' ? sentencesFolder() : miniature()
}

function sentencesFolder(): string {
  const { SAGETRAIN_DATA: data } = process.env
  if (data === undefined) throw new UsageError('reproduce glue --scale quick needs --data FOLDER with the labelled sentences, or the environment variable SAGETRAIN_DATA, whose folder sentences it then is')
  return join(data, 'sentences')
}

const WEIGHTS = 'all-MiniLM-L6-v2'

function miniature(): string {
  const folder = weightsFolder(WEIGHTS)
  if (!existsSync(folder)) throw new UsageError(`reproduce glue --scale quick fine-tunes ${WEIGHTS}: fetch it once with \`sagetrain weights ${WEIGHTS}\`, or give --pretrained FOLDER`)
  return folder
}

function chosen(all: readonly Experiment[], written: string | undefined): readonly Experiment[] {
  if (written === undefined) return all
  const names = all.map(({ name }) => name)
  return [...new Set(written.split(',').map((one) => one.trim()))].map((one) => {
    const found = all.find(({ name }) => name === one)
    if (found === undefined) throw new UsageError(`--experiments ${one}: there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`)
    return found
  })
}

interface Changes {
  readonly overrides: readonly Override[]
  readonly keepModels: boolean
}

function laid(experiment: Experiment, { overrides, keepModels }: Changes, context: Context): Experiment {
  const result = withFlags(keepModels ? { ...experiment, keeps: 'model' } : experiment, overrides, context)
  for (const cell of sweepCells(result, 1)) taskOf(result.task, context).check(cell.train)
  return result
}
