import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { count, parse } from '../options.js'
import { beta0Of, rateCells, sweepCells, type Experiment } from '../reproduce/experiment.js'
import { NMT } from '../reproduce/nmt.js'
import type { Arguments, Override } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { isSetAt, merge } from './merge.js'
import { applyOverrides, parseSeeds, type ConfigKeys } from './run-config.js'
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
  const experiments = chosen(NMT[scale], text('experiments')).map((experiment) => withOverrides(withData(experiment, data), overrides, context))
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

/**
 * Flags are laid over what the runs of an experiment share and told of in its notes; one below `optimizer.sage` holds for the arms that have
 * SAGE. What the runs differ in is not for a flag to say.
 */
function withOverrides(experiment: Experiment, overrides: readonly Override[], context: Context): Experiment {
  const command = taskOf(experiment.task, context)
  const laid = overrides.reduce((result, override) => withOverride(result, override, command.keys), experiment)
  for (const cell of [...rateCells(laid, 1), ...sweepCells(laid, 1)]) command.check(cell.train)
  parse(v.optional(count), laid.train['threads'], 'train.threads')
  if (overrides.length === 0) return laid
  const flags = overrides.map(({ flag, text }) => `${flag} ${text ?? ''}`.trim()).join(' ')
  return { ...laid, notes: [...laid.notes, `Changed on the command line: ${flags}.`] }
}

function withOverride(experiment: Experiment, override: Override, keys: ConfigKeys): Experiment {
  const { task, prepare, train, arms } = experiment
  const refuse = (): never => {
    throw new UsageError(`${override.flag}: is what the runs of a reproduction differ in; train one of your own with sagetrain train`)
  }
  if (override.path[0] === 'compare' || OWN.has(override.path.join('.'))) refuse()
  const laid = applyOverrides({ task, prepare, train, compare: arms.map(({ name, train: own }) => ({ name, train: own })) }, [override], keys)
  const changed = arms.map((arm) => ({ ...arm, train: laid.compare?.find(({ name }) => name === arm.name)?.train ?? arm.train }))
  const differs = changed.some((arm, index) => {
    const [before, after] = [merge(train, arms[index]?.train ?? {}), merge(laid.train, arm.train)]
    return isSetAt(after, ['seed']) || isSetAt(after, ['optimizer', 'lr']) || beta0Of(after) !== beta0Of(before) || isSetAt(after, SAGE) !== isSetAt(before, SAGE)
  })
  if (differs) refuse()
  return { ...experiment, prepare: laid.prepare, train: laid.train, arms: changed }
}

const SAGE = ['optimizer', 'sage']
const OWN: ReadonlySet<string> = new Set(['seed', 'optimizer.lr', 'optimizer.sage', 'optimizer.sage.beta0'])
