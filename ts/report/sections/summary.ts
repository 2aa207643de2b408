import { armNames, headlineColumn, labelOf, spread, toneOf, valuesOf } from '../arms.js'
import { drawIntervals, type Interval } from '../intervals.js'
import { markup, type Markup } from '../markup.js'
import type { ComparisonReport, MetricColumn } from '../report-data.js'
import { seedStatement, verdict } from '../verdict.js'
import { showMetric } from '../metric.js'

/** The page's top: title, who is ahead, one card an arm, and the intervals drawn. */
export function summary(report: ComparisonReport): Markup {
  const column = headlineColumn(report)
  return markup`<header>
<p class="overline">${report.task} · ${report.name} · ${report.created.slice(0, 16).replace('T', ' ')} UTC</p>
<h1>${report.title}</h1>
${report.status === 'interrupted' && markup`<p class="verdict"><strong>Interrupted before its end.</strong> What follows is what had been trained and measured until then.</p>`}
<p class="verdict">${verdict(report)}</p>
<p class="seed">${seedStatement(report)}</p>
<div class="cards">${armNames(report).map((arm) => card(report, arm, column))}${column && intervals(report, column)}</div>
</header>`
}

function card(report: ComparisonReport, arm: string, column: MetricColumn | undefined): Markup {
  const values = column ? valuesOf(report, arm, column.key) : []
  const others = report.columns.filter(({ key }) => key !== column?.key).slice(0, 4)
  return markup`<section class="card tone-${toneOf(report, arm)}"><h3>${labelOf(report, arm)}</h3>
${column && markup`<div class="big">${values.length === 0 ? '–' : showMetric(column, spread(values).mean)} <small>${column.label}</small></div>`}
<dl>${others.map((other) => {
    const found = valuesOf(report, arm, other.key)
    return found.length > 0 && markup`<dt>${other.label}</dt><dd>${showMetric(other, spread(found).mean)}</dd>`
  })}</dl></section>`
}

function intervals(report: ComparisonReport, column: MetricColumn): Markup | undefined {
  const found = report.arms.flatMap((run): Interval[] => {
    const [score, interval] = [run.result?.metrics[column.key], run.result?.intervals[column.key]]
    if (score === undefined || score === null || interval === undefined) return []
    return [{ label: run.label, tone: toneOf(report, run.arm), score, low: interval[0], high: interval[1], value: showMetric(column, score) }]
  })
  if (found.length === 0) return undefined
  const title = `${column.label} with 95 % bootstrap intervals`
  return markup`<figure class="plot"><h3>${title}</h3>${drawIntervals('intervals', title, column.label, found, column.format === 'percent' ? 1 : undefined)}</figure>`
}
