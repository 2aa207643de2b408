import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { appendFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { Model } from '#ts/index.js'
import { tinyBert, TINY } from '../task/encoder.js'
import { glueFiles, rowsOf } from '../task/glue-files.js'
import { start } from './process.js'

let cwd: string

test.before('a small BERT, and GLUE’s files in miniature', async () => {
  cwd = await mkdtemp(join(tmpdir(), 'sagetrain-glue-'))
  await tinyBert(join(cwd, 'bert'))
  glueFiles(join(cwd, 'glue'), ['rte', 'sts-b'])
})

test.after.always(() => rm(cwd, { recursive: true, force: true }))

const ASKED = ['glue', '--pretrained', 'bert', '--data', 'glue', '--tasks', 'rte,sts-b', '--seeds', '2', '--output', 'prepared', '--threads', '1']

interface Found {
  readonly results: { readonly tasks: readonly { readonly task: string; readonly rows: readonly { readonly arm: string; readonly figures: readonly { readonly score: { readonly mean: number } | null }[]; readonly mean: { readonly difference: { readonly mean: number; readonly degrees: number } | null } }[] }[]; readonly averages: readonly { readonly score: { readonly mean: number } | null }[] }
  readonly submissions: readonly { readonly arm: string; readonly files: Readonly<Record<string, { readonly run: string; readonly seed: number; readonly score: number; readonly samples: number }>>; readonly missing: Readonly<Record<string, string>> }[]
}

interface Cell {
  readonly steps: number
  readonly bestStep: number
  readonly metrics: Readonly<Record<string, number>>
}

const ARMS = { rte: { adamax: 'adamax-lr-0.0001', 'adamax-sage': 'adamax-sage-lr-0.0003-beta0-0.65' }, 'sts-b': { adamax: 'adamax-lr-0.0001', 'adamax-sage': 'adamax-sage-lr-0.0005-beta0-0.75' } } as const
const FIGURES = { rte: ['accuracy'], 'sts-b': ['pearson', 'spearman'] } as const
const cellPath = (task: keyof typeof ARMS, arm: 'adamax' | 'adamax-sage', seed: number): string => join(cwd, 'runs/glue-bert-base', task, `${ARMS[task][arm]}-seed-${seed}`, 'cell.json')
const cellOf = (task: keyof typeof ARMS, arm: 'adamax' | 'adamax-sage', seed: number): Cell => JSON.parse(readFileSync(cellPath(task, arm, seed), 'utf8')) as Cell
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const near = (one: number | undefined, other: number): boolean => one !== undefined && Math.abs(one - other) < 1e-9

/** What was prepared, and when. */
const preparedFolders = () => readdirSync(join(cwd, 'prepared')).filter((name) => !name.startsWith('.')).map((name) => [name, statSync(join(cwd, 'prepared', name, 'prepared.json')).mtimeMs] as const)

test.serial('two tasks, two optimizers, two seeds: killed after the first run, it goes on, and the report has the figures of the runs', async (t) => {
  const killed = start(cwd, ASKED)
  // The second run has a checkpoint to go on from.
  await killed.seen(/1 of 8 runs[^]*validation:/)
  killed.kill('SIGKILL')
  await killed.ended
  const first = cellPath('rte', 'adamax', 1)
  t.false(existsSync(join(dirname(first), 'checkpoints')), 'what only going on needs is gone')
  const made = statSync(first).mtimeMs
  t.false(existsSync(join(cwd, 'runs/glue-bert-base/submission')), 'no task is done')
  const prepared = preparedFolders()

  const { code, out, err } = await start(cwd, [...ASKED, '--json']).ended
  t.is(code, 0, err)
  t.regex(err, /8 runs; 1 are done/)
  t.regex(err, /kept +of a run that is done its figures and predictions; --keep-models/)
  t.is(statSync(first).mtimeMs, made, 'what is done is not done again')
  t.is(prepared.length, 2)
  t.deepEqual(preparedFolders(), prepared, 'data are tokenised once')
  t.deepEqual((JSON.parse(readFileSync(join(cwd, 'runs/glue-bert-base/glue.json'), 'utf8')) as { readonly results: unknown }).results, (JSON.parse(out) as { readonly results: unknown }).results)
  const { results, submissions } = JSON.parse(out) as Found
  for (const { task, rows } of results.tasks) {
    const name = task as keyof typeof ARMS
    for (const { arm, figures } of rows) {
      const cells = [1, 2].map((seed) => cellOf(name, arm as 'adamax', seed))
      for (const [place, key] of FIGURES[name].entries()) t.true(near(figures[place]?.score?.mean, mean(cells.map(({ metrics }) => 100 * (metrics[key] ?? Number.NaN)))), `${task} ${arm} ${key}`)
    }
    t.is(rows[1]?.mean.difference?.degrees, 1)
  }
  const averageOf = (arm: 'adamax' | 'adamax-sage'): number => mean([1, 2].map((seed) => mean((['rte', 'sts-b'] as const).map((task) => mean(FIGURES[task].map((key) => 100 * (cellOf(task, arm, seed).metrics[key] ?? Number.NaN)))))))
  t.true(near(results.averages[0]?.score?.mean, averageOf('adamax')) && near(results.averages[1]?.score?.mean, averageOf('adamax-sage')))

  t.deepEqual(submissions.map(({ arm }) => arm), ['adamax', 'adamax-sage'])
  for (const { arm, files, missing } of submissions) {
    t.deepEqual([Object.keys(files), Object.keys(missing).length], [['RTE.tsv', 'STS-B.tsv'], 9])
    for (const [file, { run, seed, score, samples }] of Object.entries(files)) {
      const task = file === 'RTE.tsv' ? 'rte' : 'sts-b'
      const scores = [1, 2].map((one) => mean(FIGURES[task].map((key) => 100 * (cellOf(task, arm as 'adamax', one).metrics[key] ?? Number.NaN))))
      t.true(near(score, Math.max(...scores)) && near(scores[seed - 1], score) && run.endsWith(`seed-${seed}`), `${arm} ${file}`)
      const handed = rowsOf(join(cwd, 'runs/glue-bert-base/submission', arm, file))
      t.deepEqual(handed.map(({ index }) => index), rowsOf(join(cwd, 'glue', file.replace('.tsv', ''), 'test.tsv')).map(({ index }) => index))
      t.is(handed.length, samples)
    }
  }
  const markdown = readFileSync(join(cwd, 'runs/glue-bert-base/glue.md'), 'utf8')
  for (const part of ['## For the test server', '| adamax-sage/STS-B.tsv | sts-b/adamax-sage-lr-0.0005-beta0-0.75-seed-', '- adamax lacks MRPC.tsv, CoLA.tsv, SST-2.tsv, QNLI.tsv, QQP.tsv, MNLI-m.tsv, MNLI-mm.tsv: its task was not asked for.', '- adamax lacks AX.tsv: the diagnostic set is no task here.', '| paper: BERT-base, Adamax-SAGE | 80.7 | 69.8 | 89.7 | 54.5 | 94.1 | 87.1 | 90.8 | 71.3 | 84.9/83.8 |']) t.true(markdown.includes(part), part)
})

test.serial('a run that gets no better ends early, and says so', async (t) => {
  const stopping = ['--earlyStopping.patience', '2', '--earlyStopping.minDelta', '0.9', '--epochs', '9']
  const glue = await start(cwd, ['glue', '--pretrained', 'bert', '--data', 'glue', '--tasks', 'rte', '--optimizers', 'adamax', '--seeds', '1', '--output', 'prepared', '--threads', '1', '--runs', 'early', ...stopping]).ended
  t.is(glue.code, 0, glue.err)
  t.regex(glue.out, /epochs 9 batch\(batchSize 16\) earlyStopping\(patience 2 minDelta 0\.9\)/)
  const cell = JSON.parse(readFileSync(join(cwd, 'early/glue-bert-base/rte/adamax-lr-0.0001-seed-1/cell.json'), 'utf8')) as Cell
  t.is(cell.steps, 9, 'three epochs of three steps: the first is an improvement, the next two are none')
  t.regex(readFileSync(join(cwd, 'early/glue-bert-base/rte/adamax-lr-0.0001-seed-1/events.jsonl'), 'utf8'), /"reason":"earlyStopped"/)
  const notes = readFileSync(join(cwd, 'early/glue-bert-base/glue.md'), 'utf8')
  for (const part of ['- A run ends after 2 evaluations in a row without a better mean of the task’s figures by more than 0.9, and', '--earlyStopping.patience 2 --earlyStopping.minDelta 0.9 --epochs 9.']) t.true(notes.includes(part), part)
  const again = await start(cwd, ['glue', '--pretrained', 'bert', '--data', 'glue', '--tasks', 'rte', '--optimizers', 'adamax', '--seeds', '1', '--output', 'prepared', '--threads', '1', '--runs', 'early', '--epochs', '9']).ended
  t.deepEqual([again.code, /train\.earlyStopping \{"patience":2,"minDelta":0\.9\}, asked for is nothing/.test(again.err)], [1, true], again.err)

  const train = await start(cwd, ['train', 'classification', '--recipe', 'rte', '--data', 'glue', '--tokenizer', 'bert', '--output', 'prepared', '--threads', '1', '--name', 'early', '--batch.batchSize', '16', ...stopping]).ended
  t.is(train.code, 0, train.err)
  const lines = readFileSync(join(cwd, 'runs/early/events.jsonl'), 'utf8').trimEnd().split('\n')
  t.like(JSON.parse(lines.at(-1) ?? ''), { type: 'end', reason: 'earlyStopped', step: 9 })
})

test.serial('with the smoothness term', async (t) => {
  const { code, err } = await start(cwd, ['glue', '--pretrained', 'bert', '--data', 'glue', '--tasks', 'sts-b,rte', '--seeds', '1', '--output', 'prepared', '--threads', '1', '--smoothness', '--steps', '2', '--keep-models', '--json']).ended
  t.is(code, 0, err)
  const kept = 'runs/glue-smart-base/rte/adamax-lr-0.0001-seed-1'
  t.deepEqual([existsSync(join(cwd, kept, 'model/model.safetensors')), existsSync(join(cwd, kept, 'checkpoints'))], [true, false])
  const predicted = await start(cwd, ['predict', kept], 'the film was good\tthe film was bad\n').ended
  t.is(predicted.code, 0, predicted.err)
  const cell = JSON.parse(readFileSync(join(cwd, 'runs/glue-smart-base/rte/adamax-sage-lr-0.0003-beta0-0.65-seed-1/cell.json'), 'utf8')) as Cell
  t.deepEqual([cell.steps, typeof cell.metrics['accuracy']], [2, 'number'])
  t.true(readFileSync(join(cwd, 'runs/glue-smart-base/glue.md'), 'utf8').includes('| paper: BERT-base, Adamax | 79.3 | 69.2 | 89.7/89.2 |'))
})

test.serial('moved model, data and runs are the same by what they hold, and others are not', async (t) => {
  // That of seed 1 was killed on its way, and has to be as if it had not been.
  const again = [1, 2].map((seed) => ({ path: cellPath('rte', 'adamax-sage', seed), before: cellOf('rte', 'adamax-sage', seed) }))
  for (const { path } of again) await rm(path)
  await mkdir(join(cwd, 'moved'))
  for (const name of ['bert', 'glue', 'runs']) await rename(join(cwd, name), join(cwd, 'moved', name))
  const asked = (model: string, data: string): string[] => ['glue', '--pretrained', model, '--data', data, '--tasks', 'rte,sts-b', '--seeds', '2', '--output', 'prepared', '--threads', '1', '--runs', 'moved/runs']
  const { code, err } = await start(cwd, [...asked('moved/bert', 'moved/glue'), '--json']).ended
  t.is(code, 0, err)
  t.regex(err, /8 runs; 6 are done/)
  for (const { path, before: { steps, bestStep, metrics } } of again) {
    const { loss, accuracy, f1, matthews } = metrics
    t.like(JSON.parse(readFileSync(path.replace('/runs/', '/moved/runs/'), 'utf8')), { steps, bestStep, metrics: { loss, accuracy, f1, matthews } }, path)
  }

  await cp(join(cwd, 'moved/bert'), join(cwd, 'other'), { recursive: true })
  using model = await Model.create({ type: 'bert', ...TINY }, { seed: 9 })
  await model.save(join(cwd, 'other'))
  const weights = await start(cwd, asked('other', 'moved/glue')).ended
  t.deepEqual([weights.code, /is of another train\.model\.pretrained: what that folder held when it began is not what it holds now/.test(weights.err)], [1, true], weights.err)
  await appendFile(join(cwd, 'moved/glue/STS-B/train.tsv'), readFileSync(join(cwd, 'moved/glue/STS-B/train.tsv'), 'utf8').split('\n').slice(1, 2).join('') + '\n')
  const data = await start(cwd, asked('moved/bert', 'moved/glue')).ended
  t.deepEqual([data.code, /sts-b\/adamax-lr-0\.0001-seed-1 is of other data/.test(data.err)], [1, true], data.err)
})
