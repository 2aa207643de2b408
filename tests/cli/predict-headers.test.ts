import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Reading } from '#ts/cli/labelled-files.js'
import { formatOf, readTexts } from '#ts/cli/texts.js'
import { Model } from '#ts/index.js'
import { TINY, tinyBert } from '../task/encoder.js'
import { glueFiles, rowsOf } from '../task/glue-files.js'
import { start, type Ended } from './process.js'

let folder: string

const sagetrain = (...args: readonly string[]): Promise<Ended> => start(folder, args).ended

test.before('classifiers without columns: of a recipe’s run, and of no run', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-headers-'))
  glueFiles(join(folder, 'glue'), ['rte', 'sst-2'])
  for (const recipe of ['rte', 'sst-2', '']) {
    const model = await tinyBert(join(folder, recipe || 'plain', 'model'))
    using made = await Model.create({ type: 'bert', ...TINY, head: { kind: 'classification', classes: 2, labels: ['no', 'yes'] } })
    await made.save(model)
    if (recipe === '') continue
    writeFileSync(join(folder, recipe, 'config.json'), JSON.stringify({ task: 'classification', prepare: { recipe, data: 'glue', tokenizer: 'bert' }, train: {} }))
  }
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

interface Said {
  readonly text: string
  readonly pair?: string
}

/** What was labelled, and what was warned of. */
async function predicted(...args: readonly string[]): Promise<{ readonly said: readonly Said[]; readonly err: string }> {
  const { code, out, err } = await sagetrain('predict', ...args, '--json')
  if (code !== 0) throw new Error(err)
  const said = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Said)
  return { said: said.map(({ text, pair }) => (pair === undefined ? { text } : { text, pair })), err }
}

/** What a model that does not say whether it takes pairs is given of a file. */
async function read(name: string, reading: Reading = { columns: {} }): Promise<{ readonly texts: readonly (readonly string[])[]; readonly warnings: readonly string[] }> {
  const [texts, warnings]: [string[][], string[]] = [[], []]
  const path = join(folder, name)
  for await (const { text, pair } of readTexts({ path, format: formatOf(path), reading, pair: undefined, signal: new AbortController().signal, warn: (message) => warnings.push(message) })) texts.push(pair === undefined ? [text] : [text, pair])
  return { texts, warnings }
}

test('a recipe’s columns are found by their names, so that the published test files are read', async (t) => {
  const pairs = rowsOf(join(folder, 'glue/RTE/test.tsv')).map((row) => ({ text: row['sentence1'] ?? '', pair: row['sentence2'] ?? '' }))
  t.deepEqual(await predicted('rte/model', 'glue/RTE/test.tsv'), { said: pairs, err: '' })
  const lines = pairs.map(({ text, pair }) => `${text}\t${pair}\n`).join('')
  writeFileSync(join(folder, 'headed.tsv'), `sentence1\tsentence2\n${lines}`)
  writeFileSync(join(folder, 'swapped.csv'), 'sentence2,id,sentence1\r\n"so, no",7,a\r\n')
  writeFileSync(join(folder, 'bare.tsv'), lines)
  t.deepEqual(await predicted('rte/model', 'headed.tsv'), { said: pairs, err: '' })
  t.deepEqual(await predicted('rte/model', 'bare.tsv'), { said: pairs, err: '' })
  t.deepEqual((await predicted('rte/model', 'swapped.csv')).said, [{ text: 'a', pair: 'so, no' }])
  const asText = await predicted('rte/model', 'headed.tsv', '--header', 'false')
  t.deepEqual(asText, { said: [{ text: 'sentence1', pair: 'sentence2' }, ...pairs], err: '' })
  writeFileSync(join(folder, 'hub.jsonl'), `${JSON.stringify({ sentence1: 'a', sentence2: 'b' })}\n{"text":"c","pair":"d","sentence1":3}\n`)
  t.deepEqual((await predicted('rte/model', 'hub.jsonl')).said, [{ text: 'a', pair: 'b' }, { text: 'c', pair: 'd' }])
  const single = rowsOf(join(folder, 'glue/SST-2/test.tsv')).map((row) => ({ text: row['sentence'] ?? '' }))
  t.deepEqual(await predicted('sst-2/model', 'glue/SST-2/test.tsv'), { said: single, err: '' })
  writeFileSync(join(folder, 'ragged.tsv'), 'index\tsentence\n0\ta\tb\n')
  t.regex((await sagetrain('predict', 'sst-2/model', 'ragged.tsv')).err, /ragged\.tsv:2: the row has 3 columns, and its first has 2 columns/)
})

test('where nothing says what the columns are, a first line that looks like their names is text, and that is told', async (t) => {
  const looks = /^[\w.]+:1: the first line, ("[^"]+"(?:, )?)+, was taken as text, and looks like names of columns; leave it out with --header true, read a column by its name with --columns\.text NAME, or say that it is text with --header false$/
  for (const [name, header] of [['one.tsv', 'sentence'], ['two.tsv', 'sentence1\tsentence2'], ['mrpc.tsv', '#1 String\t#2 String'], ['nli.csv', 'premise,hypothesis'], ['labels.csv', 'Text,label'], ['numbered.tsv', 'index\tsentence']] as const) {
    const columns = header.split(/[\t,]/)
    writeFileSync(join(folder, name), `${header}\n${columns.map(() => 'film').join(name.endsWith('csv') ? ',' : '\t')}\n`)
    const { texts, warnings } = await read(name)
    t.deepEqual(texts, columns.length === 1 ? [columns, ['film']] : [columns, ['film', 'film']], 'two columns are a pair')
    t.is(warnings.length, 1)
    t.regex(warnings[0]?.replace(`${folder}/`, '') ?? '', looks, name)
  }
  const told = await predicted('plain/model', 'two.tsv')
  t.deepEqual(told.said, [{ text: 'sentence1', pair: 'sentence2' }, { text: 'film', pair: 'film' }])
  t.regex(told.err, /^sagetrain: warning: two\.tsv:1: the first line, "sentence1", "sentence2", was taken as text/)
  t.deepEqual(await predicted('plain/model', 'two.tsv', '--header', 'true'), { said: [{ text: 'film', pair: 'film' }], err: '' })
  t.deepEqual((await read('two.tsv', { columns: {}, header: false })).warnings, [])
  t.deepEqual(await predicted('plain/model', 'labels.csv', '--columns.text', 'Text'), { said: [{ text: 'film' }], err: '' })
  t.regex((await read('labels.csv', { columns: { text: 0 } })).warnings[0] ?? '', /"Text", was taken as text/)
  writeFileSync(join(folder, 'texts.tsv'), 'the text\tthe sentence\n')
  writeFileSync(join(folder, 'plain.txt'), 'text\n')
  for (const name of ['texts.tsv', 'plain.txt']) t.deepEqual((await read(name)).warnings, [], name)
})
