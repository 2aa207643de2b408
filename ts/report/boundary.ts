import { pixel } from './chart.js'
import { markup, Markup } from './markup.js'
import { THEME_CSS } from './theme.js'

/** A decision boundary: the probability of class 1 on a square grid, and the points it was learnt from. */
export interface Boundary {
  readonly title: string
  /** Shown under the picture, e.g. "test accuracy 98.4 %". */
  readonly caption: string
  /** Grid points along each side, at least 2; the outermost lie on the picture's edges. */
  readonly size: number
  readonly x: readonly [low: number, high: number]
  readonly y: readonly [low: number, high: number]
  /** P(class 1) at each grid point, row by row from the lowest y: size × size values. */
  readonly probabilities: readonly number[]
  readonly points: readonly { readonly x: number; readonly y: number; readonly label: 0 | 1 }[]
}

const PANEL = { side: 320, gap: 24, top: 30, bottom: 30 } as const

/** Certainties at which the colour deepens; layers lie on each other, so each adds to those below. */
const LAYERS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.97] as const

type Corner = readonly [column: number, row: number, excess: number]

/** Where a value is to be drawn. */
interface Place {
  x(column: number): string
  y(row: number): string
}

/** The point on an edge where the excess is zero. */
function crossing([fromColumn, fromRow, from]: Corner, [toColumn, toRow, to]: Corner, place: Place): string {
  const share = from / (from - to)
  return `${place.x(fromColumn + share * (toColumn - fromColumn))} ${place.y(fromRow + share * (toRow - fromRow))}`
}

function cornersOf(row: number, column: number, excess: (row: number, column: number) => number): readonly Corner[] {
  return [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]].map(([c = 0, r = 0]): Corner => [c, r, excess(r, c)])
}

/** The part of a cell with an excess of zero or more, as a closed path: its corners within, and where its edges leave. */
function cellPath(corners: readonly Corner[], place: Place): string {
  const points = corners.flatMap((corner, index) => {
    const next = corners[(index + 1) % corners.length] ?? corner
    const [within, follows] = [corner[2] >= 0, next[2] >= 0]
    return [...(within ? [`${place.x(corner[0])} ${place.y(corner[1])}`] : []), ...(within === follows ? [] : [crossing(corner, next, place)])]
  })
  return points.length === 0 ? '' : `M${points.join('L')}z`
}

/** All of the plane with an excess of zero or more, as one path; cells wholly within are merged along their row. */
function regionPath(size: number, excess: (row: number, column: number) => number, place: Place): string {
  const parts: string[] = []
  for (let row = 0; row + 1 < size; row += 1) {
    let start = -1
    for (let column = 0; column < size; column += 1) {
      const corners = column + 1 < size ? cornersOf(row, column, excess) : []
      const whole = corners.length > 0 && corners.every(([, , value]) => value >= 0)
      if (whole && start < 0) start = column
      if (!whole && start >= 0) {
        parts.push(`M${place.x(start)} ${place.y(row)}H${place.x(column)}V${place.y(row + 1)}H${place.x(start)}z`)
        start = -1
      }
      if (!whole) parts.push(cellPath(corners, place))
    }
  }
  return parts.join('')
}

/** The line on which the excess is zero. */
function linePath(size: number, excess: (row: number, column: number) => number, place: Place): string {
  const parts: string[] = []
  for (let row = 0; row + 1 < size; row += 1)
    for (let column = 0; column + 1 < size; column += 1) {
      const corners = cornersOf(row, column, excess)
      const ends = corners.flatMap((corner, index) => {
        const next = corners[(index + 1) % corners.length] ?? corner
        return corner[2] >= 0 === next[2] >= 0 ? [] : [crossing(corner, next, place)]
      })
      for (let end = 0; end + 1 < ends.length; end += 2) parts.push(`M${ends[end]}L${ends[end + 1]}`)
    }
  return parts.join('')
}

/** One boundary with its name above and its caption below, `left` units from the drawing's edge. */
function drawPanel(boundary: Boundary, left: number): Markup {
  const { side, top } = PANEL
  const { size, probabilities, points, title, caption } = boundary
  const share = (value: number, [low, high]: readonly [number, number]): number => ((value - low) / (high - low)) * side
  const place: Place = { x: (column) => pixel(left + (column / (size - 1)) * side), y: (row) => pixel(top + side - (row / (size - 1)) * side) }
  const p = (row: number, column: number): number => probabilities[row * size + column] ?? 0.5
  return markup`<g><text class="name" x="${left}" y="18">${title}</text>
${LAYERS.map((layer) => markup`<path class="layer class-0" d="${regionPath(size, (row, column) => 1 - p(row, column) - layer, place)}"/><path class="layer class-1" d="${regionPath(size, (row, column) => p(row, column) - layer, place)}"/>`)}
<path class="half" d="${linePath(size, (row, column) => p(row, column) - 0.5, place)}"/>
${points.map((point) => markup`<circle class="class-${point.label}" cx="${pixel(left + share(point.x, boundary.x))}" cy="${pixel(top + side - share(point.y, boundary.y))}" r="2.4"/>`)}
<rect class="frame" x="${left + 0.5}" y="${top + 0.5}" width="${side - 1}" height="${side - 1}"/>
<text class="label" x="${left}" y="${top + side + 20}">${caption}</text></g>`
}

function drawing({ id, title, width, style }: { readonly id: string; readonly title: string; readonly width: number; readonly style?: Markup }, boundaries: readonly Boundary[]): Markup {
  const { side, gap, top, bottom } = PANEL
  const names = boundaries.map((boundary) => `${boundary.title}: ${boundary.caption}`).join('; ')
  return markup`<svg class="chart boundary" viewBox="0 0 ${width} ${side + top + bottom}" role="img" aria-labelledby="${id}-title ${id}-description" xmlns="http://www.w3.org/2000/svg">
<title id="${id}-title">${title}</title><desc id="${id}-description">${names}. Colour is the probability of a class, the line is where both are equally likely, dots are the training points.</desc>
${style}${boundaries.map((boundary, index) => drawPanel(boundary, index * (side + gap)))}</svg>`
}

/** Draws one decision boundary for the page; `id` is unique in it. */
export function drawBoundary(id: string, boundary: Boundary): Markup {
  return drawing({ id, title: `Decision boundary of ${boundary.title}`, width: PANEL.side }, [boundary])
}

/** Draws decision boundaries side by side, with the stylesheet: an SVG file of its own. */
export function drawBoundaries(boundaries: readonly Boundary[]): Markup {
  const width = Math.max(1, boundaries.length) * (PANEL.side + PANEL.gap) - PANEL.gap
  const style = markup`<style>${new Markup(THEME_CSS)}</style><rect class="paper" width="100%" height="100%"/>`
  return drawing({ id: 'boundary', title: 'Decision boundaries side by side', width, style }, boundaries)
}
