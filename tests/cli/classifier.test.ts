import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
let plan: string

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
  plan = err
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

test('a classifier is scored on a file of its own, whose columns are those of its run unless they are named', async (t) => {
  const scored = await sagetrain('evaluate', 'runs/cli', '--test', 'valid.tsv', '--json')
  t.is(scored.code, 0, scored.err)
  const { metrics, samples, majority, labels } = JSON.parse(scored.out) as { metrics: Record<string, number>; samples: number; majority: number; labels: Record<string, number> }
  const trained = report.arms[0].result.metrics
  for (const name of ['accuracy', 'f1', 'matthews']) t.true(Math.abs((metrics[name] ?? 0) - (trained[name] ?? Number.NaN)) < 1e-9, name)
  t.regex(plan, /most frequent class +66\.67 % of what is measured/)
  t.deepEqual([samples, labels, majority], [60, { negative: 20, positive: 40 }, 40 / 60])
  writeFileSync(join(folder, 'bare.csv'), reviews(60, 1000).map(({ text, label }) => `${label === 'positive' ? 1 : 0},"${text}"\n`).join(''))
  const bare = await sagetrain('evaluate', 'runs/cli', '--test', 'bare.csv', '--columns.text', '1', '--columns.label', '0', '--labels', '["0","1"]', '--json')
  t.deepEqual((JSON.parse(bare.out) as { metrics: unknown }).metrics, metrics)
  writeFileSync(join(folder, 'renamed.csv'), reviews(60, 1000).map(({ text, label }) => `${label === 'positive' ? 'pos' : 'neg'},"${text}"\n`).join(''))
  const renamed = await sagetrain('evaluate', 'runs/cli', '--test', 'renamed.csv', '--columns.text', '1', '--columns.label', '0', '--labels', 'neg,pos', '--json')
  t.deepEqual((JSON.parse(renamed.out) as { metrics: unknown }).metrics, metrics, 'the user says which is which')
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
  await refused(/^sagetrain: --labels \["a"\]: give 2 with commas between them, or as a JSON array, for negative, positive/, '--test', 'valid.tsv', '--labels', '["a"]')
  await refused(/--columns\.text NAME --columns\.label NAME/, '--test', 'valid.tsv', '--columns.text', 'review')
  writeFileSync(join(folder, 'other.tsv'), `review\tstars\tverdict\n${rows(12, 0, ['yes', 'no'])}`)
  t.regex((await sagetrain('evaluate', 'runs/cli', '--test', 'other.tsv')).err, /other\.tsv:\d+: the label `(yes|no)` \(\d+ samples\) is none of the 2 classes `negative`, `positive`/)
})

/** The model's folder with what its preparation says of its texts. */
async function trainedOn(name: string, said: object): Promise<string> {
  const checkpoints = join(folder, 'runs/cli/checkpoints')
  cpSync(join(checkpoints, readdirSync(checkpoints).toSorted().at(-1) ?? '', 'model'), join(folder, name), { recursive: true })
  writeFileSync(join(folder, name, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'BertTokenizer', do_lower_case: true, ...said }))
  return name
}

