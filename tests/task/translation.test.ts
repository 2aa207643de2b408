import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, bleu, inverseSqrt, Translation, Translator } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'
import { corpus, lines } from './corpus.js'

const model = { preset: 'transformer-small', hiddenSize: 32, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForwardSize: 64, dropout: 0 } as const

test('a task learns a tiny language, and what it saves translates', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Translation.prepare({ ...corpus(folder, 600), heldOut: { valid: 20, test: 20 }, vocabulary: { size: 320 }, output: join(folder, 'prepared') })
  t.like(task.prepared, { reused: false, vocabulary: task.tokenizer.size })
  const run = task.train({
    model,
    optimizer: adam({ lr: 5e-3, betas: [0.9, 0.98] }),
    schedule: inverseSqrt({ warmupSteps: 20 }),
    batch: { maxTokens: 600 },
    steps: 120,
    evaluation: { everySteps: 60, beam: 2 },
    folder: join(folder, 'run'),
    threads: 1,
    precision: 'float32',
  })
  for await (const event of run) if (event.type === 'evaluation') t.true(event.metrics.bleu >= 0 && event.metrics.chrf > 0)
  const { best } = await run.done
  t.true((best?.metrics.bleu ?? 0) > 60, `BLEU ${best?.metrics.bleu}`)
  using translator = await Translator.load(join(best?.path ?? '', 'model'))
  const [source = '', target = ''] = (lines(1, 3)[0] ?? '').split('\t')
  const outputs = await translator.translate([source, '', source], { beam: 2 })
  t.is(outputs.length, 3)
  t.is(outputs[0], outputs[2])
  t.true((await bleu(outputs.slice(0, 1), [target])).score >= 0)
  const found = await translator.search([source], { beam: 3 })
  t.true((found[0]?.length ?? 0) <= 3 && (found[0]?.[0]?.score ?? 1) <= 0)
  t.is(found[0]?.[0]?.text, (await translator.translate([source], { beam: 3 }))[0])
  const scores = await task.evaluate(join(best?.path ?? '', 'model'), { part: 'valid', beam: 2 })
  t.true(Math.abs(scores.metrics.bleu - (best?.metrics.bleu ?? 0)) < 1e-9)
  t.deepEqual([scores.hypotheses.length, scores.references.length, scores.sources.length], [20, 20, 20])
  t.regex(scores.signatures.bleu, /tok:13a/)
  t.true(Math.abs((await bleu(scores.hypotheses, scores.references)).score - scores.metrics.bleu) < 1e-9)
})

test('preparing again finds what there is, and another option makes another', async (t) => {
  const folder = temporaryFolder(t)
  const options = { ...corpus(folder, 60), vocabulary: { size: 300 }, output: folder }
  using first = await Translation.prepare(options)
  using second = await Translation.prepare(options)
  using third = await Translation.prepare({ ...options, maxLength: 64 })
  t.deepEqual([first.prepared.reused, second.prepared.reused, third.prepared.reused], [false, true, false])
  t.is(second.prepared.folder, first.prepared.folder)
  t.not(third.prepared.folder, first.prepared.folder)
})

test('two files side by side are the same corpus as one TSV', async (t) => {
  const folder = temporaryFolder(t)
  const pairs = lines(60).map((line) => line.split('\t'))
  const [source, target] = [join(folder, 'a.de'), join(folder, 'a.en')]
  writeFileSync(source, pairs.map(([german]) => `${german}\n`).join(''))
  writeFileSync(target, pairs.map(([, english]) => `${english}\n`).join(''))
  using two = await Translation.prepare({ source, target, vocabulary: { size: 300 }, output: folder })
  using one = await Translation.prepare({ ...corpus(folder, 60), vocabulary: { size: 300 }, output: folder })
  const column = (task: Translation) => task.dataset('train').batch([0, 1, 2]).read('target')
  t.deepEqual(column(two), column(one))
})

