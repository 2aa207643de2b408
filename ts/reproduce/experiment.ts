import { isObject, merge, setAt, type JsonObject } from '../cli/merge.js'
import type { Weights } from '../cli/task-command.js'

/** An optimizer of a comparison. */
export interface ExperimentArm {
  /** Names its runs' folders. */
  readonly name: string
  /** What the paper calls it. */
  readonly label: string
  /** Laid over the experiment's `train`. */
  readonly train: JsonObject
  /** Learning rates: the paper's one, or several to choose from with the first seed, by the validation part. */
  readonly rates: readonly number[]
  /** The paper's figure, where it has one for this experiment. */
  readonly paper?: number
}

/** Learning rates × β0 of the arm with SAGE, a run each: a figure of the paper. */
export interface Sweep {
  readonly arm: string
  readonly rates: readonly number[]
  readonly beta0: readonly number[]
  /** What is assumed of the figure alone. */
  readonly notes?: readonly string[]
}

/** Arms on one data set: which data, what is trained. */
export interface Matrix {
  /** Names its folder; what `--experiments` takes. */
  readonly name: string
  readonly label: string
  /** The task that it is one of. */
  readonly task: string
  readonly prepare: JsonObject
  /** What all arms share. */
  readonly train: JsonObject
  /** The baseline first. */
  readonly arms: readonly ExperimentArm[]
  readonly weights: Weights
  /** Runs that share the machine at any time, each with its share of the threads. */
  readonly together: number
  /** What is assumed where the paper is silent, and what differs from it. */
  readonly notes: readonly string[]
}

/** A comparison of the paper on one data set by one metric, with its figure. */
export interface Experiment extends Matrix {
  readonly sweep: Sweep
  /** The metric that stands beside the paper's figure. */
  readonly metric: string
}

/** What tells a run of an experiment from its others. */
export interface Setting {
  readonly arm: string
  readonly rate: number
  readonly seed: number
  /** Where it is not the arm's own. */
  readonly beta0?: number
}

/** One run of an experiment. */
export interface Cell extends Setting {
  /** Unique in the experiment; its folder's name. */
  readonly name: string
  readonly label: string
  readonly train: JsonObject
}

/** The arm of that name. */
export function armOf({ name: experiment, arms }: Matrix, name: string): ExperimentArm {
  const arm = arms.find((one) => one.name === name)
  if (arm === undefined) throw new TypeError(`${experiment} has no arm "${name}"`)
  return arm
}

/** The run with that setting. Two settings that train the same have the same name. */
export function cellOf(experiment: Matrix, setting: Setting): Cell {
  const { arm: name, rate, seed, beta0 } = setting
  const arm = armOf(experiment, name)
  const own = merge(experiment.train, arm.train)
  const rated = setAt(setAt(own, ['optimizer', 'lr'], rate), ['seed'], seed)
  const train = beta0 === undefined ? rated : setAt(rated, ['optimizer', 'sage', 'beta0'], beta0)
  const guided = beta0Of(train)
  const words = [name, `lr-${rate}`, ...(guided === undefined ? [] : [`beta0-${guided}`]), `seed-${seed}`]
  return { ...setting, name: words.join('-'), label: arm.label, train }
}

/** β0 of a training's SAGE; undefined without. */
export function beta0Of({ optimizer }: JsonObject): number | undefined {
  const sage = isObject(optimizer) ? optimizer['sage'] : undefined
  const beta0 = isObject(sage) ? sage['beta0'] : undefined
  return typeof beta0 === 'number' ? beta0 : undefined
}

/** The runs that choose the arms' learning rates: every rate of every arm with the first seed, the arms of a rate beside each other. */
export function rateCells(experiment: Matrix, seed: number): readonly Cell[] {
  const most = Math.max(...experiment.arms.map(({ rates }) => rates.length))
  return Array.from({ length: most }, (_, place) => place).flatMap((place) =>
    experiment.arms.flatMap(({ name: arm, rates }) => (rates[place] === undefined ? [] : [cellOf(experiment, { arm, rate: rates[place], seed })])),
  )
}

/** The runs of one seed at the rates that were chosen. */
export function seedCells(experiment: Matrix, chosen: ReadonlyMap<string, number>, seed: number): readonly Cell[] {
  return experiment.arms.flatMap(({ name: arm }) => {
    const rate = chosen.get(arm)
    return rate === undefined ? [] : [cellOf(experiment, { arm, rate, seed })]
  })
}

/** The runs of the sweep with one seed. */
export function sweepCells(experiment: Experiment, seed: number): readonly Cell[] {
  const { arm, rates, beta0 } = experiment.sweep
  return rates.flatMap((rate) => beta0.map((value) => cellOf(experiment, { arm, rate, seed, beta0: value })))
}
