import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { adam, averageCheckpoints, Model, Translation, Translator, verifyResume, type TranslationTrainOptions } from '#ts/index.js'
import { start } from '../cli/process.js'
import { refusal } from '../refusals.js'
import { lines } from './corpus.js'

const model = { preset: 'transformer-small', hiddenSize: 32, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForwardSize: 64, dropout: 0.1 } as const
const options = { model, optimizer: adam({ lr: 5e-3, betas: [0.9, 0.98], sage: {} }), batch: { maxTokens: 600, bpeDropout: 0.1 }, steps: 12, evaluation: { everySteps: 6, beam: 2 }, checkpoint: { keep: 2, everySteps: 6 }, threads: 1, precision: 'float32', seed: 2 } as const satisfies TranslationTrainOptions

let folder: string
let task: Translation
/** The last checkpoint of twelve steps in one go. */
let last: string

test.before('two vocabularies of different sizes', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-two-vocabularies-'))
  const tsv = join(folder, 'train.tsv')
  // English in capitals: nothing of the target is in the source.
  writeFileSync(tsv, lines(400).map((line) => `${line.replace(/\t.*/, (target) => target.toUpperCase())}\n`).join(''))
  task = await Translation.prepare({ tsv, heldOut: { valid: 20, test: 20 }, vocabulary: { type: 'byteLevel', size: 300, joint: false }, output: join(folder, 'prepared') })
  const { checkpoint = '' } = await task.train({ ...options, folder: join(folder, 'run') }).done
  last = checkpoint
})

test.after.always(async () => {
  task[Symbol.dispose]()
  await rm(folder, { recursive: true, force: true })
})

const bytes = (path: string): Buffer => readFileSync(path)

test('a checkpoint carries both tokenizers, and its model the sizes of both', (t) => {
  for (const [mine, theirs] of [[join(last, 'model/tokenizer.json'), task.prepared.tokenizer], [join(last, 'model/target/tokenizer.json'), task.prepared.targetTokenizer]] as const) t.deepEqual(bytes(mine), bytes(theirs))
  t.notDeepEqual(bytes(task.prepared.tokenizer), bytes(task.prepared.targetTokenizer))
  const config = JSON.parse(bytes(join(last, 'model/config.json')).toString()) as Record<string, unknown>
  t.like(config, { vocab_size: task.tokenizer.size, decoder_vocab_size: task.targetTokenizer.size, share_encoder_decoder_embeddings: false, tie_word_embeddings: true })
  t.true(JSON.stringify(JSON.parse(bytes(join(last, 'manifest.json')).toString())).includes('model/target/tokenizer.json'))
})

test('a run that goes on equals the one that was not interrupted, BPE-dropout included', async (t) => {
  const path = join(folder, 'interrupted')
  await task.train({ ...options, steps: 6, folder: path }).done
  const { checkpoint = '' } = await task.train({ ...options, folder: path, resume: true }).done
  for (const file of ['model/model.safetensors', 'optimizer.safetensors']) t.deepEqual(bytes(join(checkpoint, file)), bytes(join(last, file)), file)
  const certificate = await verifyResume(last, task.dataset('train'), { steps: 2, tokenizers: task.tokenizerFiles })
  t.deepEqual([certificate.equal, certificate.interrupted.differences], [true, []])
  t.is((await refusal(t, 'ERR_CONFIG', () => verifyResume(last, task.dataset('train')))).fields['key'], 'verifyResume.tokenizers')
})

test('it learns what neither side could say with the other’s tokenizer', async (t) => {
  const run = task.train({ ...options, batch: { maxTokens: 600 }, model: { ...model, dropout: 0 }, steps: 150, evaluation: { everySteps: 150, beam: 2 }, folder: join(folder, 'long') })
  const { best } = await run.done
  t.true((best?.metrics.bleu ?? 0) > 60, `BLEU ${best?.metrics.bleu}`)
  using translator = await Translator.load(join(best?.path ?? '', 'model'))
  const [source = '', target = ''] = lines(1, 3)[0]?.split('\t') ?? []
  const [text = ''] = await translator.translate([source], { beam: 2 })
  t.regex(text, /^A [A-Z ]+$/)
  t.is(text.split(' ').length, target.split(' ').length)
})

