import test from 'ava'
import { isObject } from '#ts/merge.js'
import { optimizerSpec } from '#ts/optim/spec.js'
import { documentMarkdown, documentPage } from '#ts/report/document.js'
import type { CellResult } from '#ts/reproduce/cell-result.js'
import { remainingSeconds } from '#ts/reproduce/estimate.js'
import { baselineOf, cellOf } from '#ts/reproduce/experiment.js'
import { glueCsv, glueReport, glueVerdict } from '#ts/reproduce/glue-report.js'
import { glueSummary, means, spreads } from '#ts/reproduce/glue-summary.js'
import { glueTableOf, pointOf } from '#ts/reproduce/glue-table.js'
import { glueExperiments, glueNotes, RECIPE_NOTES, type GlueAsked } from '#ts/reproduce/glue.js'
import { sentenceExperiments } from '#ts/reproduce/sentences.js'
import { scheduleSpec } from '#ts/schedule/spec.js'
import { glueArms } from '#ts/task/classification/glue-settings.js'
import { GLUE } from '#ts/task/classification/glue.js'

const ASKED: GlueAsked = { model: 'bert-base', pretrained: '/models/bert', data: '/data/glue', tasks: ['rte', 'mrpc', 'mnli'], arms: ['adamax-sage', 'adamax'] }
const SEEDS = [1, 2, 3]

function done(metrics: CellResult['metrics']): CellResult {
  return { steps: 10, bestStep: 10, seconds: 60, validation: 0.5, metrics, signatures: {}, machine: 'here' }
}

const DIVERGED: CellResult = { ...done({}), validation: null, diverged: 'loss: is NaN' }

/** Scores in percent by task and arm, a list of figures a seed, as results of runs. */
function resultsOf(asked: GlueAsked, scores: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[] | undefined)[]>>>>): Map<string, Map<string, CellResult>> {
  return new Map(glueExperiments(asked).map((experiment) => {
    const { glue, arms } = experiment
    const cells = arms.flatMap((arm) => (scores[glue.name]?.[arm.name] ?? []).flatMap((figures, index): [string, CellResult][] => {
      if (figures === undefined) return []
      const metrics = Object.fromEntries(glue.figures.map(({ key }, place) => [key, (figures[place] ?? Number.NaN) / 100]))
      return [[cellOf(experiment, { arm: arm.name, ...pointOf(arm), seed: index + 1 }).name, done(metrics)]]
    }))
    return [experiment.name, new Map(cells)]
  }))
}

const SCORES = {
  rte: { adamax: [[68], [69], [70]], 'adamax-sage': [[69], [71], [73]] },
  mrpc: { adamax: [[86, 90], [87, 91], [86, 90]], 'adamax-sage': [[86, 90], [87, 91], [86, 90]] },
  mnli: { adamax: [[84, 85], [84, 86], [85, 85]], 'adamax-sage': [[84, 84], [84, 85], [84, 84]] },
}

const near = (actual: number | null | undefined, wanted: number): boolean => typeof actual === 'number' && Math.abs(actual - wanted) < 1e-8

test('every run has Table 7’s settings, in a form that optimizer and schedule take', (t) => {
  for (const model of ['bert-base', 'roberta-large'] as const) {
    for (const experiment of glueExperiments({ ...ASKED, model, tasks: GLUE.map(({ name }) => name), arms: glueArms(model) })) {
      for (const arm of experiment.arms) {
        const { rate } = pointOf(arm)
        const { train } = cellOf(experiment, { arm: arm.name, rate, seed: 1 })
        t.is(optimizerSpec(train['optimizer'], 'optimizer').lr, rate)
        t.notThrows(() => scheduleSpec(train['schedule'], 'schedule'))
        const dropout = { qqp: 0, mnli: 0.3 }[experiment.name] ?? 0.1
        const baseline = !arm.name.endsWith('-sage')
        t.deepEqual(train['model'], { pretrained: '/models/bert', classifierDropout: dropout }, experiment.name)
        t.like(train, { groups: [{ include: ['*.bias', '*LayerNorm.weight'], weightDecay: 0 }], maxGradientNorm: 1, precision: 'float32' })
        t.like(train['optimizer'], { type: arm.name.startsWith('adamax') ? 'adamax' : 'adamw', betas: [0.9, 0.999], eps: 1e-6, weightDecay: 0.01 })
        // The released form has a decay of its own.
        t.deepEqual(isObject(train['optimizer']) && [train['optimizer']['decay'], 'sage' in train['optimizer']], [baseline ? 'decoupled' : undefined, !baseline])
      }
    }
  }
  const [rte] = glueExperiments(ASKED)
  const cell = rte === undefined ? t.fail() as never : cellOf(rte, { arm: 'adamax-sage', rate: 3e-4, seed: 2 })
  t.is(cell.name, 'adamax-sage-lr-0.0003-beta0-0.65-seed-2')
  t.like(cell.train, { seed: 2, batch: { batchSize: 16 }, epochs: 6, schedule: { type: 'warmupLinear', warmupRatio: 0.1 }, optimizer: { type: 'adamax', lr: 3e-4, eps: 1e-6, weightDecay: 0.01, sage: { form: 'released', scope: 'encoder-linear', beta0: 0.65 } } })
  t.deepEqual(rte?.prepare, { recipe: 'rte', data: '/data/glue', tokenizer: '/models/bert' })
})

