import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { accuracy, adam, Classification, Classifier, f1, matthews, Model, pearson, spearman, verifyResume, type ClassificationTrainOptions, type PlaceOptions } from '#ts/index.js'
import { classificationCommand } from '#ts/cli/classification-command.js'
import { softmax } from '#ts/task/classification/scores.js'
import { start } from '../cli/process.js'
import { refusal } from '../refusals.js'
import { reviews, tinyBert, VOCABULARY } from './encoder.js'
import { glueFiles } from './glue-files.js'

let folder: string
let bert: string
let task: Classification

const options = { optimizer: adam({ lr: 2e-3, sage: {} }), batch: { batchSize: 16 }, epochs: 4, threads: 1, precision: 'float32', seed: 3 } as const satisfies ClassificationTrainOptions

test.before('a folder of a small BERT, and files of labelled text', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-classification-'))
  bert = await tinyBert(join(folder, 'bert'))
  const tsv = (count: number, from: number): string => ['review\tstars\tverdict', ...reviews(count, from).map(({ text, rating, label }) => `${text}\t${rating}\t${label}`)].join('\n') + '\n'
  writeFileSync(join(folder, 'train.tsv'), tsv(240, 0))
  writeFileSync(join(folder, 'valid.tsv'), tsv(60, 1000))
  task = await Classification.prepare({ ...files(), columns: { text: 'review', label: 'verdict' } })
})

test.after.always(async () => {
  task[Symbol.dispose]()
  await rm(folder, { recursive: true, force: true })
})

const files = () => ({ train: join(folder, 'train.tsv'), valid: join(folder, 'valid.tsv'), tokenizer: bert, output: join(folder, 'prepared') })

test.serial('it learns classes from text; what it scores is what its predictions score', async (t) => {
  t.deepEqual([task.prepared.kind, task.prepared.labels], ['classification', ['negative', 'positive']])
  const run = task.train({ ...options, folder: join(folder, 'run') })
  const warnings: string[] = []
  for await (const event of run) if (event.type === 'warning') warnings.push(event.message)
  t.regex(warnings[0] ?? '', /bert: drawn anew: .*bert\.pooler\.dense\.weight.*classifier\.weight/)
  const { best } = await run.done
  const model = join(best?.path ?? '', 'model')
  const { metrics, outputs, width } = await task.evaluate(model)
  t.deepEqual({ ...metrics, score: metrics.accuracy }, best?.metrics)
  t.true((metrics.accuracy ?? 0) > 0.95, `accuracy ${metrics.accuracy}`)
  t.deepEqual((await task.evaluate(best?.path ?? '')).metrics, metrics, 'a checkpoint means its model, and a run its best')
  using classifier = await Classifier.load(join(folder, 'run'))
  const given = reviews(60, 1000)
  const found = await classifier.predict(given.map(({ text }) => text))
  const [predicted, labels] = [found.map((one) => ('class' in one ? one.class : -1)), given.map(({ label }) => task.prepared.labels.indexOf(label))]
  t.is(await accuracy(predicted, labels), metrics.accuracy ?? Number.NaN)
  t.is(await f1(predicted, labels), metrics.f1 ?? Number.NaN)
  t.is(await matthews(predicted, labels), metrics.matthews ?? Number.NaN)
  t.is(outputs.length, 60 * width)
  for (const [index, one] of found.entries()) {
    if (!('probabilities' in one)) return t.fail()
    const [first = 0, second = 0] = outputs.subarray(index * width, (index + 1) * width)
    t.true(Math.abs((one.probabilities['positive'] ?? 0) - 1 / (1 + Math.exp(first - second))) < 1e-6)
  }
})

