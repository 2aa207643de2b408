import { runLabel, toneOf } from '../arms.js'
import type { Series } from '../chart.js'
import { figure } from '../figure.js'
import { drawHeatStrip } from '../heat.js'
import { markup, type Markup } from '../markup.js'
import type { ArmReport, ComparisonReport, SensitivityPoint } from '../report-data.js'
import type { Point } from '../smooth.js'

type Quantity = 'sensitivity' | 'average' | 'variation' | 'modulation'

const QUANTITIES: readonly { key: Quantity; title: string; label: string; kind: 'log' | 'linear'; note: string }[] = [
  { key: 'sensitivity', title: 'Sensitivity I', label: 'mean I', kind: 'log', note: 'I = |θ ⊙ g|: to first order, how much the loss would change if the weight were zero.' },
  { key: 'average', title: 'Its moving average Î', label: 'mean Î', kind: 'log', note: 'Î: what the sensitivity has been of late; a small one marks a weight that has contributed little.' },
  { key: 'variation', title: 'Local variation U', label: 'mean U', kind: 'log', note: 'U = |I − Î|: how unsure that judgement is.' },
  { key: 'modulation', title: 'Modulation r', label: 'mean r', kind: 'linear', note: 'r = U / Î multiplies the learning rate of each weight under SAGE. An arm without SAGE is only watched: its r is what it would have been.' },
]

/** How the weights' sensitivity went over training: means as curves, r's whole distribution as a strip an arm. */
export function sensitivity(report: ComparisonReport): Markup | undefined {
  const observed = report.arms.filter((run) => run.sensitivity.length > 0)
  if (observed.length === 0) return undefined
  return markup`<section id="sensitivity"><h2>Sensitivity over time</h2>
<p class="note">SAGE gives weights that have contributed little, or whose contribution is unsure, a larger learning rate, and settled ones a smaller one. Both arms are observed without changing a bit of their training.</p>
<div class="plots">${QUANTITIES.map((quantity) => curve(report, observed, quantity))}</div>
${strips(report, observed)}</section>`
}

function curve(report: ComparisonReport, observed: readonly ArmReport[], { key, title, label, kind, note }: (typeof QUANTITIES)[number]): Markup {
  const series = observed.map((run): Series => ({
    label: runLabel(report, run),
    tone: toneOf(report, run.arm),
    points: run.sensitivity.map((point): Point => [point.step, point[key]]),
  }))
  return figure({ id: `observed-${key}`, title, description: `${title}, mean over all observed weights, by step.`, x: { label: 'step' }, y: { label, kind }, series }, note)
}

type WithHistogram = SensitivityPoint & Required<Pick<SensitivityPoint, 'modulationHistogram'>>

function strips(report: ComparisonReport, observed: readonly ArmReport[]): Markup | false {
  const drawn = observed.flatMap((run, index) => {
    const seen = run.sensitivity.filter((point): point is WithHistogram => point.modulationHistogram !== undefined)
    if (seen.length < 2) return []
    const columns = seen.map((point) => ({ x: point.step, histogram: point.modulationHistogram }))
    const description = `Share of weights by their modulation r, by step, for ${runLabel(report, run)}.`
    return [drawHeatStrip({ id: `strip-${index}`, title: runLabel(report, run), description, tone: toneOf(report, run.arm), x: { label: 'step' }, columns })]
  })
  return drawn.length > 0 && markup`<figure class="plot wide"><h3>Distribution of r</h3><div class="plots strips">${drawn}</div><figcaption>Each column is the histogram of r over all observed weights at that step, on a logarithmic axis; darker is more weights. At r = 1 a weight moves as it would without SAGE.</figcaption></figure>`
}
