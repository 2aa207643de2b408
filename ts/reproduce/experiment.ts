import { isObject, merge, setAt, type JsonObject } from '../merge.js'
import type { Json } from '../json.js'
import type { Weights } from '../cli/task-command.js'

/** A point of a grid: what is not given is the arm's own. */
export interface Point {
  /** The learning rate. */
  readonly rate: number
  /** SAGE's, of an arm that has it. */
  readonly beta0?: number
  /** The first moment's decay. */
  readonly beta1?: number
}

/** An optimizer of a comparison. */
export interface ExperimentArm {
  /** Names its runs' folders. */
  readonly name: string
  /** What the paper calls it. */
  readonly label: string
  /** Laid over the experiment's `train`. */
  readonly train: JsonObject
  /** Where it is trained: the paper's one point, or several to choose from with the first seed, by the validation part. */
  readonly points: readonly Point[]
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

/**
 * What stays of a run that is done beside its figures, outputs and test predictions: all that its checkpoints hold, the weights that were
 * measured, or nothing.
 */
export type Keeps = 'checkpoints' | 'model' | 'results'

/** Arms on one data set: which data, what is trained. */
export interface Matrix {
  /** Names its folder; what `--experiments` takes. */
  readonly name: string
  readonly label: string
  /** The task that it is one of. */
  readonly task: string
  readonly prepare: JsonObject
  /** Makes the files that `prepare` names where they are derived from others. */
  readonly make?: () => Promise<void>
  /** What all arms share. */
  readonly train: JsonObject
  /** The baseline first. */
  readonly arms: readonly ExperimentArm[]
  readonly weights: Weights
  /** Whether the runs also predict test parts whose labels others keep, to hand that in. */
  readonly predictTest?: boolean
  /** @default 'checkpoints' */
  readonly keeps?: Keeps
  /** Runs that share the machine at any time, each with its share of the threads. */
  readonly together: number
  /** What is assumed where the paper is silent, and what differs from it. */
  readonly notes: readonly string[]
}

/** A comparison of the paper on one data set by one metric, with its figure. */
export interface Experiment extends Matrix {
  /** The runs of its figure, where it has one. */
  readonly sweep?: Sweep
  /** The metric that stands beside the paper's figure. */
  readonly metric: string
  /** The metric that runs are chosen by on the validation part. */
  readonly validation: string
  /**
   * What its figures are measured on.
   * @default 'the held-out part'
   */
  readonly measuredOn?: string
}

/** What tells a run of an experiment from its others. */
export interface Setting extends Point {
  readonly arm: string
  readonly seed: number
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
  const { arm: name, rate, beta1, seed } = setting
  const arm = armOf(experiment, name)
  const train = setAt(withPoint(merge(experiment.train, arm.train), setting), ['seed'], seed)
  const own = { lr: rate, beta0: beta0Of(train), beta1, seed }
  const words = Object.entries(own).flatMap(([word, value]) => (value === undefined ? [] : [`${word}-${value}`]))
  return { ...setting, name: [name, ...words].join('-'), label: arm.label, train }
}

/** Lays a point on what an arm is trained with; the other decays stay those of `whole`. */
export function withPoint(train: JsonObject, point: Point | undefined, whole: JsonObject = train): JsonObject {
  if (point === undefined) return train
  const { rate, beta0, beta1 } = point
  const rated = setAt(train, ['optimizer', 'lr'], rate)
  const guided = beta0 === undefined ? rated : setAt(rated, ['optimizer', 'sage', 'beta0'], beta0)
  return beta1 === undefined ? guided : setAt(guided, ['optimizer', 'betas'], [beta1, ...betasOf(whole).slice(1)])
}

/** The moments' decays of a training. */
export function betasOf({ optimizer }: JsonObject): readonly Json[] {
  const betas = isObject(optimizer) ? optimizer['betas'] : undefined
  return Array.isArray(betas) ? betas : [0.9, 0.999]
}

/** SAGE's β0 where nothing is given. */
export const BETA0 = 0.75

/** β0 of a training's SAGE; undefined without. */
export function beta0Of({ optimizer }: JsonObject): number | undefined {
  const sage = isObject(optimizer) ? optimizer['sage'] : undefined
  const beta0 = isObject(sage) ? sage['beta0'] : undefined
  return typeof beta0 === 'number' ? beta0 : undefined
}

/** The arm that one with SAGE is compared with: the same optimizer without; undefined where there is none. */
export function baselineOf({ train, arms }: Matrix, arm: ExperimentArm): ExperimentArm | undefined {
  const optimizerOf = (one: ExperimentArm): JsonObject => {
    const { optimizer } = merge(train, one.train)
    return isObject(optimizer) ? optimizer : {}
  }
  const own = optimizerOf(arm)
  if (own['sage'] === undefined) return undefined
  return arms.find((one) => optimizerOf(one)['type'] === own['type'] && optimizerOf(one)['sage'] === undefined)
}

/** The runs that choose the arms' points: every point of every arm with the first seed, the arms' first points beside each other. */
export function pointCells(experiment: Matrix, seed: number): readonly Cell[] {
  const most = Math.max(...experiment.arms.map(({ points }) => points.length))
  return Array.from({ length: most }, (_, place) => place).flatMap((place) =>
    experiment.arms.flatMap(({ name: arm, points }) => (points[place] === undefined ? [] : [cellOf(experiment, { arm, ...points[place], seed })])),
  )
}

/** The runs of one seed at the points that were chosen. */
export function seedCells(experiment: Matrix, chosen: ReadonlyMap<string, Point>, seed: number): readonly Cell[] {
  return experiment.arms.flatMap(({ name: arm }) => {
    const point = chosen.get(arm)
    return point === undefined ? [] : [cellOf(experiment, { arm, ...point, seed })]
  })
}

/** The runs of the sweep with one seed. */
export function sweepCells(experiment: Experiment, seed: number): readonly Cell[] {
  if (experiment.sweep === undefined) return []
  const { arm, rates, beta0 } = experiment.sweep
  return rates.flatMap((rate) => beta0.map((value) => cellOf(experiment, { arm, rate, seed, beta0: value })))
}
