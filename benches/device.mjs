// The same small Transformer for some hundred updates on each device: loss, target tokens a second, and whether the two tell the same story.
//
//   node benches/device.mjs [--devices cpu,cuda:0] [--precision bfloat16] [--updates 100] [--tokens 4096] [--preset transformer-base]
import { parseArgs } from 'node:util'
import { adam, Dataset, Model, Session } from 'sagetrain'

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: 'cpu,cuda:0' },
    precision: { type: 'string' },
    updates: { type: 'string', default: '100' },
    tokens: { type: 'string', default: '4096' },
    preset: { type: 'string', default: 'transformer-base' },
  },
})
const VOCABULARY = 8000
const [updates, maxTokens] = [Number(values.updates), Number(values.tokens)]

/** Sentences whose target is the source reversed. */
function* sentences(count) {
  for (let sample = 0; sample < count; sample += 1) {
    const source = Int32Array.from({ length: 8 + ((sample * 7) % 40) }, (_, place) => 2 + ((sample * 131 + place * place * 17) % (VOCABULARY - 3)))
    yield { source, target: source.toReversed() }
  }
}

async function train(device, dataset) {
  const model = await Model.create({ type: 'transformer', preset: values.preset, vocabularySize: VOCABULARY }, { seed: 1 })
  const options = { model, device, optimizer: adam({ lr: 5e-4, betas: [0.9, 0.98], sage: { beta0: 0.8 } }), maxGradientNorm: 1, labelSmoothing: 0.1, seed: 1, logEvery: 10 }
  const session = await Session.create({ ...options, ...(values.precision && { precision: values.precision }) })
  let [tokens, started, loss] = [0, 0, Number.NaN]
  for await (const batch of dataset.loader({ maxTokens, seed: 1 })) {
    const report = await session.step(batch)
    if (report.read) {
      loss = report.loss
      // What comes before, such as compiling kernels, is not counted.
      if (started === 0) started = performance.now()
      else tokens += report.count
      console.log(`${device.padEnd(7)} ${session.spec.precision} step ${String(report.step).padStart(5)}  loss ${loss.toFixed(4)}  norm ${report.gradientNorm?.toFixed(4)}`)
    }
    if (report.step >= updates) break
  }
  await session[Symbol.asyncDispose]()
  const perSecond = tokens / ((performance.now() - started) / 1000)
  model[Symbol.dispose]()
  return { device, loss, tokensPerSecond: Math.round(perSecond) }
}

const dataset = await Dataset.from([...sentences(20_000)])
const results = []
for (const device of values.devices.split(',')) {
  try {
    results.push(await train(device, dataset))
  } catch (error) {
    if (error.code !== 'ERR_DEVICE') throw error
    console.log(`skipped ${device}: ${error.message}`)
  }
}
console.table(results)