test.serial('a checkpoint’s model is a folder of its own, with what makes its ids', async (t) => {
  const { path } = (await task.train({ ...options, epochs: 1, folder: join(folder, 'one') }).done).best ?? {}
  const model = join(path ?? '', 'model')
  for (const file of ['config.json', 'model.safetensors', 'vocab.txt', 'tokenizer_config.json']) t.true(existsSync(join(model, file)), file)
  t.like(JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')), { architectures: ['BertForSequenceClassification'], id2label: { 0: 'negative', 1: 'positive' } })
  using loaded = await Model.load(model)
  const { reason } = await task.train({ ...options, model: loaded, epochs: 1, folder: false }).done
  t.is(reason, 'finished')
})

test.serial('a run that goes on equals the one that was not interrupted', async (t) => {
  const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')]
  const total = { ...options, epochs: 2, totalSteps: 30 }
  const { checkpoint: expected = '' } = await task.train({ ...total, folder: whole }).done
  await task.train({ ...total, epochs: 1, folder: parts }).done
  const { checkpoint: found = '' } = await task.train({ ...total, folder: parts, resume: true }).done
  for (const file of ['model/model.safetensors', 'optimizer.safetensors']) t.deepEqual(readFileSync(join(found, file)), readFileSync(join(expected, file)), file)
  t.true((await verifyResume(found, task.dataset('train'), { steps: 2 })).equal)
})

test.serial('a cache that is cleared meanwhile costs a run nothing', async (t) => {
  using own = await Classification.prepare({ ...files(), output: join(folder, 'cleared'), columns: { text: 'review', label: 'verdict' } })
  const run = own.train({ ...options, epochs: 2, folder: join(folder, 'lasting') })
  for await (const event of run) if (event.type === 'checkpoint') rmSync(join(folder, 'cleared'), { recursive: true, force: true })
  const { reason, checkpoint = '' } = await run.done
  t.is(reason, 'finished')
  t.true(existsSync(join(checkpoint, 'model/vocab.txt')))
})

test.serial('numbers are learnt likewise', async (t) => {
  using stars = await Classification.prepare({ ...files(), columns: { text: 'review', label: 'stars' }, kind: 'regression' })
  const { best } = await stars.train({ ...options, optimizer: adam({ lr: 2e-3 }), epochs: 30, folder: join(folder, 'stars') }).done
  const { metrics, outputs } = await stars.evaluate(join(best?.path ?? '', 'model'))
  t.true((metrics.pearson ?? 0) > 0.95, `Pearson ${metrics.pearson}`)
  const targets = reviews(60, 1000).map(({ rating }) => rating)
  t.is(await pearson([...outputs], targets), metrics.pearson ?? Number.NaN)
  t.is(await spearman([...outputs], targets), metrics.spearman ?? Number.NaN)
  using classifier = await Classifier.load(join(best?.path ?? '', 'model'))
  const [first] = await classifier.predict([reviews(1, 1000)[0]?.text ?? ''])
  t.true(first !== undefined && 'value' in first && Math.abs(first.value - (outputs[0] ?? 0)) < 1e-5)
})

test.serial('the commands train, score and label, line by line', async (t) => {
  const run = ['train', 'classification', '--train', 'train.tsv', '--valid', 'valid.tsv', '--columns.text', 'review', '--columns.label', 'verdict', '--tokenizer', 'bert', '--output', 'prepared', '--name', 'cli', '--batch.batchSize', '16', '--epochs', '12', '--optimizer', 'adam', '--optimizer.lr', '2e-3', '--model.pretrained', 'bert']
  const trained = await start(folder, run).ended
  t.is(trained.code, 0, trained.err)
  t.like(JSON.parse(readFileSync(join(folder, 'runs/cli/config.json'), 'utf8')), { prepare: { tokenizer: bert }, train: { model: { pretrained: bert } } }, 'to be gone on with from every folder')
  const given = reviews(12, 1000)
  writeFileSync(join(folder, 'input.txt'), given.map(({ text }) => `${text}\n`).join(''))
  const { code, out, err } = await start(folder, ['predict', 'runs/cli', 'input.txt']).ended
  t.is(code, 0, err)
  t.deepEqual(out.trimEnd().split('\n'), given.map(({ label }) => label))
  const json = await start(folder, ['predict', 'runs/cli', '--json'], `\n${given[2]?.text}\n`).ended
  const [blank = '', line = ''] = json.out.split('\n')
  const one = JSON.parse(line) as { label: string; probabilities: Record<string, number> }
  t.deepEqual([(JSON.parse(blank) as { text: string }).text, one.label], ['', 'negative'])
  t.true(Math.abs(Object.values(one.probabilities).reduce((sum, share) => sum + share, 0) - 1) < 1e-9)
  writeFileSync(join(folder, 'broken.jsonl'), '{"text": "the film was good"}\n{"word": 1}\n')
  t.regex((await start(folder, ['predict', 'runs/cli', 'broken.jsonl']).ended).err, /^sagetrain: broken\.jsonl:2: expected a JSON string, or an object with a "text"/)
})

test.serial('a model of NaN labels nothing: the line is named', async (t) => {
  const { best } = await task.train({ ...options, epochs: 1, folder: join(folder, 'sound') }).done
  const nan = join(folder, 'nan')
  cpSync(join(best?.path ?? '', 'model'), nan, { recursive: true })
  const weights = readFileSync(join(nan, 'model.safetensors'))
  writeFileSync(join(nan, 'model.safetensors'), weights.fill(0xff, 8 + Number(weights.readBigUInt64LE(0))))
  await refusal(t, 'ERR_NON_FINITE', () => task.evaluate(nan))
  using classifier = await Classifier.load(nan)
  t.is((await refusal(t, 'ERR_NON_FINITE', () => classifier.predict(['a film', 'a book'], { together: 1 }))).fields['sentence'], 0)
  const { code, err } = await start(folder, ['predict', 'nan', '-'], 'the film was good\n').ended
  t.is(code, 1)
  t.regex(err, /^sagetrain: standard input:1: the model's outputs hold NaN/)
})

test.serial('an encoder of other tokens than the data’s is refused, and so is a folder that is not there', async (t) => {
  const other = await tinyBert(join(folder, 'other'), [...VOCABULARY.slice(0, 5), ...VOCABULARY.slice(5).toReversed()])
  const refused = async (pretrained: string): Promise<string> => (await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, model: { pretrained }, folder: false }).done)).message
  t.regex(await refused(other), /^train\.model\.pretrained: the tokenizer .*bert is not that of .*other: its token 5 is "a", and the model’s "silly"; give --tokenizer .*other, or the model of the tokenizer/)
  const own = await tinyBert(join(folder, 'own'), VOCABULARY.map((word) => (word === 'plot' ? 'tale' : word)))
  const said: string[] = []
  for await (const event of task.train({ ...options, model: { pretrained: own }, epochs: 1, folder: false })) if (event.type === 'warning') said.push(event.message)
  t.regex(said[0] ?? '', /is not that of .*own: its token 15 is "plot", and the model’s "tale"/, 'a word of one’s own is no other vocabulary')
  const bare = join(folder, 'bare')
  cpSync(bert, bare, { recursive: true })
  for (const file of ['vocab.txt', 'tokenizer_config.json']) await rm(join(bare, file))
  t.is((await task.train({ ...options, model: { pretrained: bare }, epochs: 1, folder: false }).done).reason, 'finished')
  const config = JSON.parse(readFileSync(join(bare, 'config.json'), 'utf8')) as { vocab_size: number }
  writeFileSync(join(bare, 'config.json'), JSON.stringify({ ...config, vocab_size: config.vocab_size - 1 }))
  t.regex(await refused(bare), /the tokenizer .*bert has 24 tokens, and .*bare has embeddings of 23; give --tokenizer .*bare, or the model of the tokenizer/)
  writeFileSync(join(bare, 'config.json'), JSON.stringify({ ...config, vocab_size: 30_522 }))
  t.regex(await refused(bare), /the tokenizer .*bert has 24 tokens, and .*bare has embeddings of 30522;/)
  t.regex(await refused('bert-base-uncased'), /^train\.model\.pretrained: there is no folder bert-base-uncased; give a Hugging Face folder on this machine/)
  const { fields, message } = await refusal(t, 'ERR_CONFIG', () => Classification.prepare({ ...files(), columns: { text: 'review', label: 'verdict' }, tokenizer: 'bert-base-uncased' }))
  t.is(fields['key'], 'prepare.tokenizer')
  t.regex(message, /`sagetrain weights` fetches/)
  const early = await start(folder, ['train', 'classification', '--train', 'train.tsv', '--columns.text', 'review', '--columns.label', 'verdict', '--tokenizer', 'nowhere', '--model.pretrained', 'roberta-base']).ended
  t.regex(early.err, /^sagetrain: train\.model\.pretrained: there is no folder roberta-base/, 'before the data are prepared')
  t.is(early.code, 2)
})

