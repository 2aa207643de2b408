import { present } from '../json.js'
import { pixel } from './chart.js'
import { markup, type Markup } from './markup.js'
import { linearScale, place } from './scale.js'

/** A score and its interval. */
export interface Interval {
  readonly label: string
  readonly tone: number
  readonly score: number
  readonly low: number
  readonly high: number
  /** The score as text. */
  readonly value: string
}

const SIZE = { width: 340, left: 14, right: 14, row: 48, top: 4, bottom: 42 } as const

/** Text beside an edge grows away from it. */
function anchor(x: number): 'start' | 'middle' | 'end' {
  if (x < SIZE.width / 4) return 'start'
  return x > (SIZE.width * 3) / 4 ? 'end' : 'middle'
}

/** Scores with their intervals on one axis: whether they overlap is seen before it is read. No whisker is drawn beyond `most`, the largest score there can be. */
export function drawIntervals(id: string, title: string, label: string, intervals: readonly Interval[], most?: number): Markup {
  const height = SIZE.top + SIZE.row * intervals.length + SIZE.bottom
  const base = height - SIZE.bottom
  const scale = linearScale(intervals.flatMap(({ low, high, score }) => [low, high, score]), [SIZE.left, SIZE.width - SIZE.right], { count: 5, ...present({ most }) })
  const at = (value: number): string => pixel(place(scale, Math.min(value, most ?? value)) ?? SIZE.left)
  return markup`<svg class="chart intervals" viewBox="0 0 ${SIZE.width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description" xmlns="http://www.w3.org/2000/svg">
<title id="${id}-title">${title}</title><desc id="${id}-description">${intervals.map((one) => `${one.label} ${one.value}, 95 % interval ${inWords(one.low)} to ${inWords(one.high)}`).join('; ')}.</desc>
<g class="axis">${scale.ticks.map(({ value, label: text }) => markup`<path class="grid" d="M${at(value)} ${SIZE.top}V${base}"/><text x="${at(value)}" y="${base + 18}" text-anchor="middle">${text}</text>`)}<path class="base" d="M${SIZE.left} ${base}H${SIZE.width - SIZE.right}"/><text class="label" x="${SIZE.width - SIZE.right}" y="${height - 4}" text-anchor="end">${label}</text></g>
${intervals.map((one, index) => {
  const y = SIZE.top + SIZE.row * index + 30
  return markup`<g class="tone-${one.tone}"><path class="whisker" d="M${at(one.low)} ${y}H${at(one.high)}M${at(one.low)} ${y - 5}v10M${at(one.high)} ${y - 5}v10"/><circle cx="${at(one.score)}" cy="${y}" r="5"/><text class="value" x="${at(one.score)}" y="${y - 11}" text-anchor="${anchor(Number(at(one.score)))}">${one.label} ${one.value}</text></g>`
})}</svg>`
}

function inWords(value: number): string {
  return value.toFixed(1)
}
