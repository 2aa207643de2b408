// Fine-tuning speed: sagetrain, a PyTorch loop and transformers' Trainer on the same sequences, in one run.
//
//   node benches/fine-tuning.mjs --python VENV/bin/python [--model minilm-l6] [--precision float32] [--threads 2] [--steps 12] [--warmup 3] [--rounds 3]
//   node benches/fine-tuning.mjs --python VENV/bin/python --model bert-base --precision bfloat16 --tsv reviews.tsv.gz
//   node benches/fine-tuning.mjs --smoothness '{}'                                       what SMART's regularisation costs; no peer is needed
//
// Batches of 32 sequences, shuffled, of the lengths that text has: the English side of the embedded corpus, or the first column of --tsv. Weights are random
// and the same for all; dropout 0.1. The peers pad each batch to its longest sequence, as transformers' DataCollatorWithPadding does.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { Dataset, Model, Session, Tokenizer, adam } from 'sagetrain'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    model: { type: 'string', default: 'minilm-l6' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '12' },
    warmup: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    batch: { type: 'string', default: '32' },
    tsv: { type: 'string' },
    tokenizer: { type: 'string' },
    sage: { type: 'boolean', default: false },
    smoothness: { type: 'string' },
    json: { type: 'boolean', default: false },
    child: { type: 'string' },
    smooth: { type: 'boolean', default: false },
  },
})
const [threads, steps, warmup, rounds, batchSize] = ['threads', 'steps', 'warmup', 'rounds', 'batch'].map((key) => Number(values[key]))

/** Every sequence that is trained on, in order: ids of `[CLS] … [SEP]`. */
async function sequences(vocabularySize) {
  const path = values.tsv ?? join(dirname(here), 'ts/task/translation/corpus/train.tsv.gz')
  const bytes = await readFile(path)
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trimEnd().split('\n')
  const texts = lines.map((line) => line.split('\t')[values.tsv === undefined ? 1 : 0])
  // Places by a multiplicative step: a shuffle that every language does alike.
  const chosen = Array.from({ length: batchSize * (warmup + steps) }, (_, index) => texts[(index * 7919) % texts.length])
  if (values.tokenizer !== undefined) {
    return (await Tokenizer.load(values.tokenizer)).encode(chosen)
  }
  // Without a tokenizer: a word is 1.3 tokens, as BERT's vocabulary has it for English text, and which token it is costs nothing.
  return chosen.map((text, index) => {
    const length = Math.max(3, Math.min(512, Math.round(text.split(' ').length * 1.3) + 2))
    return Int32Array.from({ length }, (_, place) => 1000 + ((index * 31 + place * 17) % (vocabularySize - 1000)))
  })
}

async function train(folder) {
  const model = await Model.load(join(folder, 'model'))
  const rows = JSON.parse(await readFile(join(folder, 'sequences.json'), 'utf8'))
  const samples = rows.map((tokens, index) => ({ tokens: Int32Array.from(tokens), label: Int32Array.of(index % 2) }))
  const dataset = await Dataset.from(samples)
  const optimizer = adam({ lr: 2e-5, ...(values.sage && { sage: {} }) })
  const session = await Session.create({ model, optimizer, maxGradientNorm: 1, precision: values.precision, threads, seed: 1, ...(values.smooth && { smoothness: JSON.parse(values.smoothness) }) })
  let [started, optimizerSeconds, loss] = [0, 0, 0]
  for (let step = 0; step < warmup + steps; step += 1) {
    if (step === warmup) [started, optimizerSeconds] = [performance.now(), 0]
    const batch = dataset.batch(Array.from({ length: batchSize }, (_, index) => step * batchSize + index))
    const done = await session.step(batch)
    batch[Symbol.dispose]()
    optimizerSeconds += done.optimizerSeconds
    loss = done.loss
  }
  const seconds = (performance.now() - started) / 1000
  await session[Symbol.asyncDispose]()
  console.log(JSON.stringify({ sequencesPerSecond: (steps * batchSize) / seconds, optimizerShare: optimizerSeconds / seconds, loss, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 }))
}

async function compare(folder) {
  const presets = { 'minilm-l6': 'bert', 'bert-base': 'bert', 'bert-large': 'bert', 'roberta-base': 'roberta' }
  const vocabularySize = values.model.startsWith('roberta') ? 50_265 : 30_522
  const model = await Model.create({ type: presets[values.model], preset: values.model, vocabularySize, head: { kind: 'classification', classes: 2 } }, { seed: 1 })
  await model.save(join(folder, 'model'))
  model[Symbol.dispose]()
  const rows = await sequences(vocabularySize)
  await writeFile(join(folder, 'sequences.json'), JSON.stringify(rows.map((row) => [...row])))
  const own = process.argv.slice(2)
  const ours = (...more) => () => run(process.execPath, [fileURLToPath(import.meta.url), ...own, '--child', folder, ...more])
  const peer = (mode) => () => run(values.python, [join(here, 'peers', 'fine_tuning.py'), mode, folder, '--precision', values.precision, '--threads', `${threads}`, '--steps', `${steps}`, '--warmup-steps', `${warmup}`, '--batch', `${batchSize}`])
  const systems = {
    sagetrain: ours(),
    ...(values.smoothness && { [`smoothness ${values.smoothness}`]: ours('--smooth') }),
    ...(values.python && { 'PyTorch loop': peer('loop'), 'transformers Trainer': peer('trainer') }),
  }
  const results = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) for (const [name, start] of Object.entries(systems)) results[name].push(await start())
  report(results, padding(rows))
}

/** Share of padding in batches as the peers make them. */
function padding(rows) {
  let [real, padded] = [0, 0]
  for (let start = 0; start < rows.length; start += batchSize) {
    const lengths = rows.slice(start, start + batchSize).map((row) => row.length)
    real += lengths.reduce((sum, length) => sum + length, 0)
    padded += Math.max(...lengths) * lengths.length
  }
  return 1 - real / padded
}

function report(results, share) {
  const speed = (name) => median(results[name].map((result) => result.sequencesPerSecond))
  const rows = Object.keys(results).map((name) => ({
    system: name,
    'sequences/s': Number(speed(name).toFixed(1)),
    ratio: Number((speed('sagetrain') / speed(name)).toFixed(2)),
    'peak GiB': Number((results[name][0].peakMemoryBytes / 2 ** 30).toFixed(2)),
    loss: Number(results[name][0].loss.toFixed(4)),
  }))
  const { optimizerShare } = results.sagetrain.at(-1)
  if (values.json) return console.log(JSON.stringify({ ...values, rows, optimizerShare, padding: share, results }))
  console.log(`${values.model}, ${values.precision}, ${threads} threads, batch ${batchSize}, ${steps} steps × ${rounds} rounds; the peers pad ${(100 * share).toFixed(0)} % of their tokens; ratio = sagetrain / system`)
  console.table(rows)
  console.log(`sagetrain's optimizer: ${(100 * optimizerShare).toFixed(1)} % of the time`)
}

async function run(file, args) {
  const { stdout } = await promisify(execFile)(file, args, { maxBuffer: 1 << 26 })
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

if (values.child !== undefined) await train(values.child)
else {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-fine-tuning-'))
  try {
    await compare(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