test('the labelled sets have the same recipe as GLUE, and the same is said of it', (t) => {
  const [[rte], sets] = [glueExperiments({ ...ASKED, arms: glueArms('bert-base') }), sentenceExperiments({ data: '/data', pretrained: '/models/bert' })]
  for (const { train, arms, notes } of sets) {
    const { optimizer, groups, maxGradientNorm, precision } = rte?.train ?? {}
    t.like(train, { optimizer, groups, maxGradientNorm, precision })
    t.deepEqual(arms.map(({ name }) => name), rte?.arms.map(({ name }) => name))
    for (const note of RECIPE_NOTES) t.true(notes.includes(note) && rte?.notes.includes(note), note)
  }
})

test('arms come in the paper’s order, each with SAGE beside the same optimizer without', (t) => {
  const [rte] = glueExperiments({ ...ASKED, arms: ['adamax-sage', 'adam-sage', 'adamax', 'adam'] })
  if (rte === undefined) return t.fail()
  t.deepEqual(rte.arms.map((arm) => [arm.name, baselineOf(rte, arm)?.name]), [['adam', undefined], ['adam-sage', 'adam'], ['adamax', undefined], ['adamax-sage', 'adamax']])
  t.throws(() => glueExperiments({ ...ASKED, model: 'roberta-large', arms: ['adam'] }), { code: 'ERR_CONFIG', message: /the paper has no Adam for RoBERTa-large; it has adamax, adamax-sage/ })
})

test('means, deviations and paired differences are over seeds, beside the paper’s', async (t) => {
  const table = await glueTableOf(glueExperiments(ASKED), SEEDS, resultsOf(ASKED, SCORES))
  const sage = table.tasks[0]?.rows[1]
  t.like(sage, { arm: 'adamax-sage', baseline: 'Adamax', rate: 3e-4, beta0: 0.65, paperDeviation: 0.56 })
  t.true(near(sage?.mean.score?.mean, 71) && near(sage?.mean.score?.deviation, 2))
  // SciPy 1.17.1: ttest_rel([69, 71, 73], [68, 69, 70]) and its confidence_interval(0.95)
  const difference = sage?.mean.difference
  t.true(near(difference?.mean, 2) && near(difference?.pValue, 0.07417990022744853) && near(difference?.lower, -0.48413771175033) && difference?.degrees === 2)
  t.true(near(sage?.mean.paper, 74) && near(sage?.mean.paperDifference, 4.8))
  t.deepEqual(table.tasks[1]?.rows[1]?.figures.map(({ paper }) => paper), [87.3, 91])
  t.is(table.tasks[1]?.rows[1]?.mean.difference?.pValue, null, 'the same with every seed')
  const [base, average] = table.averages
  t.is(base?.difference, null)
  // Sums of the three tasks' means: 240.5, 243, 243 without and 241, 244.5, 245 with SAGE.
  t.true(near(average?.score?.mean, (241 + 244.5 + 245) / 9) && near(average?.difference?.mean, (0.5 + 1.5 + 2) / 9))
  t.true(near(average?.paper, (74 + 89.15 + 85.1) / 3))
  t.deepEqual(table.tasks.flatMap(({ missing }) => missing), [])
})