test.serial('what cannot be is refused by its name', async (t) => {
  t.is((await refusal(t, 'ERR_CONFIG', () => Classification.prepare({ ...files(), columns: { text: 'review', label: 'verdict' }, kind: 'class' as never }))).fields['key'], 'prepare.kind')
  t.is((await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, best: { metrics: ['bleu' as never] } }))).fields['key'], 'train.best.metrics[0]')
  await refusal(t, 'ERR_ARGUMENT', () => task.dataset('test'))
  const before = { ...options, folder: join(folder, 'refused') }
  const mixed = await refusal(t, 'ERR_CONFIG', () => task.train({ ...before, best: { metrics: ['accuracy', 'pearson'] } }))
  t.is(mixed.fields['key'], 'train.best.metrics[1]')
  t.is(mixed.message, 'train.best.metrics[1]: pearson is of numbers, and the data have classes; choose by accuracy, f1, matthews, or by { metric: "loss" }')
  const smoothed = await refusal(t, 'ERR_CONFIG', () => task.train({ ...before, labelSmoothing: 0.6 }).done)
  t.regex(smoothed.message, /labelSmoothing: 0\.6 is too much for 2 classes: .* give at most 0\.5$/)
  using stars = await Classification.prepare({ ...files(), columns: { text: 'review', label: 'stars' }, kind: 'regression' })
  t.is((await refusal(t, 'ERR_CONFIG', () => stars.train({ ...before, best: { metrics: ['accuracy'] } }))).fields['key'], 'train.best.metrics[0]')
  t.regex((await refusal(t, 'ERR_CONFIG', () => stars.train({ ...before, labelSmoothing: 0.1 }).done)).message, /labelSmoothing: 0\.1 of a model that gives a number/)
  t.false(existsSync(before.folder))
  t.regex((await refusal(t, 'ERR_MODEL', () => Classifier.load(bert))).message, /has no head that classifies; fine-tune it first/)
})

