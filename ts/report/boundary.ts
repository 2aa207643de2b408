import { pixel } from './chart.js'
import { markup, Markup } from './markup.js'
import { THEME_CSS } from './theme.js'

/** A decision boundary: the probability of class 1 on a square grid, and the points it was learnt from. */
export interface Boundary {
  readonly title: string
  /** Shown under the picture, e.g. "test accuracy 98.4 %". */
  readonly caption: string
  /** Cells along each side of the grid. */
  readonly size: number
  readonly x: readonly [low: number, high: number]
  readonly y: readonly [low: number, high: number]
  /** P(class 1) at each cell's centre, row by row from the lowest y: size × size values. */
  readonly probabilities: readonly number[]
  readonly points: readonly { readonly x: number; readonly y: number; readonly label: 0 | 1 }[]
}

const PANEL = { side: 320, gap: 24, top: 30, bottom: 30 } as const
const BANDS = 12

type Place = (value: number) => number

/** Bands of equal probability, each one path of merged runs: 0 is certain class 0, BANDS − 1 certain class 1. */
function drawBands({ size, probabilities }: Boundary, left: number): Markup {
  const cell = PANEL.side / size
  const paths = Array.from({ length: BANDS }, () => '')
  for (let row = 0; row < size; row += 1) {
    const top = PANEL.top + (size - 1 - row) * cell
    for (let start = 0; start < size; ) {
      const band = bandOf(probabilities[row * size + start])
      let end = start + 1
      while (end < size && bandOf(probabilities[row * size + end]) === band) end += 1
      paths[band] += `M${pixel(left + start * cell)} ${pixel(top)}h${pixel((end - start) * cell)}v${pixel(cell + 0.1)}h${pixel(-(end - start) * cell)}z`
      start = end
    }
  }
  return markup`${paths.map((path, band) => {
    const certainty = Math.abs((band + 0.5) / BANDS - 0.5) * 2
    return path !== '' && markup`<path class="class-${band * 2 < BANDS ? 0 : 1}" fill-opacity="${pixel(certainty * 0.62)}" d="${path}"/>`
  })}`
}

function bandOf(probability = 0.5): number {
  return Math.min(BANDS - 1, Math.max(0, Math.floor(probability * BANDS)))
}

/** Where the edge between two grid values crosses one half, as a share of the edge. */
function crossing(from: number, to: number): number | undefined {
  return from < 0.5 === to < 0.5 ? undefined : (0.5 - from) / (to - from)
}

/** Marching squares: the line on which both classes are equally likely. */
function contour({ size, probabilities }: Boundary, x: Place, y: Place): string {
  const at = (row: number, column: number): number => probabilities[row * size + column] ?? 0.5
  const segments: string[] = []
  for (let row = 0; row + 1 < size; row += 1)
    for (let column = 0; column + 1 < size; column += 1) {
      const [a, b, c, d] = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)]
      const [south, east, north, west] = [crossing(a, b), crossing(b, c), crossing(d, c), crossing(a, d)]
      const ends: string[] = []
      if (south !== undefined) ends.push(`${pixel(x(column + south))} ${pixel(y(row))}`)
      if (east !== undefined) ends.push(`${pixel(x(column + 1))} ${pixel(y(row + east))}`)
      if (north !== undefined) ends.push(`${pixel(x(column + north))} ${pixel(y(row + 1))}`)
      if (west !== undefined) ends.push(`${pixel(x(column))} ${pixel(y(row + west))}`)
      for (let end = 0; end + 1 < ends.length; end += 2) segments.push(`M${ends[end]}L${ends[end + 1]}`)
    }
  return segments.join('')
}

function drawPanel(boundary: Boundary, index: number): Markup {
  const { side, gap, top } = PANEL
  const left = index * (side + gap)
  const cell = side / boundary.size
  const cellX: Place = (column) => left + (column + 0.5) * cell
  const cellY: Place = (row) => top + side - (row + 0.5) * cell
  const dataX: Place = (value) => left + ((value - boundary.x[0]) / (boundary.x[1] - boundary.x[0])) * side
  const dataY: Place = (value) => top + side - ((value - boundary.y[0]) / (boundary.y[1] - boundary.y[0])) * side
  return markup`<g><text class="name" x="${left}" y="18">${boundary.title}</text>
<g class="bands" shape-rendering="crispEdges">${drawBands(boundary, left)}</g>
<path class="half" d="${contour(boundary, cellX, cellY)}"/>
${boundary.points.map((point) => markup`<circle class="class-${point.label}" cx="${pixel(dataX(point.x))}" cy="${pixel(dataY(point.y))}" r="2.4"/>`)}
<rect class="frame" x="${left + 0.5}" y="${top + 0.5}" width="${side - 1}" height="${side - 1}"/>
<text class="label" x="${left}" y="${top + side + 20}">${boundary.caption}</text></g>`
}

/** Draws decision boundaries side by side; `standalone` puts the stylesheet into the SVG so that it can be a file of its own. */
export function drawBoundaries(boundaries: readonly Boundary[], { standalone = false }: { standalone?: boolean } = {}): Markup {
  const { side, gap, top, bottom } = PANEL
  const width = Math.max(1, boundaries.length) * (side + gap) - gap
  const names = boundaries.map(({ title, caption }) => `${title}: ${caption}`).join('; ')
  return markup`<svg class="chart boundary" viewBox="0 0 ${width} ${side + top + bottom}" role="img" aria-labelledby="boundary-title boundary-description" xmlns="http://www.w3.org/2000/svg">
<title id="boundary-title">Decision boundaries side by side</title><desc id="boundary-description">${names}. Colour is the probability of a class, the line is where both are equally likely, dots are the training points.</desc>
${standalone && markup`<style>${new Markup(THEME_CSS)}</style><rect class="paper" width="100%" height="100%"/>`}${boundaries.map(drawPanel)}</svg>`
}
