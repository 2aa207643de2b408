import { armNames, headlineColumn, labelOf, seedsPerArm, spread, valuesOf } from './arms.js'
import { fixed, signed } from './format.js'
import { showMetric } from './metric.js'
import type { ComparisonReport, MetricColumn, PairedComparison } from './report-data.js'

/** Who is ahead, and how sure that is, in one or two sentences that claim no more than was measured. */
export function verdict(report: ComparisonReport): string {
  const column = headlineColumn(report)
  const arms = armNames(report)
  if (column === undefined || !arms.some((arm) => valuesOf(report, arm, column.key).length > 0)) return 'No arm was measured on held-out data.'
  const scores = arms.map((arm) => score(report, arm, column)).join(', ')
  if (arms.length < 2) return `${scores} on ${report.measuredOn}.`
  const paired = report.comparisons.find(({ metric }) => metric === column.key)
  if (paired === undefined || seedsPerArm(report) > 1) return `${scores} on ${report.measuredOn}.`
  return `${claim(report, column, paired)} ${scores} on ${report.measuredOn}.`
}

function score(report: ComparisonReport, arm: string, column: MetricColumn): string {
  const values = valuesOf(report, arm, column.key)
  if (values.length === 0) return `${labelOf(report, arm)} not measured`
  const { mean, deviation } = spread(values)
  const several = values.length > 1 ? ` ± ${showMetric(column, deviation)} (${values.length} seeds)` : ''
  return `${labelOf(report, arm)} ${column.label} ${showMetric(column, mean)}${several}`
}

function claim(report: ComparisonReport, column: MetricColumn, paired: PairedComparison): string {
  const [low, high] = paired.interval
  const sign = column.better === 'lower' ? -1 : 1
  const range = `95 % interval ${signed(low, column.digits)} to ${signed(high, column.digits)}`
  const ahead = labelOf(report, paired.difference * sign > 0 ? paired.arm : paired.baseline)
  const gap = `${fixed(Math.abs(paired.difference), column.digits)} ${column.label}`
  if (low <= 0 && high >= 0) return `Too close to call: ${ahead} is ahead by ${gap}, but the ${range} of the difference includes none at all.`
  return `${ahead} is ahead by ${gap} (${labelOf(report, paired.arm)} minus ${labelOf(report, paired.baseline)}: ${range}, paired bootstrap, p ${pValue(paired.pValue)}).`
}

function pValue(value: number): string {
  return value < 0.001 ? '< 0.001' : `= ${fixed(value, 3)}`
}

/** What the intervals do and do not cover: how many seeds stand behind the figures. */
export function seedStatement(report: ComparisonReport): string {
  const seeds = seedsPerArm(report)
  if (seeds > 1) return `${seeds} seeds per arm: figures are means ± sample standard deviation over seeds.`
  const numbers = [...new Set(report.arms.map(({ seed }) => seed))].join(', ')
  const one = `One seed per arm (seed ${numbers}).`
  if (report.arms.every(({ result }) => Object.keys(result?.intervals ?? {}).length === 0)) return `${one} Another seed gives other figures, and may order the arms differently.`
  return `${one} The interval says how much the score depends on which sentences were tested; it does not say how it would differ with another seed.`
}