test('files are read as the run’s were or as columns say, and rows of others are named by their lines', async (t) => {
  const expected = reviews(6, 1000).map(({ label }) => label)
  const labels = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { code, out, err } = await sagetrain('predict', ...args)
    t.is(code, 0, err)
    return out.trimEnd().split('\n')
  }
  t.deepEqual((await labels('runs/cli', 'valid.tsv')).slice(0, 6), expected)
  writeFileSync(join(folder, 'quoted.csv'), `id,review\r\n${reviews(6, 1000).map(({ text }, index) => `${index},"${text.replace(' ', '\r\n')}"\r\n`).join('\r\n')}`)
  t.deepEqual(await labels('runs/cli', 'quoted.csv'), expected)
  writeFileSync(join(folder, 'plain.txt'), reviews(6, 1000).map(({ text }) => `${text}\n`).join(''))
  t.deepEqual(await labels('runs/cli', 'plain.txt'), expected)
  writeFileSync(join(folder, 'numbered.tsv'), reviews(6, 1000).map(({ text }, index) => `${index}\t${text}\n`).join(''))
  t.deepEqual(await labels('runs/cli', 'numbered.tsv', '--columns.text', '1'), expected)
  const refused = async (pattern: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, err } = await sagetrain('predict', ...args)
    t.is(code, 1, err)
    t.regex(err, pattern)
  }
  await refused(/numbered\.tsv:1: no column is named "review"; its first row has "0", "the cast was good": name one of these/, 'runs/cli', 'numbered.tsv')
  writeFileSync(join(folder, 'ragged.csv'), 'review,id\n"a ""fine"" film",1\n"a\nfilm"\n')
  await refused(/ragged\.csv:3: the row has 1 column, and its first has 2 columns and put texts with commas in quotes/, 'runs/cli', 'ragged.csv')
  writeFileSync(join(folder, 'three.txt'), 'a\tb\na\tb\tc\n')
  await refused(/three\.txt:2: the row has 3 columns, and the model takes 1 column or 2 columns; say which ones are read/, await trainedOn('unsaid', {}), 'three.txt')
  t.regex((await sagetrain('predict', 'runs/cli', 'numbered.tsv', '--columns.pair', '1')).err, /^sagetrain: --columns\.pair needs --columns\.text/)
  t.regex((await sagetrain('predict', 'runs/cli', '--jsonl', '--columns.text', '1')).err, /^sagetrain: --columns\.text 1: objects have keys/)
  const single = await trainedOn('single', { sagetrain: { pair: false } })
  await refused(/three\.txt:1: the row has 2 columns, and the model takes 1 column;/, single, 'three.txt')
  const pairs = await trainedOn('pairs', { sagetrain: { pair: true } })
  await refused(/plain\.txt:1: the row has 1 column, and the model takes 2 columns;/, pairs, 'plain.txt')
  writeFileSync(join(folder, 'mixed.jsonl'), '{"text": "a", "pair": "b"}\n{"text": "a"}\n')
  await refused(/mixed\.jsonl:2: is one text, and the model was trained on pairs of texts/, pairs, 'mixed.jsonl')
})

test('a text is cut where those of the training were', async (t) => {
  const [first, second] = ['the film was good', 'the film was good and then it is dull and silly and awful']
  const cut = await trainedOn('cut', { model_max_length: 6 })
  const value = async (model: string, text: string): Promise<unknown> => (JSON.parse((await start(folder, ['predict', model, '--json'], `${text}\n`).ended).out) as { probabilities: unknown }).probabilities
  t.deepEqual(await value(cut, second), await value(cut, first))
  t.notDeepEqual(await value('runs/cli', second), await value('runs/cli', first))
})

test('what comes through a pipe is labelled when no more comes; an id is handed on', async (t) => {
  const going = start(folder, ['predict', 'runs/cli', '--jsonl', '--json'], null)
  const [liked = '', disliked = ''] = (['positive', 'negative'] as const).map((label) => reviews(60, 1000).find((one) => one.label === label)?.text)
  going.write(`${JSON.stringify({ id: [7], review: liked })}\n${JSON.stringify({ text: disliked })}\n`)
  await going.seen(/\n.*\n/)
  going.kill('SIGINT')
  const [one, two] = (await going.ended).out.trimEnd().split('\n').map((line) => JSON.parse(line) as object)
  t.like(one, { id: [7], text: liked, label: 'positive' })
  t.like(two, { text: disliked, label: 'negative' })
  t.false('id' in (two ?? {}))
})

test('a search over rates and β0 finds each arm’s point, from a fine-tuned classifier on too', async (t) => {
  const prepare = { train: 'train.tsv', valid: 'valid.tsv', columns: { text: 'review', label: 'verdict' }, tokenizer: 'runs/cli' }
  const train = { model: { fineTuned: 'runs/cli' }, optimizer: { type: 'adam', lr: 1 }, batch: { batchSize: 16 }, steps: 2, threads: 2 }
  writeFileSync(join(folder, 'grid.json'), JSON.stringify({ task: 'classification', prepare, train, compare: [{ name: 'adam' }, { name: 'adam-sage', train: { optimizer: { sage: {} } } }] }))
  const { code, out, err } = await sagetrain('search', '--config', 'grid.json', '--rates', '1e-4,1e-3', '--beta0', '0.6,0.8', '--json')
  t.is(code, 0, err)
  const cells = readdirSync(join(folder, 'runs/grid-search/trials')).map((name) => JSON.parse(readFileSync(join(folder, 'runs/grid-search/trials', name, 'cell.json'), 'utf8')) as { validation: number })
  t.is(cells.length, 6)
  t.true(cells.every(({ validation }) => validation > 0.5), 'from the classifier’s weights')
  t.regex(readFileSync(join(folder, 'runs/grid-search/search.md'), 'utf8'), /- fine-tuned: model: bert, 2 layers, 32 wide/)
  t.true(out.length > 0)
  writeFileSync(join(folder, 'nowhere.json'), JSON.stringify({ task: 'classification', prepare, train: { ...train, model: { fineTuned: 'nowhere' } } }))
  t.regex((await sagetrain('search', '--config', 'nowhere.json', '--rates', '1e-4')).err, /train\.model\.fineTuned: there is no folder nowhere; give a Hugging Face folder on this machine, a checkpoint or a run:/)
})

