import { pixel } from './chart.js'
import { fixed } from './format.js'
import { markup, type Markup } from './markup.js'

/** A grid of values; rows from the top. */
export interface HeatMap {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly string[]
  /** `values[row][column]`; null for a run that diverged, undefined for one that is still to come. */
  readonly values: readonly (readonly (number | null | undefined)[])[]
}

/** Heat maps beside and below each other on one scale of shades. */
export interface HeatMaps {
  readonly id: string
  readonly title: string
  readonly description: string
  /** What the columns are of. */
  readonly x: string
  /** What the rows are of. */
  readonly y: string
  /** Digits after the point. */
  readonly digits: number
  /**
   * The best is the darkest.
   * @default 'higher'
   */
  readonly better?: 'higher' | 'lower'
  readonly maps: readonly HeatMap[]
}

const SIZE = { width: 560, left: 64, right: 10, top: 26, bottom: 40, cell: 26, gap: 14 } as const
/** The darkest shade still lets the number on it be read. */
const [FAINTEST, DARKEST] = [0.06, 0.5]

/** Draws a map below the other, its values written into the cells, the same shade for the same value in all. */
export function drawHeatMaps({ id, title, description, x, y, digits, better = 'higher', maps }: HeatMaps): Markup {
  const known = maps.flatMap(({ values }) => values.flat()).filter((value): value is number => typeof value === 'number')
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const [worst, best] = better === 'higher' ? [low, high] : [high, low]
  const shade = (value: number): number => (best !== worst ? FAINTEST + ((value - worst) / (best - worst)) * (DARKEST - FAINTEST) : FAINTEST)
  const heights = maps.map(({ rows }) => SIZE.top + rows.length * SIZE.cell + SIZE.bottom)
  const tops = heights.map((_, index) => heights.slice(0, index).reduce((total, height) => total + height + SIZE.gap, 0))
  const height = heights.reduce((total, one) => total + one, 0) + SIZE.gap * Math.max(0, maps.length - 1)
  return markup`<svg class="chart heat-map" viewBox="0 0 ${SIZE.width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description" xmlns="http://www.w3.org/2000/svg">
<title id="${id}-title">${title}</title><desc id="${id}-description">${description}</desc>
${maps.map((map, index) => drawMap(map, tops[index] ?? 0, { x, y, digits, shade }))}</svg>`
}

interface Look {
  readonly x: string
  readonly y: string
  readonly digits: number
  readonly shade: (value: number) => number
}

function drawMap({ title, columns, rows, values }: HeatMap, top: number, look: Look): Markup {
  const { width, left, right, cell } = SIZE
  const [wide, first] = [(width - left - right) / Math.max(1, columns.length), top + SIZE.top]
  const base = first + rows.length * cell
  const centre = (column: number): string => pixel(left + (column + 0.5) * wide)
  return markup`<g class="legend tone-0"><text x="${left}" y="${top + 14}">${title}</text></g>
<g class="cells tone-0">${rows.map((_, row) => columns.map((__, column) => drawCell(values[row]?.[column], { at: [left + column * wide, first + row * cell], wide }, look)))}</g>
<g class="axis">${rows.map((label, row) => markup`<text x="${left - 8}" y="${pixel(first + (row + 0.5) * cell)}" dy=".32em" text-anchor="end">${label}</text>`)}${columns.map((label, column) => markup`<text x="${centre(column)}" y="${base + 16}" text-anchor="middle">${label}</text>`)}<text class="label" x="${width - right}" y="${base + 33}" text-anchor="end">${look.x}</text><text class="label" x="4" y="${top + 14}">${look.y}</text></g>
`
}

function drawCell(value: number | null | undefined, { at: [x, y], wide }: { readonly at: readonly [number, number]; readonly wide: number }, { digits, shade }: Look): Markup {
  const [right, bottom] = [x + wide - 1, y + SIZE.cell - 1]
  const box = `M${pixel(x)} ${pixel(y)}H${pixel(right)}V${pixel(bottom)}H${pixel(x)}z`
  const told = value === undefined ? '' : value === null ? '×' : fixed(value, digits)
  return markup`<path d="${box}" fill-opacity="${typeof value === 'number' ? fixed(shade(value), 2) : '0'}"/><text x="${pixel(x + wide / 2)}" y="${pixel(y + SIZE.cell / 2)}" dy=".32em" text-anchor="middle">${told}</text>`
}
