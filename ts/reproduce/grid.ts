import type { Block, Report } from '../report/document.js'
import { fixed } from '../report/format.js'
import { drawHeatMaps, type HeatMap } from '../report/heat-map.js'
import { present } from '../json.js'
import { merge, type JsonObject } from '../merge.js'
import { BETA0, beta0Of, betasOf, cellOf, type ExperimentArm, type Matrix, type Point } from './experiment.js'
import { digitsOf, inUnit, metricLabel } from './metric-names.js'
import { factBlocks, type Provenance } from './report.js'
import type { Results } from './table.js'

/** Points over which arms are trained, one run each, with the metric that they are chosen by. */
export interface Grid extends Matrix {
  /** The metric of the validation part. */
  readonly validation: string
  /** @default 'higher' */
  readonly better?: 'higher' | 'lower'
}

/** A run of the grid. */
export interface GridPoint extends Point {
  readonly arm: string
  /** Best validation score, in the metric's unit; null where there is none, as of a run that diverged. */
  readonly validation: number | null
}

/** A grid as it came out. */
export interface GridResult {
  readonly experiment: string
  readonly label: string
  readonly metric: string
  readonly seed: number
  readonly points: readonly GridPoint[]
  /** The best point of each arm that has one. */
  readonly best: readonly GridPoint[]
  /** Points as good as the best of their arm, which {@link TIES} decided against. */
  readonly ties: readonly GridPoint[]
  /** Runs that are still to come. */
  readonly missing: readonly string[]
}

/** How one of several equally good points is chosen. */
export const TIES = 'Of equally good points the one with the lowest rate is taken, then with the configuration’s own β0 and β1.'

/** Puts the grid together from the runs that are done. */
export function gridOf(grid: Grid, seed: number, results: Results): GridResult {
  const { name, label, validation: metric, arms } = grid
  const cells = arms.flatMap((arm) => arm.points.map((point) => ({ arm, point, cell: cellOf(grid, { arm: arm.name, ...point, seed }).name })))
  const points = cells.flatMap(({ arm, point, cell }): GridPoint[] => {
    const found = results.get(cell)
    return found === undefined ? [] : [{ arm: arm.name, ...point, validation: inUnit(metric, found.validation) }]
  })
  const most = grid.better === 'lower' ? Math.min : Math.max
  const ranked = arms.map((arm) => equallyGood(points.filter((one) => one.arm === arm.name), most, merge(grid.train, arm.train)))
  return {
    experiment: name,
    label,
    metric,
    seed,
    points,
    best: ranked.flatMap((equal) => equal.slice(0, 1)),
    ties: ranked.flatMap((equal) => equal.slice(1)),
    missing: cells.filter(({ cell }) => !results.has(cell)).map(({ cell }) => cell),
  }
}

/** The points with the best score, the one that {@link TIES} chooses first. */
function equallyGood(points: readonly GridPoint[], most: (...values: number[]) => number, train: JsonObject): readonly GridPoint[] {
  const best = most(...points.flatMap(({ validation }) => validation ?? []))
  const own = { beta0: beta0Of(train) ?? BETA0, beta1: betasOf(train)[0] }
  const foreign = ({ beta0, beta1 }: GridPoint): readonly number[] => [beta0 === own.beta0 ? 0 : 1, beta1 === own.beta1 ? 0 : 1]
  const order = (one: GridPoint): readonly number[] => [one.rate, ...foreign(one)]
  return points.filter(({ validation }) => validation === best).toSorted((one, other) => order(one).map((value, place) => value - (order(other)[place] ?? 0)).find((by) => by !== 0) ?? 0)
}

/** The report of grids: a heat map of each arm, or of each of its β0, and the best points. */
export function gridReport(title: string, grids: readonly Grid[], results: readonly GridResult[], { command, facts }: Provenance): Report {
  const parts = results.flatMap((result, index) => gridBlocks(result, grids[index]))
  return { title, blocks: [{ type: 'code', text: command }, ...parts, ...factBlocks(facts)] }
}

