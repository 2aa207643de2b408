import { armNames, bestIndex, labelOf, measuredColumns, runLabel, seedsPerArm, spread, toneOf, valuesOf } from '../arms.js'
import { fixed, MISSING, signed } from '../format.js'
import { showMetric } from '../metric.js'
import { markup, type Markup } from '../markup.js'
import type { ArmReport, ComparisonReport } from '../report-data.js'

/** Marks the better value for the eye and for a screen reader. */
export const BETTER = markup` <span class="better" role="img" aria-label="better">▲</span>`

/** The table of all runs, with what the bootstrap says of their differences under it. */
export function results(report: ComparisonReport): Markup {
  return markup`<section id="results"><h2>Results</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Results"><table><caption><span>Measured on ${report.measuredOn}. The better value of a column is marked ▲. Peak memory is the process’s: arms that are trained side by side share it.</span></caption>
<thead><tr><th scope="col">Arm</th>${measuredColumns(report).map(({ label }) => markup`<th scope="col">${label}</th>`)}<th scope="col">steps</th><th scope="col">best at</th></tr></thead>
<tbody>${report.arms.map((run) => row(report, run))}${seedsPerArm(report) > 1 && armNames(report).map((arm) => meanRow(report, arm))}</tbody></table></div>
${report.comparisons.map((one) => markup`<p class="note">${comparison(report, one)}</p>`)}
${signatures(report)}</section>`
}

function row(report: ComparisonReport, run: ArmReport): Markup {
  const { result } = run
  const index = report.arms.indexOf(run)
  const single = seedsPerArm(report) === 1 && report.arms.length > 1
  return markup`<tr class="tone-${toneOf(report, run.arm)}"><th scope="row">${runLabel(report, run)}</th>${measuredColumns(report).map((column) => {
    const best = single && bestIndex(column, report.arms.map((other) => other.result?.metrics[column.key])) === index
    const interval = result?.intervals[column.key]
    return markup`<td${best && markup` class="best"`}>${showMetric(column, result?.metrics[column.key])}${best && BETTER}${interval && markup`<small>${showMetric(column, interval[0])} to ${showMetric(column, interval[1])}</small>`}</td>`
  })}<td>${fixed(result?.steps)}</td><td>${result ? fixed(result.bestStep) : MISSING}</td></tr>`
}

function meanRow(report: ComparisonReport, arm: string): Markup {
  return markup`<tr class="tone-${toneOf(report, arm)}"><th scope="row">${labelOf(report, arm)}, mean ± s</th>${measuredColumns(report).map((column) => {
    const { mean, deviation } = spread(valuesOf(report, arm, column.key))
    return markup`<td>${showMetric(column, mean)}<small>± ${showMetric(column, deviation)}</small></td>`
  })}<td></td><td></td></tr>`
}

function comparison(report: ComparisonReport, one: ComparisonReport['comparisons'][number]): string {
  const column = report.columns.find(({ key }) => key === one.metric)
  const digits = column?.digits ?? 2
  return `${column?.label ?? one.metric}: ${nameOf(report, one.arm)} minus ${nameOf(report, one.baseline)} is ${signed(one.difference, digits)}, 95 % interval ${signed(one.interval[0], digits)} to ${signed(one.interval[1], digits)}, p = ${fixed(one.pValue, 3)} (paired bootstrap, ${fixed(one.resamples)} resamples of ${fixed(one.samples)} sentences).`
}

function nameOf(report: ComparisonReport, name: string): string {
  const run = report.arms.find((one) => one.name === name)
  return run ? runLabel(report, run) : labelOf(report, name)
}

function signatures(report: ComparisonReport): Markup | undefined {
  const found = new Map(report.arms.flatMap((run) => Object.entries(run.result?.signatures ?? {})))
  if (found.size === 0) return undefined
  return markup`<dl class="facts">${[...found].map(([metric, signature]) => {
    const label = report.columns.find(({ key }) => key === metric)?.label ?? metric
    return markup`<dt>${label} signature</dt><dd><code>${signature}</code></dd>`
  })}</dl>`
}
