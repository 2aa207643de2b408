import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { corpus } from '../task/corpus.js'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

// On the smallest models that can be trained.
const TRANSLATION = {
  task: 'translation',
  prepare: { vocabulary: { size: 280 }, maxWords: 12 },
  train: {
    model: { hiddenSize: 32, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 64, dropout: 0.1 },
    optimizer: { type: 'adam', lr: 2e-3, observe: { every: 2 } },
    batch: { maxTokens: 400 },
    evaluation: { everySteps: 6, beam: 1, maxLengthRatio: 0.2, maxLengthExtra: 2 },
    precision: 'float32',
  },
} as const

async function smallCorpus(t: ExecutionContext): Promise<{ folder: string; config: string }> {
  const folder = temporaryFolder(t)
  corpus(folder, 240)
  corpus(folder, 6, 'test.tsv')
  const prepare = { ...TRANSLATION.prepare, tsv: 'train.tsv', heldOut: { valid: 12 }, test: { tsv: 'test.tsv' }, output: 'prepared' }
  const compare = [{ name: 'adam' }, { name: 'adam-sage', train: { optimizer: { sage: { beta0: 0.8 } } } }]
  await writeFile(join(folder, 'run.json'), JSON.stringify({ ...TRANSLATION, prepare, compare }))
  return { folder, config: 'run.json' }
}

interface Scored {
  readonly metrics: Readonly<Record<string, number>>
}

interface Report {
  readonly columns: readonly { readonly key: string }[]
  readonly arms: readonly { readonly evaluations: readonly Scored[]; readonly result: Scored }[]
}

interface Curves {
  readonly arms: readonly { readonly steps: readonly { readonly step: number; readonly loss: number }[] }[]
}

function losses({ arms }: Curves): unknown {
  return arms.map(({ steps }) => steps.map(({ step, loss }) => [step, loss]))
}

for (const sixteen of ['float32', 'bfloat16'] as const) {
  test(`an optimizer asked for by name trains alone, in the released form, E in ${sixteen}`, async (t) => {
    const folder = temporaryFolder(t)
    const flags = ['--optimizer', 'adamax-sage', '--optimizer.sage.beta0', '0.7', '--optimizer.sage.form', 'released', '--sensitivityDtype', sixteen]
    const { code, out, err } = await start(folder, ['train', 'spiral', ...flags, '--epochs', '1', '--json']).ended
    t.is(code, 0, err)
    t.deepEqual(JSON.parse(out).arms.map(({ name }: { name: string }) => name), ['adamax-sage'])
    const { train } = JSON.parse(await readFile(join(folder, 'runs', 'spiral', 'config.json'), 'utf8'))
    t.like(train, { optimizer: { type: 'adamax', lr: 1e-3, sage: { beta0: 0.7, form: 'released' } }, sensitivityDtype: sixteen })
  })
}

test('both arms of a translation are trained, measured, reported, and translate', async (t) => {
  const { folder, config } = await smallCorpus(t)
  const { code, out, err } = await start(folder, ['train', '--config', config, '--steps', '12', '--json']).ended
  t.is(code, 0, err)
  const result = JSON.parse(out)
  t.deepEqual(result.arms.map(({ name }: { name: string }) => name), ['adam', 'adam-sage'])
  for (const { result: arm } of result.arms) {
    t.is(arm.steps, 12)
    t.true(arm.metrics.tokensPerSecond > 0 && arm.metrics.optimizerShare > 0 && arm.metrics.peakMemory > 1e7)
    t.regex(arm.signatures.bleu, /^nrefs:1\|/)
    t.is(arm.intervals.bleu.length, 2)
  }
  t.deepEqual(result.comparisons.map(({ metric, samples }: { metric: string; samples: number }) => [metric, samples]), [['bleu', 6], ['chrf', 6]])
  t.deepEqual((await readdir(join(folder, 'runs/translation/adam'))).toSorted(), ['checkpoints', 'events.jsonl'])
  t.regex(await readFile(join(folder, 'runs/translation/report.html'), 'utf8'), /Sensitivity over time/)
  t.regex(err, /validation: NLL \(nats\/token\) [\d.]+ {2}bits\/token [\d.]+ {2}perplexity/)
  const report: Report = JSON.parse(await readFile(join(folder, 'runs/translation/result.json'), 'utf8'))
  t.false(report.columns.some(({ key }) => key === 'loss'), 'what is measured has no label smoothing')
  for (const { nll = 0, perplexity = 0 } of report.arms.flatMap(({ evaluations, result: measured }) => [...evaluations, measured].map(({ metrics }) => metrics))) t.true(Math.abs(Math.exp(nll) - perplexity) <= 1e-12 * perplexity)

  const translated = await start(folder, ['translate', 'runs/translation/adam-sage', '--beam', '2'], 'ein rotes Haus\n\nein altes Boot\n').ended
  t.is(translated.code, 0, translated.err)
  const lines = translated.out.split('\n')
  t.is(lines.length, 4)
  t.is(lines[1], '')

  const scored = await start(folder, ['evaluate', 'runs/translation/adam-sage', '--tsv', 'test.tsv', '--json']).ended
  t.is(scored.code, 0, scored.err)
  t.is(JSON.parse(scored.out).sentences, 6)

  const ambiguous = await start(folder, ['translate', 'runs/translation'], '').ended
  t.is(ambiguous.code, 2)
  t.regex(ambiguous.err, /has several arms; give one of runs\/translation\/adam, runs\/translation\/adam-sage/)
})

