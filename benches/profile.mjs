// Where the time of a training step goes, sampled by Linux's `perf` on the Rust driver: one thread, so that every sample knows its caller.
//
//   node benches/profile.mjs [--precision bfloat16] [--maxTokens 2000] [--steps 40]
//
// Needs `perf`. Shares are of the samples inside a step; what Node adds is throughput.mjs's to say.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({
  options: {
    precision: { type: 'string', default: 'bfloat16' },
    maxTokens: { type: 'string', default: '2000' },
    steps: { type: 'string', default: '40' },
  },
})

/** The first that fits a sample's functions, innermost first, names it. */
const parts = [
  ['optimizer: clipping and update', /sagetrain_optim::optimizer::/],
  ['attention', /sagetrain::\w+::attend|sagetrain_attention|Attention.*::(forward|backward)|namespace\)::Attention/],
  ['matrix products', /sagetrain::\w+::multiply_rows/],
  ['matrix products: packing their factors', /sagetrain::\w+::pack_/],
  ['matrix products: storing their results', /sagetrain::\w+::finish/],
  ['softmax and loss', /projected_cross_entropy|sagetrain::\w+::loss/],
  ['normalisation, residual sums, dropout', /norm|residual|drop/i],
  ['embedding', /embed|scatter/i],
]

async function main() {
  await run('cargo', ['build', '--release', '-p', 'sagetrain-benches', '--features', 'torch', '--bin', 'translation'])
  const [config, samples] = [join(folder, 'config.json'), join(folder, 'perf.data')]
  await writeFile(config, JSON.stringify(configuration()))
  const record = ['record', '-q', '-F', '400', '--call-graph', 'dwarf,16384', '-o', samples, join(root, 'target', 'release', 'translation'), config]
  const result = JSON.parse((await run('perf', record)).trim().split('\n').at(-1))
  const script = await run('perf', ['script', '--no-inline', '-i', samples, '-F', 'comm,ip,sym'])
  report(result, script.split('\n\n').filter((sample) => /Training::step|Optimizer<F>::step/.test(sample)))
}

function configuration() {
  const corpus = join(root, 'ts', 'task', 'translation', 'corpus', 'train.tsv.gz')
  return {
    prepare: { tsv: corpus, maxWords: 40, vocabulary: { size: 4000 }, heldOut: { valid: 0 }, output: join(folder, 'data') },
    model: { type: 'transformer', hiddenSize: 256, encoderLayers: 3, decoderLayers: 3, heads: 4, feedForwardSize: 1024, dropout: 0.1 },
    session: {
      optimizer: { type: 'adam', lr: 1e-3, betas: [0.9, 0.98], sage: {} },
      maxGradientNorm: 1,
      labelSmoothing: 0.1,
      precision: values.precision,
      threads: 1,
    },
    maxTokens: Number(values.maxTokens),
    steps: Number(values.steps),
    warmup: 2,
  }
}

function report(result, samples) {
  const counts = new Map(parts.map(([name]) => [name, 0]))
  for (const sample of samples) {
    const name = parts.find(([, pattern]) => pattern.test(sample))?.[0] ?? 'other: autograd, copies, the rest'
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  console.log(`${values.precision}, 1 thread, ${Math.round(result.targetTokensPerSecond)} target tokens/s, ${samples.length} samples`)
  console.table([...counts].map(([part, count]) => ({ part, 'share of the step': `${((100 * count) / samples.length).toFixed(1)} %` })))
}

async function run(file, args) {
  const { stdout } = await promisify(execFile)(file, args, { cwd: root, maxBuffer: 1 << 30 })
  return stdout
}

const folder = await mkdtemp(join(tmpdir(), 'sagetrain-profile-'))
try {
  await main()
} finally {
  await rm(folder, { recursive: true, force: true })
}
