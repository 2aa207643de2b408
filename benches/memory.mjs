// Resident memory over 10,000 training steps: growth after warm-up, in a process of its own.
//
//   node benches/memory.mjs [--steps 10000]
//
// A small model, so that steps are many: what leaks leaks by the step. Exit code 1 when memory grows by more than 1 % after the first tenth.
import { parseArgs } from 'node:util'
import { adam, Dataset, Model, Session } from 'sagetrain'

const { values } = parseArgs({ options: { steps: { type: 'string', default: '10000' } } })
const steps = Number(values.steps)
const sentence = (sample) => Int32Array.from({ length: 3 + ((sample * 7) % 18) }, (_, place) => 2 + ((sample * 31 + place * 7) % 900))
const samples = Array.from({ length: 4000 }, (_, sample) => ({
  source: Int32Array.of(...sentence(sample), 0),
  target: Int32Array.of(...sentence(sample + 1), 0),
}))
const dataset = await Dataset.from(samples)
const model = await Model.create({
  type: 'transformer', vocabularySize: 1000, hiddenSize: 64, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 128,
})
const session = await Session.create({ model, optimizer: adam({ lr: 1e-4, sage: {}, }), labelSmoothing: 0.1, maxGradientNorm: 1 })
const resident = []
let step = 0
for await (const batch of dataset.loader({ maxTokens: 500, seed: 1, epochs: Infinity })) {
  await session.step(batch)
  step += 1
  if (step % (steps / 100) === 0) resident.push(process.memoryUsage.rss())
  if (step === steps) break
}
const warm = Math.max(...resident.slice(0, 10))
const end = Math.max(...resident.slice(-10))
const growth = end / warm - 1
console.log(JSON.stringify({ steps, warmBytes: warm, endBytes: end, growth }))
console.log(`${steps} steps: ${(warm / 2 ** 20).toFixed(0)} MiB after warm-up, ${(end / 2 ** 20).toFixed(0)} MiB at the end: ${(100 * growth).toFixed(2)} %`)
process.exitCode = growth > 0.01 ? 1 : 0
