// The Node twin of translation.rs: the same session over the same batches, driven from JavaScript. Prints one line of JSON.
//
//   node benches/training.mjs config.json
//
// The file holds { dataset, model, session, maxTokens, steps, warmup } as throughput.mjs writes it. With --delays the event loop's delays are
// measured too: its timer wakes a thousand times a second on a processor that the training wants, so such a run's speed counts for nothing.
import { readFile } from 'node:fs/promises'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Dataset, Model, Session } from 'sagetrain'

const config = JSON.parse(await readFile(process.argv[2], 'utf8'))
const dataset = await Dataset.open(config.dataset)
const model = await Model.create(config.model, { seed: 1 })
const session = await Session.create({ model, ...config.session })
const loader = dataset.loader({ maxTokens: config.maxTokens, seed: 1, epochs: Infinity })

const delay = process.argv.includes('--delays') ? monitorEventLoopDelay({ resolution: 1 }) : undefined
const resident = []
let step = 0
let [tokens, optimizer, waited, started, loss] = [0, 0, 0, 0, 0]
for await (const batch of loader) {
  if (step === config.warmup) {
    ;[tokens, optimizer, waited, started] = [0, 0, loader.waited, performance.now()]
    delay?.enable()
  }
  const report = await session.step(batch)
  tokens += report.count
  optimizer += report.optimizerSeconds
  loss = report.loss
  step += 1
  if (step % 50 === 0) resident.push(process.memoryUsage.rss())
  if (step === config.warmup + config.steps) break
}
delay?.disable()
const seconds = (performance.now() - started) / 1000
await session[Symbol.asyncDispose]()
console.log(
  JSON.stringify({
    system: 'sagetrain (Node)',
    precision: session.spec.precision,
    threads: session.spec.threads,
    steps: config.steps,
    targetTokens: tokens,
    seconds,
    targetTokensPerSecond: tokens / seconds,
    optimizerShare: optimizer / seconds,
    dataWait: (loader.waited - waited) / seconds,
    ...(delay && { eventLoopDelayP99Ms: delay.percentile(99) / 1e6 }),
    residentBytes: resident,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    loss,
  }),
)
