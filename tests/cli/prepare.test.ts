import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { PreparationProgress } from '#ts/cli/preparation-progress.js'
import { createTerminal } from '#ts/cli/terminal.js'
import { corpus, lines } from '../task/corpus.js'
import { start } from './process.js'

let folder: string

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-prepare-'))
  corpus(folder, 60)
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

const prepare = (...args: readonly string[]) => start(folder, ['prepare', ...args]).ended

test('a corpus is prepared, with the lines that were left out, and found again', async (t) => {
  await writeFile(join(folder, 'some-bad.tsv'), [...lines(50), 'no tab', 'too short\tx'].join('\n'))
  const options = ['translation', '--tsv', 'some-bad.tsv', '--vocabulary.size', '300', '--minWords', '2', '--heldOut.every', '10', '--output', 'prepared']
  const first = await prepare(...options)
  t.is(first.code, 0, first.err)
  t.regex(first.out, /folder +prepared\/translation-[0-9a-f]{16}\n/)
  t.regex(first.out, /train +45 pairs/)
  t.regex(first.out, /valid +5 pairs/)
  t.regex(first.out, /train +1 +51 +no tab between source and target +some-bad\.tsv/)
  t.regex(first.out, /train +1 +52 +fewer words than minWords/)
  const second = await prepare(...options, '--json')
  const result = JSON.parse(second.out) as { folder: string; reused: boolean; vocabulary: number; targetVocabulary: number; leftOut: { lines: number }[] }
  t.true(result.reused)
  t.deepEqual(result.leftOut.map(({ lines: count }) => count), [1, 1])
  t.is(result.vocabulary, result.targetVocabulary)
  t.true((await readFile(join(folder, result.folder, 'prepared.json'), 'utf8')).length > 0)
})

test('a configuration file says what to prepare, and flags are laid over it', async (t) => {
  const config = { task: 'translation', prepare: { tsv: 'train.tsv', vocabulary: { size: 290 }, output: 'prepared' }, train: { epochs: 1 } }
  await writeFile(join(folder, 'run.json'), JSON.stringify(config))
  const { code, out, err } = await prepare('--config', 'run.json', '--vocabulary', '{"type":"subword","merges":20,"joint":false}', '--shardSamples', '30', '--json')
  t.is(code, 0, err)
  const result = JSON.parse(out) as { tokenizer: string; targetTokenizer: string; parts: Record<string, { shards: number }> }
  t.regex(result.targetTokenizer, /target\/tokenizer\.json$/)
  t.is(result.parts['train']?.shards, 2)
})

test('what cannot be meant is refused before anything begins', async (t) => {
  const cases: [readonly string[], RegExp][] = [
    [[], /which task/],
    [['translatoin'], /unknown task/],
    [['spiral'], /nothing to prepare/],
    [['translation', '--epochs', '3'], /unknown option --epochs/],
    [['translation', '--tsv', 'train.tsv', '--maxRatoi', '1.5'], /did you mean --maxRatio/],
    [['translation', '--tsv', 'train.tsv', '--maxRatio', '0.5'], /maxRatio/],
    [['translation', '--tsv', 'train.tsv', '--vocabulary.merges', '5'], /vocabulary\.merges/],
  ]
  for (const [args, message] of cases) {
    // oxlint-disable-next-line no-await-in-loop -- one process at a time
    const { code, err } = await prepare(...args, '--output', 'none')
    t.is(code, 2, args.join(' '))
    t.regex(err, message)
  }
  t.is((await prepare('translation', '--tsv', 'missing.tsv')).code, 1)
})

test('progress has a rate and the time that is left, from what this process has seen', (t) => {
  let [written, now] = ['', 0]
  const terminal = createTerminal({ write: (text: string) => (written += text) }, {})
  using progress = new PreparationProgress(terminal, () => now)
  progress.update({ stage: 'tokenising', lines: 500, share: 0.5 })
  now = 10_000
  progress.update({ stage: 'tokenising', lines: 600, share: 0.6 })
  t.regex(written, /tokenising …\n/)
  t.regex(written, /60 %.*600 lines.*10 lines\/s.*ETA 0:40/)
})