test('what is not there yet is named, and a seed without all tasks has no average', async (t) => {
  const results = resultsOf(ASKED, { ...SCORES, mnli: { adamax: SCORES.mnli.adamax, 'adamax-sage': [[84, 84], undefined, [84, Number.NaN]] } })
  const table = await glueTableOf(glueExperiments(ASKED), SEEDS, results)
  t.deepEqual(table.tasks[2]?.missing, ['adamax-sage-lr-0.0002-beta0-0.85-seed-2'])
  t.deepEqual(table.averages[1]?.missing, ['seed 2: MNLI m, MNLI mm', 'seed 3: MNLI mm'])
  t.is(table.averages[1]?.score?.degrees, 0)
  const none = await glueTableOf(glueExperiments(ASKED), SEEDS, new Map())
  t.is(glueVerdict(none), 'Adamax-SAGE less Adamax: no seed has all tasks yet.')
  t.is(none.tasks.flatMap(({ missing }) => missing).length, 18)
  t.notThrows(() => documentPage(glueReport(none, [], { command: '', facts: [] })))
})

test('a run that diverged is told and counts in no mean', async (t) => {
  const results = resultsOf(ASKED, SCORES)
  results.get('rte')?.set('adamax-sage-lr-0.0003-beta0-0.65-seed-2', DIVERGED)
  const table = await glueTableOf(glueExperiments(ASKED), SEEDS, results)
  t.is(table.tasks[0]?.rows[1]?.mean.difference?.degrees, 1)
  t.deepEqual(table.averages[1]?.missing, ['seed 2: RTE Acc'])
  const markdown = documentMarkdown(glueReport(table, [], { command: '', facts: [] }))
  for (const part of ['| Adamax-SAGE, Acc | 69.00 | diverged | 73.00 |', '2 and 1 diverged']) t.true(markdown.includes(part), part)
})

test('the verdict claims what the tests allow', async (t) => {
  const clear = { ...SCORES, rte: { adamax: [[68], [69], [70]], 'adamax-sage': [[70], [71.1], [72.1]] } }
  const verdict = glueVerdict(await glueTableOf(glueExperiments(ASKED), SEEDS, resultsOf(ASKED, clear)))
  t.regex(verdict, /^Adamax-SAGE less Adamax: \+0\.\d\d on average over 3 seeds \(95 % interval .*, p [=<] 0\.\d{3}\); in the paper \+\d\.\d\. By p < 0\.05 it is better on RTE and worse on none; undecided on MNLI; no difference with any seed on MRPC\.$/)
  const alone = { ...ASKED, arms: ['adamax'] as const }
  t.regex(glueVerdict(await glueTableOf(glueExperiments(alone), SEEDS, resultsOf(alone, SCORES))), /nothing to compare/)
})

test('the summary has the shape of the paper’s table', async (t) => {
  const all: GlueAsked = { ...ASKED, tasks: GLUE.map(({ name }) => name) }
  const { head, rows } = glueSummary(await glueTableOf(glueExperiments(all), SEEDS, resultsOf(all, SCORES)), means)
  t.deepEqual(head, ['', 'Avg', 'RTE Acc', 'MRPC Acc/F1', 'CoLA Mcc', 'SST-2 Acc', 'STS-B Pearson/Spearman', 'QNLI Acc', 'QQP Acc/F1', 'MNLI m/mm'])
  t.deepEqual(rows[0], ['Adamax', '–', '69.0', '86.3/90.3', '–', '–', '–/–', '–', '–/–', '84.3/85.3'])
  t.deepEqual(rows[3], ['paper: Adamax-SAGE', '84.2', '74.0', '87.3/91.0', '59.7', '93.8', '90.3/89.8', '91.8', '91.2/88.2', '85.0/85.2'])
})

