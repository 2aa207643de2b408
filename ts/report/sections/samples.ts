import { runLabel, toneOf } from '../arms.js'
import { markup, type Markup } from '../markup.js'
import type { ComparisonReport, SampleTranslation } from '../report-data.js'

const NOTHING = markup`<span class="nothing">nothing at all</span>`

/** Held-out sentences with every run's translation and the reference. */
export function samples(report: ComparisonReport): Markup | undefined {
  if (report.samples.length === 0) return undefined
  return markup`<section id="samples"><h2>Sentences it never saw</h2>
<p class="note">Taken evenly from the held-out part, not picked for their quality.</p>
${report.samples.map((sample) => sentence(report, sample))}</section>`
}

function sentence(report: ComparisonReport, sample: SampleTranslation): Markup {
  return markup`<article class="sentence"><dl><dt>Source</dt><dd class="source" dir="auto">${sample.source}</dd>
${report.arms.map((run) => markup`<dt class="tone-${toneOf(report, run.arm)}">${runLabel(report, run)}</dt><dd dir="auto">${sample.outputs[run.name] || NOTHING}</dd>`)}
<dt>Reference</dt><dd dir="auto">${sample.reference}</dd></dl></article>`
}
