// Fine-tuning speed: sagetrain, a PyTorch loop and transformers' Trainer on the same sequences, in one run.
//
//   node benches/fine-tuning.mjs --python VENV/bin/python [--model minilm-l6] [--precision float32] [--threads 2] [--steps 12] [--warmup 3] [--rounds 3]
//   node benches/fine-tuning.mjs --python VENV/bin/python --model bert-base --precision float32,bfloat16 --tsv reviews.tsv.gz --only 'sagetrain|loop'
//   node benches/fine-tuning.mjs --python VENV/bin/python --device cuda:0 --steps 100 --warmup 10
//   node benches/fine-tuning.mjs --smoothness '{}' --only smoothness                      what SMART's regularisation costs; no peer is needed
//
// Batches of 32 sequences, shuffled, of the lengths that text has: the English side of the embedded corpus, or the first column of --tsv. Weights are random
// and the same for all; dropout 0.1. The peers pad each batch to its longest sequence, as transformers' DataCollatorWithPadding does. One arm of ours trains
// on sequences that are as long, so that packing shows. Rounds alternate between the systems, and figures are medians.
//
// The optimizer's time is that of clipping and update. What it must move at least is one read and one write of each weight and state and two reads of each
// gradient, the first for the norm; the bound is these bytes at the bandwidth of a triad around each of some further steps. On a GPU, where steps are only
// queued, it is not told; the peak is that of the process's memory, not the GPU's, and our loss is the mean over all steps, the loop's that of the last.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { Model, Tokenizer } from 'sagetrain'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    model: { type: 'string', default: 'minilm-l6' },
    device: { type: 'string', default: 'cpu' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '12' },
    warmup: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    batch: { type: 'string', default: '32' },
    tsv: { type: 'string' },
    tokenizer: { type: 'string' },
    only: { type: 'string', default: '' },
    smoothness: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const [threads, steps, warmup, rounds, batchSize] = ['threads', 'steps', 'warmup', 'rounds', 'batch'].map((key) => Number(values[key]))
const OURS = 'sagetrain, AdamW'
/** Bytes of a parameter and step: weights and states are float32 in every precision. */
const TRAFFIC = { [OURS]: 32, 'sagetrain, AdamW-SAGE': 40 }
if (!['cpu', 'cuda:0'].includes(values.device)) throw new Error(`--device is ${values.device}; give cpu or cuda:0: the Trainer takes the first GPU`)
const BOUNDED_STEPS = values.device === 'cpu' ? 6 : 0

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

/** The folder that all start from, and the sequences in it. */
async function prepare(folder) {
  const family = values.model.startsWith('roberta') ? 'roberta' : 'bert'
  const vocabularySize = family === 'roberta' ? 50_265 : 30_522
  const model = await Model.create({ type: family, preset: values.model, vocabularySize, head: { kind: 'classification', classes: 2 } }, { seed: 1 })
  await model.save(join(folder, 'model'))
  model[Symbol.dispose]()
  const rows = await sequences(vocabularySize)
  await writeFile(join(folder, 'sequences.json'), JSON.stringify(rows.map((row) => [...row])))
  return rows
}

function systems(folder, precision) {
  const own = (optimizer, bounded, more = {}) => [process.execPath, [join(here, 'fine-tuning-run.mjs'), JSON.stringify({ folder, optimizer, ...more, bounded, device: values.device, precision, threads, batch: batchSize, warmup, steps })]]
  const options = [folder, '--device', values.device, '--precision', precision, '--threads', `${threads}`, '--steps', `${steps}`, '--warmup-steps', `${warmup}`, '--batch', `${batchSize}`]
  const peer = (...mode) => [values.python, [join(here, 'peers', 'fine_tuning.py'), ...mode, ...options]]
  const all = {
    [OURS]: own('adamw', BOUNDED_STEPS),
    'sagetrain, AdamW, padded': own('adamw', 0, { padded: true }),
    ...(values.smoothness && { [`sagetrain, AdamW, smoothness ${values.smoothness}`]: own('adamw', 0, { smoothness: JSON.parse(values.smoothness) }) }),
    'sagetrain, AdamW-SAGE': own('adamw-sage', BOUNDED_STEPS),
    ...(values.python && {
      'PyTorch loop, AdamW': peer('loop'),
      'PyTorch loop, AdamW-SAGE written eagerly': peer('loop', '--optimizer', 'adamw-sage'),
      'transformers Trainer, AdamW': peer('trainer'),
    }),
  }
  return Object.entries(all).filter(([name]) => name === OURS || new RegExp(values.only).test(name))
}

