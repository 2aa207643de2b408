import { present } from '../json.js'
import { tTest, type TTest } from '../score/t-test.js'
import type { CellResult } from './cell-result.js'
import { baselineOf, beta0Of, cellOf, type Cell, type Experiment, type ExperimentArm, type Matrix, type Point } from './experiment.js'
import { inUnit } from './metric-names.js'

/** A point that was tried with the first seed. */
export interface Trial extends Point {
  readonly arm: string
  /** Best validation score, in the metric's unit; null for a run without one. */
  readonly validation: number | null
  readonly diverged?: true
  readonly chosen: boolean
}

/** A measured run. */
export interface SeedScore {
  readonly seed: number
  readonly metrics: CellResult['metrics']
  /** Which weights were measured, where not the best. */
  readonly weights?: string
  /** How it ended where it did not converge. */
  readonly diverged?: string
}

/** An arm's line of the table. */
export interface TableRow {
  readonly arm: string
  readonly label: string
  /** The rate that its runs were trained at; null where every one diverged. */
  readonly rate: number | null
  /** β0 of its SAGE. */
  readonly beta0: number | null
  readonly paper: number | null
  readonly seeds: readonly SeedScore[]
  /** Mean and interval of the experiment's metric over seeds; null before the first is measured. */
  readonly score: TTest | null
  /** The label of the arm that it is compared with; null for a baseline. */
  readonly baseline: string | null
  /** This arm less its baseline over the seeds that both have; null without. */
  readonly difference: TTest | null
}

/** An experiment's part of the table. */
export interface TableResult {
  readonly experiment: string
  readonly label: string
  readonly metric: string
  readonly rows: readonly TableRow[]
  readonly trials: readonly Trial[]
  /** Runs that are still to come. */
  readonly missing: readonly string[]
}

/** Results by the name of their runs. */
export type Results = ReadonlyMap<string, CellResult>

/** The point of each arm that scored best on the validation part, of equal ones that of the lowest rate; without those that are not settled yet. */
export function chosenPoints(experiment: Matrix, seed: number, results: Results): ReadonlyMap<string, Point> {
  return new Map(experiment.arms.flatMap((arm) => {
    // The paper's one point is not chosen: every seed is trained at it, whatever becomes of the first.
    const best = arm.points.length === 1 ? arm.points[0] : bestPoint(experiment, arm, seed, results)
    return best === undefined ? [] : [[arm.name, best] as const]
  }))
}

function bestPoint(experiment: Matrix, { name: arm, points }: ExperimentArm, seed: number, results: Results): Point | undefined {
  const tried = points.map((point) => ({ point, result: results.get(cellOf(experiment, { arm, ...point, seed }).name) }))
  if (tried.some(({ result }) => result === undefined)) return undefined
  const scored = tried.flatMap(({ point, result }) => (typeof result?.validation === 'number' ? [{ point, validation: result.validation }] : []))
  return scored.toSorted((one, other) => other.validation - one.validation || one.point.rate - other.point.rate)[0]?.point
}

/** Puts an experiment's part of the table together from the runs that are done. */
export async function tableOf(experiment: Experiment, seeds: readonly number[], results: Results): Promise<TableResult> {
  const [first = 1] = seeds
  const chosen = chosenPoints(experiment, first, results)
  const scoresOf = ({ name: arm }: ExperimentArm): readonly SeedScore[] => seedScores(experiment, { arm, point: chosen.get(arm) }, seeds, results)
  return {
    experiment: experiment.name,
    label: experiment.label,
    metric: experiment.metric,
    rows: await Promise.all(experiment.arms.map((arm) => rowOf(experiment, arm, chosen.get(arm.name), scoresOf))),
    trials: trialsOf(experiment, first, chosen, results),
    missing: missingOf(experiment, seeds, chosen, results).map(({ name }) => name),
  }
}

async function rowOf(experiment: Experiment, arm: ExperimentArm, point: Point | undefined, scoresOf: (arm: ExperimentArm) => readonly SeedScore[]): Promise<TableRow> {
  const { name, label, paper, train } = arm
  const baseline = baselineOf(experiment, arm)
  const [seeds, others] = [scoresOf(arm), baseline === undefined ? [] : scoresOf(baseline)]
  const values = seeds.flatMap((run) => scoreOf(experiment, run) ?? [])
  return {
    arm: name,
    label,
    rate: point?.rate ?? null,
    beta0: point?.beta0 ?? beta0Of(train) ?? null,
    paper: paper ?? null,
    seeds,
    score: values.length === 0 ? null : await tTest(values),
    baseline: baseline?.label ?? null,
    difference: await differenceOf(experiment, others, seeds),
  }
}

function seedScores(experiment: Experiment, { arm, point }: { readonly arm: string; readonly point: Point | undefined }, seeds: readonly number[], results: Results): readonly SeedScore[] {
  if (point === undefined) return []
  return seeds.flatMap((seed): SeedScore[] => {
    const found = results.get(cellOf(experiment, { arm, ...point, seed }).name)
    if (found === undefined) return []
    const { metrics, diverged, signatures: { weights } } = found
    return [{ seed, metrics, ...present({ diverged, weights }) }]
  })
}

/** The run's score in the metric's unit; null where it has none. */
function scoreOf({ metric }: Experiment, { metrics }: SeedScore): number | null {
  return inUnit(metric, metrics[metric])
}

/** Seeds pair up: with the same one both arms begin with the same weights and see the same batches. */
async function differenceOf(experiment: Experiment, baseline: readonly SeedScore[], own: readonly SeedScore[]): Promise<TTest | null> {
  const pairs = baseline.flatMap((run) => {
    const other = own.find(({ seed }) => seed === run.seed)
    const [before, after] = [scoreOf(experiment, run), other === undefined ? null : scoreOf(experiment, other)]
    return before === null || after === null ? [] : [[before, after] as const]
  })
  return pairs.length === 0 ? null : tTest(pairs.map(([, after]) => after), pairs.map(([before]) => before))
}

function trialsOf(experiment: Experiment, seed: number, chosen: ReadonlyMap<string, Point>, results: Results): readonly Trial[] {
  return experiment.arms.filter(({ points }) => points.length > 1).flatMap(({ name: arm, points }) =>
    points.flatMap((point): Trial[] => {
      const found = results.get(cellOf(experiment, { arm, ...point, seed }).name)
      return found === undefined ? [] : [{ arm, ...point, validation: inUnit(experiment.validation, found.validation), ...(found.diverged !== undefined && { diverged: true }), chosen: chosen.get(arm) === point }]
    }),
  )
}

/** Runs of the table that are not done; those at points that are still to be chosen are not known yet. */
export function missingOf(experiment: Matrix, seeds: readonly number[], chosen: ReadonlyMap<string, Point>, results: Results): readonly Cell[] {
  const [first = 1, ...others] = seeds
  const searching = experiment.arms.flatMap(({ name: arm, points }) => points.map((point) => cellOf(experiment, { arm, ...point, seed: first })))
  const repeated = others.flatMap((seed) => [...chosen].map(([arm, point]) => cellOf(experiment, { arm, ...point, seed })))
  return [...searching, ...repeated].filter(({ name }) => !results.has(name))
}
