import { spawn } from 'node:child_process'
import { freemem } from 'node:os'
import { memoryUsage } from 'node:process'
import { text as readAll } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Dataset } from '../dataset.js'
import { SagetrainError } from '../errors.js'
import type { ModelOptions, ModelSpec } from '../model-spec.js'
import { bytes } from '../report/format.js'

/** Share of the memory that training may plan with; the rest is for what is not measured: evaluations, prefetched batches, other programs. */
const HEADROOM = 0.85

/** Token budgets are whole multiples of this. */
const GRAIN = 64

/** The first budget that is tried; the next are twice and four times it. */
const FIRST = 512

/** What a probe is told: a model, a session's options without it, and the row lengths of the longest samples. */
export interface ProbeRequest {
  readonly model: ModelOptions | ModelSpec
  readonly session: object
  readonly rows: readonly { readonly name: string; readonly length: number }[]
  readonly samples: number
}

/** What training with a budget took, of a process that does nothing else. */
export interface Probe {
  readonly maxTokens: number
  /** Bytes beyond those of the process before. */
  readonly bytes: number
}

/** A budget that fits, and what it was concluded from. */
export interface TokenBudget {
  readonly maxTokens: number
  readonly probes: readonly Probe[]
}

/** What to search with. */
export interface BudgetSearch {
  readonly model: ModelOptions | ModelSpec
  readonly session: object
  readonly dataset: Dataset
  /** Bytes that the whole process may take; without it what it has and what is free. */
  readonly memoryBytes?: number
}

/**
 * The largest token budget whose batches fit into memory. Real steps on the worst batches there can be (every sample as long as the longest
 * on every side) are taken in processes of their own with small budgets; memory grows linearly with them, so the largest is
 * concluded and never tried: nothing runs out of memory.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` where not even the smallest batch fits.
 */
export async function findTokenBudget(search: BudgetSearch): Promise<TokenBudget> {
  const { dataset, memoryBytes } = search
  const own = memoryUsage.rss()
  const free = Math.min(process.availableMemory(), freemem())
  const usable = HEADROOM * (memoryBytes ?? own + free) - own
  const rows = dataset.columns.flatMap((column) => (column.type === 'ragged' ? [{ name: column.name, length: Math.max(1, column.longest) }] : []))
  const longest = Math.max(...rows.map(({ length }) => length))
  const probes: Probe[] = []
  if (usable <= 0) throw nothingFits(usable, probes)
  for (const factor of [1, 2, 4]) {
    const maxTokens = factor * Math.max(FIRST, longest)
    if (probes.length > 1 && predicted(probes, maxTokens) > usable) break
    // oxlint-disable-next-line no-await-in-loop -- side by side they would share the processors and the memory that is measured
    probes.push({ maxTokens, bytes: await probe({ model: search.model, session: search.session, rows, samples: Math.max(1, Math.floor(maxTokens / longest)) }) })
  }
  const most = Math.max(longest, longest * dataset.length)
  const maxTokens = Math.min(concluded(probes, usable), most)
  if (maxTokens >= longest) return { maxTokens: Math.max(longest, Math.floor(maxTokens / GRAIN) * GRAIN), probes }
  throw nothingFits(usable, probes)
}

function nothingFits(usable: number, probes: readonly Probe[]): SagetrainError {
  const [first] = probes
  const need = first === undefined ? '' : `batches of ${first.maxTokens} tokens take ${bytes(first.bytes)}, and `
  const message = `train.batch.maxTokens: no budget fits: ${need}${bytes(Math.max(0, usable))} may be planned with; give more memory, a smaller model or shorter sentences`
  return new SagetrainError('ERR_CONFIG', message, { fields: { key: 'train.batch.maxTokens', usable, probes } })
}

/** Bytes a token, by the steepest two neighbours. */
function slope(probes: readonly Probe[]): number {
  const steps = probes.slice(1).map(({ maxTokens, bytes: taken }, index) => (taken - (probes[index]?.bytes ?? 0)) / (maxTokens - (probes[index]?.maxTokens ?? 0)))
  return Math.max(...steps)
}

function predicted(probes: readonly Probe[], maxTokens: number): number {
  const last = probes.at(-1)
  return last === undefined ? 0 : last.bytes + slope(probes) * (maxTokens - last.maxTokens)
}

/** The budget that takes what is usable; by the last probe, or by the first where that took too much. */
export function concluded(probes: readonly Probe[], usable: number): number {
  const from = probes.findLast(({ bytes: taken }) => taken <= usable) ?? probes[0]
  if (from === undefined) return 0
  const each = slope(probes)
  return each <= 0 ? Infinity : Math.floor(from.maxTokens + (usable - from.bytes) / each)
}

/** Takes real steps in a process of its own, and says what memory they took. */
export async function probe(request: ProbeRequest): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('./token-budget-probe.js'))], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined) // Its end says why.
  child.stdin.end(JSON.stringify(request))
  const ended = new Promise<number | null>((resolve, reject) => void child.on('close', resolve).on('error', reject))
  const [out, error, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), ended])
  if (code === 0) return Number(out)
  const message = `train.batch.maxTokens: a batch could not be tried: ${error.trim().split('\n').at(-1) ?? `exit code ${String(code)}`}; give a number instead of 'auto'`
  throw new SagetrainError('ERR_CONFIG', message, { fields: { key: 'train.batch.maxTokens' } })
}
