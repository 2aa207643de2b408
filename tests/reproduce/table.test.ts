import test from 'ava'
import type { CellResult } from '#ts/reproduce/cell-result.js'
import { cellOf, pointCells, seedCells, sweepCells, type Experiment } from '#ts/reproduce/experiment.js'
import { NMT } from '#ts/reproduce/nmt.js'
import { sweepReport, tableReport, tableVerdict } from '#ts/reproduce/report.js'
import { sweepOf } from '#ts/reproduce/sweep.js'
import { chosenPoints, tableOf } from '#ts/reproduce/table.js'
import { documentMarkdown, documentPage } from '#ts/report/document.js'

const [quick] = NMT.quick
const [iwslt, wmt] = NMT.paper

function experiment(): Experiment {
  if (quick === undefined) throw new TypeError('there is no quick experiment')
  return quick
}

function done(validation: number | null, bleu: number | null): CellResult {
  const result = { steps: 1, bestStep: 1, seconds: 60, validation, signatures: {}, machine: 'here' }
  return bleu === null ? { ...result, metrics: {}, diverged: 'loss: is NaN' } : { ...result, metrics: { bleu, chrf: 2 * bleu, nll: 2 } }
}

test('the paper’s runs have Table 10’s hyper-parameters and the table’s figures', (t) => {
  const settings = [iwslt, wmt].map((one) => one?.arms.map(({ paper, points, train }) => [paper, points.map(({ rate }) => rate), train]))
  t.deepEqual(settings, [
    [[34.5, [5e-4], {}], [35.1, [1e-3], { optimizer: { sage: { beta0: 0.8 } } }]],
    [[27.3, [7e-4], {}], [27.7, [2e-3], { optimizer: { sage: { beta0: 0.4 } } }]],
  ])
  const trains = [iwslt, wmt].map((one) => one?.train)
  t.like(trains[0], { batch: { maxTokens: 4096 }, epochs: 60, schedule: { type: 'inverseSqrt', warmupSteps: 8000 }, model: { dropout: 0.3 }, labelSmoothing: 0.1, optimizer: { type: 'adamw', betas: [0.9, 0.98], weightDecay: 1e-4 } })
  t.like(trains[1], { batch: { maxTokens: 4096 }, accumulate: 8, epochs: 40, schedule: { type: 'inverseSqrt', warmupSteps: 4000 }, model: { dropout: 0.1 }, evaluation: { beam: 4, lengthPenalty: 0.6 } })
  t.deepEqual(wmt?.weights, { last: 10 })
})

test('a run is named by what it differs in, and the figure shares the table’s runs', (t) => {
  const cell = cellOf(experiment(), { arm: 'adam-sage', rate: 2e-3, seed: 3 })
  t.is(cell.name, 'adam-sage-lr-0.002-beta0-0.8-seed-3')
  t.like(cell.train, { seed: 3, optimizer: { lr: 2e-3, betas: [0.9, 0.98], sage: { beta0: 0.8 } } })
  const searched = new Map(pointCells(experiment(), 1).map(({ name, train }) => [name, train]))
  const shared = sweepCells(experiment(), 1).filter(({ name }) => searched.has(name))
  t.deepEqual(shared.map(({ name }) => name), ['adam-sage-lr-0.001-beta0-0.8-seed-1', 'adam-sage-lr-0.002-beta0-0.8-seed-1'])
  for (const { name, train } of shared) t.deepEqual(train, searched.get(name))
})

