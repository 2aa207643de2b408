import { rmSync, writeFileSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { adam, Classification, Classifier, Model, submissionText, type GlueTaskName, type TestPredictions } from '#ts/index.js'
import { classificationCommand } from '#ts/cli/classification-command.js'
import { recipeColumns } from '#ts/cli/text-columns.js'
import { formatOf, readTexts, type Given } from '#ts/cli/texts.js'
import { PREDICTIONS_FILE, predictionsText, readPredictions } from '#ts/reproduce/test-predictions.js'
import { GLUE } from '#ts/task/classification/glue.js'
import { temporaryFolder } from '../temporary.js'
import { tinyBert } from './encoder.js'
import { glueFiles, rowsOf } from './glue-files.js'

let folder: string
let bert: string

test.before('a small BERT', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-submission-'))
  bert = await tinyBert(join(folder, 'bert'))
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

/** The test file behind each file that is handed in, and the column that numbers its samples. */
const PUBLISHED: Readonly<Record<string, readonly [file: string, index: string]>> = {
  'CoLA.tsv': ['CoLA/test.tsv', 'index'],
  'SST-2.tsv': ['SST-2/test.tsv', 'index'],
  'MRPC.tsv': ['MRPC/test.tsv', 'index'],
  'STS-B.tsv': ['STS-B/test.tsv', 'index'],
  'QQP.tsv': ['QQP/test.tsv', 'id'],
  'MNLI-m.tsv': ['MNLI/test_matched.tsv', 'index'],
  'MNLI-mm.tsv': ['MNLI/test_mismatched.tsv', 'index'],
  'QNLI.tsv': ['QNLI/test.tsv', 'index'],
  'RTE.tsv': ['RTE/test.tsv', 'index'],
}

type Texts = Pick<Given, 'text' | 'pair'>

/** The texts of a published file as `sagetrain predict` reads them for a model of the recipe. */
async function textsOf(path: string, recipe: GlueTaskName, pair: boolean): Promise<readonly Texts[]> {
  const warn = (message: string): never => { throw new Error(message) }
  const texts: Texts[] = []
  for await (const one of readTexts({ path, format: formatOf(path), reading: { columns: {} }, recipe: recipeColumns({ recipe }), pair, signal: new AbortController().signal, warn })) texts.push(one.pair === undefined ? { text: one.text } : { text: one.text, pair: one.pair })
  return texts
}

/** A task, and a model of it that says something else of each sample. */
async function decided(name: GlueTaskName, data: string): Promise<{ readonly task: Classification; readonly model: string }> {
  const task = await Classification.prepare({ recipe: name, data, tokenizer: bert, output: join(folder, 'prepared'), threads: 1 })
  const { checkpoint = '' } = await task.train({ optimizer: adam({ lr: 1e-3 }), steps: 1, threads: 1, seed: 5, folder: join(data, 'run') }).done
  const folderOfModel = join(checkpoint, 'model')
  using model = await Model.load(folderOfModel)
  for (const { name: weight, shape } of model.parameters()) if (shape.length === 2) await model.write(weight, (await model.read(weight)).data.map((value) => 10 * value))
  // No class before the others: logits without their means.
  const { outputs, width } = await task.outputs(model)
  const means = Float32Array.from({ length: width }, (_, column) => outputs.reduce((sum, value, at) => (at % width === column ? sum + value : sum), 0) / (outputs.length / width))
  const bias = (await model.read('classifier.bias')).data
  await model.write('classifier.bias', bias.map((value, column) => value - (means[column] ?? 0) + (width === 1 ? 2.5 : 0)))
  await model.save(folderOfModel)
  return { task, model: folderOfModel }
}

/** By class id, as the paper's code numbers them; the `glue` data sets on the Hugging Face hub have other ids of MNLI, QNLI and RTE. */
const LABELS: Readonly<Record<string, readonly string[]>> = { mnli: ['contradiction', 'neutral', 'entailment'], rte: ['not_entailment', 'entailment'], qnli: ['not_entailment', 'entailment'], 'sts-b': [] }
const WORDS: Readonly<Record<string, RegExp>> = { mnli: /^(contradiction|neutral|entailment)$/, rte: /^(not_)?entailment$/, qnli: /^(not_)?entailment$/, 'sts-b': /^[0-5]\.\d{3}$/ }

for (const { name, submission, texts: { text, pair } } of GLUE) {
  test.serial(`${name}: a line a sample, in the order of the published test file, each with what a classifier says of it`, async (t) => {
    const data = glueFiles(join(folder, name), [name])
    const { task, model } = await decided(name, data)
    using prepared = task
    using classifier = await Classifier.load(model)
    const parts = await prepared.testPredictions(model)
    t.deepEqual(parts.map(({ file }) => file), submission)
    t.deepEqual(prepared.prepared.labels, LABELS[name] ?? ['0', '1'])
    t.deepEqual(Object.values(prepared.prepared.submission?.files ?? {}).toSorted(), submission.toSorted(), 'as the data’s preparation has them')
    for (const part of parts) {
      const [path, index] = PUBLISHED[part.file] ?? ['', '']
      const rows = rowsOf(join(data, path))
      const [header, ...lines] = submissionText(part).split('\n')
      t.is(header, 'index\tprediction')
      t.is(lines.pop(), '')
      t.deepEqual(lines.map((line) => line.split('\t')[0]), rows.map((row) => row[index]))
      t.true(new Set(lines.map((line) => line.split('\t')[1])).size >= (name === 'sts-b' ? 6 : 2), lines.join(' '))
      const read = await textsOf(join(data, path), name, pair !== undefined)
      t.deepEqual(read, rows.map((row) => (pair === undefined ? { text: row[text] ?? '' } : { text: row[text] ?? '', pair: row[pair] ?? '' })))
      const said = await classifier.predict(read)
      for (const [place, line] of lines.entries()) {
        const [written = '', one] = [line.split('\t')[1], said[place]]
        t.regex(written, WORDS[name] ?? /^[01]$/)
        if (one !== undefined && 'value' in one) t.true(Math.abs(Number(written) - Math.min(5, Math.max(0, one.value))) < 2e-3, line)
        else t.is(written, one?.label ?? 'nothing')
      }
    }
  })
}

test('scores have three decimals and lie between 0 and 5; indices are the file’s', (t) => {
  const scores: TestPredictions = { file: 'STS-B.tsv', header: 'index\tprediction', labels: [], decimals: 3, range: [0, 5], indices: [[7, 8], [0, 2]], predictions: [-0.2, 5.7, 2.34567, 1e-9, 3] }
  t.is(submissionText(scores), 'index\tprediction\n7\t0.000\n8\t5.000\n0\t2.346\n1\t0.000\n2\t3.000\n')
  const words: TestPredictions = { file: 'RTE.tsv', header: 'index\tprediction', labels: ['not_entailment', 'entailment'], indices: [[0, 1]], predictions: [1, 0] }
  t.is(submissionText(words), 'index\tprediction\n0\tentailment\n1\tnot_entailment\n')
  t.throws(() => submissionText({ ...words, predictions: [1] }), { instanceOf: RangeError })
})

test.serial('the file’s own indices are kept, whatever their order; a part without a file is left out', async (t) => {
  const data = glueFiles(join(folder, 'reversed'), ['mnli'])
  const path = join(data, 'MNLI/test_matched.tsv')
  const [head = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  writeFileSync(path, `${[head, ...lines.toReversed()].join('\n')}\n`)
  rmSync(join(data, 'MNLI/test_mismatched.tsv'))
  const { task, model } = await decided('mnli', data)
  using prepared = task
  await using command = await classificationCommand.prepare({ recipe: 'mnli', data, tokenizer: bert, output: join(folder, 'prepared') }, () => undefined, new AbortController().signal)
  t.regex(command.measuredOn, /^the \d+ and \d+ validation samples/)
  const [matched, ...others] = await prepared.testPredictions(model)
  t.deepEqual([matched?.file, others.length], ['MNLI-m.tsv', 0])
  t.deepEqual(matched && submissionText(matched).trimEnd().split('\n').slice(1).map((line) => Number(line.split('\t')[0])), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
})

test.serial('Microsoft’s MRPC has labelled test pairs: they are predicted by their numbers, and the development set is what is measured', async (t) => {
  const data = glueFiles(join(folder, 'published'), ['mrpc-published'])
  const { task, model } = await decided('mrpc', data)
  using prepared = task
  const [part] = await prepared.testPredictions(model)
  t.deepEqual([part?.file, part?.indices, part?.predictions.length], ['MRPC.tsv', [[0, 11]], 12])
  await using command = await classificationCommand.prepare({ recipe: 'mrpc', data, tokenizer: bert, output: join(folder, 'prepared') }, () => undefined, new AbortController().signal)
  t.is(command.measuredOn, 'the 14 validation samples that the best weights were chosen by')
})

test('predictions are kept and read back; what is damaged is refused by its name', async (t) => {
  const kept = temporaryFolder(t)
  t.is(await readPredictions(kept), undefined)
  const part: TestPredictions = { file: 'RTE.tsv', header: 'index\tprediction', labels: ['not_entailment', 'entailment'], indices: [[0, 1]], predictions: [1, 0] }
  writeFileSync(join(kept, PREDICTIONS_FILE), predictionsText([part]))
  t.deepEqual(await readPredictions(kept), [part])
  for (const text of ['{"schema":1', predictionsText([{ ...part, predictions: [1] }]), predictionsText([{ ...part, file: '../RTE.tsv' }])]) {
    writeFileSync(join(kept, PREDICTIONS_FILE), text)
    await t.throwsAsync(readPredictions(kept), { code: 'ERR_DATA', message: /test-predictions\.json: holds no predictions of this program .*; remove it and the cell\.json beside it/ }, text)
  }
})
