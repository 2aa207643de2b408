import { cellOf, sweepCells, type Experiment } from './experiment.js'
import type { Results } from './table.js'

/** One run of the sweep; null where it diverged. */
export interface SweepPoint {
  readonly rate: number
  readonly beta0: number
  readonly seed: number
  readonly score: number | null
}

/** An experiment's panel of the figure: the metric over β0 for several learning rates. */
export interface SweepResult {
  readonly experiment: string
  readonly label: string
  readonly metric: string
  readonly points: readonly SweepPoint[]
  /** The baseline at its best rate, where the table's runs are there. */
  readonly baseline: { readonly label: string; readonly rate: number; readonly score: number } | null
  /** Runs that are still to come. */
  readonly missing: readonly string[]
}

/** Puts the panel together from the runs that are done. */
export function sweepOf(experiment: Experiment, seed: number, results: Results): SweepResult {
  const { name, label, metric } = experiment
  const cells = sweepCells(experiment, seed)
  const points = cells.flatMap(({ name: cell, rate, beta0 = 0 }): SweepPoint[] => {
    const found = results.get(cell)
    return found === undefined ? [] : [{ rate, beta0, seed, score: found.metrics[metric] ?? null }]
  })
  const missing = cells.filter((cell) => !results.has(cell.name)).map((cell) => cell.name)
  return { experiment: name, label, metric, points, baseline: baselineOf(experiment, seed, results), missing }
}

function baselineOf(experiment: Experiment, seed: number, results: Results): SweepResult['baseline'] {
  const [arm] = experiment.arms
  if (arm === undefined) return null
  const tried = arm.rates.flatMap((rate) => {
    const found = results.get(cellOf(experiment, { arm: arm.name, rate, seed }).name)
    return found === undefined ? [] : [{ rate, validation: found.validation ?? -Infinity, score: found.metrics[experiment.metric] ?? null }]
  })
  const [best] = tried.toSorted((one, other) => other.validation - one.validation)
  if (best?.score === undefined || best.score === null || tried.length < arm.rates.length) return null
  return { label: arm.label, rate: best.rate, score: best.score }
}