test('bad lines are counted in the report; mostly bad files are refused', async (t) => {
  const folder = temporaryFolder(t)
  const [good, bad] = [join(folder, 'good.tsv'), join(folder, 'bad.tsv')]
  writeFileSync(good, [...lines(60), 'no tab here', '\tno source', lines(1)[0] ?? ''].join('\n'))
  writeFileSync(bad, [...lines(5), ...Array.from({ length: 50 }, () => 'no tab here')].join('\n'))
  using task = await Translation.prepare({ tsv: good, vocabulary: { size: 300 }, output: folder })
  const report = JSON.parse(readFileSync(task.prepared.report, 'utf8')) as { parts: { bad: number }[] }
  t.is(report.parts[0]?.bad, 2)
  await refusal(t, 'ERR_DATA', () => Translation.prepare({ tsv: bad, vocabulary: { size: 300 }, output: folder }))
  await refusal(t, 'ERR_IO', () => Translation.prepare({ tsv: join(folder, 'none.tsv'), output: folder }))
})

test('files of unequal length are refused with both numbers: their pairs may be shifted', async (t) => {
  const folder = temporaryFolder(t)
  const [source, target] = [join(folder, 'a.de'), join(folder, 'a.en')]
  writeFileSync(source, 'ein Haus\n'.repeat(60))
  writeFileSync(target, 'a house\n'.repeat(59))
  const { message } = await refusal(t, 'ERR_DATA', () => Translation.prepare({ source, target, vocabulary: { size: 300 }, output: folder }))
  t.regex(message, /a\.de: it has 60 lines, .*a\.en has 59.*line by line/)
})

test('a preparation is followed and called off with the signal’s reason', async (t) => {
  const folder = temporaryFolder(t)
  const reason = new Error('enough')
  const options = { ...corpus(folder, 40_000), vocabulary: { size: 400 }, output: folder }
  t.is(await t.throwsAsync(Translation.prepare({ ...options, signal: AbortSignal.abort(reason) })), reason)
  const controller = new AbortController()
  const preparing = Translation.prepare({ ...options, signal: controller.signal })
  setTimeout(() => controller.abort(reason), 30)
  t.is(await t.throwsAsync(preparing), reason)
})

test('options are refused by their path', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Translation.prepare({ ...corpus(folder, 60), vocabulary: { size: 300 }, output: folder })
  const good = { model, optimizer: adam({ lr: 1e-3 }), batch: { maxTokens: 100 }, epochs: 1 }
  const cases: [Record<string, unknown>, string][] = [
    [{ batch: undefined }, 'train.batch'],
    [{ batch: { maxTokns: 3 } }, 'train.batch.maxTokns'],
    [{ evaluation: { beam: 0 } }, 'train.evaluation.beam'],
    [{ labelSmoothing: 1 }, 'train.labelSmoothing'],
    [{ smoothness: {} }, 'train.smoothness'],
    [{ model: 3 }, 'train.model'],
    [{ optimiser: {} }, 'train.optimiser'],
  ]
  for (const [change, key] of cases) {
    const error = await refusal(t, 'ERR_CONFIG', () => task.train({ ...good, ...change } as never))
    t.true(String(error.fields['key']).startsWith(key), error.message)
  }
  const named = join(folder, 'run')
  t.is((await refusal(t, 'ERR_CONFIG', () => task.train({ ...good, model: { hiden: 3 }, folder: named } as never).done)).fields['key'], 'model.hiden')
  t.false(existsSync(named), 'what is refused leaves no folder')
  await refusal(t, 'ERR_CONFIG', () => Translation.prepare({ vocabulry: {} } as never))
  await refusal(t, 'ERR_ARGUMENT', () => Translation.prepare({ source: 'a', output: folder }))
  await refusal(t, 'ERR_ARGUMENT', () => task.dataset('test'))
  await refusal(t, 'ERR_ARGUMENT', () => task.evaluate('x', { part: 'test' }))
  await refusal(t, 'ERR_IO', () => Translator.load(join(folder, 'none')))
})
