import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { publishedIwslt, publishedWmt } from '../task/published.js'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

const TINY = ['--model.hiddenSize', '16', '--model.feedForwardSize', '16', '--model.encoderLayers', '1', '--model.decoderLayers', '1', '--steps', '4', '--evaluation.everySteps', '2', '--evaluation.beam', '1', '--evaluation.maxLength', '4', '--threads', '2']
const QUICK = ['reproduce', 'nmt', '--scale', 'quick', ...TINY]

interface Table {
  readonly results: readonly { readonly rows: readonly { readonly label: string; readonly paper: number | null; readonly rate: number | null; readonly difference: { readonly degrees: number } | null; readonly seeds: readonly { readonly seed: number; readonly metrics: Readonly<Record<string, number>> }[] }[]; readonly missing: readonly string[] }[]
}

test('the table goes on where it was killed, and the figure after it runs only what the table has not', async (t) => {
  const cwd = temporaryFolder(t)
  const killed = start(cwd, [...QUICK, '--table', '4', '--seeds', '2'])
  await killed.seen(/Runs 3 and 4 of 8/)
  killed.kill('SIGKILL')
  await killed.ended
  t.deepEqual(JSON.parse(await readFile(join(cwd, 'runs/nmt-quick/table-4.json'), 'utf8')).results[0].missing.length, 6)

  const table = await start(cwd, [...QUICK, '--table', '4', '--seeds', '2', '--json']).ended
  t.is(table.code, 0, table.err)
  t.regex(table.err, /Plan: LibreOffice Help De-En \(embedded\), 10 runs, 2 at a time; 2 are done/)
  const { results: [found] } = JSON.parse(table.out) as Table
  t.deepEqual(found?.rows.map(({ label, seeds }) => [label, seeds.map(({ seed }) => seed)]), [['Adam', [1, 2]], ['Adam-SAGE', [1, 2]]])
  t.deepEqual([found?.rows[1]?.difference?.degrees, found?.missing], [1, []])
  for (const file of ['table-4.html', 'table-4.md', 'help-de-en-rates.svg']) t.true(existsSync(join(cwd, 'runs/nmt-quick', file)), file)

  const figure = await start(cwd, [...QUICK, '--figure', '8', '--json']).ended
  t.is(figure.code, 0, figure.err)
  t.regex(figure.err, /of 6/)
  t.notRegex(figure.err, /of 8/)
  for (const [flag, message] of [['--steps', /train\.steps 4, asked for is 5/], ['--vocabulary.size', /prepare\.vocabulary\.size 4000, asked for is 5/]] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one process after the other
    const other = await start(cwd, [...QUICK, '--table', '4', flag, flag === '--steps' ? '5' : '500']).ended
    t.deepEqual([other.code, message.test(other.err)], [1, true], other.err)
  }
  const verified = await start(cwd, ['verify-resume', 'runs/nmt-quick/help-de-en/adam-lr-0.001-seed-1']).ended
  t.is(verified.code, 0, verified.err)
})

test('from published files in miniature to the paper’s table', async (t) => {
  const cwd = temporaryFolder(t)
  const data = publishedIwslt(cwd)
  t.is(publishedWmt(cwd), data)
  const args = ['reproduce', 'nmt', '--table', '4', '--data', data, '--seeds', '1', ...TINY, '--checkpoint.everySteps', '1', '--vocabulary.merges', '60', '--output', join(cwd, 'prepared')]
  const { code, out, err } = await start(cwd, [...args, '--json']).ended
  t.is(code, 0, err)
  const { results } = JSON.parse(out) as Table
  t.deepEqual(results.map(({ rows }) => rows.map(({ paper, rate }) => [paper, rate])), [[[34.5, 5e-4], [35.1, 1e-3]], [[27.3, 7e-4], [27.7, 2e-3]]])
  for (const { rows } of results)
    for (const { seeds } of rows) for (const key of ['tokenizedBleu', 'compoundSplitBleu', 'bleu']) t.is(typeof seeds[0]?.metrics[key], 'number', key)
  t.true(existsSync(join(cwd, 'runs/nmt-paper/wmt16-en-de/adam-lr-0.0007-seed-1/average-4-to-step-00000004/model.safetensors')), 'the mean of the newest is what is measured')
  const markdown = await readFile(join(cwd, 'runs/nmt-paper/table-4.md'), 'utf8')
  for (const part of ['| Adam | 34.5 |', '| less Adam | +0.6 |', '| less Adam | +0.4 |', 'one seed has no interval', 'Adam, seed 1, mean of 4 checkpoints', 'In the paper it is +0.6.']) t.true(markdown.includes(part), part)
})

