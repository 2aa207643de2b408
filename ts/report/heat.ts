import { pixel } from './chart.js'
import { markup, type Markup } from './markup.js'
import type { LogHistogram } from './report-data.js'
import { linearScale, place, type TickFormat } from './scale.js'
import { fixed, powerOfTen } from './format.js'
import { thin } from './smooth.js'

/** A column of the strip: the histogram seen at `x`. */
export interface HeatColumn {
  readonly x: number
  readonly histogram: LogHistogram
}

export interface HeatStrip {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly tone: number
  readonly x: { readonly label: string; readonly format?: TickFormat }
  readonly columns: readonly HeatColumn[]
}

const SIZE = { width: 520, height: 190, left: 60, right: 14, top: 24, bottom: 40 } as const
const LEVELS = 10
const MOST_COLUMNS = 120

// A square root spreads the faint tails: most elements sit in a few bins.
function level(count: number, total: number, peak: number): number {
  return total === 0 || peak === 0 ? 0 : Math.ceil(LEVELS * Math.sqrt(count / total / peak) - 1e-9)
}

function shareAtPeak(columns: readonly HeatColumn[]): number {
  return Math.max(0, ...columns.map(({ histogram: { counts } }) => Math.max(...counts) / (sum(counts) || 1)))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** One path a level of intensity: a few hundred cells become ten elements. */
function drawCells(columns: readonly HeatColumn[], edges: readonly number[], y: (log10: number) => number): Markup {
  const peak = shareAtPeak(columns)
  const paths = Array.from({ length: LEVELS + 1 }, () => '')
  columns.forEach(({ histogram: { counts, log10Min, log10Max } }, column) => {
    const total = sum(counts)
    const bin = (log10Max - log10Min) / counts.length
    const [left = 0, right = 0] = [edges[column], edges[column + 1]]
    counts.forEach((count, index) => {
      const [top, bottom] = [y(log10Min + (index + 1) * bin), y(log10Min + index * bin)]
      paths[level(count, total, peak)] += `M${pixel(left)} ${pixel(top)}H${pixel(right)}V${pixel(bottom)}H${pixel(left)}z`
    })
  })
  return markup`${paths.map((path, index) => index > 0 && path !== '' && markup`<path d="${path}" fill-opacity="${fixed(index / LEVELS, 1)}"/>`)}`
}

function drawFrame(strip: HeatStrip, decades: readonly number[], y: (log10: number) => number, x: ReturnType<typeof linearScale>): Markup {
  const { width, height, left, right, bottom } = SIZE
  const base = height - bottom
  return markup`<g class="axis">${decades.map(
    (decade) =>
      markup`<path class="grid over" d="M${left} ${pixel(y(decade))}H${width - right}"/><text x="${left - 8}" y="${pixel(y(decade))}" dy=".32em" text-anchor="end">${decade === 0 ? '1' : powerOfTen(decade)}</text>`,
  )}${x.ticks.map((tick) => {
    const at = pixel(place(x, tick.value) ?? left)
    return markup`<path class="tick" d="M${at} ${base}v5"/><text x="${at}" y="${base + 18}" text-anchor="middle">${tick.label}</text>`
  })}<text class="label" x="${width - right}" y="${height - 3}" text-anchor="end">${strip.x.label}</text></g>
<g class="legend tone-${strip.tone}"><text x="4" y="13">${strip.title}</text></g>`
}

/** A histogram over time as a strip of cells: dark where many elements are. */
export function drawHeatStrip(strip: HeatStrip): Markup {
  const columns = thin(strip.columns, MOST_COLUMNS)
  const { width, height, left, right, top, bottom } = SIZE
  const x = linearScale([0, ...columns.map((column) => column.x)], [left, width - right], { format: strip.x.format ?? 'number', snap: false })
  const places = columns.map((column) => place(x, column.x) ?? left)
  const edges = [left, ...places.slice(1).map((at, index) => ((places[index] ?? at) + at) / 2), width - right]
  const [low, high] = [Math.min(...columns.map((c) => c.histogram.log10Min)), Math.max(...columns.map((c) => c.histogram.log10Max))]
  const y = (log10: number): number => top + ((high - log10) / (high - low)) * (height - bottom - top)
  const stride = Math.max(1, Math.ceil((high - low) / 5))
  const decades = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, index) => Math.ceil(low) + index).filter((d) => d % stride === 0)
  return markup`<svg class="chart heat" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${strip.id}-title ${strip.id}-description" xmlns="http://www.w3.org/2000/svg">
<title id="${strip.id}-title">${strip.title}</title><desc id="${strip.id}-description">${strip.description}</desc>
<g class="cells tone-${strip.tone}">${drawCells(columns, edges, y)}</g>${drawFrame(strip, decades, y, x)}</svg>`
}
