import { join, resolve } from 'node:path'
import { sweepCells, type Experiment } from '../reproduce/experiment.js'
import { NMT } from '../reproduce/nmt.js'
import type { Arguments, Override } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { withFlags } from './matrix-flags.js'
import { parseSeeds } from './run-config.js'
import { taskOf } from './train.js'

/** What `sagetrain reproduce` was asked for. */
export interface Reproduction {
  readonly wanted: 'table' | 'figure'
  readonly number: string
  readonly experiments: readonly Experiment[]
  /** Where the experiments' folders and the reports go. */
  readonly folder: string
  readonly seeds: readonly number[]
}

/** Tables and figures of each reproduction. */
const PARTS = { table: ['4'], figure: ['8'] } as const

const SEEDS = 3

/**
 * Reads the command line.
 *
 * @throws {@link UsageError}
 */
export function reproductionOf({ positionals, options, overrides }: Arguments, context: Context): Reproduction {
  const [name, ...surplus] = positionals
  if (name !== 'nmt' || surplus.length > 0) throw new UsageError(`reproduce takes one of: nmt; got ${positionals.join(' ') || 'nothing'}`)
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined)
  const { wanted, number } = partOf(text('table'), text('figure'))
  const scale = scaleOf(text('scale'))
  const seeds = text('seeds')
  if (wanted === 'figure' && seeds !== undefined && parseSeeds(seeds).length > 1) throw new UsageError(`--seeds ${seeds}: a figure has one run a point; give one seed, such as 2,`)
  const data = dataOf(text('data'), scale)
  const experiments = chosen(NMT[scale], text('experiments')).map((experiment) => laid(withData(experiment, data), overrides, context))
  return { wanted, number, experiments, folder: join(text('runs') ?? 'runs', `nmt-${scale}`), seeds: seeds === undefined ? parseSeeds(String(wanted === 'table' ? SEEDS : 1)) : parseSeeds(seeds) }
}

function partOf(table: string | undefined, figure: string | undefined): Pick<Reproduction, 'wanted' | 'number'> {
  if ((table === undefined) === (figure === undefined)) throw new UsageError('reproduce nmt needs --table 4 or --figure 8')
  const [wanted, number] = table === undefined ? (['figure', figure ?? ''] as const) : (['table', table] as const)
  const known: readonly string[] = PARTS[wanted]
  if (!known.includes(number)) throw new UsageError(`--${wanted} ${number}: of nmt there is ${wanted} ${known.join(', ')}`)
  return { wanted, number }
}

function scaleOf(written: string | undefined): 'paper' | 'quick' {
  if (written === undefined || written === 'paper' || written === 'quick') return written ?? 'paper'
  throw new UsageError(`--scale ${written}: give paper or quick`)
}

function dataOf(written: string | undefined, scale: 'paper' | 'quick'): string | undefined {
  if (scale === 'quick' && written !== undefined) throw new UsageError('--data has no effect with --scale quick: its corpus comes along')
  if (scale === 'paper' && written === undefined) throw new UsageError('reproduce nmt needs --data FOLDER, with the archives as published (docs/preparation.md lists them); or --scale quick, which needs none')
  return written
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

function withData(experiment: Experiment, data: string | undefined): Experiment {
  return data === undefined ? experiment : { ...experiment, prepare: { ...experiment.prepare, data: resolve(data) } }
}

function laid(experiment: Experiment, overrides: readonly Override[], context: Context): Experiment {
  const result = withFlags(experiment, overrides, context)
  for (const cell of sweepCells(result, 1)) taskOf(result.task, context).check(cell.train)
  return result
}
