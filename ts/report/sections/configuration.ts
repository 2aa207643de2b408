import { labelOf, runLabel, toneOf } from '../arms.js'
import { fixed } from '../format.js'
import { markup, type Markup } from '../markup.js'
import type { Json } from '../../json.js'
import type { ComparisonReport, Fact, RateSearch } from '../report-data.js'
import { BETTER } from './results.js'

/** Everything needed to run it again: data, machine, versions, specifications, and how the rates were chosen. */
export function configuration(report: ComparisonReport): Markup {
  return markup`<section id="configuration"><h2>Configuration</h2>
<p>Run by <code>${report.command}</code>.</p>
${facts('Data', report.data)}${facts('Machine and versions', report.machine)}
${rates(report, report.rates)}
<h3>Specifications</h3>
${report.arms.map((run) => spec(`${runLabel(report, run)}: seed ${run.seed}`, run.train))}${spec('The whole configuration file', report.config)}
</section>`
}

function facts(title: string, list: readonly Fact[]): Markup | false {
  return list.length > 0 && markup`<h3>${title}</h3><dl class="facts">${list.map(({ label, value }) => markup`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`
}

function rates(report: ComparisonReport, search: RateSearch | null): Markup {
  if (search === null) return markup`<h3>How each arm's rate was chosen</h3><p>By whoever wrote the configuration; no search is recorded with it.</p>`
  return markup`<h3>How each arm's rate was chosen</h3><p>${search.description} By <code>${search.command}</code>.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Rate search"><table class="rates"><caption><span>${search.metric}; the chosen setting of each arm is marked ▲.</span></caption><thead><tr><th scope="col">Arm</th><th scope="col">setting</th><th scope="col">${search.metric}</th></tr></thead><tbody>${search.trials.map(
    ({ arm, setting, value, chosen }) => markup`<tr class="tone-${toneOf(report, arm)}"><th scope="row">${labelOf(report, arm)}</th><td>${setting}</td><td${chosen && markup` class="best"`}>${fixed(value, search.digits ?? 2)}${chosen && BETTER}</td></tr>`,
  )}</tbody></table></div>`
}

function spec(title: string, value: Json): Markup {
  return markup`<details><summary>${title}</summary><pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre></details>`
}
