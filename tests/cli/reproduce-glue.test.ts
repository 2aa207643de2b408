import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { sentenceExperiments } from '#ts/reproduce/sentences.js'
import { reviews, tinyBert } from '../task/encoder.js'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

/** The labelled sets in miniature, with the columns of the real ones. */
function sets(folder: string): string {
  mkdirSync(folder)
  const write = (set: string, lineOf: (review: ReturnType<typeof reviews>[number], index: number) => string): void => {
    for (const [part, from] of [['train', 0], ['valid', 100], ['test', 200]] as const) writeFileSync(join(folder, `${set}.${part}.tsv.gz`), gzipSync(reviews(24, from).map((review, index) => `${lineOf(review, index)}\n`).join('')))
  }
  write('vader_movieReviewSnippets', ({ text, rating }, index) => `${text}\t${index === 3 ? 0 : rating}\t${index}`)
  write('languagetool_acceptability', ({ text, label }) => `${text}\t${label === 'positive' ? 1 : 0}\tGRAMMAR\tRULE`)
  write('wic_wordnet', ({ text, label }) => `film\tnoun\t${text}\tthe film was good\t${label === 'positive' ? 1 : 0}`)
  return folder
}

/** The highest value of a metric among a run's evaluations. */
function bestOf(folder: string, run: RegExp, metric: string): number {
  const name = readdirSync(folder).find((one) => run.test(one)) ?? ''
  const events = readFileSync(join(folder, name, 'events.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { readonly type: string; readonly metrics: Readonly<Record<string, number>> })
  return Math.max(...events.flatMap(({ type, metrics }) => (type === 'evaluation' ? (metrics[metric] ?? []) : [])))
}

interface Row {
  readonly arm: string
  readonly baseline: string | null
  readonly beta0: number | null
  readonly difference: unknown
  readonly seeds: readonly { readonly metrics: Readonly<Record<string, number>> }[]
}

test('Table 2 in small goes from raw files to a table with a difference for each SAGE arm', async (t) => {
  const cwd = temporaryFolder(t)
  const [data, pretrained] = [sets(join(cwd, 'sentences')), await tinyBert(join(cwd, 'tiny'))]
  const args = ['--scale', 'quick', '--data', data, '--pretrained', pretrained, '--epochs', '1', '--threads', '2', '--maxLength', '32', '--output', join(cwd, 'prepared'), '--json']
  const { code, out, err } = await start(cwd, ['reproduce', 'glue', '--table', '2', '--seeds', '2', '--experiments', 'rating,sentiment,acceptability', ...args]).ended
  t.is(code, 0, err)
  const { results } = JSON.parse(out) as { readonly results: readonly { readonly experiment: string; readonly metric: string; readonly rows: readonly Row[]; readonly trials: readonly { readonly arm: string; readonly rate: number; readonly validation: number | null }[]; readonly missing: readonly string[] }[] }
  t.deepEqual(results.map(({ experiment, metric, missing }) => [experiment, metric, missing]), [['rating', 'pearson', []], ['sentiment', 'accuracy', []], ['acceptability', 'matthews', []]])
  for (const { rows, trials, metric } of results) {
    t.deepEqual(rows.map(({ arm, baseline }) => [arm, baseline]), [['adam', null], ['adam-sage', 'Adam'], ['adamax', null], ['adamax-sage', 'Adamax']])
    t.is(trials.length, 18)
    for (const { baseline, difference, beta0, seeds } of rows) {
      t.deepEqual([difference !== null, beta0 !== null, seeds.length], [baseline !== null, baseline !== null, 2])
      for (const { metrics } of seeds) t.is(typeof metrics[metric], 'number')
    }
  }
  for (const { experiment, metric, trials } of results) {
    for (const { arm, rate, validation } of trials) t.is(validation, 100 * bestOf(join(cwd, 'runs/glue-quick', experiment), new RegExp(`^${arm}-lr-${rate}(-beta0-[^-]*)?-seed-1$`), metric), `${experiment} ${arm} ${rate}`)
  }
  const markdown = readFileSync(join(cwd, 'runs/glue-quick/table-2.md'), 'utf8')
  for (const part of ['| less Adam |', '| less Adamax |', 'Pearson (× 100)', 'Adamax-SAGE, seed 2', '- fine-tuned: tiny: bert, 2 layers, 32 wide, 24 tokens']) t.true(markdown.includes(part), part)
  const derived = sentenceExperiments({ data, pretrained }).find(({ name }) => name === 'sentiment')?.prepare
  const labels = readFileSync(String(derived?.['train']), 'utf8').trim().split('\n').slice(1).map((line) => line.split('\t')[1])
  t.deepEqual(labels, reviews(24).flatMap(({ label }, index) => (index === 3 ? [] : [label])), 'a rating of 0 is neither')

  const figure = await start(cwd, ['reproduce', 'glue', '--figure', '7', ...args]).ended
  t.is(figure.code, 0, figure.err)
  const drawn = readFileSync(join(cwd, 'runs/glue-quick/figure-7.md'), 'utf8')
  for (const part of ['Adam-SAGE, β0 0.8', '| β1 | lr 0.00005 | lr 0.0002 | lr 0.0008 |', '![Film reviews, sentiment: validation accuracy (%)](sentiment-grid.svg)']) t.true(drawn.includes(part), part)

  const ablation = await start(cwd, ['reproduce', 'glue', '--table', '12', '--keep-models', ...args]).ended
  t.is(ablation.code, 0, ablation.err)
  const variants = (JSON.parse(ablation.out) as { readonly results: readonly { readonly rows: readonly Row[] }[] }).results[0]?.rows.map(({ arm, baseline }) => [arm, baseline])
  t.deepEqual(variants, [['adam', null], ['adam-sage', 'Adam'], ...['product', 'inverse', 'average', 'reciprocal', 'variation'].map((name) => [name, 'Adam'])])
  const kept = readdirSync(join(cwd, 'runs/glue-quick'), { recursive: true, encoding: 'utf8' }).filter((path) => /product-[^/]*\/model\/model\.safetensors$/.test(path))
  t.true(kept.length > 0)
})

test('a folder without the labelled sets is refused with all that it lacks, and leaves nothing', async (t) => {
  const cwd = temporaryFolder(t)
  const { code, err } = await start(cwd, ['reproduce', 'glue', '--table', '2', '--scale', 'quick', '--data', cwd, '--pretrained', await tinyBert(join(cwd, 'tiny'))]).ended
  t.is(code, 1, err)
  for (const set of ['vader_movieReviewSnippets.train', 'languagetool_acceptability.valid', 'wic_wordnet.test']) t.true(err.includes(`${set}.tsv.gz`), err)
  t.false(existsSync(join(cwd, 'runs/glue-quick')))
})

test('a set that is cut short is named, with what to do', async (t) => {
  const cwd = temporaryFolder(t)
  const data = sets(join(cwd, 'sentences'))
  const file = join(data, 'vader_movieReviewSnippets.train.tsv.gz')
  writeFileSync(file, readFileSync(file).subarray(0, 60))
  const { code, err } = await start(cwd, ['reproduce', 'glue', '--table', '2', '--scale', 'quick', '--experiments', 'sentiment', '--data', data, '--pretrained', await tinyBert(join(cwd, 'tiny'))]).ended
  t.is(code, 1, err)
  t.regex(err, /vader_movieReviewSnippets\.train\.tsv\.gz: its gzip data is truncated or damaged .*fetch or pack it again/)
})
