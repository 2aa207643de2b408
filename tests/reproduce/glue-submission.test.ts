import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { CellResult } from '#ts/reproduce/cell-result.js'
import { writeSubmissions, type GlueRuns } from '#ts/reproduce/glue-submission.js'
import { glueCell } from '#ts/reproduce/glue-table.js'
import { glueExperiments, type GlueAsked } from '#ts/reproduce/glue.js'
import { PREDICTIONS_FILE, predictionsText } from '#ts/reproduce/test-predictions.js'
import { temporaryFolder } from '../temporary.js'

const ASKED: GlueAsked = { model: 'bert-base', pretrained: '/models/bert', data: '/data/glue', tasks: ['rte', 'mnli'], arms: ['adamax'] }

type Scores = Readonly<Record<string, readonly (number | null)[]>>

/** Runs in a folder, by task a score a seed, null for one that diverged; each predicts its seed's number. */
function runsIn(folder: string, scores: Scores, asked = ASKED, parts: readonly string[] = ['MNLI-m.tsv', 'MNLI-mm.tsv']): GlueRuns {
  const experiments = glueExperiments({ ...asked, tasks: asked.tasks.filter((task) => task in scores) })
  const seeds = [1, 2, 3]
  const results = experiments.map((experiment) => {
    const [arm] = experiment.arms
    const found = (scores[experiment.name] ?? []).flatMap((score, index): [string, CellResult][] => {
      if (arm === undefined) return []
      const { name } = glueCell(experiment, arm, index + 1)
      mkdirSync(join(folder, experiment.name, name), { recursive: true })
      const files = experiment.name === 'mnli' ? parts : ['RTE.tsv']
      const predictions = files.map((file) => ({ file, header: 'index\tprediction', labels: ['zero', 'one', 'two', 'three'], indices: [[0, 0]] as const, predictions: [index + 1] }))
      if (files.length > 0) writeFileSync(join(folder, experiment.name, name, PREDICTIONS_FILE), predictionsText(predictions))
      const metrics: CellResult['metrics'] = score === null ? {} : { accuracy: score / 100, accuracyMismatched: score / 100 }
      return [[name, { steps: 9, bestStep: 6, seconds: 1, validation: score, metrics, signatures: {}, machine: 'here', ...(score === null && { diverged: 'NaN' }) }]]
    })
    return [experiment.name, new Map(found)] as const
  })
  return { folder, experiments, seeds, results: new Map(results) }
}

const written = (folder: string, file: string): string | undefined => readFileSync(join(folder, 'submission/adamax', file), 'utf8').split(/[\t\n]/)[3]

test('each file comes from the run that is best on the development set, the first of equals, and the manifest says which', async (t) => {
  const folder = temporaryFolder(t)
  const [found] = await writeSubmissions(runsIn(folder, { rte: [70, 72, 72], mnli: [80, null, 81] }))
  t.deepEqual([written(folder, 'RTE.tsv'), written(folder, 'MNLI-m.tsv'), written(folder, 'MNLI-mm.tsv')], ['two', 'three', 'three'])
  t.deepEqual(found?.files['RTE.tsv'], { task: 'rte', run: 'rte/adamax-lr-0.0001-seed-2', seed: 2, step: 6, score: 72, seeds: [1, 2, 3], samples: 1 })
  t.deepEqual(Object.keys(found?.missing ?? {}), ['MRPC.tsv', 'CoLA.tsv', 'SST-2.tsv', 'STS-B.tsv', 'QNLI.tsv', 'QQP.tsv', 'WNLI.tsv', 'AX.tsv'])
  t.is(found?.missing['QQP.tsv'], 'its task was not asked for')
  t.deepEqual(JSON.parse(readFileSync(join(folder, 'submission/adamax.json'), 'utf8')), { schema: 1, ...found })
  t.deepEqual(readdirSync(join(folder, 'submission/adamax')).toSorted(), ['MNLI-m.tsv', 'MNLI-mm.tsv', 'RTE.tsv'], 'nothing but what goes into the archive')
})

test('files of tasks that have not changed are left as they are', async (t) => {
  const folder = temporaryFolder(t)
  await writeSubmissions(runsIn(folder, { rte: [70, 72, 71] }))
  const before = statSync(join(folder, 'submission/adamax/RTE.tsv')).ino
  const both = runsIn(folder, { rte: [70, 72, 71], mnli: [80, 80, 81] })
  rmSync(join(folder, 'rte/adamax-lr-0.0001-seed-2', PREDICTIONS_FILE))
  const [found] = await writeSubmissions(both)
  t.deepEqual([found?.files['RTE.tsv']?.samples, found?.files['MNLI-m.tsv']?.seed, written(folder, 'MNLI-m.tsv')], [1, 3, 'three'])
  t.is(statSync(join(folder, 'submission/adamax/RTE.tsv')).ino, before)
  await writeSubmissions(runsIn(folder, { rte: [70, 72, 73] }))
  t.is(written(folder, 'RTE.tsv'), 'three', 'another run is best')
})

test('nothing is written of a task whose runs are not all done, and what there is of other tasks stays', async (t) => {
  const folder = temporaryFolder(t)
  t.deepEqual(await writeSubmissions(runsIn(folder, { rte: [70, 72] })), [])
  await writeSubmissions(runsIn(folder, { mnli: [80, 80, 81] }))
  const [found] = await writeSubmissions(runsIn(folder, { rte: [70, 72] }))
  t.deepEqual(Object.keys(found?.files ?? {}), ['MNLI-m.tsv', 'MNLI-mm.tsv'])
  t.is(found?.missing['RTE.tsv'], '1 of its 3 runs is still to come')
  rmSync(join(folder, 'submission/adamax/MNLI-m.tsv'))
  const [after] = await writeSubmissions(runsIn(folder, { rte: [null, null, null] }))
  t.deepEqual([Object.keys(after?.files ?? {}), after?.missing['RTE.tsv']], [['MNLI-mm.tsv'], 'none of its runs has a score'])
})

test('the best of some of the seeds does not take the place of the best of all', async (t) => {
  const folder = temporaryFolder(t)
  const all = runsIn(folder, { rte: [70, 71, 72] })
  await writeSubmissions(all)
  const [found] = await writeSubmissions({ ...all, seeds: [1, 2] })
  t.deepEqual([found?.files['RTE.tsv']?.seeds, written(folder, 'RTE.tsv')], [[1, 2, 3], 'three'])
  const [anew] = await writeSubmissions({ ...all, seeds: [2, 1, 3] })
  t.deepEqual(anew?.files['RTE.tsv']?.seeds, [2, 1, 3])
})

test('a run without predictions of a part is said, and damage is named', async (t) => {
  const folder = temporaryFolder(t)
  const [found] = await writeSubmissions(runsIn(folder, { mnli: [80, 82, 81] }, ASKED, ['MNLI-m.tsv']))
  t.is(found?.missing['MNLI-mm.tsv'], 'mnli/adamax-lr-0.00008-seed-2 predicted nothing for it: the data that it was measured with have no such test part')
  writeFileSync(join(folder, 'submission/adamax.json'), '{')
  await t.throwsAsync(writeSubmissions(runsIn(folder, { rte: [70, 71, 72] })), { code: 'ERR_DATA', message: /submission\/adamax\.json: is no manifest/ })
  const none = temporaryFolder(t)
  t.deepEqual(await writeSubmissions(runsIn(none, { mnli: [80, 82, 81] }, ASKED, [])), [], 'no test files at all')
})