function gridBlocks(result: GridResult, grid: Grid | undefined): readonly Block[] {
  const { experiment, label, metric, seed, best, ties, missing } = result
  if (grid === undefined) return []
  const title = `${label}: validation ${metricLabel(metric)}`
  const { maps, rows: y } = mapsOf(grid, result)
  const svg = drawHeatMaps({ id: `${experiment}-grid`, title, description: 'One run a cell; × where it has no score, as one that diverged', x: 'learning rate', y, digits: digitsOf(metric) - 1, ...present({ better: grid.better }), maps })
  return [
    { type: 'heading', text: label },
    { type: 'text', text: best.length === 0 ? 'Not measured yet.' : best.map((point) => `${labelOf(grid, point.arm)}: ${fixed(point.validation, digitsOf(metric))} at ${settingOf(point)}${tiedWith(point, ties)}.`).concat(ties.length === 0 ? [] : [TIES]).join(' ') },
    ...(result.points.length === 0 ? [] : [{ type: 'drawing' as const, name: `${experiment}-grid`, title, svg }]),
    ...maps.map((map): Block => ({ type: 'table', caption: `${map.title}: ${metricLabel(metric)}, one run (seed ${seed}) a cell.`, head: [y, ...map.columns.map((rate) => `lr ${rate}`)], rows: map.rows.map((row, index) => [row].concat((map.values[index] ?? []).map((value) => told(value, metric)))) })),
    { type: 'list', items: [...grid.notes, ...(missing.length === 0 ? [] : [`Still to come: ${missing.join(', ')}.`])] },
  ]
}

/** `, equally good at lr 0.002; at lr 0.004`. */
function tiedWith({ arm }: GridPoint, ties: readonly GridPoint[]): string {
  const equal = ties.filter((one) => one.arm === arm)
  return equal.length === 0 ? '' : `, equally good at ${equal.map(settingOf).join('; at ')}`
}

function told(value: number | null | undefined, metric: string): string {
  return value === undefined ? '' : value === null ? 'no score' : fixed(value, digitsOf(metric))
}

function labelOf({ arms }: Matrix, name: string): string {
  return arms.find((arm) => arm.name === name)?.label ?? name
}

/** `lr 0.0001, β0 0.7, β1 0.9`. */
export function settingOf({ rate, beta0, beta1 }: Point): string {
  return [`lr ${rate}`, ...(beta0 === undefined ? [] : [`β0 ${beta0}`]), ...(beta1 === undefined ? [] : [`β1 ${beta1}`])].join(', ')
}

/** Rows are β1 where it is searched, a map each β0; else β0, a map each arm. */
function mapsOf(grid: Grid, { points }: GridResult): { readonly maps: readonly HeatMap[]; readonly rows: string } {
  const searched = grid.arms.some((arm) => arm.points.some(({ beta1 }) => beta1 !== undefined))
  const maps = grid.arms.flatMap((arm) => {
    const own = points.filter((one) => one.arm === arm.name)
    if (!searched) return [mapOf(arm.label, arm, own, ({ beta0 }) => beta0 ?? beta0Of(arm.train))]
    const guides = distinct(arm.points.map(({ beta0 }) => beta0))
    return guides.map((beta0) => mapOf(beta0 === undefined ? arm.label : `${arm.label}, β0 ${beta0}`, { ...arm, points: arm.points.filter((point) => point.beta0 === beta0) }, own.filter((point) => point.beta0 === beta0), ({ beta1 }) => beta1))
  })
  return { maps, rows: searched ? 'β1' : 'β0' }
}

function mapOf(title: string, { points }: ExperimentArm, measured: readonly GridPoint[], rowOf: (point: Point) => number | undefined): HeatMap {
  const rates = distinct(points.map(({ rate }) => rate)).toSorted((one, other) => one - other)
  const rows = distinct(points.map(rowOf)).toSorted((one, other) => (other ?? 0) - (one ?? 0))
  const values = rows.map((row) => rates.map((rate) => measured.find((point) => point.rate === rate && rowOf(point) === row)?.validation))
  return { title, columns: rates.map(String), rows: rows.map((row) => (row === undefined ? '' : String(row))), values }
}

function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)]
}
