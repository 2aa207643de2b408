import { markup, type Markup } from './markup.js'
import { linearScale, logScale, place, type Scale, type TickFormat } from './scale.js'
import { thin, type Point } from './smooth.js'

/** One curve. Its `tone` (0 to 5) is its colour, the same for an arm wherever it appears. */
export interface Series {
  readonly label: string
  readonly tone: number
  readonly points: readonly Point[]
  /** The unsmoothed values, drawn faintly behind. */
  readonly raw?: readonly Point[]
  /** Draws a dot at every point, for values that are few. */
  readonly dots?: boolean
}

export interface Chart {
  /** Unique in its document: the SVG's title and description are found by it. */
  readonly id: string
  readonly title: string
  readonly description: string
  readonly x: {
    readonly label: string
    readonly format?: TickFormat
    readonly kind?: 'linear' | 'log'
    /** Whether a linear axis begins at 0; else with the data. Default: true. */
    readonly zero?: boolean
  }
  readonly y: {
    readonly label: string
    readonly kind?: 'linear' | 'log'
    /** The largest value that there can be, such as 100 of a percentage: where the axis ends at the latest. */
    readonly most?: number
  }
  readonly series: readonly Series[]
}

/** The drawing's size in its own units; it scales with the page. */
export const CHART_SIZE = { width: 520, height: 320, left: 60, right: 14, top: 38, bottom: 44 } as const

const MOST_POINTS = 360
const LEGEND_LETTERS = 34
const LEGEND_ROW = 19

/** A drawn chart and what a script needs to read values off it. */
export interface DrawnChart {
  readonly svg: Markup
  readonly x: Scale
  readonly y: Scale
  readonly series: readonly Series[]
}

/** Pixels with one decimal: fine enough to look smooth, and the same text on every machine. */
export function pixel(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** An SVG path through the points; a missing value lifts the pen. */
export function linePath(points: readonly Point[], x: Scale, y: Scale): string {
  let drawing = false
  const commands: string[] = []
  for (const [pointX, pointY] of points) {
    const [left, top] = [place(x, pointX), pointY === null ? undefined : place(y, pointY)]
    if (left === undefined || top === undefined) drawing = false
    else {
      commands.push(`${drawing ? 'L' : 'M'}${pixel(left)} ${pixel(top)}`)
      drawing = true
    }
  }
  return commands.join('')
}

function* finite(series: readonly Series[], axis: 0 | 1): Generator<number> {
  for (const { points, raw } of series) {
    for (const point of [...points, ...(axis === 1 ? (raw ?? []) : [])]) {
      const value = point[axis]
      if (value !== null && Number.isFinite(value)) yield value
    }
  }
}

function scalesOf(chart: Chart, series: readonly Series[], legend: number): { x: Scale; y: Scale } {
  const { width, height, left, right, top, bottom } = CHART_SIZE
  const rangeX = [left, width - right] as const
  const rangeY = [height - bottom, top + (legend - 1) * LEGEND_ROW] as const
  const { format = 'number', kind = 'linear', zero = true } = chart.x
  const x = kind === 'log' ? logScale(finite(series, 0), rangeX) : linearScale([...(zero ? [0] : []), ...finite(series, 0)], rangeX, { count: 5, format, snap: false })
  const y = chart.y.kind === 'log' ? logScale(finite(series, 1), rangeY) : linearScale(finite(series, 1), rangeY, chart.y)
  return { x, y }
}

function drawAxes(chart: Chart, x: Scale, y: Scale): Markup {
  const { width, height, left, right, bottom } = CHART_SIZE
  const base = height - bottom
  return markup`<g class="axis">${y.ticks.map((tick) => {
    const at = pixel(place(y, tick.value) ?? base)
    return markup`<path class="grid" d="M${left} ${at}H${width - right}"/><text x="${left - 8}" y="${at}" dy=".32em" text-anchor="end">${tick.label}</text>`
  })}${x.ticks.map((tick) => {
    const at = pixel(place(x, tick.value) ?? left)
    return markup`<path class="tick" d="M${at} ${base}v5"/><text x="${at}" y="${base + 19}" text-anchor="middle">${tick.label}</text>`
  })}<path class="base" d="M${left} ${base}H${width - right}"/>
<text class="label" x="${width - right}" y="${height - 6}" text-anchor="end">${chart.x.label}</text>
<text class="label" x="4" y="16">${chart.y.label}</text></g>`
}

/** The legend's rows: labels without repetition, as many to a row as the narrowest screen's larger letters allow. */
function legendRows(series: readonly Series[]): readonly (readonly Series[])[] {
  const entries = series.filter(({ label }, index) => label !== '' && series.findIndex((other) => other.label === label) === index)
  const rows: Series[][] = [[]]
  for (const entry of entries) {
    const row = rows.at(-1) ?? []
    const letters = [...row, entry].reduce((total, { label }) => total + label.length + 4, 0)
    if (row.length > 0 && letters > LEGEND_LETTERS) rows.push([entry])
    else row.push(entry)
  }
  return rows
}

// One text a row with the key as a letter: it lays itself out whatever the font and its size.
function drawLegend(rows: readonly (readonly Series[])[]): Markup {
  const right = CHART_SIZE.width - CHART_SIZE.right
  return markup`<g class="legend">${rows.map((row, index) => {
    const entries = row.map(({ label, tone }, entry) => markup`${entry > 0 && '\u2003'}<tspan class="key tone-${tone}">●</tspan> ${label}`)
    return markup`<text x="${right}" y="${16 + index * LEGEND_ROW}" text-anchor="end">${entries}</text>`
  })}</g>`
}

function drawSeries({ points, raw, tone, dots }: Series, x: Scale, y: Scale): Markup {
  const last = points.findLast((point) => point[1] !== null)
  const marked = dots ? points : last ? [last] : []
  return markup`<g class="tone-${tone}">${raw && markup`<path class="raw" d="${linePath(raw, x, y)}"/>`}<path class="line" d="${linePath(points, x, y)}"/>${marked.map(([pointX, pointY]) => {
    const [cx, cy] = [place(x, pointX), pointY === null ? undefined : place(y, pointY)]
    return cx !== undefined && cy !== undefined && markup`<circle cx="${pixel(cx)}" cy="${pixel(cy)}" r="${dots ? 2.6 : 3.4}"/>`
  })}</g>`
}

/** Draws a line chart: a pure function, the same text for the same data. Its colours are the stylesheet's (`theme.ts`). */
export function drawChart(chart: Chart): DrawnChart {
  const series = chart.series.map((one) => ({
    ...one,
    points: thin(one.points, MOST_POINTS),
    ...(one.raw && { raw: thin(one.raw, MOST_POINTS) }),
  }))
  const legend = legendRows(series)
  const { x, y } = scalesOf(chart, series, legend.length)
  const { width, height } = CHART_SIZE
  const svg = markup`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${chart.id}-title ${chart.id}-description" xmlns="http://www.w3.org/2000/svg">
<title id="${chart.id}-title">${chart.title}</title><desc id="${chart.id}-description">${chart.description}</desc>
${drawAxes(chart, x, y)}${series.map((one) => drawSeries(one, x, y))}${drawLegend(legend)}</svg>`
  return { svg, x, y, series }
}