test('the report is a page, Markdown and lines for other programs', async (t) => {
  const experiments = glueExperiments(ASKED)
  const table = await glueTableOf(experiments, SEEDS, resultsOf(ASKED, SCORES))
  t.is(glueSummary(table, spreads).rows[1]?.[2], '71.00 ± 2.00')
  const report = glueReport(table, experiments[0]?.notes ?? [], { command: 'npx sagetrain glue', facts: [{ label: 'memory', value: '<1 GiB>' }] })
  const [page, markdown] = [documentPage(report), documentMarkdown(report)]
  t.true(page.includes('&lt;1 GiB&gt;') && !page.includes('<1 GiB>'))
  for (const part of ['# GLUE, settings of BERT-base: Adamax, Adamax-SAGE', ' | 69.2 | 86.2/90.4 | 84.5/84.4 |', '| Adamax-SAGE, Acc | 74.0 | 71.00 ± 2.00 |', '|  | seed 1 | seed 2 | seed 3 |', '| Adamax-SAGE, F1 | 90.00 | 91.00 | 90.00 |', 'Standard deviations in the paper: Adamax-SAGE 0.56.', '- Adamax-SAGE: learning rate 0.0003, β0 0.65', '](glue-adamax-sage.svg)', '+4.8']) t.true(markdown.includes(part), part)
  const lines = glueCsv(table).split('\n')
  t.is(lines.length, 1 + 2 * 3 * (1 + 2 + 2) + 1)
  t.deepEqual(lines.slice(0, 2), ['model,task,arm,seed,learningRate,beta0,metric,value', 'bert-base,rte,adamax,1,0.0001,,accuracy,0.68'])
})

test('with the smoothness term runs stand beside Table 6', async (t) => {
  const smart: GlueAsked = { ...ASKED, smoothness: true }
  const experiments = glueExperiments(smart)
  const [rte] = experiments
  const cell = rte === undefined ? t.fail() as never : cellOf(rte, { arm: 'adamax-sage', rate: 3e-4, seed: 1 })
  t.deepEqual([cell.name, cell.train['smoothness']], ['adamax-sage-lr-0.0003-beta0-0.65-seed-1', {}])
  t.false(glueExperiments(ASKED).some(({ train }) => 'smoothness' in train))
  t.throws(() => glueExperiments({ ...smart, arms: ['adam'] }), { code: 'ERR_CONFIG', message: /no Adam for SMART-base; it has adamax, adamax-sage/ })
  t.throws(() => glueExperiments({ ...smart, model: 'roberta-large' }), { code: 'ERR_CONFIG', message: /it has none/ })
  const table = await glueTableOf(experiments, SEEDS, resultsOf(smart, SCORES))
  t.true(near(table.tasks[0]?.rows[1]?.mean.paperDifference, 75.1 - 72.5) && table.tasks[0]?.rows[1]?.paperDeviation === null)
  t.true(near(table.averages[1]?.paper, (75.1 + 90.9 + 85.95) / 3))
  t.deepEqual(glueSummary(table, means).rows.slice(2).map((row) => row.filter((_, column) => column !== 1 && column < 5)), [
    ['paper: Adamax', '72.5', '87.7/91.4', '85.2/85.7'],
    ['paper: Adamax-SAGE', '75.1', '89.0/92.8', '85.9/86.0'],
    ['paper: BERT-base, Adamax', '69.2', '86.2/90.4', '84.5/84.4'],
  ])
  const notes = rte === undefined ? [] : glueNotes(rte)
  const markdown = documentMarkdown(glueReport(table, notes, { command: '', facts: [] }))
  for (const part of ['# GLUE, settings of SMART-base (with the smoothness term of SMART): Adamax, Adamax-SAGE', '- The loss has the smoothness term of SMART', 'The paper states neither the term’s weight', '- No run ends early, and each is measured with']) t.true(markdown.includes(part), part)
  t.is(glueCsv(table).split('\n')[1], 'smart-base,rte,adamax,1,0.0001,,accuracy,0.68')
})

test('what is left takes the pace of its own kind, or else of all', (t) => {
  const runs = [{ name: 'a', kind: 'rte', amount: 10 }, { name: 'b', kind: 'rte', amount: 20 }, { name: 'c', kind: 'mnli', amount: 100 }]
  const results = new Map([['rte', new Map([['a', done({})]])]])
  const of = (kind: string): Map<string, CellResult> => results.get(kind) ?? new Map()
  t.is(remainingSeconds(runs, of), 20 * 6 + 100 * 6)
  results.set('mnli', new Map([['c', { ...done({}), seconds: 50 }]]))
  t.is(remainingSeconds(runs, of), 20 * 6)
  t.is(remainingSeconds(runs, () => new Map()), null)
  t.is(remainingSeconds(runs.slice(0, 1), of), 0)
  t.is(remainingSeconds(runs.slice(0, 2), () => new Map([['a', DIVERGED]])), null, 'a run that diverged has no pace')
})
