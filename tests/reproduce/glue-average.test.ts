import test from 'ava'
import { devAverage, taskAverage } from '#ts/reproduce/glue-average.js'
import { TABLE_2, TABLE_3, TABLE_6, TABLE_8, paperDeviation, paperArms, paperBeside, paperRow, type PaperRow, type PaperTable } from '#ts/reproduce/glue-paper.js'
import { GLUE, glueTask } from '#ts/task/classification/glue.js'

const printed = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(1)))

const BERT: PaperTable = { model: 'bert-base', smoothness: false }

const CUT: PaperRow | undefined = paperRow({ model: 'roberta-large', smoothness: false }, 'adamax')

test('averages over development sets are those that Tables 2 and 6 print', (t) => {
  for (const row of [...TABLE_2, ...TABLE_6].filter((one) => one !== CUT)) t.is(printed(devAverage(row.figures).value), row.average, row.label)
  t.is(TABLE_2.filter(({ average }) => average === null).length, 2)
})

test('one average was cut off where the others are rounded', (t) => {
  const { value } = devAverage(CUT?.figures ?? {})
  t.true(value !== null && Math.abs(value - 88.79) < 0.005 && CUT?.average === 88.7)
})

test('averages that Table 3 prints are the plain means of its nine figures, so that MNLI’s two sets count one each', (t) => {
  for (const { figures, average, label } of TABLE_3) t.is(printed(Object.values(figures).flat().reduce<number>((sum, figure) => sum + (figure ?? Number.NaN), 0) / 9), average, label)
})

test('what is missing is named, and there is no average of the rest', (t) => {
  const devlin = TABLE_2[0]?.figures ?? {}
  t.deepEqual(devAverage(devlin).missing, ['RTE Acc', 'MRPC Acc', 'CoLA Mcc', 'STS-B Pearson', 'STS-B Spearman', 'QQP Acc', 'QQP F1', 'MNLI mm'])
  const { mnli: _, ...seven } = paperRow(BERT, 'adamax')?.figures ?? {}
  t.deepEqual(devAverage(seven), { value: null, missing: ['MNLI m', 'MNLI mm'] })
  t.deepEqual(devAverage({ ...seven, rte: [Number.NaN] }, GLUE.slice(0, 2)), { value: null, missing: ['RTE Acc'] })
  t.is(devAverage({}, []).value, null)
})

test('an average of some tasks is over those', (t) => {
  t.deepEqual(devAverage({ rte: [70], mrpc: [80, 90] }, [glueTask('rte'), glueTask('mrpc')]), { value: 77.5, missing: [] })
  t.is(taskAverage(glueTask('mnli'), [80, 81]), 80.5)
  t.is(taskAverage(glueTask('mnli'), [80]), null)
})

test('every line of the paper has as many figures as its table has columns', (t) => {
  for (const { label, figures } of [...TABLE_2, ...TABLE_6]) for (const task of GLUE) t.is(figures[task.name].length, task.figures.length, `${label}, ${task.label}`)
  for (const { label, figures } of TABLE_3) t.is(Object.values(figures).flat().length, 9, label)
  t.is(TABLE_8.length, 3)
  t.is(paperDeviation(BERT, 'adamax-sage', 'rte'), 0.56)
  t.is(paperDeviation(BERT, 'adamax', 'rte'), null)
})

test('Table 6 has two optimizers of BERT-base with the smoothness term, beside the one without', (t) => {
  const smart: PaperTable = { model: 'bert-base', smoothness: true }
  t.deepEqual(paperArms(smart), ['adamax', 'adamax-sage'])
  t.deepEqual([paperRow(smart, 'adamax')?.average, paperRow(smart, 'adamax-sage')?.average, paperRow(BERT, 'adamax')?.average], [84.1, 85, 82.8])
  t.deepEqual(paperBeside(smart).map(({ label, average }) => [label, average]), [['BERT-base, Adamax', 82.8]])
  t.deepEqual([paperBeside(BERT), paperDeviation(smart, 'adamax-sage', 'rte'), paperArms({ model: 'roberta-large', smoothness: true })], [[], null, []])
})
