import { CHART_SIZE, type DrawnChart } from './chart.js'
import { embedJson, type Markup } from './markup.js'
import type { TickFormat } from './scale.js'

/** The values of a drawn chart, for {@link READOUT_SCRIPT}. */
export function readoutData({ x, y, series }: DrawnChart, x_: { readonly label: string; readonly format?: TickFormat }): Markup {
  return embedJson({
    label: x_.label,
    format: x_.format ?? 'number',
    x: { kind: x.kind, domain: x.domain, range: x.range },
    y: { kind: y.kind, domain: y.domain, range: y.range },
    series: series.map(({ label, tone, points }) => ({ label, tone, points: points.map(([px, py]) => [round(px), py === null ? null : round(py)]) })),
  })
}

/** Five digits are more than a pixel shows, and halve the page. */
function round(value: number): number {
  return Number(value.toPrecision(5))
}

/**
 * Lets a reader move along a chart with the pointer or the arrow keys and read every curve there. Each drawing becomes a slider to
 * assistive technology, whose value text is what the read-out says. Plain JavaScript, inlined as it stands.
 */
export const READOUT_SCRIPT = String.raw`'use strict'
for (const plot of document.querySelectorAll('.plot[data-readout]')) {
  const data = JSON.parse(plot.querySelector('script').textContent)
  const surface = plot.querySelector('.surface')
  const svg = surface.querySelector('svg')
  const readout = plot.querySelector('.readout')
  const positions = [...new Set(data.series.flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b)
  if (positions.length === 0) continue
  const place = (scale, value) => {
    const f = scale.kind === 'log' ? Math.log10 : Number
    return scale.range[0] + (f(value) - f(scale.domain[0])) / (f(scale.domain[1]) - f(scale.domain[0])) * (scale.range[1] - scale.range[0])
  }
  const number = (value) => value === null ? '–' : value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7) ? value.toExponential(2).replace('-', '−')
    : Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 }).replace('-', '−')
  const clock = (value) => Math.floor(value / 60) + ':' + String(Math.floor(value % 60)).padStart(2, '0')
  const where = (value) => data.format === 'duration' ? clock(value) : data.label + ' ' + value.toLocaleString('en')
  const nearest = (points, x) => points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best)
  const make = (name, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name)
    for (const key in attributes) element.setAttribute(key, attributes[key])
    return element
  }
  const cursor = make('g', { 'aria-hidden': 'true' })
  let at = positions.length - 1
  const show = (index) => {
    at = Math.max(0, Math.min(positions.length - 1, index))
    const x = positions[at]
    const rows = data.series.filter((one) => one.label !== '' && one.points.length > 0).map((one) => ({ one, point: nearest(one.points, x) }))
    const left = place(data.x, x)
    cursor.replaceChildren(make('path', { class: 'cursor', d: 'M' + left + ' ' + data.y.range[0] + 'V' + data.y.range[1] }), ...rows
      .filter(({ point }) => point[1] !== null && (data.y.kind === 'linear' || point[1] > 0))
      .map(({ one, point }) => make('circle', { class: 'cursor-dot tone-' + one.tone, cx: place(data.x, point[0]), cy: place(data.y, point[1]), r: 4.5 })))
    svg.append(cursor)
    readout.replaceChildren(where(x))
    for (const { one, point } of rows) {
      const value = document.createElement('b')
      value.className = 'tone-' + one.tone
      value.textContent = one.label + ' ' + number(point[1])
      readout.append(' · ', value)
    }
    surface.setAttribute('aria-valuenow', String(at))
    surface.setAttribute('aria-valuetext', readout.textContent)
  }
  for (const [name, value] of [['tabindex', 0], ['role', 'slider'], ['aria-valuemin', 0], ['aria-valuemax', positions.length - 1], ['aria-valuenow', at]]) surface.setAttribute(name, value)
  surface.setAttribute('aria-label', plot.querySelector('h3').textContent + ': read values along the curve')
  surface.setAttribute('aria-valuetext', readout.textContent)
  surface.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect()
    const x = (event.clientX - box.left) / box.width * ${CHART_SIZE.width}
    show(positions.reduce((best, value, index) => Math.abs(place(data.x, value) - x) < Math.abs(place(data.x, positions[best]) - x) ? index : best, 0))
  })
  surface.addEventListener('pointerleave', () => { if (document.activeElement !== surface) cursor.remove() })
  surface.addEventListener('focus', () => show(at))
  surface.addEventListener('blur', () => cursor.remove())
  const page = Math.max(1, Math.round(positions.length / 10))
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page, Home: -Infinity, End: Infinity }
  surface.addEventListener('keydown', (event) => {
    if (!(event.key in moves)) return
    event.preventDefault()
    show(at + moves[event.key])
  })
}`