test('Ctrl-C saves and says how to go on; the run that went on ends where an undisturbed one does', async (t) => {
  const { folder, config } = await smallCorpus(t)
  const steps = ['--steps', '60', '--evaluation.everySteps', '30']
  const going = start(folder, ['train', '--config', config, ...steps])
  await going.seen(/adam-sage {2}step/)
  going.kill('SIGINT')
  going.kill('SIGINT') // npm hands the terminal's signal on a second time
  const stopped = await going.ended
  t.is(stopped.code, 130, stopped.err)
  t.regex(stopped.out, /Stopped\. To go on: npx sagetrain train --resume runs\/translation\n/)

  const resumed = await start(join(folder, 'runs'), ['train', '--resume', 'translation']).ended
  t.is(resumed.code, 0, resumed.err)
  t.regex(resumed.out, /going on from step/)
  const undisturbed = await start(folder, ['train', '--config', config, ...steps]).ended
  t.is(undisturbed.code, 0, undisturbed.err)
  for (const arm of ['adam', 'adam-sage']) {
    const [one, other] = await Promise.all(['translation', 'translation-2'].map((run) => readFile(join(folder, 'runs', run, arm, 'checkpoints/step-00000060/model/model.safetensors'))))
    t.true(one?.equals(other ?? Buffer.of()), arm)
  }
  const [first, second] = await Promise.all(['translation', 'translation-2'].map(async (run) => losses(JSON.parse(await readFile(join(folder, 'runs', run, 'result.json'), 'utf8')))))
  t.deepEqual(first, second)
})

test('SIGTERM ends with 143, and a second signal at once', async (t) => {
  const { folder, config } = await smallCorpus(t)
  const going = start(folder, ['train', '--config', config, '--steps', '100000'])
  await going.seen(/adam-sage {2}step/)
  going.kill('SIGTERM')
  t.is((await going.ended).code, 143)

  // An evaluation on so many points takes longer than a person's patience.
  const slow = start(folder, ['train', 'spiral', '--validSamples', '1000000', '--model.hidden', '[1000,1000,1000]', '--precision', 'float32', '--steps', '1'])
  await slow.seen(/adam-sage {2}step/)
  await setTimeout(500)
  slow.kill('SIGINT')
  await setTimeout(600)
  slow.kill('SIGINT')
  const { code, signal, out } = await slow.ended
  t.deepEqual([code, signal], [130, null])
  t.regex(out, /once more to exit at once/)
  t.notRegex(out, /Stopped\.|Report:/, 'the first signal alone would have ended in good order')
})

test('the spiral leaves its boundaries side by side', async (t) => {
  const folder = temporaryFolder(t)
  const { code, out, err } = await start(folder, ['train', 'spiral', '--epochs', '3']).ended
  t.is(code, 0, err)
  t.regex(out, /Plan: spiral, Adam and Adam-SAGE, side by side/)
  const drawing = await readFile(join(folder, 'runs/spiral/boundaries.svg'), 'utf8')
  t.is(drawing.match(/class="half"/g)?.length, 2)
})

test('what is wrong is said in a line, with the key, and leaves no folder', async (t) => {
  const folder = temporaryFolder(t)
  for (const [args, code, message] of [
    [['train', 'spiral', '--optimizer.lrr', '1'], 2, /optimizer\.lrr/],
    [['train', 'spiral', '--optimizer', 'adma'], 2, /adma/],
    [['train', 'spiral', '--schedule', 'inverse'], 2, /schedule/],
    [['train', 'spiral', '--epochs', '-1'], 2, /train\.epochs/],
    [['train', 'spiral', '--device', 'gpu'], 2, /train\.device: expected "auto", "cpu", or a GPU by its number such as "cuda:0", got "gpu"/],
    [['train', 'spiral', '--precision', 'float8'], 2, /train\.precision: expected "float32" \| "bfloat16" \| "float16", got "float8"/],
    [['train', 'spiral', '--maxGradientNorm', '-1'], 2, /train\.maxGradientNorm/],
    [['train', 'spiral', '--nonFinite', 'ignore'], 2, /train\.nonFinite/],
    [['train', 'spiral', '--batch.batchSize', '0'], 2, /train\.batch\.batchSize/],
    [['train', 'spiral', '--model.hidden', '[0]'], 2, /hidden/],
    [['train', 'translation', '--labelSmoothing', '1', '--source', 'none.de', '--target', 'none.en'], 2, /train\.labelSmoothing/],
    [['train', 'translation', '--source', 'none.de', '--target', 'none.en'], 1, /none\.de/],
    [['translate', 'nowhere'], 2, /no model is there/],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- a process each; all at once would starve two processors
    const ended = await start(folder, args).ended
    t.is(ended.code, code, `${args.join(' ')}: ${ended.err}`)
    t.regex(ended.err, message)
    t.notRegex(ended.err, /\n.*\n/)
  }
  t.deepEqual(await readdir(join(folder, 'runs')).catch(() => []), [])
})
