import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { reviews, tinyBert } from '../task/encoder.js'
import { start, type Ended } from './process.js'

interface Report {
  readonly arms: readonly [{ readonly result: { readonly metrics: Readonly<Record<string, number>> } }]
}

let folder: string
let report: Report

const sagetrain = (...args: readonly string[]): Promise<Ended> => start(folder, args).ended
const rows = (count: number, from: number, [positive, negative]: readonly [string, string] = ['positive', 'negative']): string =>
  reviews(count, from).map(({ text, rating, label }) => `${text}\t${rating}\t${label === 'positive' ? positive : negative}\n`).join('')

test.before('a small classifier', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-classifier-'))
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache')
  await tinyBert(join(folder, 'bert'))
  writeFileSync(join(folder, 'train.tsv'), `review\tstars\tverdict\n${rows(240, 0)}`)
  writeFileSync(join(folder, 'valid.tsv'), `review\tstars\tverdict\n${rows(60, 1000)}`)
  const options = ['--columns.text', 'review', '--columns.label', 'verdict', '--tokenizer', 'bert', '--name', 'cli', '--batch.batchSize', '16', '--epochs', '12', '--optimizer', 'adam', '--optimizer.lr', '2e-3']
  const { code, out, err } = await sagetrain('train', 'classification', '--train', 'train.tsv', '--valid', 'valid.tsv', ...options, '--json')
  if (code !== 0) throw new Error(err)
  report = JSON.parse(out) as Report
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

test('a classifier is scored on a file of its own, whose columns are those of its run unless they are named', async (t) => {
  const scored = await sagetrain('evaluate', 'runs/cli', '--test', 'valid.tsv', '--json')
  t.is(scored.code, 0, scored.err)
  const { metrics, samples, majority, labels } = JSON.parse(scored.out) as { metrics: Record<string, number>; samples: number; majority: number; labels: Record<string, number> }
  const trained = report.arms[0].result.metrics
  for (const name of ['accuracy', 'f1', 'matthews']) t.true(Math.abs((metrics[name] ?? 0) - (trained[name] ?? Number.NaN)) < 1e-9, name)
  t.deepEqual([samples, labels, majority], [60, { negative: 20, positive: 40 }, 40 / 60])
  writeFileSync(join(folder, 'bare.csv'), reviews(60, 1000).map(({ text, label }) => `${label === 'positive' ? 1 : 0},"${text}"\n`).join(''))
  const bare = await sagetrain('evaluate', 'runs/cli', '--test', 'bare.csv', '--columns.text', '1', '--columns.label', '0', '--labels', '["0","1"]', '--json')
  t.deepEqual((JSON.parse(bare.out) as { metrics: unknown }).metrics, metrics)
  const said = await sagetrain('evaluate', 'runs/cli', '--test', 'valid.tsv')
  t.regex(said.out, /samples +60\n +accuracy +\d+\.\d\d % \(the most frequent class: 66\.67 %\)\n +F1 /)
})

test('evaluate says what a classifier needs, and refuses what is a translator’s', async (t) => {
  const refused = async (pattern: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, err } = await sagetrain('evaluate', 'runs/cli', ...args)
    t.is(code, 2, err)
    t.regex(err, pattern)
  }
  await refused(/^sagetrain: evaluate needs labelled text to score a classifier on: --test FILE/)
  await refused(/^sagetrain: --beam has no effect on runs\/cli, which is a classifier; there are: --test, --columns\.text/, '--beam', '4')
  await refused(/^sagetrain: --labels \["a"\]: give a JSON array of 2, for negative, positive/, '--test', 'valid.tsv', '--labels', '["a"]')
  await refused(/--columns\.text NAME --columns\.label NAME/, '--test', 'valid.tsv', '--columns.text', 'review')
  writeFileSync(join(folder, 'other.tsv'), `review\tstars\tverdict\n${rows(12, 0, ['yes', 'no'])}`)
  t.regex((await sagetrain('evaluate', 'runs/cli', '--test', 'other.tsv')).err, /other\.tsv:\d+: the label `(yes|no)` \(\d+ samples\) is none of the 2 classes `negative`, `positive`/)
})
