import { armOf, baselineOf as baselineArmOf, cellOf, sweepCells, type Cell, type Experiment } from './experiment.js'
import { inUnit } from './metric-names.js'
import type { Results } from './table.js'

/** One run of the sweep; its score is null where it has none. */
export interface SweepPoint {
  readonly rate: number
  readonly beta0: number
  readonly seed: number
  readonly score: number | null
  readonly diverged?: true
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
    return found === undefined ? [] : [{ rate, beta0, seed, score: inUnit(metric, found.metrics[metric]), ...(found.diverged !== undefined && { diverged: true }) }]
  })
  const missing = [...cells, ...baselineCells(experiment, seed)].filter((cell) => !results.has(cell.name)).map((cell) => cell.name)
  return { experiment: name, label, metric, points, baseline: baselineOf(experiment, seed, results), missing }
}

/** The run that the sweep is compared with, where it need not be searched for. */
export function baselineCells(experiment: Experiment, seed: number): readonly Cell[] {
  const arm = experiment.sweep && baselineArmOf(experiment, armOf(experiment, experiment.sweep.arm))
  const [point, ...others] = arm?.points ?? []
  return arm === undefined || point === undefined || others.length > 0 ? [] : [cellOf(experiment, { arm: arm.name, ...point, seed })]
}

function baselineOf(experiment: Experiment, seed: number, results: Results): SweepResult['baseline'] {
  const arm = experiment.sweep && baselineArmOf(experiment, armOf(experiment, experiment.sweep.arm))
  if (arm === undefined) return null
  const tried = arm.points.flatMap((point) => {
    const found = results.get(cellOf(experiment, { arm: arm.name, ...point, seed }).name)
    return found === undefined ? [] : [{ rate: point.rate, validation: found.validation ?? -Infinity, score: inUnit(experiment.metric, found.metrics[experiment.metric]) }]
  })
  const [best] = tried.toSorted((one, other) => other.validation - one.validation)
  if (best?.score === undefined || best.score === null || tried.length < arm.points.length) return null
  return { label: arm.label, rate: best.rate, score: best.score }
}
