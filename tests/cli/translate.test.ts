import { execFile, execFileSync } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { findModelFolder } from '#ts/model-folder.js'
import { corpus } from '../task/corpus.js'
import { start } from './process.js'

let folder: string

test.before('a model that was trained for a step', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-translate-'))
  const train = {
    model: { hiddenSize: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 16 },
    optimizer: { type: 'adam', lr: 1e-3 },
    batch: { maxTokens: 400 },
    evaluation: { beam: 1, maxLengthRatio: 0, maxLengthExtra: 2 },
    steps: 1,
  }
  await writeFile(join(folder, 'run.json'), JSON.stringify({ task: 'translation', prepare: { ...corpus(folder, 60), vocabulary: { size: 270 }, output: join(folder, 'prepared') }, train }))
  const { code, err } = await start(folder, ['train', '--config', 'run.json', '--name', 'model']).ended
  if (code !== 0) throw new Error(err)
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

const INPUT = 'ein rotes Haus\n\nein altes\u2028Boot\n'
const translate = (...args: readonly string[]) => start(folder, ['translate', 'runs/model', ...args, '--beam', '1']).ended

test('a file can be translated onto itself, and keeps in step', async (t) => {
  await writeFile(join(folder, 'same.txt'), INPUT)
  const { code, out, err } = await translate('same.txt', '--output', 'same.txt')
  t.deepEqual([code, out, err], [0, '', ''])
  const lines = (await readFile(join(folder, 'same.txt'), 'utf8')).split('\n')
  t.is(lines.length, 4)
  t.deepEqual([lines[1], lines[3]], ['', ''])
  t.deepEqual((await readdir(folder)).filter((name) => name.startsWith('same.txt')), ['same.txt'])
})

test('with --json the output file holds a JSON line for each sentence', async (t) => {
  await writeFile(join(folder, 'input.txt'), INPUT)
  const { code, out } = await translate('input.txt', '--output', 'output.jsonl', '--json')
  t.deepEqual([code, out], [0, ''])
  const lines = (await readFile(join(folder, 'output.jsonl'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as { source: string; translation: string })
  t.deepEqual(lines.map(({ source }) => source), ['ein rotes Haus', '', 'ein altes\u2028Boot'])
  t.is(lines[1]?.translation, '')
})

test('an output that fails leaves the old one; links and pipes are written, not replaced', async (t) => {
  await writeFile(join(folder, 'old.txt'), 'old')
  t.is((await translate('missing.txt', '--output', 'old.txt')).code, 1)
  t.is(await readFile(join(folder, 'old.txt'), 'utf8'), 'old')
  await symlink('old.txt', join(folder, 'link.txt'))
  await writeFile(join(folder, 'two.txt'), '\n\n')
  t.is((await translate('two.txt', '--output', 'link.txt')).code, 0)
  t.is(await readFile(join(folder, 'old.txt'), 'utf8'), '\n\n')
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const [{ code }, piped] = await Promise.all([translate('two.txt', '--output', 'pipe'), readFile(join(folder, 'pipe'), 'utf8')])
  t.deepEqual([code, piped], [0, '\n\n'])
})

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const)
  test(`${signal} ends a wait for standard input`, async (t) => {
    const going = start(folder, ['translate', 'runs/model', '--beam', '1'], null)
    going.write('\n')
    await going.seen(/\n/)
    going.kill(signal)
    const ended = await going.ended
    t.deepEqual([ended.code, ended.signal, ended.err], [code, null, ''])
  })

test('a command that fails does not wait for the end of its input', async (t) => {
  const going = start(folder, ['translate', 'runs/model', '--beam', '1'], null)
  going.write(`${'ein rotes Haus '.repeat(2000)}\n`)
  const { code, err } = await going.ended
  t.is(code, 1)
  t.regex(err, /^sagetrain: standard input:1: /)
})

test('a broken gzip file is a sentence', async (t) => {
  await writeFile(join(folder, 'broken.txt.gz'), 'no gzip')
  const { code, err } = await translate('broken.txt.gz')
  t.is(code, 1)
  t.is(err, 'sagetrain: broken.txt.gz: is no whole gzip file (incorrect header check); make it again, or drop the .gz from its name if it is plain text (ERR_DATA)\n')
})

test('a line that is longer than the model holds is named, and a file of none', async (t) => {
  await writeFile(join(folder, 'long.txt'), `ein Haus\n\n${'ü'.repeat(1000)}\n`)
  const translated = await translate('long.txt')
  t.is(translated.code, 1)
  t.regex(translated.err, /^sagetrain: long\.txt:3: \d{4} tokens with its <\/s>, but the model holds 1024 \(maxPositions\); split it/)
  await writeFile(join(folder, 'long.tsv'), `ein Haus\ta house\nein Boot\t${'ü'.repeat(1000)}\n`)
  const evaluate = (...args: readonly string[]) => start(folder, ['evaluate', 'runs/model', ...args]).ended
  t.regex((await evaluate('--tsv', 'long.tsv')).err, /^sagetrain: long\.tsv:2: the target has \d{4} tokens with its <\/s>, but the model holds 1024/)
  await writeFile(join(folder, 'empty.tsv'), '')
  t.regex((await evaluate('--tsv', 'empty.tsv')).err, /^sagetrain: empty\.tsv: holds no lines/)
})

test('a prefix that no output can have is named by its line, and so is what a model of NaN is given', async (t) => {
  await writeFile(join(folder, 'prefixed.tsv'), `ein Haus\tA\nein Boot\t${'a '.repeat(40)}\n`)
  const prefixed = await translate('prefixed.tsv', '--with-prefixes', '--max-length', '12')
  t.is(prefixed.code, 1)
  t.regex(prefixed.err, /^sagetrain: prefixed\.tsv:2: its prefix has \d\d tokens, but the longest output has 12 with its <\/s>; raise maxLengthExtra/)
  await cp(await findModelFolder(join(folder, 'runs/model')), join(folder, 'nan'), { recursive: true })
  const weights = join(folder, 'nan', 'model.safetensors')
  const bytes = await readFile(weights)
  await writeFile(weights, bytes.fill(0xff, 8 + Number(bytes.readBigUInt64LE(0)))) // every value is NaN
  await writeFile(join(folder, 'two.tsv'), '\t\nein Haus\ta house\n')
  await writeFile(join(folder, 'blank.txt'), '\nein Haus\n')
  t.regex((await start(folder, ['translate', 'nan', 'blank.txt']).ended).err, /^sagetrain: blank\.txt:2: the model's scores hold NaN/)
  t.regex((await start(folder, ['evaluate', 'nan', '--tsv', 'two.tsv']).ended).err, /^sagetrain: two\.tsv:[12]: the model's scores hold NaN/)
})

test('standard output on a full device is said and fails', async (t) => {
  const main = fileURLToPath(import.meta.resolve('#ts/cli/main.js'))
  const line = `yes '' | head -n 200 | "${process.execPath}" "${main}" translate runs/model --beam 1 > /dev/full; echo "code $?"`
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line], { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } })
  t.is(stdout, 'code 1\n')
  t.regex(stderr, /^sagetrain: standard output cannot be written \(ENOSPC[^\n]*\n$/)
})

test('a device that is full is named', async (t) => {
  await writeFile(join(folder, 'full.txt'), '\n')
  const { code, err } = await translate('full.txt', '--output', '/dev/full')
  t.is(code, 1)
  t.regex(err, /^sagetrain: \/dev\/full: cannot be written \(ENOSPC/)
})

const linesOf = (out: string): string[] => out.split('\n').slice(0, -1)

test('n-best lists have the line’s number and scores that fall', async (t) => {
  await writeFile(join(folder, 'n-best.txt'), INPUT)
  const { code, out } = await start(folder, ['translate', 'runs/model', 'n-best.txt', '--beam', '3', '--n-best', '2', '--max-length', '6']).ended
  t.is(code, 0)
  const rows = linesOf(out).map((line) => line.split(' ||| '))
  t.deepEqual(rows.map(([number]) => number), ['0', '0', '2', '2'])
  t.true(rows.every((row) => row.length === 3 && Number(row[2]) <= 0))
  t.true(Number(rows[0]?.[2]) >= Number(rows[1]?.[2]))
  const json = await start(folder, ['translate', 'runs/model', 'n-best.txt', '--beam', '3', '--n-best', '2', '--max-length', '6', '--json']).ended
  const [first, second] = linesOf(json.out).map((line) => JSON.parse(line) as { translation: string; hypotheses: { translation: string }[] })
  t.deepEqual(first?.hypotheses.map(({ translation }) => translation), [rows[0]?.[1], rows[1]?.[1]])
  t.deepEqual(second?.hypotheses, [])
})

test('a translation begins as it is told to', async (t) => {
  await writeFile(join(folder, 'prefixes.tsv'), 'ein rotes Haus\tA red\nein Boot\n')
  const { code, out } = await translate('prefixes.tsv', '--with-prefixes', '--max-length', '12')
  t.is(code, 0)
  t.true(linesOf(out)[0]?.startsWith('A red'), out)
  await writeFile(join(folder, 'prefix.txt'), 'ein rotes Haus\nein Boot\n')
  const all = await translate('prefix.txt', '--prefix', 'The', '--max-length', '12')
  t.true(linesOf(all.out).every((line) => line.startsWith('The')), all.out)
})

test('samples are drawn again by the same seed, however many go together, and not by another', async (t) => {
  await writeFile(join(folder, 'sampled.txt'), 'ein rotes Haus\n\nein altes Boot\n')
  const draw = (...args: readonly string[]) => start(folder, ['translate', 'runs/model', 'sampled.txt', '--sample', '--beam', '2', '--n-best', '2', '--max-length', '12', ...args]).ended
  const [one, again, other] = await Promise.all([draw(), draw('--together', '1'), draw('--seed', '2')])
  t.is(one.code, 0)
  t.is(again.out, one.out)
  t.not(other.out, one.out)
})

test('where nobody reads any more, an endless input is not translated to its end', async (t) => {
  const main = fileURLToPath(import.meta.resolve('#ts/cli/main.js'))
  const line = `yes 'ein Boot' | timeout 60 "${process.execPath}" "${main}" translate runs/model --beam 1 --max-length 4 --together 1 | head -n 1; echo "\${PIPESTATUS[1]}"`
  const { stdout } = await promisify(execFile)('bash', ['-c', line], { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } })
  t.regex(stdout, /\n0\n$/)
})

test('an ensemble of a model with itself is the model', async (t) => {
  await writeFile(join(folder, 'ensemble.txt'), 'ein rotes Haus\nein altes Boot\n')
  const one = await translate('ensemble.txt', '--max-length', '8')
  const two = await start(folder, ['translate', 'runs/model,runs/model', 'ensemble.txt', '--beam', '1', '--max-length', '8']).ended
  t.deepEqual([two.code, two.out], [0, one.out])
})

for (const [args, message] of [
  [['--top-k', '3'], '--top-k has no effect without --sample'],
  [['--length-normalization', 'google'], '--length-normalization google: give length or gnmt'],
  [['--n-best', '5'], '--n-best 5: a beam of 1 has no more than 1; give --beam 5 too'],
  [['--n-best', '0'], '--n-best 0: give a whole number of at least 1'],
  [['--prefix', 'A', '--with-prefixes'], '--prefix and --with-prefixes exclude each other'],
  [['--min-length', 'two'], '--min-length two: give a number'],
  [['--min-length', '5', '--max-length', '5'], '--min-length 5: with </s> it is more than --max-length 5'],
] as const)
  test(`${args.join(' ')} is not understood`, async (t) => {
    const { code, err } = await translate('none.txt', ...args)
    t.is(code, 2)
    t.true(err.includes(message), err)
  })
