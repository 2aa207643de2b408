import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { accuracy, adam, Classification, Classifier, Model, submissionText } from '#ts/index.js'
import { start } from '../cli/process.js'
import { pairsTsv, reviewPairs, TINY, tinyRoberta } from './encoder.js'
import { glueFiles, rowsOf } from './glue-files.js'

let folder: string
let roberta: string

test.before('a small RoBERTa, and files of labelled pairs', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-roberta-'))
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache')
  roberta = await tinyRoberta(join(folder, 'roberta'))
  writeFileSync(join(folder, 'train.tsv'), pairsTsv(reviewPairs(240)))
  writeFileSync(join(folder, 'valid.tsv'), pairsTsv(reviewPairs(60, 1000)))
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

test.serial('it learns pairs; the best checkpoint predicts, and is evaluated, as it was scored', async (t) => {
  const files = { train: join(folder, 'train.tsv'), valid: join(folder, 'valid.tsv'), output: join(folder, 'prepared') }
  using task = await Classification.prepare({ ...files, columns: { text: 'text', pair: 'pair', label: 'label' }, tokenizer: roberta })
  t.like(task.prepared, { pair: true, types: false, maxLength: 32 })
  t.true((task.prepared.parts.train?.truncated ?? 0) > 0, 'some pairs fill every position')
  const { best } = await task.train({ optimizer: adam({ lr: 2e-3, sage: {} }), batch: { batchSize: 16 }, epochs: 4, threads: 1, precision: 'float32', seed: 3, folder: join(folder, 'run') }).done
  const model = join(best?.path ?? '', 'model')
  t.true((best?.metrics.accuracy ?? 0) > 0.95, `accuracy ${best?.metrics.accuracy}`)
  const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))
  t.like(config, { architectures: ['RobertaForSequenceClassification'], type_vocab_size: 1, pad_token_id: 1, max_position_embeddings: TINY.maxPositions + 2 })

  using classifier = await Classifier.load(join(folder, 'run'))
  t.deepEqual([classifier.pair, classifier.maxLength, classifier.labels], [true, 32, ['negative', 'positive']])
  const given = reviewPairs(60, 1000)
  const found = await classifier.predict(given.map(({ text, pair }) => ({ text, pair })))
  const labels = given.map(({ label }) => classifier.labels.indexOf(label))
  t.is(await accuracy(found.map((one) => ('class' in one ? one.class : -1)), labels), best?.metrics.accuracy ?? Number.NaN)
  const loss = found.reduce((sum, one, index) => sum - Math.log('probabilities' in one ? (one.probabilities[given[index]?.label ?? ''] ?? 0) : 0), 0) / found.length
  t.true(Math.abs(loss - (best?.metrics.loss ?? 0)) < 1e-5, `${loss}, scored ${best?.metrics.loss}`)

  const { code, out, err } = await start(folder, ['evaluate', 'run', '--test', 'valid.tsv', '--columns.text', 'text', '--columns.pair', 'pair', '--columns.label', 'label', '--json']).ended
  t.is(code, 0, err)
  const { metrics, samples } = JSON.parse(out) as { metrics: Record<string, number>; samples: number }
  t.is(samples, 60)
  for (const [name, value] of Object.entries(metrics)) t.true(Math.abs(value - ((best?.metrics as Record<string, number> | undefined)?.[name] ?? Number.NaN)) < 1e-6, name)
})

test.serial('GLUE’s test pairs are predicted as a classifier says of them', async (t) => {
  const data = glueFiles(join(folder, 'glue'), ['rte', 'sts-b'])
  for (const [recipe, file] of [['rte', 'RTE/test.tsv'], ['sts-b', 'STS-B/test.tsv']] as const) {
    using task = await Classification.prepare({ recipe, data, tokenizer: roberta, output: join(folder, 'prepared') })
    const { checkpoint = '' } = await task.train({ optimizer: adam({ lr: 1e-2 }), steps: 3, threads: 1, precision: 'float32', folder: join(data, recipe) }).done
    const [part, ...others] = await task.testPredictions(checkpoint)
    t.is(others.length, 0)
    const [head, ...lines] = part === undefined ? [] : submissionText(part).trimEnd().split('\n')
    t.is(head, 'index\tprediction')
    const rows = rowsOf(join(data, file))
    using classifier = await Classifier.load(checkpoint)
    const said = await classifier.predict(rows.map((row) => ({ text: row['sentence1'] ?? '', pair: row['sentence2'] ?? '' })))
    t.deepEqual(lines.map((line) => line.split('\t')[0]), rows.map((row) => row['index']))
    for (const [place, one] of said.entries()) {
      const [, written = ''] = lines[place]?.split('\t') ?? []
      if ('label' in one) t.is(written, one.label)
      else t.true(Math.abs(Number(written) - Math.min(5, Math.max(0, one.value))) < 1e-3, `${written}: ${one.value}`)
    }
  }
})

test.serial('its positions are counted from behind the padding’s id: the longest pair has one each, and no more', async (t) => {
  using model = await Model.load(roberta)
  t.like(model.spec, { type: 'roberta', maxPositions: TINY.maxPositions, padId: 1, typeVocabularySize: 1 })
  t.deepEqual(model.parameters().find(({ name }) => name.endsWith('position_embeddings.weight'))?.shape, [TINY.maxPositions + 2, TINY.hiddenSize])
  await t.throwsAsync(Classification.prepare({ train: join(folder, 'train.tsv'), columns: { text: 'text', pair: 'pair', label: 'label' }, tokenizer: roberta, maxLength: 33, output: join(folder, 'prepared') }), { code: 'ERR_ARGUMENT', message: /33 are more than the 32 tokens/ })
})
