import test from 'ava'
import { drawChart, linePath } from '#ts/report/chart.js'
import { clock, duration, bytes, fixed, significant, signed } from '#ts/report/format.js'
import { linearScale, logScale, place } from '#ts/report/scale.js'
import { smooth, thin, type Point } from '#ts/report/smooth.js'

const axes = { x: { label: 'step' }, y: { label: 'loss' } } as const

function labels(low: number, high: number): readonly string[] {
  return linearScale([low, high], [0, 100]).ticks.map(({ label }) => label)
}

test('ticks are those a reader would choose, and hold the data between them', (t) => {
  t.deepEqual(labels(0, 9.7), ['0', '2', '4', '6', '8', '10'])
  t.deepEqual(labels(0.61, 0.84), ['0.60', '0.65', '0.70', '0.75', '0.80', '0.85'])
  t.deepEqual(labels(-3, 1500), ['−500', '0', '500', '1,000', '1,500'])
  t.deepEqual(linearScale([0, 655], [0, 100], { format: 'duration', snap: false }).ticks.map(({ label }) => label), ['0:00', '5:00', '10:00'])
})

test('a constant, an empty and a huge series still have a scale', (t) => {
  for (const values of [[3, 3], [], [0, 0], [1e300, 2e300], [1e-300]]) {
    const scale = linearScale(values, [0, 100])
    t.true(scale.domain[0] < scale.domain[1], String(values))
    t.true(scale.ticks.length >= 2 && scale.ticks.length < 20, String(values))
    for (const value of values) t.true(Number.isFinite(place(scale, value)), String(values))
    t.true(scale.ticks.every(({ label }) => label.length < 16), String(values))
  }
})

test('an axis of percentages ends at 100', (t) => {
  for (const values of [[100], [98, 98], [91, 100], [3, 99.9], [104, 60]]) t.is(linearScale(values, [0, 1], { most: 100 }).ticks.at(-1)?.value, 100, String(values))
  t.deepEqual(linearScale([100], [0, 1], { most: 100 }).domain, [90, 100])
})

test('a logarithmic scale is fine within a decade or two and coarse beyond, and has no place for zero', (t) => {
  t.deepEqual(logScale([6e-8, 4e-7], [0, 100]).ticks.map(({ label }) => label), ['5·10⁻⁸', '10⁻⁷', '2·10⁻⁷', '5·10⁻⁷'])
  const wide = logScale([1e-12, 1, 0, -1], [0, 100])
  t.deepEqual(wide.ticks.map(({ label }) => label), ['10⁻¹²', '10⁻¹⁰', '10⁻⁸', '10⁻⁶', '10⁻⁴', '10⁻²', '10⁰'])
  t.is(place(wide, 0), undefined)
  t.is(place(wide, 1e-6), 50)
})

test('a missing value lifts the pen', (t) => {
  const [x, y] = [linearScale([0, 4], [0, 40], { snap: false }), linearScale([0, 4], [40, 0], { snap: false })]
  t.is(linePath([[0, 0], [1, 1], [2, null], [3, Number.NaN], [4, 4]], x, y), 'M0 40L10 30M40 0')
})

test('the drawing is a function of its data, names itself, and escapes what it is given', (t) => {
  const chart = { id: 'loss', title: 'Loss <of> "A&B"', description: 'd', ...axes, series: [{ label: '<b>', tone: 1, points: [[0, 1], [1, 0.5]] as const }] }
  const text = drawChart(chart).svg.text
  t.is(text, drawChart(chart).svg.text)
  t.true(text.includes('<title id="loss-title">Loss &lt;of&gt; &quot;A&amp;B&quot;</title>'))
  t.true(text.includes('aria-labelledby="loss-title loss-description"'))
  t.false(text.includes('<b>'))
  t.false(/NaN|undefined|Infinity/.test(text))
})

test('long curves are thinned, their ends kept, and many arms get more rows of legend', (t) => {
  const points = Array.from({ length: 10_000 }, (_, index): Point => [index, index])
  t.is(thin(points, 100).length, 100)
  t.deepEqual([thin(points, 100)[0], thin(points, 100).at(-1)], [points[0], points.at(-1)])
  const series = Array.from({ length: 5 }, (_, tone) => ({ label: `Adamax-SAGE ${tone}`, tone, points }))
  const { svg, y } = drawChart({ id: 'many', title: 'Many', description: 'd', ...axes, series })
  t.true(svg.text.length < 40_000)
  t.is(svg.text.match(/<tspan/g)?.length, 5)
  t.true(y.range[1] > drawChart({ id: 'one', title: 'One', description: 'd', ...axes, series: series.slice(0, 1) }).y.range[1])
})

test('smoothing keeps a constant and a line where they are, and passes over what is missing', (t) => {
  t.deepEqual(smooth([[0, 2], [1, null], [2, 2]], 4).map(([, y]) => y?.toFixed(12)), ['2.000000000000', '2.000000000000', '2.000000000000'])
  const line = Array.from({ length: 101 }, (_, index): Point => [index, index])
  t.true(Math.abs((smooth(line, 3)[50]?.[1] ?? 0) - 50) < 1e-6)
  t.deepEqual(smooth([], 3), [])
  t.deepEqual(smooth([[0, null]], 3), [[0, null]])
})

test('numbers read as text', (t) => {
  t.deepEqual([fixed(1234567.891, 1), fixed(-0.04, 1), fixed(-2.5, 1), fixed(Number.NaN), fixed(undefined)], ['1,234,567.9', '0.0', '−2.5', '–', '–'])
  t.deepEqual([signed(1.25), signed(-1.25), signed(0)], ['+1.3', '−1.3', '0.0'])
  t.deepEqual([significant(2.97461), significant(5811.2), significant(7.29e-8), significant(0), significant(null)], ['2.97', '5,811', '7.29 × 10⁻⁸', '0', '–'])
  t.deepEqual([clock(61), clock(3661), clock(59.9), duration(0.26), duration(48), duration(680), duration(7500)], ['1:01', '1:01:01', '1:00', '0.3 s', '48 s', '11 min 20 s', '2 h 05 min'])
  t.deepEqual([bytes(0), bytes(1023), bytes(1.31e9), bytes(5e14)], ['0 B', '1,023 B', '1.2 GiB', '455 TiB'])
})
