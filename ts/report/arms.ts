import type { ArmReport, ComparisonReport, MetricColumn } from './report-data.js'
import { TONES } from './theme.js'

/** The arms compared, in order; each may have runs of several seeds. */
export function armNames(report: ComparisonReport): readonly string[] {
  return [...new Set(report.arms.map(({ arm }) => arm))]
}

/** An arm's colour, the same in every drawing and table. */
export function toneOf(report: ComparisonReport, arm: string): number {
  return Math.max(0, armNames(report).indexOf(arm)) % TONES
}

/** What an arm is called on the page. */
export function labelOf(report: ComparisonReport, arm: string): string {
  return report.arms.find((run) => run.arm === arm)?.label ?? arm
}

/** A run's label, with its seed where the arm has several. */
export function runLabel(report: ComparisonReport, run: ArmReport): string {
  return report.arms.filter(({ arm }) => arm === run.arm).length > 1 ? `${run.label}, seed ${run.seed}` : run.label
}

/** How many seeds the arm with the fewest has. */
export function seedsPerArm(report: ComparisonReport): number {
  const counts = armNames(report).map((name) => report.arms.filter(({ arm }) => arm === name).length)
  return counts.length === 0 ? 0 : Math.min(...counts)
}

/** The columns of metrics that some run has. */
export function measuredColumns(report: ComparisonReport): readonly MetricColumn[] {
  return report.columns.filter(({ key }) => report.arms.some(({ result }) => Number.isFinite(result?.metrics[key])))
}

/** The column that decides who is ahead. */
export function headlineColumn(report: ComparisonReport): MetricColumn | undefined {
  return report.columns.find(({ key }) => key === report.headline)
}

/** Final values of a metric, one a run of the arm, missing ones left out. */
export function valuesOf(report: ComparisonReport, arm: string, key: string): readonly number[] {
  return report.arms.filter((run) => run.arm === arm).flatMap((run) => {
    const value = run.result?.metrics[key]
    return value === undefined || value === null || !Number.isFinite(value) ? [] : [value]
  })
}

/** Mean and sample standard deviation. */
export function spread(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((total, value) => total + value, 0) / values.length
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0)
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN }
}

/** Index of the better value by the column's direction; −1 where there is none or a tie. */
export function bestIndex(column: MetricColumn, values: readonly (number | null | undefined)[]): number {
  const usable = values.map((value, index) => ({ value, index })).filter((one): one is { value: number; index: number } => Number.isFinite(one.value))
  if (column.better === undefined || usable.length < 2) return -1
  const sign = column.better === 'higher' ? -1 : 1
  const [first, second] = usable.toSorted((a, b) => sign * (a.value - b.value))
  return first !== undefined && first.value !== second?.value ? first.index : -1
}