async function compare(folder, rows, precision) {
  const started = systems(folder, precision)
  const results = Object.fromEntries(started.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, [file, args]] of started) {
      const result = await run(file, args)
      results[name].push(result)
      console.error(`${precision}, round ${round + 1}, ${name}: ${((steps * batchSize) / result.seconds).toFixed(1)} sequences/s`)
    }
  }
  report(precision, results, padding(rows))
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

function report(precision, results, share) {
  const summaries = Object.fromEntries(Object.entries(results).map(([name, list]) => [name, summary(list)]))
  const rows = Object.entries(summaries).map(([system, one]) => ({
    system,
    'sequences/s': Number(one.speed.toFixed(1)),
    ratio: Number((summaries[OURS].speed / one.speed).toFixed(2)),
    'peak GiB': Number(gib(one.peak)),
    'optimizer ms': one.optimizer === undefined ? '' : Number((1000 * one.optimizer).toFixed(1)),
    'its share': one.optimizer === undefined ? '' : percent(one.share),
    loss: Number(one.loss.toFixed(4)),
  }))
  const { parameters } = results[OURS][0]
  const bounds = Object.keys(TRAFFIC).filter((name) => BOUNDED_STEPS > 0 && name in results).map((name) => bound(name, TRAFFIC[name] * parameters, results[name]))
  if (values.json) return console.log(JSON.stringify({ ...values, precision, rows, bounds, padding: share, results }))
  console.log(`${values.model} on ${values.device}, ${precision}, ${threads} threads, batch ${batchSize}, ${steps} steps × ${rounds} rounds; the peers pad ${percent(share)} of their tokens; ratio = ${OURS} / system; E is ${gib(4 * parameters)} GiB`)
  console.table(rows)
  for (const { system, bytes, bytesPerSecond, seconds, ratio } of bounds) {
    console.log(`${system}: the optimizer moves ${(bytes / 1e6).toFixed(0)} MB a step, at ${(bytesPerSecond / 1e9).toFixed(1)} GB/s in ${(1000 * bytes / bytesPerSecond).toFixed(1)} ms; it takes ${(1000 * seconds).toFixed(1)} ms, ${ratio.toFixed(2)} of that`)
  }
}

/** The optimizer's time over that of its bytes at the bandwidth beside it, in the median of the steps. */
function bound(system, bytes, list) {
  const pairs = list.flatMap(({ bounded }) => bounded)
  const of = (value) => median(pairs.map(value))
  return { system, bytes, bytesPerSecond: of((pair) => pair.bytesPerSecond), seconds: of((pair) => pair.optimizerSeconds), ratio: of((pair) => (pair.optimizerSeconds * pair.bytesPerSecond) / bytes) }
}

/** Medians over the rounds; the peak is the highest. */
function summary(list) {
  const timed = list.flatMap(({ optimizerSeconds = [] }) => optimizerSeconds)
  const share = median(list.map(({ optimizerSeconds = [], seconds }) => optimizerSeconds.reduce((sum, one) => sum + one, 0) / seconds))
  return {
    speed: median(list.map(({ seconds }) => (steps * batchSize) / seconds)),
    peak: Math.max(...list.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    loss: list[0].loss,
    ...(timed.length > 0 && { optimizer: median(timed), share }),
  }
}

async function run(file, args) {
  // One GPU is seen, or the Trainer would split its batches over several.
  const { stdout } = await promisify(execFile)(file, args, { maxBuffer: 1 << 26, env: { ...process.env, CUDA_VISIBLE_DEVICES: process.env.CUDA_VISIBLE_DEVICES ?? '0' } })
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

function gib(bytes) {
  return (bytes / 2 ** 30).toFixed(2)
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`
}

const folder = await mkdtemp(join(tmpdir(), 'sagetrain-fine-tuning-'))
try {
  const rows = await prepare(folder)
  for (const precision of values.precision.split(',')) await compare(folder, rows, precision)
} finally {
  await rm(folder, { recursive: true, force: true })
}