test('a search by the loss takes the point whose kept evaluation has the lowest', async (t) => {
  const prepare = { train: 'train.tsv', valid: 'valid.tsv', columns: { text: 'review', label: 'verdict' }, tokenizer: 'runs/cli' }
  const train = { model: { fineTuned: 'runs/cli' }, optimizer: { type: 'adam', lr: 1 }, schedule: { type: 'constant' }, batch: { batchSize: 16 }, steps: 6, evaluation: { everySteps: 2 }, threads: 2 }
  writeFileSync(join(folder, 'losses.json'), JSON.stringify({ task: 'classification', prepare, train }))
  const { code, out, err } = await sagetrain('search', '--config', 'losses.json', '--rates', '1e-5,1e-3,3e-1', '--best.metric', 'loss', '--write', '--json')
  t.is(code, 0, err)
  const { metric, trials } = JSON.parse(out) as { metric: string; trials: { rate: number; value: number; chosen: boolean }[] }
  t.is(metric, 'validation loss')
  const runs = join(folder, 'runs/losses-search/trials')
  for (const { rate, value } of trials) {
    const run = readdirSync(runs).find((name) => name.includes(`-lr-${rate}-`)) ?? ''
    const events = readFileSync(join(runs, run, 'events.jsonl'), 'utf8').split('\n')
    const losses = events.filter((line) => line.includes('"type":"evaluation"')).map((line) => (JSON.parse(line) as { metrics: { loss: number } }).metrics.loss)
    t.is(losses.length, 3)
    t.is(value, Math.min(...losses), `lr ${rate}`)
  }
  const lowest = trials.toSorted((one, other) => one.value - other.value)[0]
  t.deepEqual(trials.filter(({ chosen }) => chosen).map(({ rate }) => rate), [lowest?.rate])
  t.is((JSON.parse(readFileSync(join(folder, 'losses.json'), 'utf8')) as { train: { optimizer: { lr: number } } }).train.optimizer.lr, lowest?.rate ?? Number.NaN)
})

test('labels go into a file, which may be the one being read, whole or not at all', async (t) => {
  const texts = reviews(5, 1000).map(({ text }) => text).join('\n')
  writeFileSync(join(folder, 'same.txt'), `${texts}\n`)
  const [plain, json] = [await sagetrain('predict', 'runs/cli', 'same.txt'), await sagetrain('predict', '--model', 'runs/cli', 'same.txt', '--json')]
  t.deepEqual((await sagetrain('predict', 'runs/cli', 'same.txt', '--json', '--output', 'labels.jsonl')).out, '')
  t.is(readFileSync(join(folder, 'labels.jsonl'), 'utf8'), json.out)
  t.deepEqual((await sagetrain('predict', 'runs/cli', 'same.txt', '--output', 'same.txt')).out, '')
  t.is(readFileSync(join(folder, 'same.txt'), 'utf8'), plain.out)
  writeFileSync(join(folder, 'halfway.jsonl'), '{"text": "a"}\n{"no": "text"}\n')
  t.is((await sagetrain('predict', 'runs/cli', 'halfway.jsonl', '--output', 'labels.jsonl', '--together', '1')).code, 1)
  t.is(readFileSync(join(folder, 'labels.jsonl'), 'utf8'), json.out)
})

test('a command that fails does not wait for the end of its input', async (t) => {
  const single = await trainedOn('alone', { sagetrain: { pair: false } })
  const going = start(folder, ['predict', single, '--jsonl'], null)
  going.write('{"text": "a", "pair": "b"}\n')
  const { code, err } = await going.ended
  t.is(code, 1)
  t.regex(err, /^sagetrain: standard input:1: is a pair of texts, and the model was trained on single texts/)
})