test.serial('one number to validate on has a loss, and nothing to correlate', async (t) => {
  writeFileSync(join(folder, 'one.tsv'), 'review\tstars\nthe film was good\t1\n')
  using stars = await Classification.prepare({ ...files(), valid: join(folder, 'one.tsv'), columns: { text: 'review', label: 'stars' }, kind: 'regression' })
  const refused = await refusal(t, 'ERR_CONFIG', () => stars.train({ ...options, folder: false }))
  t.regex(refused.message, /^train\.best: pearson and spearman correlate two samples or more, and the validation part has 1; /)
  const { best, reason } = await stars.train({ ...options, epochs: 1, best: { metric: 'loss' }, folder: false }).done
  t.is(reason, 'finished')
  t.true(Number.isFinite(best?.metrics.loss))
  t.is(best?.metrics.pearson, Number.NaN)
})

test.serial('a model whose classes have another order is told from one of other classes', async (t) => {
  const { checkpoint = '' } = await task.train({ ...options, epochs: 1, folder: join(folder, 'ordered') }).done
  const named = async (name: string, labels: Readonly<Record<string, string>>): Promise<Model> => {
    const copy = join(folder, name)
    cpSync(join(checkpoint, 'model'), copy, { recursive: true })
    const config = JSON.parse(readFileSync(join(copy, 'config.json'), 'utf8')) as object
    writeFileSync(join(copy, 'config.json'), JSON.stringify({ ...config, id2label: labels, label2id: undefined }))
    return Model.load(copy)
  }
  using turned = await named('turned', { 0: 'Positive', 1: 'Negative' })
  const order = /its classes are 0 Positive, 1 Negative, the data's 0 negative, 1 positive, in another order: .* prepare with labels: \["positive","negative"\]$/
  t.regex((await refusal(t, 'ERR_MODEL', () => task.evaluate(turned))).message, order)
  t.regex((await refusal(t, 'ERR_MODEL', () => task.validate(join(folder, 'turned')))).message, order)
  t.regex((await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, model: turned, folder: false }))).message, order)
  using same = await Classification.prepare({ ...files(), columns: { text: 'review', label: 'verdict' }, labels: ['positive', 'negative'] })
  t.is((await same.evaluate(turned)).width, 2, 'the remedy')
  using other = await named('other', { 0: 'spam', 1: 'ham' })
  t.regex((await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, model: other, folder: false }))).message, /it was trained for other classes; a new head comes with training from its folder/)
  using numbered = await named('numbered', { 0: 'LABEL_0', 1: 'LABEL_1' })
  t.is((await task.evaluate(numbered)).width, 2)
  using headless = await Model.load(bert)
  await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, model: headless, folder: false }))
})