test('every rate is tried with the first seed, arms beside each other; the best by validation goes on', async (t) => {
  const first = pointCells(experiment(), 1)
  t.deepEqual(first.slice(0, 2).map(({ name }) => name), ['adam-lr-0.001-seed-1', 'adam-sage-lr-0.001-beta0-0.8-seed-1'])
  const results = new Map(first.map((cell) => [cell.name, done(cell.rate === 8e-3 ? null : cell.rate * 1000 + (cell.arm === 'adam' && cell.rate === 2e-3 ? 9 : 0), 20)]))
  const chosen = chosenPoints(experiment(), 1, results)
  t.deepEqual([...chosen], [['adam', { rate: 2e-3 }], ['adam-sage', { rate: 4e-3 }]])
  t.deepEqual(seedCells(experiment(), chosen, 2).map(({ name }) => name), ['adam-lr-0.002-seed-2', 'adam-sage-lr-0.004-beta0-0.8-seed-2'])
  results.delete('adam-lr-0.008-seed-1')
  t.deepEqual([...chosenPoints(experiment(), 1, results)], [['adam-sage', { rate: 4e-3 }]], 'a rate is chosen when all have been tried')
  const table = await tableOf(experiment(), [1, 2], results)
  t.deepEqual(table.missing, ['adam-lr-0.008-seed-1', 'adam-sage-lr-0.004-beta0-0.8-seed-2'])
  t.is(table.trials.find(({ rate, arm }) => rate === 8e-3 && arm === 'adam-sage')?.validation, null)
})

test('the difference is seed by seed, with Student’s interval, and the verdict claims no more', async (t) => {
  const results = new Map(pointCells(experiment(), 1).map((cell) => [cell.name, done(cell.rate === 2e-3 ? 30 : 1, 0)]))
  const scores = { adam: [20, 21, 22], 'adam-sage': [22, 23.5, 23.9] }
  for (const [arm, values] of Object.entries(scores)) values.forEach((bleu, index) => results.set(cellOf(experiment(), { arm, rate: 2e-3, seed: index + 1 }).name, done(30, bleu)))
  const table = await tableOf(experiment(), [1, 2, 3], results)
  // SciPy 1.17.1: ttest_rel([22, 23.5, 23.9], [20, 21, 22]) and its confidence_interval(0.95)
  const difference = table.rows[1]?.difference
  t.is(difference?.degrees, 2)
  for (const [key, expected] of [['mean', 2.133333333333333], ['lower', 1.3347947821889194], ['upper', 2.9318718844777463], ['pValue', 0.007483508908297766]] as const) {
    const found = difference?.[key] ?? Number.NaN
    t.true(Math.abs(found - expected) < 1e-8, `${key} ${found}`)
  }
  t.regex(tableVerdict(table), /^Adam-SAGE less Adam is \+2\.13 BLEU .* over 3 seeds \(95 % interval \+1\.33 to \+2\.93, p = 0\.007\)\.$/)
  results.set(cellOf(experiment(), { arm: 'adam-sage', rate: 2e-3, seed: 3 }).name, done(30, 15))
  t.regex(tableVerdict(await tableOf(experiment(), [1, 2, 3], results)), /^Too close to call: /)
  t.regex(tableVerdict(await tableOf(experiment(), [1], results)), /over 1 seed; one seed has no interval/)
  const two = await tableOf(experiment(), [1, 2], results)
  t.regex(tableVerdict(two), /^Too close to call: .* over 2 seeds \(two seeds are too few for an interval, p = 0\.\d{3}\)\.$/)
  const markdown = documentMarkdown(tableReport('T', [experiment()], [two], { command: '', facts: [] }))
  t.notRegex(markdown, /\| [^|]* ± [^|]* \| [^|]* to /)
  t.false(markdown.includes('-scores.svg'))
  t.is(tableVerdict(await tableOf(experiment(), [1], new Map())), 'Not measured yet.')
  // Equal but for rounding, of which a test would say that it is certain.
  for (const [arm, values] of Object.entries({ adam: [20.1, 30.1], 'adam-sage': [20.4, 30.4] })) values.forEach((bleu, index) => results.set(cellOf(experiment(), { arm, rate: 2e-3, seed: index + 1 }).name, done(30, bleu)))
  const same = await tableOf(experiment(), [1, 2], results)
  t.true((same.rows[1]?.difference?.pValue ?? 1) < 1e-6)
  t.regex(tableVerdict(same), /^Adam-SAGE less Adam is \+0\.30 BLEU .* over 2 seeds, the same with every seed, of which no test can say how sure it is\.$/)
})

