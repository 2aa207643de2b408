import { present } from '../../json.js'
import { runLabel, seedsPerArm, toneOf } from '../arms.js'
import type { Chart, Series } from '../chart.js'
import { figure } from '../figure.js'
import { markup, type Markup } from '../markup.js'
import type { ArmReport, ComparisonReport } from '../report-data.js'
import { smooth, type Point } from '../smooth.js'

type Along = 'steps' | 'time'

const AXES = { steps: { label: 'step' }, time: { label: 'minutes:seconds', format: 'duration' } } as const

/** Learning curves, by step and by wall time; a switch shows one of the two. */
export function curves(report: ComparisonReport): Markup {
  return markup`<section id="curves"><h2>Learning curves</h2>
<p class="note">By step the arms have seen the same batches; by wall time the cost of each step counts too. Point at a curve, or focus it and use the arrow keys, to read its values.</p>
<fieldset class="switch"><legend>Horizontal axis:</legend><span><input type="radio" name="axis" id="by-steps" checked><label for="by-steps">steps</label></span><span><input type="radio" name="axis" id="by-time"><label for="by-time">wall time</label></span></fieldset>
${(['steps', 'time'] as const).map((along) => markup`<div class="plots axis-${along}">${trainingLoss(report, along)}${evaluated(report).map((key) => evaluation(report, key, along))}</div>`)}
</section>`
}

function at(point: { readonly step: number; readonly seconds: number }, along: Along): number {
  return along === 'steps' ? point.step : point.seconds
}

function halfLifeOf(run: ArmReport): number {
  return Math.max(2, run.steps.length / 60)
}

function trainingLoss(report: ComparisonReport, along: Along): Markup | false {
  const series = report.arms.map((run): Series => {
    const raw = run.steps.map((point): Point => [at(point, along), point.loss])
    return { ...naming(report, run), points: smooth(raw, halfLifeOf(run)), raw }
  })
  if (series.every(({ points }) => points.length === 0)) return false
  return figure(chartOf('training-loss', 'Training loss', 'loss', along, series), 'Smoothed over both sides (weights halve every sixtieth of the run), with the values themselves behind. Of training batches: with dropout and label smoothing, where the configuration has them.')
}

/** Metrics of the result table that evaluations measured. Perplexity is the NLL's exponential and would only repeat its curve. */
function evaluated(report: ComparisonReport): readonly string[] {
  const seen = new Set(report.arms.flatMap((run) => run.evaluations.flatMap(({ metrics }) => Object.keys(metrics))))
  return report.columns.map(({ key }) => key).filter((key) => seen.has(key) && key !== 'perplexity')
}

function evaluation(report: ComparisonReport, key: string, along: Along): Markup | false {
  const column = report.columns.find((one) => one.key === key)
  const [label, unit] = [column?.label ?? key, column?.format === 'percent' ? 100 : 1]
  const series = report.arms.map((run): Series => ({
    ...naming(report, run),
    points: run.evaluations.flatMap((point): Point[] => {
      const value = point.metrics[key]
      return value === undefined ? [] : [[at(point, along), value === null ? null : value * unit]]
    }),
    dots: true,
  }))
  return figure(chartOf(`validation-${key}`, `Validation ${label}`, unit === 100 ? `${label}, %` : label, along, series, unit === 100 ? 100 : undefined))
}

function naming(report: ComparisonReport, run: ArmReport): { label: string; tone: number } {
  return { label: seedsPerArm(report) > 1 ? runLabel(report, run) : run.label, tone: toneOf(report, run.arm) }
}

function chartOf(id: string, title: string, yLabel: string, along: Along, series: readonly Series[], most?: number): Chart {
  const over = along === 'steps' ? 'steps' : 'wall time'
  const names = series.map(({ label }) => label).join(', ')
  return { id: `${id}-${along}`, title, description: `${title} of ${names} over ${over}.`, x: AXES[along], y: { label: yLabel, ...present({ most }) }, series }
}
