import { basename, extname, join } from 'node:path'
import { pointCells, withPoint, type ExperimentArm, type Point } from '../reproduce/experiment.js'
import type { Grid } from '../reproduce/grid.js'
import type { Arguments, Override } from './arguments.js'
import { checkArms, labelsOf } from './arms.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import type { Choice } from '../choice.js'
import { isObject, isSetAt } from '../merge.js'
import { choiceIn } from './run-cells.js'
import { applyOverrides, armsOf, readConfig, type Arm, type RunConfig } from './run-config.js'
import { requireModelFolders, taskOf } from './train.js'

/** What `sagetrain search` was asked for. */
export interface SearchRequest {
  readonly grid: Grid
  readonly seed: number
  /** Says how the points were found, for the report of the run that uses them. */
  readonly description: string
  /** The configuration's file. */
  readonly file: string
  /** Whether the best points go into it. */
  readonly write: boolean
  /** Where the runs and the report go. */
  readonly folder: string
}

/** What is searched: the product of these. */
interface Axes {
  readonly rates: readonly number[]
  readonly beta0: readonly (number | undefined)[]
  readonly beta1: readonly (number | undefined)[]
}

/**
 * Reads the command line and the configuration.
 *
 * @throws {@link UsageError}; `ERR_CONFIG` for a point that no arm could be trained at.
 */
export async function searchRequestOf({ positionals, options, overrides }: Arguments, context: Context): Promise<SearchRequest> {
  if (positionals.length > 0) throw new UsageError(`search takes no task: it is the configuration's; got ${positionals.join(' ')}`)
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined)
  const file = text('config') ?? refuse('search needs --config FILE')
  const axes: Axes = {
    rates: numbersOf('rates', text('rates') ?? refuse('search needs --rates LIST'), isPositive, 'numbers above 0'),
    beta0: decaysOf('beta0', text('beta0')),
    beta1: decaysOf('beta1', text('beta1')),
  }
  const read = await readConfig(file)
  const command = taskOf(read.task, context)
  const config = applyOverrides(read, overrides, command.keys)
  const arms = armsOf(config)
  if (axes.beta0[0] !== undefined && !arms.some(hasSage)) throw new UsageError(`--beta0 ${text('beta0') ?? ''}: no arm of ${file} has SAGE`)
  const unranked = gridOf(config, arms, axes)
  // What no point could be trained at is refused before the data are made ready.
  checkArms(arms.map((arm): Arm => ({ name: arm.name, train: withPoint(arm.train, pointsOf(arm, axes)[0]) })), command)
  const seed = seedOf(config)
  const cells = pointCells(unranked, seed)
  for (const { train } of cells) command.check(train)
  const grid: Grid = { ...unranked, ...rankingOf(cells.map(({ train }) => choiceIn(command, train))) }
  requireModelFolders(config, command)
  const name = config.name ?? basename(file, extname(file))
  return { grid, seed, description: describe(axes, overrides), file, write: options['write'] === true, folder: join(text('runs') ?? 'runs', `${name}-search`) }
}

function refuse(message: string): never {
  throw new UsageError(message)
}

function numbersOf(flag: string, written: string, fits: (value: number) => boolean, what: string): readonly number[] {
  const numbers = written.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (!numbers.every((value) => fits(value))) throw new UsageError(`--${flag} ${written}: give ${what} with commas between them`)
  return [...new Set(numbers)]
}

function isPositive(value: number): boolean {
  return Number.isFinite(value) && value > 0
}

/** Not searched where nothing is given. */
function decaysOf(flag: string, written: string | undefined): readonly (number | undefined)[] {
  return written === undefined ? [undefined] : numbersOf(flag, written, (value) => value >= 0 && value < 1, 'numbers from 0 to below 1')
}

function gridOf(config: RunConfig, arms: readonly Arm[], axes: Axes): Omit<Grid, 'validation'> {
  const labels = labelsOf(arms)
  return {
    name: 'trials',
    label: config.name ?? config.task,
    task: config.task,
    prepare: config.prepare,
    train: config.train,
    arms: arms.map((arm, index): ExperimentArm => ({ name: arm.name, label: labels[index] ?? arm.name, train: arm.train, points: pointsOf(arm, axes) })),
    weights: 'best',
    // The arms of a point fill the machine, as they do where they are compared.
    together: arms.length,
    notes: ['Every point is one run, scored by the evaluation on the validation part that it keeps as its best; nothing was measured on the test part.'],
  }
}

/** What all points are ranked by: one scale, since one table and one drawing hold them. */
function rankingOf(choices: readonly Choice[]): Pick<Grid, 'validation' | 'better'> {
  const [first, ...others] = new Map(choices.map((choice) => [choice.metric, choice])).values()
  if (first === undefined) throw new UsageError('there is no point to try')
  if (others.length > 0) throw new UsageError(`the arms’ best are chosen by different numbers, ${[first, ...others].map(({ metric }) => metric).join(' and ')}: a search ranks all by one; give every arm the same train.best`)
  return { validation: first.metric, better: first.better }
}

function pointsOf(arm: Arm, { rates, beta0, beta1 }: Axes): readonly Point[] {
  const guides = hasSage(arm) ? beta0 : [undefined]
  return guides.flatMap((guide) => beta1.flatMap((decay) => rates.map((rate): Point => ({ rate, ...(guide !== undefined && { beta0: guide }), ...(decay !== undefined && { beta1: decay }) }))))
}

function hasSage({ train }: Arm): boolean {
  return isSetAt(train, ['optimizer', 'sage'])
}

function seedOf({ seeds, train }: RunConfig): number {
  const own = isObject(train) ? train['seed'] : undefined
  return seeds?.[0] ?? (typeof own === 'number' ? own : 1)
}

function describe({ rates, beta0, beta1 }: Axes, overrides: readonly Override[]): string {
  const changes = overrides.map(({ flag, text }) => `${flag} ${text ?? ''}`.trim())
  const how = changes.length === 0 ? 'the configuration of this run' : `the configuration of this run with ${changes.join(', ')}`
  const others = [['β0', beta0], ['β1', beta1]] as const
  const axes = [`lr ${rates.join(', ')}`, ...others.flatMap(([label, values]) => (values[0] === undefined ? [] : [`${label} ${values.join(', ')}`]))]
  return `The same search for every arm: ${how}, trained at each of ${axes.join(' with each of ')}; the best on the validation part was taken.`
}