test.serial('a fine-tuned model is trained further with its head, from a model folder, a checkpoint or a run', async (t) => {
  const first = join(folder, 'further')
  const { checkpoint = '' } = await task.train({ ...options, epochs: 1, folder: first }).done
  using own = await Model.load(join(checkpoint, 'model'))
  const { epochs: _epochs, ...short } = options
  const losses = async (model: NonNullable<ClassificationTrainOptions['model']>): Promise<readonly number[]> => {
    const found: number[] = []
    for await (const event of task.train({ ...short, steps: 3, model, folder: false })) if (event.type === 'step') found.push(event.loss)
    return found
  }
  const expected = await losses(own)
  t.is(expected.length, 3)
  for (const path of [join(checkpoint, 'model'), checkpoint, first]) t.deepEqual(await losses({ fineTuned: path }), expected)
  const anew = await losses({ pretrained: join(checkpoint, 'model') })
  t.notDeepEqual(anew, expected, 'a new head')
  t.deepEqual(await losses({ pretrained: first }), anew, 'a run’s encoder')
  t.regex((await refusal(t, 'ERR_CONFIG', () => losses({ fineTuned: bert }))).message, /has none; put one on it/)
  t.regex((await refusal(t, 'ERR_CONFIG', () => losses({ fineTuned: join(folder, 'nowhere') }))).message, /^train\.model\.fineTuned: there is no folder/)
  t.regex((await refusal(t, 'ERR_CONFIG', () => losses({ fineTuned: first, classifierDropout: 0.2 } as never))).message, /classifierDropout/)
})

test.serial('both parts of MNLI are scored, each on its own, and the head has the dropouts that were asked for', async (t) => {
  using mnli = await Classification.prepare({ recipe: 'mnli', data: glueFiles(join(folder, 'glue'), ['mnli']), tokenizer: bert, output: join(folder, 'prepared') })
  const { checkpoint = '', best } = await mnli.train({ optimizer: adam({ lr: 2e-3 }), steps: 2, threads: 1, precision: 'float32', model: { classifierDropout: 0.3 }, folder: join(folder, 'mnli') }).done
  using model = await Model.load(join(checkpoint, 'model'))
  const { metrics } = await mnli.evaluate(model)
  const { metrics: other } = await mnli.evaluate(model, { part: 'validMismatched' })
  t.not(metrics.loss, other.loss)
  const scored = await mnli.validate(model)
  t.like(scored, { ...metrics, lossMismatched: other.loss, accuracyMismatched: other.accuracy, score: ((metrics.accuracy ?? 0) + (other.accuracy ?? 0)) / 2 })
  t.deepEqual(best?.metrics, scored)
  t.like('head' in model.spec ? model.spec.head : null, { dropout: 0.3, poolerDropout: 0.1 })
})

