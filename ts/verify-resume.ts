import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { advance } from './advance.js'
import type { LoaderState } from './batch.js'
import { native } from './binding.js'
import { readCheckpoint, type CheckpointState } from './checkpoint.js'
import type { Dataset } from './dataset.js'
import { nativeOf } from './handle.js'
import { SagetrainError } from './errors.js'
import type { DataOrder } from './events.js'
import type { Json } from './json.js'
import { readBpeDropout, type LoaderOptions } from './loader.js'
import { Model } from './model.js'
import { count, object, parse, text } from './options.js'
import { Session, type SessionOptions, type StateDigest } from './session.js'

/** What {@link verifyResume} takes. */
export interface VerifyResumeOptions {
  /**
   * Updates to take from the checkpoint.
   * @default 4
   */
  readonly steps?: number
  /** A later checkpoint of the same run, which a replay from the first must equal. */
  readonly later?: string
  /** By column, the tokenizers that BPE-dropout splits words with, such as `task.tokenizerFiles`; for a run with BPE-dropout. */
  readonly tokenizers?: Readonly<Record<string, string>>
}

/** SHA-256 of a state, part by part. */
export interface StateDigests {
  readonly parameters: string
  /** The optimizer's states, averages among them. */
  readonly optimizer: string
  /** Gradients of an unfinished accumulation. */
  readonly gradients: string
  /** Steps, batches seen, sums of an unfinished accumulation, the rate's factor. */
  readonly counters: string
  /** The place in the order of the data. */
  readonly position: string
}

/** Two states that should be one. */
export interface Comparison {
  readonly expected: StateDigests
  readonly found: StateDigests
  /** Names of all that differs: parts, and arrays within them. */
  readonly differences: readonly string[]
}

/** The proof that a run goes on to the same bits, or what differs. */
export interface ResumeCertificate {
  readonly checkpoint: string
  /** Updates the checkpoint had, and those that were taken from it. */
  readonly step: number
  readonly steps: number
  /** What the bits depend on. */
  readonly machine: { readonly libtorch: string; readonly cpuCapability: string; readonly threads: number }
  /** Straight on against saved, loaded into a fresh session and gone on. */
  readonly interrupted: Comparison
  /** A replay from the checkpoint against the later one; `incomparable` says why there is none. Absent where none was given. */
  readonly replayed?: Comparison & { readonly later: string; readonly batches: number } | { readonly later: string; readonly incomparable: string }
  readonly equal: boolean
}

/** What a task's run has kept, as far as it is needed. */
interface KeptRun {
  readonly data: DataOrder
  readonly loader: LoaderState
  readonly divergence?: Json
}

/**
 * Proves of a checkpoint of a task's run that training goes on from it to the same bits: takes some updates twice, straight on and with a
 * save and a load into a fresh session in the middle, and compares SHA-256 digests of parameters, optimizer state, counters and the place in
 * the data. With {@link VerifyResumeOptions.later} it also replays up to a later checkpoint, which must be the same.
 *
 * @param checkpoint - Written by a task's run; nothing in it is changed.
 * @param dataset - What the run trains on, such as `task.dataset('train')`.
 * @throws {@link SagetrainError} `ERR_CHECKPOINT` for one that is damaged, not a run's, or of other data.
 * @example
 * const { equal, interrupted } = await verifyResume('runs/mine/checkpoints/step-00001200', task.dataset('train'))
 */
export async function verifyResume(checkpoint: string, dataset: Dataset, options: VerifyResumeOptions = {}): Promise<ResumeCertificate> {
  const path = parse(text, checkpoint, 'checkpoint', 'ERR_ARGUMENT')
  nativeOf(dataset, 'Dataset', 'dataset')
  const { steps, later, tokenizers } = parse(verifyOptions, options, 'verifyResume')
  const state = await readCheckpoint(path)
  const start = { path, state, dataset, run: keptRun(path, state, dataset), tokenizers }
  const straight = await goOn(start, { updates: steps })
  const interrupted = compare(straight.parts, await interruptedOn(start, steps, straight.batches))
  const replayed = later === undefined ? undefined : await replay(start, later)
  const { libtorchVersion: libtorch, cpuCapability } = native().runtime()
  return {
    checkpoint: path,
    step: state.step,
    steps,
    machine: { libtorch, cpuCapability, threads: state.options.threads },
    interrupted,
    ...(replayed !== undefined && { replayed }),
    equal: interrupted.differences.length === 0 && (replayed === undefined || 'incomparable' in replayed || replayed.differences.length === 0),
  }
}

const verifyOptions = object({ steps: v.optional(count, 4), later: v.exactOptional(text), tokenizers: v.exactOptional(v.record(v.string(), text)) })

function keptRun(path: string, { run }: CheckpointState, { fingerprint }: Dataset): KeptRun {
  const refuse = (problem: string): never => {
    throw new SagetrainError('ERR_CHECKPOINT', `${path}: ${problem}`, { fields: { path } })
  }
  const kept = run as unknown as Partial<KeptRun> | null
  if (kept?.data === undefined || kept.loader === undefined) return refuse('was not saved by a task’s run, which keeps its place in the data')
  const saved = String(kept.data['fingerprint'])
  if (saved !== fingerprint) return refuse(`was trained on data of fingerprint ${saved}, these have ${fingerprint}; give the same data`)
  return { ...kept, data: kept.data, loader: kept.loader }
}

/** Where to go on from, and with what. */
interface Start {
  readonly path: string
  readonly state: CheckpointState
  readonly dataset: Dataset
  readonly run: KeptRun
  readonly tokenizers: Readonly<Record<string, string>> | undefined
}

