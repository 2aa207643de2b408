import { readFileSync } from 'node:fs'
import test from 'ava'
import { pearson, spearman } from '#ts/index.js'
import { refusal } from '../refusals.js'

interface Case {
  readonly name: string
  /** What is not finite is text. Not there for cases that are too long to be listed. */
  readonly x?: readonly (number | string)[]
  readonly y?: readonly (number | string)[]
  /** SciPy's. */
  readonly pearson: number | null
  readonly spearman: number | null
  /** Pearson's of the same doubles in exact arithmetic. */
  readonly exact: number | null
}

const cases = JSON.parse(readFileSync('crates/metrics/tests/golden/correlation.json', 'utf8')) as readonly Case[]

function near(actual: number | null, wanted: number | null): boolean {
  return actual === null || wanted === null ? actual === wanted : Math.abs(actual - wanted) <= 1e-12
}

test('correlations are those of SciPy, and null where it has none', async (t) => {
  let compared = 0
  for (const { name, x, y, ...wanted } of cases) {
    if (x === undefined || y === undefined) continue
    const [one, other] = [Float64Array.from(x, Number), y.map(Number)]
    t.true(near(await spearman(one, other), wanted.spearman), name)
    const found = await pearson(one, other)
    t.true(near(found, wanted.exact), name)
    if (near(wanted.pearson, wanted.exact)) compared += 1
  }
  t.true(compared >= 45, `${compared} of ${cases.length} cases in which SciPy is exact`)
})

test('single precision will do', async (t) => {
  t.true(near(await pearson(Float32Array.of(1, 2, 3), [1, 2, 3]), 1))
  t.true(near(await spearman(Float32Array.of(3, 2, 1), Float64Array.of(1, 2, 9)), -1))
})

test('lists that do not pair up, and what is no number, are refused', async (t) => {
  const { message, fields } = await refusal(t, 'ERR_ARGUMENT', () => pearson([1], [1]))
  t.is(message, 'pearson: a correlation takes at least two samples, got 1')
  t.deepEqual(fields, { metric: 'pearson', samples: 1 })
  t.deepEqual((await refusal(t, 'ERR_ARGUMENT', () => spearman([1, 2, 3], [1, 2]))).fields, { metric: 'spearman', counts: { predictions: 3, targets: 2 } })
  await refusal(t, 'ERR_ARGUMENT', () => spearman([1, null] as never, [1, 2]))
  await refusal(t, 'ERR_ARGUMENT', () => pearson('12' as never, [1, 2]))
  await refusal(t, 'ERR_ARGUMENT', () => pearson(new Uint8Array(2) as never, [1, 2]))
})