test.serial('what of a folder is of no use is told, by training, scoring and labelling', async (t) => {
  const odd = join(folder, 'odd')
  const { checkpoint = '' } = await task.train({ ...options, epochs: 1, folder: join(folder, 'plain') }).done
  cpSync(join(checkpoint, 'model'), odd, { recursive: true })
  const config = JSON.parse(readFileSync(join(odd, 'config.json'), 'utf8')) as object
  writeFileSync(join(odd, 'config.json'), JSON.stringify({ ...config, something_new: 1 }))
  using model = await Model.load(odd)
  t.deepEqual(model.leftAside, { unused: [], unknownSettings: ['something_new'] })
  const warnings: string[] = []
  for await (const event of task.train({ ...options, epochs: 1, model: { fineTuned: odd }, folder: false })) if (event.type === 'warning') warnings.push(event.message)
  const told = `${odd}: settings that nothing is known about: something_new`
  t.deepEqual(warnings, [told])
  t.regex((await start(folder, ['predict', 'odd'], 'the film was good\n').ended).err, /^sagetrain: warning: odd: settings that nothing is known about: something_new$/m)
  const scored = await start(folder, ['evaluate', 'odd', '--test', 'valid.tsv', '--columns.text', 'review', '--columns.label', 'verdict', '--json']).ended
  t.true((JSON.parse(scored.out) as { warnings: string[] }).warnings.includes('odd: settings that nothing is known about: something_new'), scored.out)
})

test.serial('a run is a tokenizer too, and its weights may be shards', async (t) => {
  const run = join(folder, 'sharded')
  const { checkpoint = '' } = await task.train({ ...options, epochs: 1, folder: run }).done
  using again = await Classification.prepare({ ...files(), tokenizer: run, columns: { text: 'review', label: 'verdict' } })
  t.deepEqual([again.prepared.vocabulary, again.prepared.parts.train?.tokens], [task.prepared.vocabulary, task.prepared.parts.train?.tokens])
  const { metrics } = await task.evaluate(checkpoint)
  const model = join(checkpoint, 'model')
  const names = safetensorsNames(join(model, 'model.safetensors'))
  renameSync(join(model, 'model.safetensors'), join(model, 'model-00001-of-00001.safetensors'))
  writeFileSync(join(model, 'model.safetensors.index.json'), JSON.stringify({ weight_map: Object.fromEntries(names.map((name) => [name, 'model-00001-of-00001.safetensors'])) }))
  t.deepEqual((await task.evaluate(checkpoint)).metrics, metrics)
})

/** Names of a safetensors file's tensors. */
function safetensorsNames(path: string): readonly string[] {
  const bytes = readFileSync(path)
  const head = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()) as object
  return Object.keys(head).filter((name) => name !== '__metadata__')
}

test.serial('a command measures where it has trained', async (t) => {
  const arm = { name: 'arm', train: { ...options, device: 'auto', epochs: 1 } as never, folder: join(folder, 'arm'), resume: false, signal: new AbortController().signal }
  await using prepared = await classificationCommand.prepare({ ...files(), columns: { text: 'review', label: 'verdict' } }, () => undefined, arm.signal)
  const training = await prepared.train(arm)
  for await (const event of training.events) void event
  const { load } = Model
  const places: (PlaceOptions | undefined)[] = []
  Model.load = async (path, place) => {
    places.push(place)
    return load.call(Model, path, place)
  }
  try {
    const { metrics } = await training.measure(arm.signal)
    t.true(Number.isFinite(metrics['accuracy']))
  } finally {
    Model.load = load
  }
  t.deepEqual(places, [{ device: 'auto' }])
})

test('as many classes as there may be have probabilities', (t) => {
  const shares = softmax(new Float32Array(1_048_576).fill(3))
  t.true(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9)
})