/** Until when: so many updates, or so many batches. */
type Until = { readonly updates: number } | { readonly batches: number }

/** The state that going on has come to. */
interface Reached {
  readonly parts: Parts
  readonly batches: number
}

interface Parts {
  readonly arrays: readonly StateDigest[]
  readonly position: LoaderState
}

/** Goes on from a checkpoint in a fresh session; `then` sees it at the end. */
async function goOn({ path, state, dataset, run, tokenizers }: Start, until: Until, then?: (session: Session) => Promise<void>): Promise<Reached> {
  using model = await Model.load(join(path, 'model'))
  await using session = await Session.create({ ...(state.options as unknown as SessionOptions), model })
  await session.load(path)
  // The checkpoint's place is in the run it was saved by; a copy made on the way keeps it elsewhere.
  const loader = dataset.loader({ ...orderOf(run.data, tokenizers), state: run.loader, epochs: Infinity })
  let [batches, updates] = [0, 0]
  const isThere = (): boolean => ('batches' in until ? batches >= until.batches : updates >= until.updates)
  if (!isThere()) {
    for await (const batch of loader) {
      const { updated } = await advance(session, loader, batch)
      batch[Symbol.dispose]()
      batches += 1
      updates += updated ? 1 : 0
      if (isThere()) break
    }
  }
  await then?.(session)
  return { parts: { arrays: await session.digests(), position: loader.state() }, batches }
}

/** How a run's loader cut and shuffled the data. */
function orderOf({ fingerprint: _fingerprint, bpeDropout, ...order }: DataOrder, tokenizers: Start['tokenizers']): LoaderOptions {
  if (typeof bpeDropout !== 'string') return order
  if (tokenizers !== undefined) return { ...order, bpeDropout: readBpeDropout(bpeDropout, tokenizers) }
  const key = 'verifyResume.tokenizers'
  throw new SagetrainError('ERR_CONFIG', `${key}: is missing, and the run has BPE-dropout; give task.tokenizerFiles`, { fields: { key } })
}

/** The same updates, but half the batches on saved, thrown away, and loaded again; an accumulation may be unfinished there. */
async function interruptedOn(start: Start, steps: number, batches: number): Promise<Parts> {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-verify-'))
  try {
    let path = ''
    const half = await goOn(start, { batches: Math.floor(batches / 2) }, async (session) => void (path = await session.save(folder)))
    const state = await readCheckpoint(path)
    const run = { ...start.run, loader: half.parts.position }
    const { parts } = await goOn({ ...start, path, state, run }, { updates: steps - (state.step - start.state.step) })
    return parts
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** From the checkpoint to a later one. */
async function replay(start: Start, later: string): Promise<NonNullable<ResumeCertificate['replayed']>> {
  const state = await readCheckpoint(later)
  const run = keptRun(later, state, start.dataset)
  const incomparable = reasonNotToCompare(start, state, run)
  if (incomparable !== undefined) return { later, incomparable }
  const batches = state.passes - start.state.passes
  const [expected, found] = [await goOn({ ...start, path: later, state, run }, { batches: 0 }), await goOn(start, { batches })]
  return { ...compare(expected.parts, found.parts), later, batches }
}

/** What makes the two checkpoints parts of different courses, or of one that this machine would not repeat. */
function reasonNotToCompare({ state: before, run }: Start, after: CheckpointState, later: KeptRun): string | undefined {
  const { libtorchVersion, cpuCapability } = native().runtime()
  if (after.passes < before.passes) return `it is of step ${after.step}, the first of ${before.step}`
  if (JSON.stringify(run.divergence) !== JSON.stringify(later.divergence) && before.rateFactor !== after.rateFactor) return 'training was set back between the two'
  const facts = [
    ['options', JSON.stringify(before.options), JSON.stringify(after.options)],
    ['data', JSON.stringify(run.data), JSON.stringify(later.data)],
    ['threads', before.threads, after.threads],
    ['libtorch', after.libtorch, libtorchVersion],
    ['CPU capability', after.cpuCapability, cpuCapability],
    ['libtorch', before.libtorch, libtorchVersion],
    ['CPU capability', before.cpuCapability, cpuCapability],
    ['kernels', before.kernels, after.kernels],
  ] as const
  const [what, one, other] = facts.find(([, first, second]) => first !== second) ?? []
  return what === undefined ? undefined : `${what} changed from ${String(one)} to ${String(other)}, with which sums differ by rounding or training takes another course`
}

const PARTS = ['parameters', 'optimizer', 'gradients', 'counters'] as const

function digestsOf({ arrays, position }: Parts): StateDigests {
  const hash = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex')
  const of = (part: string): string => hash(arrays.filter(({ name }) => name === part || name.startsWith(`${part}/`)).map(({ name, sha256 }) => `${name} ${sha256}`))
  const parts = Object.fromEntries(PARTS.map((part) => [part, of(part)])) as Omit<StateDigests, 'position'>
  return { ...parts, position: hash([JSON.stringify([position.epoch, position.batch])]) }
}

function compare(expected: Parts, found: Parts): Comparison {
  const by = ({ arrays }: Parts): ReadonlyMap<string, string> => new Map(arrays.map(({ name, sha256 }) => [name, sha256]))
  const [one, other] = [by(expected), by(found)]
  const names = [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name))
  const digests = { expected: digestsOf(expected), found: digestsOf(found) }
  const moved = digests.expected.position === digests.found.position ? [] : ['position']
  return { ...digests, differences: [...names, ...moved] }
}