test('what cannot be reproduced is refused before anything is made', async (t) => {
  const cwd = temporaryFolder(t)
  const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['vit', '--table', '5'], /takes one of: nmt, glue; got vit/],
    [['glue', '--table', '2'], /sagetrain glue/],
    [['glue', '--table', '4'], /of glue there are --table 2, --table 12, --figure 7, --figure 8; Tables 2 and 6/],
    [['glue', '--figure', '8', '--scale', 'quick'], /--figure 8: it has no quick scale/],
    [['glue', '--table', '12', '--pretrained', '.'], /needs --data FOLDER/],
    [['glue', '--table', '12', '--data', '.'], /needs --pretrained FOLDER/],
    [['nmt', '--table', '4', '--scale', 'quick', '--pretrained', '.'], /--pretrained has no effect/],
    [['nmt', '--table', '4', '--scale', 'quick', '--keep-models'], /--keep-models has no effect with reproduce nmt/],
    [['glue', '--figure', '7', '--scale', 'quick', '--data', '.', '--pretrained', '.', '--keep-models'], /--keep-models has no effect with a figure of a grid/],
    [['nmt'], /needs one of --table 4, --figure 8/],
    [['nmt', '--table', '5', '--scale', 'quick'], /--table 5: of nmt there are --table 4, --figure 8/],
    [['nmt', '--table', '4'], /needs --data FOLDER/],
    [['nmt', '--table', '4', '--scale', 'quick', '--data', '.'], /--data has no effect/],
    [['nmt', '--table', '4', '--scale', 'small'], /--scale small: give paper or quick/],
    [['nmt', '--table', '4', '--data', '.', '--experiments', 'iwslt'], /--experiments iwslt: there are iwslt14-de-en, wmt16-en-de/],
    [['nmt', '--figure', '8', '--scale', 'quick', '--seeds', '2'], /one run a point/],
    [['nmt', '--table', '4', '--scale', 'quick', '--optimizer.lr', '1'], /--optimizer\.lr: is what an experiment is, or what its runs differ in/],
    [['nmt', '--table', '4', '--scale', 'quick', '--optimizer', '{"type":"adam","lr":1}'], /--optimizer: is what an experiment is, or what its runs/],
    [['nmt', '--table', '4', '--scale', 'quick', '--optimizer', 'adamw-sage'], /would turn SAGE on in every arm/],
    [['nmt', '--table', '4', '--scale', 'quick', '--optimizer.sage.beta0', '0.5'], /--optimizer\.sage\.beta0: is what an experiment is, or what its runs/],
    [['nmt', '--table', '4', '--scale', 'quick', '--evaluation.beam', '0'], /evaluation\.beam/],
    [['nmt', '--table', '4', '--scale', 'quick', '--threads', '0'], /threads/],
  ]
  const ended = await Promise.all(refusals.map(([args]) => start(cwd, ['reproduce', ...args]).ended))
  ended.forEach(({ code, err }, index) => {
    t.is(code, 2, err)
    t.regex(err, refusals[index]?.[1] ?? /^$/)
  })
  const missing = await start(cwd, ['reproduce', 'nmt', '--table', '4', '--data', '.']).ended
  t.is(missing.code, 1)
  t.regex(missing.err, /de-en\.tgz/)
  t.false(existsSync(join(cwd, 'runs/nmt-paper/iwslt14-de-en')))
})
