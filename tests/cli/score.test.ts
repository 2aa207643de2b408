import test, { type ExecutionContext } from 'ava'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../temporary.js'
import { start, type Ended } from './process.js'

const REFERENCE = 'the cat sat on the mat\nthere is a small house\nit rains today\n'
const WORSE = 'the cat sat on a mat\nthere was a house\nit rains\n'

interface Scored {
  readonly sentences: number
  readonly metrics: readonly { readonly metric: string; readonly signature: string; readonly systems: readonly { readonly system: string; readonly score: number; readonly pValue?: number }[] }[]
}

/** A folder with a gzipped reference and two systems. */
function filled(t: ExecutionContext): (args: readonly string[], input?: string) => Promise<Ended> {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'ref.en.gz'), gzipSync(REFERENCE))
  writeFileSync(join(folder, 'other.en'), 'a cat sat on a mat\nthere stands a small house\nit is raining today\n')
  writeFileSync(join(folder, 'worse.en'), WORSE)
  writeFileSync(join(folder, 'same.en'), REFERENCE)
  writeFileSync(join(folder, 'short.en'), 'one\ntwo\n')
  writeFileSync(join(folder, 'empty.en'), '')
  return (args, input = '') => start(folder, ['score', ...args], input).ended
}

test('a table with intervals and p-values, a line with each signature', async (t) => {
  const score = filled(t)
  const metrics = 'bleu,chrf,chrf++,ter,tokenized-bleu,compound-split-bleu'
  const { code, out, err } = await score(['--reference', 'ref.en.gz', 'worse.en', 'same.en', '--paired', '--metrics', metrics, '--resamples', '50'])
  t.deepEqual([code, err], [0, ''])
  t.regex(out, /^metric +system +score +mean ± 95 % +difference +p\n/)
  t.regex(out, /TER +worse.en +28.57 +[\d.]+ ± [\d.]+\nTER +same.en +0.00 +0.00 ± 0.00 +−28.57 +0\.\d{4}\n/)
  t.regex(out, /\nBLEU: nrefs:1\|bs:50\|seed:12345\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:2.6.0\n/)
  t.is(out.split('\n').filter((line) => line.includes('|seed:12345|')).length, 6)
})

test('standard input, several references and JSON', async (t) => {
  const score = filled(t)
  const { code, out } = await score(['--reference', 'ref.en.gz,other.en', '-', '--json', '--lowercase', '--tokenizer', 'intl'], WORSE)
  t.is(code, 0)
  const { sentences, metrics } = JSON.parse(out) as Scored
  t.is(sentences, 3)
  t.deepEqual(metrics.map(({ metric }) => metric), ['bleu', 'chrf', 'ter'])
  t.regex(metrics[0]?.signature ?? '', /^nrefs:2\|bs:1000\|seed:12345\|case:lc\|eff:no\|tok:intl/)
  t.deepEqual([metrics[0]?.systems[0]?.system, metrics[0]?.systems[0]?.pValue], ['-', undefined])
})

test('systems may be compared by randomization', async (t) => {
  const score = filled(t)
  const { code, out } = await score(['--reference', 'ref.en.gz', 'worse.en', 'same.en', '--paired', '--test', 'randomization', '--trials', '99', '--metrics', 'ter', '--json'])
  t.is(code, 0)
  const [ter] = (JSON.parse(out) as Scored).metrics
  t.regex(ter?.signature ?? '', /^nrefs:1\|ar:99\|seed:12345\|case:lc/)
  t.true((ter?.systems[1]?.pValue ?? 0) >= 0.01)
})

test('files that do not fit are named with their counts', async (t) => {
  const score = filled(t)
  const { code, err } = await score(['--reference', 'ref.en.gz', 'worse.en', 'short.en'])
  t.deepEqual([code, err], [1, "sagetrain: short.en has 2 lines, ref.en.gz has 3; give one line for each of the reference's (ERR_DATA)\n"])
  t.regex((await score(['--reference', 'ref.en.gz', 'empty.en'])).err, /empty.en is empty/)
  t.is((await score(['--reference', 'missing.en', 'worse.en'])).code, 1)
})

test('what was not meant is a usage error', async (t) => {
  const score = filled(t)
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['worse.en'], /needs --reference/],
    [['--reference', 'ref.en.gz'], /needs the output of at least one system/],
    [['--reference', '-', '-'], /standard input can be read once/],
    [['--reference', 'ref.en.gz', 'worse.en', '--paired'], /give two or more/],
    [['--reference', 'ref.en.gz', 'worse.en', '--trials', '9'], /--trials is an option of --paired/],
    [['--reference', 'ref.en.gz', 'worse.en', '--metrics', 'meteor'], /--metrics meteor: there are bleu, chrf/],
    [['--reference', 'ref.en.gz', 'worse.en', '--metrics', 'ter', '--tokenizer', 'intl'], /--tokenizer is an option of bleu/],
    [['--reference', 'ref.en.gz,other.en', 'worse.en', '--metrics', 'tokenized-bleu'], /defined for one reference/],
  ]
  for (const [args, message] of wrong) {
    // oxlint-disable-next-line no-await-in-loop -- processes one after another
    const { code, err } = await score(args)
    t.is(code, 2, err)
    t.regex(err, message)
  }
  t.not((await score(['--reference', 'ref.en.gz', 'worse.en', '--tokenizer', 'zh'])).code, 0)
})
