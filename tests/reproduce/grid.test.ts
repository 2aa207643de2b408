import test from 'ava'
import { documentMarkdown } from '#ts/report/document.js'
import { drawHeatMaps } from '#ts/report/heat-map.js'
import type { CellResult } from '#ts/reproduce/cell-result.js'
import { pointCells, type ExperimentArm, type Point } from '#ts/reproduce/experiment.js'
import { gridOf, gridReport, type Grid } from '#ts/reproduce/grid.js'

const pointsOf = (guide: number | undefined): readonly Point[] => [0.5, 0.9].flatMap((beta1) => [1e-3, 2e-3, 4e-3].map((rate): Point => (guide === undefined ? { rate, beta1 } : { rate, beta0: guide, beta1 })))
const arm = (name: string, beta0: readonly number[]): ExperimentArm => ({
  name,
  label: name,
  train: { optimizer: { type: 'adam', ...(beta0.length > 0 && { sage: {} }) } },
  points: beta0.length === 0 ? pointsOf(undefined) : beta0.flatMap(pointsOf),
})
const GRID: Grid = { name: 'g', label: 'G', task: 'classification', prepare: {}, train: {}, arms: [arm('adam', []), arm('adam-sage', [0.6, 0.8])], weights: 'best', together: 1, notes: [], validation: 'accuracy' }

/** A value that tells every cell from the others. */
const valueOf = ({ rate, beta0 = 0, beta1 = 0 }: Point): number => rate * 100 + beta0 / 100 + beta1 / 10

function done(validation: number | null): CellResult {
  return { steps: 1, bestStep: 1, seconds: 1, validation, metrics: {}, signatures: {}, machine: 'here' }
}

test('every value stands in its own row and column, in percent, and the best of an arm is its highest', (t) => {
  const cells = pointCells(GRID, 1)
  t.is(new Set(cells.map(({ name }) => name)).size, 18)
  const results = new Map(cells.map((cell) => [cell.name, done(cell.rate === 4e-3 && cell.beta1 === 0.9 ? null : valueOf(cell))]))
  results.delete('adam-lr-0.001-beta1-0.5-seed-1')
  const result = gridOf(GRID, 1, results)
  t.deepEqual(result.missing, ['adam-lr-0.001-beta1-0.5-seed-1'])
  t.deepEqual(result.best.map(({ validation: _validation, ...point }) => point), [{ arm: 'adam', rate: 4e-3, beta1: 0.5 }, { arm: 'adam-sage', rate: 4e-3, beta1: 0.5, beta0: 0.8 }])
  const markdown = documentMarkdown(gridReport('T', [GRID], [result], { command: '', facts: [] }))
  const row = (beta0: number, beta1: number): string => `| ${[beta1, ...[1e-3, 2e-3].map((rate) => (100 * valueOf({ rate, beta0, beta1 })).toFixed(2))].join(' | ')}`
  t.true(markdown.includes('| 0.5 |  | 25.00 | 45.00 |'), markdown)
  for (const beta0 of [0.6, 0.8]) t.true(markdown.includes(`${row(beta0, 0.9)} | no score |`), row(beta0, 0.9))
  for (const beta0 of [0.6, 0.8]) t.true(markdown.includes(row(beta0, 0.5)), row(beta0, 0.5))
})

test('of a loss the best of an arm is its lowest, told to four digits', (t) => {
  const grid: Grid = { ...GRID, arms: GRID.arms.slice(0, 1), validation: 'loss', better: 'lower' }
  const results = new Map(pointCells(grid, 1).map((cell) => [cell.name, done(valueOf(cell))]))
  const result = gridOf(grid, 1, results)
  t.deepEqual(result.best, [{ arm: 'adam', rate: 1e-3, beta1: 0.5, validation: valueOf({ rate: 1e-3, beta1: 0.5 }) }])
  const markdown = documentMarkdown(gridReport('T', [grid], [result], { command: '', facts: [] }))
  t.regex(markdown, /adam: 0\.1500 at lr 0\.001, β1 0\.5/)
  t.true(markdown.includes('| 0.5 | 0.1500 | 0.2500 | 0.4500 |'), markdown)
})

test('a drawing has rows from the top, columns from the left, one scale of shades and a mark where there is no value', (t) => {
  const map = (values: readonly (readonly (number | null | undefined)[])[]): { title: string; columns: string[]; rows: string[]; values: typeof values } => ({ title: 'M', columns: ['a', 'b'], rows: ['top', 'bottom'], values })
  const { text } = drawHeatMaps({ id: 'm', title: 'T', description: 'D', x: 'x', y: 'y', digits: 0, maps: [map([[10, 20], [30, null]]), map([[undefined, 40], [10, 40]])] })
  const cells = [...text.matchAll(/<path d="M([\d.]+) ([\d.]+)H[^"]*" fill-opacity="([\d.]+)"\/><text[^>]*>([^<]*)</g)].map(([, x, y, shade, told]) => ({ x: Number(x), y: Number(y), shade: Number(shade), told }))
  t.deepEqual(cells.map(({ told }) => told), ['10', '20', '30', '×', '', '40', '10', '40'])
  const [ten, twenty, thirty] = cells
  t.true((ten?.x ?? 0) < (twenty?.x ?? 0) && ten?.y === twenty?.y && (thirty?.y ?? 0) > (ten?.y ?? 0) && thirty?.x === ten?.x)
  t.is(cells[6]?.shade, ten?.shade)
  t.true((ten?.shade ?? 1) < (twenty?.shade ?? 0) && (twenty?.shade ?? 1) < (thirty?.shade ?? 0) && (thirty?.shade ?? 1) < (cells[7]?.shade ?? 0))
  t.deepEqual([cells[3]?.shade, cells[4]?.shade], [0, 0])
})
