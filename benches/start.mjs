// From the start of a process to the start of its first step: BERT-base from safetensors, the files in the page cache.
//
//   node benches/start.mjs [--model bert-base] [--rounds 5] [--threads 2] [--python VENV/bin/python]
//
// A folder with random weights in float32 (438 MB) is made first. Then every round is a process of its own that loads the encoder under a new head, opens
// a dataset, begins a session and has its first batch; a step and another show what is left to do in the first. With --python a PyTorch
// loop with transformers does the same in turn. Phases are of the round whose total is the median.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'bert-base' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string' },
    child: { type: 'string' },
  },
})
const here = dirname(fileURLToPath(import.meta.url))
const threads = Number(values.threads)
const BATCH = 32

/** Milliseconds of each phase, from the start of the process on. */
async function start(folder) {
  const phases = { process: performance.now() }
  let last = phases.process
  const timed = async (phase, body) => {
    const result = await body()
    const now = performance.now()
    ;[phases[phase], last] = [now - last, now]
    return result
  }
  const { adamw, Dataset, Model, Session } = await timed('import', () => import('sagetrain'))
  // The first call to the addon loads it, and libtorch with it.
  const optimizer = await timed('libtorch', () => adamw({ lr: 2e-5, weightDecay: 0.01 }))
  const dataset = await timed('dataset', () => Dataset.open(join(folder, 'train.dataset')))
  const { model } = await timed('model', () => Model.fineTune(join(folder, 'model'), { head: { kind: 'classification', classes: 2 } }))
  const session = await timed('session', () => Session.create({ model, optimizer, maxGradientNorm: 1, precision: 'float32', threads, seed: 1 }))
  const batches = dataset.loader({ batchSize: BATCH, seed: 1 })[Symbol.asyncIterator]()
  const next = async () => (await batches.next()).value
  let batch = await timed('batch', next)
  phases.total = last
  for (const step of ['first step', 'second step']) {
    await timed(step, () => session.step(batch))
    batch = await next()
  }
  console.log(JSON.stringify(phases))
}

/** The folder that every round begins with. */
async function prepare(folder) {
  const { Dataset, Model } = await import('sagetrain')
  const family = values.model.startsWith('roberta') ? 'roberta' : 'bert'
  const model = await Model.create({ type: family, preset: values.model, vocabularySize: family === 'bert' ? 30_522 : 50_265, head: { kind: 'classification', classes: 2 } }, { seed: 1 })
  await model.save(join(folder, 'model'))
  model[Symbol.dispose]()
  const samples = Array.from({ length: 100 * BATCH }, (_, index) => ({
    tokens: Int32Array.from({ length: 8 + (index % 25) }, (__, place) => 1000 + ((index * 31 + place * 17) % 29_000)),
    label: Int32Array.of(index % 2),
  }))
  const dataset = await Dataset.from(samples)
  await dataset.write(join(folder, 'train.dataset'))
  dataset[Symbol.dispose]()
}

async function compare(folder) {
  await prepare(folder)
  const systems = {
    sagetrain: [process.execPath, [fileURLToPath(import.meta.url), '--threads', values.threads, '--child', folder]],
    ...(values.python && { 'PyTorch loop': [values.python, [join(here, 'peers', 'start.py'), folder, '--threads', values.threads]] }),
  }
  const rounds = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [name, [file, args]] of Object.entries(systems)) rounds[name].push(await run(file, args))
  }
  console.log(`${values.model}, ${threads} threads, files in the page cache, ${values.rounds} rounds; milliseconds`)
  console.table(Object.fromEntries(Object.entries(rounds).map(([name, phases]) => [name, row(phases)])))
}

/** The phases of the round in the middle, and the totals of the fastest and the slowest. */
function row(rounds) {
  const sorted = rounds.toSorted((a, b) => a.total - b.total)
  const phases = Object.entries(sorted[sorted.length >> 1]).map(([phase, milliseconds]) => [phase, Math.round(milliseconds)])
  return { ...Object.fromEntries(phases), fastest: Math.round(sorted[0].total), slowest: Math.round(sorted.at(-1).total) }
}

async function run(file, args) {
  const { stdout } = await promisify(execFile)(file, args, { maxBuffer: 1 << 26 })
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

if (values.child !== undefined) await start(values.child)
else {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-start-'))
  try {
    await compare(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
