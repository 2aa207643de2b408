import { present } from '../json.js'
import { tTest, type TTest } from '../score/t-test.js'
import { cellOf, type Cell, type Experiment, type ExperimentArm, type Matrix } from './experiment.js'
import type { CellResult } from './cell-result.js'

/** A rate that was tried with the first seed. */
export interface Trial {
  readonly arm: string
  readonly rate: number
  /** Best validation score; null for a run that diverged. */
  readonly validation: number | null
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
  readonly paper: number | null
  readonly seeds: readonly SeedScore[]
  /** Mean and interval of the experiment's metric over seeds; null before the first is measured. */
  readonly score: TTest | null
}

/** An experiment's part of the table. */
export interface TableResult {
  readonly experiment: string
  readonly label: string
  readonly metric: string
  readonly rows: readonly TableRow[]
  /** The last arm minus the first over the seeds that both have; null without. */
  readonly difference: TTest | null
  readonly trials: readonly Trial[]
  /** Runs that are still to come. */
  readonly missing: readonly string[]
}

/** Results by the name of their runs. */
export type Results = ReadonlyMap<string, CellResult>

/** The rate of each arm that scored best on the validation part; without those that are not settled yet. */
export function chosenRates(experiment: Matrix, seed: number, results: Results): ReadonlyMap<string, number> {
  return new Map(experiment.arms.flatMap((arm) => {
    // The paper's one rate is not chosen: every seed is trained at it, whatever becomes of the first.
    const best = arm.rates.length === 1 ? arm.rates[0] : bestRate(experiment, arm, seed, results)
    return best === undefined ? [] : [[arm.name, best] as const]
  }))
}

function bestRate(experiment: Matrix, { name: arm, rates }: ExperimentArm, seed: number, results: Results): number | undefined {
  const tried = rates.map((rate) => ({ rate, result: results.get(cellOf(experiment, { arm, rate, seed }).name) }))
  if (tried.some(({ result }) => result === undefined)) return undefined
  const scored = tried.filter(({ result }) => result?.validation !== null)
  return scored.toSorted((one, other) => (other.result?.validation ?? 0) - (one.result?.validation ?? 0))[0]?.rate
}

/** Puts an experiment's part of the table together from the runs that are done. */
export async function tableOf(experiment: Experiment, seeds: readonly number[], results: Results): Promise<TableResult> {
  const [first = 1] = seeds
  const chosen = chosenRates(experiment, first, results)
  const rows = await Promise.all(experiment.arms.map((arm) => rowOf(experiment, arm, chosen.get(arm.name), seeds, results)))
  return {
    experiment: experiment.name,
    label: experiment.label,
    metric: experiment.metric,
    rows,
    difference: await differenceOf(rows, experiment.metric),
    trials: trialsOf(experiment, first, chosen, results),
    missing: missingOf(experiment, seeds, chosen, results).map(({ name }) => name),
  }
}

async function rowOf(experiment: Experiment, { name: arm, label, paper }: ExperimentArm, rate: number | undefined, seeds: readonly number[], results: Results): Promise<TableRow> {
  const scores = rate === undefined ? [] : seeds.flatMap((seed): SeedScore[] => {
    const found = results.get(cellOf(experiment, { arm, rate, seed }).name)
    if (found === undefined) return []
    const { metrics, diverged, signatures: { weights } } = found
    return [{ seed, metrics, ...present({ diverged, weights }) }]
  })
  const values = scores.flatMap(({ metrics }) => metrics[experiment.metric] ?? [])
  return { arm, label, rate: rate ?? null, paper: paper ?? null, seeds: scores, score: values.length === 0 ? null : await tTest(values) }
}

/** Seeds pair up: with the same one both arms begin with the same weights and see the same batches. */
async function differenceOf(rows: readonly TableRow[], metric: string): Promise<TTest | null> {
  const [baseline, last] = [rows[0], rows.at(-1)]
  if (baseline === undefined || last === undefined || baseline === last) return null
  const pairs = baseline.seeds.flatMap(({ seed, metrics }) => {
    const [one, other] = [metrics[metric], last.seeds.find((score) => score.seed === seed)?.metrics[metric]]
    return typeof one === 'number' && typeof other === 'number' ? [[one, other] as const] : []
  })
  return pairs.length === 0 ? null : tTest(pairs.map(([, other]) => other), pairs.map(([one]) => one))
}

function trialsOf(experiment: Experiment, seed: number, chosen: ReadonlyMap<string, number>, results: Results): readonly Trial[] {
  return experiment.arms.filter(({ rates }) => rates.length > 1).flatMap(({ name: arm, rates }) =>
    rates.flatMap((rate): Trial[] => {
      const found = results.get(cellOf(experiment, { arm, rate, seed }).name)
      return found === undefined ? [] : [{ arm, rate, validation: found.validation, chosen: chosen.get(arm) === rate }]
    }),
  )
}

/** Runs of the table that are not done; those at rates that are still to be chosen are not known yet. */
export function missingOf(experiment: Matrix, seeds: readonly number[], chosen: ReadonlyMap<string, number>, results: Results): readonly Cell[] {
  const [first = 1, ...others] = seeds
  const searching = experiment.arms.flatMap(({ name: arm, rates }) => rates.map((rate) => cellOf(experiment, { arm, rate, seed: first })))
  const repeated = others.flatMap((seed) => [...chosen].map(([arm, rate]) => cellOf(experiment, { arm, rate, seed })))
  return [...searching, ...repeated].filter(({ name }) => !results.has(name))
}