test('it translates, with prefixes, n-best lists and replaced unknowns, as the task evaluates', async (t) => {
  const path = join(last, 'model')
  using translator = await Translator.load(path)
  t.deepEqual([translator.tokenizer.size, translator.targetTokenizer.size], [task.tokenizer.size, task.targetTokenizer.size])
  const scores = await task.evaluate(path, { part: 'test', beam: 2 })
  t.deepEqual(await translator.translate(scores.sources, { beam: 2 }), [...scores.hypotheses])
  t.deepEqual(await translator.translate(scores.sources, { beam: 2, replaceUnknown: true }), [...scores.hypotheses])
  t.true(scores.references.every((text) => /^A [A-Z ]+$/.test(text)), scores.references[0])
  const [begun = []] = await translator.search([{ text: scores.sources[0] ?? '', prefix: 'A RED' }], { beam: 3 })
  t.true(begun.length === 3 && begun.every(({ text }) => text.startsWith('A RED')))
})

test('a source that cannot be searched for is named by its place, and lengths that exclude each other by their keys', async (t) => {
  using translator = await Translator.load(join(last, 'model'))
  const long = { text: lines(1)[0]?.split('\t')[0] ?? '', prefix: 'A '.repeat(20) }
  t.is((await refusal(t, 'ERR_DATA', () => translator.search(['', 'ein Boot', long], { maxLength: 12 }))).fields['sentence'], 2)
  t.is((await refusal(t, 'ERR_DATA', () => translator.search(['', 'ü'.repeat(1200)], {}))).fields['sentence'], 1)
  t.is((await refusal(t, 'ERR_CONFIG', () => translator.translate(['ein Boot'], { minLength: 5, maxLength: 5 }))).fields['key'], 'search.minLength')
})

test('an ensemble’s members agree on both tokenizers, or the one that differs is named', async (t) => {
  const [path, other] = [join(last, 'model'), join(folder, 'other')]
  using two = await Translator.load([path, path])
  using one = await Translator.load(path)
  const [text = ''] = lines(1, 3)[0]?.split('\t') ?? []
  t.deepEqual(await two.translate([text]), await one.translate([text]))
  cpSync(path, other, { recursive: true })
  writeFileSync(join(other, 'target/tokenizer.json'), bytes(join(path, 'tokenizer.json')))
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => Translator.load([path, other]))).message, /other has another target\/tokenizer\.json than/)
  rmSync(join(other, 'target'), { recursive: true })
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => Translator.load([path, other]))).message, /other has no target\/tokenizer\.json/)
  t.regex((await refusal(t, 'ERR_IO', () => Translator.load(other))).message, /target/)
})

test('the commands use each side’s own', async (t) => {
  const [run, output, mean] = [join(folder, 'run'), join(folder, 'exported'), join(folder, 'mean')]
  const command = async (...args: string[]) => {
    const ended = await start(folder, args, `${lines(2, 3).map((line) => line.split('\t')[0]).join('\n')}\n`).ended
    t.is(ended.code, 0, ended.err)
    return ended.out
  }
  await command('export', run, '--output', output)
  await averageCheckpoints([join(run, 'checkpoints/step-00000006'), join(run, 'checkpoints/step-00000012')], mean)
  for (const path of [output, mean]) for (const file of ['text.json', 'tokenizer.json', 'target/tokenizer.json', 'target/tokenizer_config.json']) t.true(existsSync(join(path, file)), join(path, file))
  using translator = await Translator.load(output)
  const texts = await translator.translate(lines(2, 3).map((line) => line.split('\t')[0] ?? ''), { beam: 2 })
  t.is(await command('translate', output, '--beam', '2'), `${texts.join('\n')}\n`)
  const [source, target] = [join(folder, 'test.de'), join(folder, 'test.en')]
  const scores = await task.evaluate(join(output), { part: 'test', beam: 2 })
  writeFileSync(source, scores.sources.map((line) => `${line}\n`).join(''))
  writeFileSync(target, scores.references.map((line) => `${line}\n`).join(''))
  const { metrics } = JSON.parse(await command('evaluate', output, '--source', source, '--target', target, '--beam', '2', '--json')) as { metrics: { bleu: number; nll: number } }
  t.true(Math.abs(metrics.bleu - scores.metrics.bleu) < 1e-9 && Math.abs(metrics.nll - scores.metrics.nll) < 1e-6)
})

test('one table for two vocabularies is refused with what to give instead; a model of others too', async (t) => {
  const error = await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, model: { ...model, embeddings: 'shared' } }))
  t.is(error.fields['key'], 'train.model.embeddings')
  t.regex(error.message, /"shared".*"decoderShared" or "separate".*vocabulary\.joint: true/)
  using joint = await Model.create({ type: 'transformer', ...model, vocabularySize: task.tokenizer.size })
  t.regex((await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, model: joint }))).message, /sourceVocabularySize \d+ and targetVocabularySize \d+/)
  using own = await Model.load(join(last, 'model'))
  const { reason } = await task.train({ ...options, model: own, steps: 1, folder: false }).done
  t.is(reason, 'finished')
})
