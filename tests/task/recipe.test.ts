import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, Translation, Translator } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'
import { lines } from './corpus.js'
import { publishedIwslt } from './published.js'

test('a recipe prepares what is published, and a model of it reads and writes plain text', async (t) => {
  const folder = temporaryFolder(t)
  const data = publishedIwslt(folder)
  using task = await Translation.prepare({ recipe: 'iwslt14-de-en', data, vocabulary: { merges: 100 }, output: join(folder, 'prepared') })
  t.not(task.prepared.targetTokenizer, task.prepared.tokenizer, 'a vocabulary for each side, as the recipe has')
  const { parts } = task.prepared
  t.deepEqual([parts['train']?.samples, parts['valid']?.samples, parts['test']?.samples], [220, 10, 10])
  t.like(JSON.parse(readFileSync(task.prepared.text, 'utf8')), { languages: { source: 'de', target: 'en' }, tokenization: 'moses', lowercase: true })
  const model = { preset: 'transformer-small', hiddenSize: 32, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForwardSize: 64, dropout: 0 } as const
  const run = task.train({ model, optimizer: adam({ lr: 5e-3 }), batch: { maxTokens: 800 }, steps: 60, evaluation: { everySteps: 60, beam: 1 }, folder: join(folder, 'run'), threads: 1 })
  const { best } = await run.done
  const path = join(best?.path ?? '', 'model')
  const scores = await task.evaluate(path, { part: 'test', beam: 1 })
  t.regex(scores.references[0] ?? '', /^a .*'s, "ja"\.$/)
  t.regex(scores.sources[0] ?? '', /^ein .*'s, "ja"\.$/)
  using translator = await Translator.load(path)
  const [source = ''] = lines(1, 4)[0]?.split('\t') ?? []
  const [output = ''] = await translator.translate([`${source.toUpperCase()}'s, "ja".`], { beam: 1 })
  t.is(output, scores.hypotheses[0] ?? '', 'the same source in upper case')
  t.false(/&\w+;| [.,]/.test(output), output)
})

test('what a recipe lacks is named', async (t) => {
  const folder = temporaryFolder(t)
  const options = { recipe: 'wmt16-en-de', output: folder } as const
  t.regex((await refusal(t, 'ERR_ARGUMENT', () => Translation.prepare(options))).message, /data/)
  const { message } = await refusal(t, 'ERR_DATA', () => Translation.prepare({ ...options, data: folder }))
  for (const name of ['training-parallel-europarl-v7.tgz', 'training-parallel-nc-v11.tgz', 'dev.tgz', 'http://data.statmt.org/']) t.true(message.includes(name), message)
  await refusal(t, 'ERR_CONFIG', () => Translation.prepare({ recipe: 'wmt14' } as never))
})
