// One arm of fine-tuning.mjs: some steps over its folder in a process of their own. Prints one line of JSON.
//
//   node benches/fine-tuning-run.mjs '{ "folder": …, "optimizer": "adamw-sage", "padded": false, "smoothness": {}, "bounded": 6, "device": …, "precision": …, "threads": …, "batch": …, "warmup": …, "steps": … }'
//
// `bounded` steps follow that count for nothing but the optimizer's bound: the machine's bandwidth is measured before and after each.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Dataset, Model, Session, adamw } from 'sagetrain'
import { triad } from './triad.mjs'

const config = JSON.parse(process.argv[2])

/** Sequences of ids; `padded` ones are filled up to the longest of their batch with ids that count, which is what padding costs. */
async function sequences() {
  const rows = JSON.parse(await readFile(join(config.folder, 'sequences.json'), 'utf8'))
  if (!config.padded) return rows
  return rows.map((row, index) => {
    const from = index - (index % config.batch)
    const longest = Math.max(...rows.slice(from, from + config.batch).map(({ length }) => length))
    return row.concat(Array.from({ length: longest - row.length }, () => row.at(-1)))
  })
}

/** On a GPU losses are read once, after the last step: the one told is the mean over all steps. */
const onGpu = config.device !== 'cpu'
const model = await Model.load(join(config.folder, 'model'))
const dataset = await Dataset.from((await sequences()).map((tokens, index) => ({ tokens: Int32Array.from(tokens), label: Int32Array.of(index % 2) })))
const optimizer = adamw({ lr: 2e-5, weightDecay: 0.01, ...(config.optimizer === 'adamw-sage' && { sage: {} }) })
const session = await Session.create({ model, optimizer, maxGradientNorm: 1, device: config.device, precision: config.precision, threads: config.threads, seed: 1, ...(onGpu && { logEvery: config.warmup + config.steps }), ...(config.smoothness && { smoothness: config.smoothness }) })

/** One step over the batch at that place, the first ones again after the last. */
async function step(place) {
  const first = (place % (config.warmup + config.steps)) * config.batch
  const batch = dataset.batch(Array.from({ length: config.batch }, (_, index) => first + index))
  const done = await session.step(batch)
  batch[Symbol.dispose]()
  return done
}

/** Of this process's own memory; what getrusage calls the peak begins with that of the process that started it. */
async function peakMemoryBytes() {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(await readFile('/proc/self/status', 'utf8'))
  return 1024 * Number(kilobytes)
}

/** Seconds of the optimizer beside the bandwidth around each step. */
async function bounded() {
  const measure = triad()
  const pairs = []
  measure()
  for (let place = 0; place < config.bounded; place += 1) {
    const before = measure()
    const { optimizerSeconds } = await step(place)
    pairs.push({ optimizerSeconds, bytesPerSecond: (before + measure()) / 2 })
  }
  return pairs
}

for (let place = 0; place < config.warmup; place += 1) await step(place)
// Reading a parameter waits for the device.
if (onGpu) await model.read(model.parameters()[0].name)
const started = performance.now()
const steps = []
for (let place = 0; place < config.steps; place += 1) steps.push(await step(config.warmup + place))
const seconds = (performance.now() - started) / 1000
const optimizerSeconds = steps.map((one) => one.optimizerSeconds)
const result = { seconds, ...(!onGpu && { optimizerSeconds }), loss: steps.at(-1).loss, peakMemoryBytes: await peakMemoryBytes() }
const parameters = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
console.log(JSON.stringify({ ...result, parameters, bounded: config.bounded > 0 ? await bounded() : [] }))
await session[Symbol.asyncDispose]()
