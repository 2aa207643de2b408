// Training throughput on the embedded corpus: sagetrain from Node, from Rust, a PyTorch loop and JoeyNMT on the same batches, in one run.
//
//   node benches/throughput.mjs --python VENV/bin/python [--size small] [--precision bfloat16] [--threads 2] [--steps 40] [--rounds 3]
//   node benches/throughput.mjs --python VENV/bin/python --joeynmt JOEYVENV/bin/python --size base --precision float32 --steps 3 --warmup 1
//
// Sizes: small (d 256, 3 + 3 layers), iwslt, base and dN (base with another width), all but the first with 4,096 tokens a batch. JoeyNMT has float32 alone. Rounds alternate between the systems, so that a machine that slows down slows all of them; the ratios are of medians. Without
// --python the peer is left out. peers/README.md says how to make its environment.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const rust = join(root, 'target', 'release', 'translation')
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    joeynmt: { type: 'string' },
    size: { type: 'string', default: 'small' },
    precision: { type: 'string', default: 'bfloat16' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '40' },
    warmup: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const [threads, steps, warmup, rounds] = ['threads', 'steps', 'warmup', 'rounds'].map((key) => Number(values[key]))
// Of Transformer-base's shape and another width, such as d320.
const width = Number(/^d(\d+)$/.exec(values.size)?.[1])
const size = {
  small: { hiddenSize: 256, layers: 3, heads: 4, feedForwardSize: 1024, dropout: 0.1, pieces: 4000, maxTokens: 2000 },
  iwslt: { hiddenSize: 512, layers: 6, heads: 4, feedForwardSize: 1024, dropout: 0.3, pieces: 10_000, maxTokens: 4096 },
  // The text has not as many pieces as WMT's vocabulary; the model computes logits of all of them.
  base: { hiddenSize: 512, layers: 6, heads: 8, feedForwardSize: 2048, dropout: 0.1, pieces: 10_000, vocabulary: 37_000, maxTokens: 4096 },
  [`d${width}`]: { hiddenSize: width, layers: 6, heads: width / 64, feedForwardSize: 4 * width, dropout: 0.1, pieces: 10_000, vocabulary: 37_000, maxTokens: 4096 },
}[values.size]
if (size === undefined) throw new Error(`--size ${values.size}: give small, iwslt, base or a width such as d320`)

if (values.joeynmt && values.precision !== 'float32') throw new Error(`--joeynmt with --precision ${values.precision}: JoeyNMT has float32 alone on a CPU`)

async function main() {
  const config = await prepare()
  const systems = {
    'sagetrain (Node)': () => run(process.execPath, [join(here, 'training.mjs'), config.node]),
    'sagetrain (Rust)': () => run(rust, [config.rust]),
    ...(values.joeynmt && { JoeyNMT: () => run(values.joeynmt, [join(here, 'peers', 'joeynmt_training.py'), ...peer(config)]) }),
    ...(values.python && { 'PyTorch loop': () => run(values.python, [join(here, 'peers', 'translation.py'), ...peer(config)]) }),
  }
  const results = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1)
    for (const [name, start] of Object.entries(systems)) results[name].push(await start())
  report(results, await run(process.execPath, [join(here, 'training.mjs'), config.node, '--delays']))
}

async function prepare() {
  await run('cargo', ['build', '--release', '-p', 'sagetrain-benches', '--features', 'torch', '--bin', 'translation'], false)
  const common = {
    model: {
      type: 'transformer',
      hiddenSize: size.hiddenSize,
      encoderLayers: size.layers,
      decoderLayers: size.layers,
      heads: size.heads,
      feedForwardSize: size.feedForwardSize,
      dropout: size.dropout,
    },
    session: {
      optimizer: { type: 'adamw', lr: 1e-3, betas: [0.9, 0.98], eps: 1e-9 },
      schedule: { type: 'inverseSqrt', warmupSteps: 300 },
      maxGradientNorm: 1,
      labelSmoothing: 0.1,
      precision: values.precision,
      threads,
    },
    maxTokens: size.maxTokens,
    steps,
    warmup,
  }
  const corpus = join(root, 'ts', 'task', 'translation', 'corpus', 'train.tsv.gz')
  const input = { tsv: corpus, maxWords: 40, vocabulary: { size: size.pieces }, heldOut: { valid: 0 }, output: join(folder, 'data') }
  const batches = join(folder, 'batches.safetensors')
  const [rustConfig, nodeConfig] = [join(folder, 'rust.json'), join(folder, 'node.json')]
  const withPrepare = { ...common, prepare: input, model: { ...common.model, ...(size.vocabulary && { vocabularySize: size.vocabulary }) } }
  await writeFile(rustConfig, JSON.stringify({ ...withPrepare, export: batches }))
  const prepared = await run(rust, [rustConfig])
  await writeFile(rustConfig, JSON.stringify(withPrepare))
  const model = { ...common.model, vocabularySize: size.vocabulary ?? prepared.vocabulary }
  await writeFile(nodeConfig, JSON.stringify({ ...common, model, dataset: prepared.train }))
  return { rust: rustConfig, node: nodeConfig, batches }
}

function peer({ batches }) {
  const options = {
    precision: values.precision,
    threads,
    steps,
    'warmup-steps': warmup,
    'hidden-size': size.hiddenSize,
    layers: size.layers,
    heads: size.heads,
    'ffn-size': size.feedForwardSize,
    dropout: size.dropout,
  }
  return [batches, ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])]
}

async function run(file, args, parse = true) {
  // As ts/binding.ts sets it for Node: the two drivers of one session differ in nothing but the driver. The peer keeps its default.
  const env = file === rust ? { GOMP_SPINCOUNT: '10000', ...process.env } : process.env
  const { stdout } = await promisify(execFile)(file, args, { cwd: root, env, maxBuffer: 1 << 26 })
  return parse ? JSON.parse(stdout.trim().split('\n').at(-1)) : undefined
}

function report(results, { eventLoopDelayP99Ms }) {
  const speed = (name) => median(results[name].map((result) => tokensPerSecond(result)))
  const rows = Object.keys(results).map((name) => ({
    system: name,
    'target tokens/s': Math.round(speed(name)),
    lowest: Math.round(Math.min(...results[name].map(tokensPerSecond))),
    highest: Math.round(Math.max(...results[name].map(tokensPerSecond))),
    ratio: Number((speed('sagetrain (Node)') / speed(name)).toFixed(3)),
    'peak GiB': Number((results[name][0].peakMemoryBytes / 2 ** 30).toFixed(2)) || '',
    padding: results[name][0].paddingShare === undefined ? '' : percent(results[name][0].paddingShare),
  }))
  const node = results['sagetrain (Node)'].at(-1)
  if (values.json) return console.log(JSON.stringify({ size: values.size, precision: values.precision, threads, steps, rounds, rows, eventLoopDelayP99Ms, results }))
  console.log(`${values.size}, ${values.precision}, ${threads} threads, ${steps} steps × ${rounds} rounds; ratio = sagetrain (Node) / system`)
  console.table(rows)
  console.log(
    `optimizer ${percent(node.optimizerShare)} of the time, data wait ${percent(node.dataWait)}, ` +
      `event loop delay p99 ${eventLoopDelayP99Ms.toFixed(1)} ms`,
  )
}

function tokensPerSecond(result) {
  return result.targetTokensPerSecond ?? result.target_tokens_per_second
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

const folder = await mkdtemp(join(tmpdir(), 'sagetrain-bench-'))
try {
  await main()
} finally {
  await rm(folder, { recursive: true, force: true })
}
