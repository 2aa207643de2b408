import { drawChart, type Chart, type DrawnChart } from './chart.js'
import { clock, significant } from './format.js'
import { markup, type Fragment, type Markup } from './markup.js'
import { readoutData } from './readout.js'
import { thin } from './smooth.js'

const TABLE_ROWS = 24

/** A chart with its heading, read-out, note and the same values as a table. */
export function figure(chart: Chart, note?: Fragment): Markup {
  const drawn = drawChart(chart)
  return markup`<figure class="plot" data-readout>
<h3>${chart.title}</h3>
<div class="surface">${drawn.svg}</div>
<p class="readout" aria-hidden="true">${lastValues(drawn)}</p>
${note !== undefined && markup`<figcaption>${note}</figcaption>`}
<details><summary>Values as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="${chart.title}, values">${valueTable(chart, drawn)}</div></details>
<script type="application/json">${readoutData(drawn, chart.x)}</script>
</figure>`
}

/** The end of each curve, so that the line under a chart says something before it is touched, and without a script. */
function lastValues({ series }: DrawnChart): Markup {
  const ends = series.filter(({ label }) => label !== '').flatMap(({ label, tone, points }) => {
    const last = points.findLast(([, y]) => y !== null)
    return last === undefined ? [] : [markup` · <b class="tone-${tone}">${label} ${significant(last[1])}</b>`]
  })
  return markup`at the end${ends}`
}

function valueTable(chart: Chart, { series }: DrawnChart): Markup {
  const named = series.filter(({ label }) => label !== '')
  const positions = [...new Set(named.flatMap(({ points }) => points.map(([x]) => x)))].toSorted((a, b) => a - b)
  const show = chart.x.format === 'duration' ? clock : significant
  return markup`<table><caption><span>${chart.title}</span></caption><thead><tr><th scope="col">${chart.x.label}</th>${named.map(({ label }) => markup`<th scope="col">${label}</th>`)}</tr></thead><tbody>${thin(positions, TABLE_ROWS).map(
    (x) => markup`<tr><th scope="row">${show(x)}</th>${named.map(({ points }) => markup`<td>${significant(valueAt(points, x))}</td>`)}</tr>`,
  )}</tbody></table>`
}

/** The value drawn at x: of the last point not after it. */
function valueAt(points: DrawnChart['series'][number]['points'], x: number): number | null {
  return points.findLast(([at]) => at <= x)?.[1] ?? null
}