test('a rate without a score is not called diverged, and seven arms have seven colours', async (t) => {
  const results = new Map(pointCells(experiment(), 1).map((cell) => [cell.name, { ...done(null, 0), metrics: {} }]))
  t.regex(tableVerdict(await tableOf(experiment(), [1], results)), /Adam has no score at any rate that was tried\./)
  const [arm] = experiment().arms
  const many: Experiment = { ...experiment(), arms: Array.from({ length: 7 }, (_, index) => ({ ...(arm ?? t.fail() as never), name: `arm-${index}`, label: `arm ${index}` })) }
  const scored = new Map(pointCells(many, 1).map((cell) => [cell.name, done(cell.rate, 20)]))
  const page = documentPage(tableReport('T', [many], [await tableOf(many, [1], scored)], { command: '', facts: [] }))
  for (let tone = 0; tone < 7; tone += 1) t.true(page.includes(`class="tone-${tone}"`) && page.includes(`.tone-${tone}{`), String(tone))
})

test('a run that diverged is told, and the other seeds are trained all the same', async (t) => {
  if (iwslt === undefined) return t.fail()
  const of = (arm: string, rate: number, seed: number): string => cellOf(iwslt, { arm, rate, seed }).name
  t.deepEqual([...chosenPoints(iwslt, 1, new Map())], [['adam', { rate: 5e-4 }], ['adam-sage', { rate: 1e-3 }]], 'one rate is no choice')
  const scored = (tokenizedBleu: number): CellResult => ({ ...done(1, 0), metrics: { tokenizedBleu } })
  const results = new Map([[of('adam', 5e-4, 1), scored(34)], [of('adam-sage', 1e-3, 1), done(null, null)], [of('adam', 5e-4, 2), scored(34.5)], [of('adam-sage', 1e-3, 2), scored(35)]])
  const table = await tableOf(iwslt, [1, 2], results)
  t.regex(tableVerdict(table), /\+0\.50 .* over 1 seed; one seed has no interval\. In the paper it is \+0\.6\. Adam-SAGE diverged with seed 1, which no mean counts\.$/)
  const markdown = documentMarkdown(tableReport('Table 4', [iwslt], [table], { command: '', facts: [] }))
  for (const part of ['| Adam-SAGE, seed 1, diverged | – |', '| 1 and 1 diverged |']) t.true(markdown.includes(part), part)
  const none = await tableOf(iwslt, [1], new Map([[of('adam', 5e-4, 1), done(null, null)], [of('adam-sage', 1e-3, 1), done(null, null)]]))
  t.regex(tableVerdict(none), /^There is no pair of runs that converged.* Adam diverged with seed 1.* Adam-SAGE diverged with seed 1/)
})

test('a report is a page and Markdown of the same figures', async (t) => {
  const results = new Map(pointCells(experiment(), 1).map((cell) => [cell.name, done(cell.rate, 10 * cell.rate)]))
  const provenance = { command: 'npx sagetrain reproduce nmt --table 4', facts: [{ label: 'memory', value: '<1 GiB>' }] }
  const report = tableReport('Table 4', [experiment()], [await tableOf(experiment(), [1], results)], provenance)
  const [page, markdown] = [documentPage(report), documentMarkdown(report)]
  t.true(page.includes('&lt;1 GiB&gt;') && !page.includes('<1 GiB>'))
  t.notRegex(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:/)
  for (const part of ['| 0.008 | 0.01 (chosen) | 0.01 (chosen) |', '![Validation: BLEU (sacreBLEU) over the learning rate](help-de-en-rates.svg)', '- memory: <1 GiB>']) t.true(markdown.includes(part), part)
  for (const cell of sweepCells(experiment(), 1)) results.set(cell.name, done(1, cell.beta0 === 0.9 ? null : 20 + (cell.beta0 ?? 0)))
  const sweep = sweepOf(experiment(), 1, results)
  t.deepEqual(sweep.baseline, { label: 'Adam', rate: 8e-3, score: 0.08 })
  const figure = documentMarkdown(sweepReport('Figure 8', [experiment()], [sweep], provenance))
  for (const part of ['| 0.6 | 20.60 | 20.60 |', '| 0.9 | diverged | diverged |', 'Adam at its best rate, 0.008, has 0.08']) t.true(figure.includes(part), part)
})
