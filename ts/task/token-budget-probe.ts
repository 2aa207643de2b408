import { readFileSync } from 'node:fs'
import { memoryUsage } from 'node:process'
import { text as readAll } from 'node:stream/consumers'
import { native } from '../binding.js'
import { Dataset } from '../dataset.js'
import { isSagetrainError } from '../errors.js'
import { Model } from '../model.js'
import type { ModelOptions } from '../model-spec.js'
import { Session, type SessionOptions } from '../session.js'
import type { ProbeRequest } from './token-budget.js'

// The program of a probe: takes a request on standard input, trains on it, and prints the bytes that took.

/** Batches of a probe: with accumulation the second one's gradients stand beside the first one's. */
const BATCHES = 2

/** The most memory this process has had. `resourceUsage` would count what it was before it was this program. */
function peakBytes(): number {
  const [, kibibytes = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kibibytes) * 1024
}

async function take({ model: spec, session: options, rows, samples }: ProbeRequest): Promise<number> {
  native().runtime()
  const before = memoryUsage.rss()
  using dataset = await Dataset.from([Object.fromEntries(rows.map(({ name, length }) => [name, new Int32Array(length)]))])
  using model = await Model.create(spec as ModelOptions)
  await using session = await Session.create({ ...(options as SessionOptions), model })
  for (let step = 0; step < BATCHES; step += 1) {
    using batch = dataset.batch(Array.from({ length: samples }, () => 0))
    // oxlint-disable-next-line no-await-in-loop -- steps follow each other
    await session.step(batch)
  }
  await session.finish()
  return Math.max(0, peakBytes() - before)
}

try {
  process.stdout.write(String(await take(JSON.parse(await readAll(process.stdin)) as ProbeRequest)))
} catch (error) {
  process.stderr.write(isSagetrainError(error) ? error.message : String(error))
  process.exitCode = 1
}
