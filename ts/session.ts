import * as v from 'valibot'
import type { Batch } from './batch.js'
import { native, type NativeSession } from './binding.js'
import type { Dataset } from './dataset.js'
import { disown, factory, nativeOf, own } from './handle.js'
import { decode, encode, type Json } from './json.js'
import type { EvaluateOptions, Losses, Model } from './model.js'
import { calling } from './native-error.js'
import { expected, object, parse, positive, text } from './options.js'
import type { LossScaleOptions, OptimizerOptions } from './optim/optimizer-options.js'
import type { SensitivityReport } from './optim/sensitivity.js'
import { encodeOptimizer, type OptimizerSpec } from './optim/spec.js'
import type { SmoothnessOptions } from './smoothness.js'

/**
 * Of the matrix products and what flows between them; weights and optimizer states stay float32. `float16` has dynamic loss scaling; on
 * the CPU, which multiplies it no faster than float32, it is there to follow a GPU's run.
 */
export type Precision = 'float32' | 'bfloat16' | 'float16'

/** Where to compute: `auto` is the first GPU where there is one that can be used and nothing (`observe`) needs the CPU, else the CPU. */
export type Device = 'auto' | 'cpu' | `cuda:${number}`

/** How to train a model; the options of an optimizer among them. */
export interface SessionOptions extends OptimizerOptions {
  /** Trained in place; its handle stays valid. One session a model at a time. */
  readonly model: Model
  /** The update rule, from {@link sgd}, {@link adam}, {@link adamw} or {@link adamax}. */
  readonly optimizer: OptimizerSpec
  /** @default 'auto' */
  readonly device?: Device
  /** @default what the processor or the GPU multiplies natively: bfloat16 where it can, else float32 */
  readonly precision?: Precision
  /**
   * Threads of this session; they fix how sums are split, and so its bits.
   * @default the processors this process may use
   */
  readonly threads?: number
  /**
   * Updates from one reading of losses and norm to the next. A reading waits for the device, so that on a GPU there is none in between;
   * means are over all updates since the last.
   * @default 1 on the CPU, 50 on a GPU
   */
  readonly logEvery?: number
  /**
   * How float16's loss scale moves; only with `precision: 'float16'`. `nonFinite` is `skip` beside it.
   * @default { initial: 128 }: the loss is a sum over tokens, as fairseq's, which torch's 65536 would overflow
   */
  readonly lossScale?: 'dynamic' | LossScaleOptions
  /**
   * Of dropout.
   * @default 1
   */
  readonly seed?: number
  /**
   * Batches whose gradients are summed before an update, each weighted by its tokens: the update is that of one batch of them all.
   * @default 1
   */
  readonly accumulate?: number
  /**
   * Keeps the exponential moving average a ← d·a + (1 − d)·θ of every weight. {@link Session.withAverages} evaluates it, a checkpoint has
   * it as `average/` beside `model/`.
   */
  readonly average?: { readonly decay: number }
  /**
   * ε, spread as ε/(V−1) over the other labels, as fairseq does.
   * @default 0
   */
  readonly labelSmoothing?: number
  /** Keeps an encoder's outputs smooth around its embeddings; `{}` with the defaults. Other models refuse it. */
  readonly smoothness?: SmoothnessOptions
}

/** A session's options, defaults filled in for this machine: plain JSON. */
export interface SessionSpec extends OptimizerOptions {
  readonly optimizer: OptimizerSpec
  readonly device: 'cpu' | `cuda:${number}`
  readonly precision: Precision
  readonly threads: number
  readonly logEvery: number
  readonly lossScale?: LossScaleOptions
  readonly seed: number
  readonly accumulate: number
  readonly labelSmoothing: number
  readonly smoothness?: Required<SmoothnessOptions>
  readonly average?: { readonly decay: number }
}

/** SHA-256 of one part of a session's state: `parameters/<name>`, `optimizer/<name>/<state>`, `gradients/<name>` or `counters`. */
export interface StateDigest {
  readonly name: string
  readonly sha256: string
}

/** What one call of {@link Session.step} did. */
export interface StepReport {
  /** Optimizer steps finished. */
  readonly step: number
  /** Whether the call ended in an update, or only added its gradients to those of the next. */
  readonly updated: boolean
  /** Whether losses and norm were read; on other updates ({@link SessionOptions.logEvery}) they wait on the device. */
  readonly read: boolean
  /** Mean loss in nats over the tokens or samples of the updates since the last reading, label smoothing included; NaN where nothing was read. */
  readonly loss: number
  /** Mean negative log-likelihood in nats, without smoothing; NaN where nothing was read. */
  readonly nll: number
  /** Mean of the smoothness term that is minimised beside the loss, without its weight; absent without {@link SessionOptions.smoothness}. */
  readonly smoothness?: number
  /** Tokens or samples the means are over. */
  readonly count: number
  /** The rate of the update, lr·s(t) of parameters in no group; absent where there was none. */
  readonly lr?: number
  /** Global norm of the last mean gradient before clipping; absent where it was not read, or neither clipping nor the check ran. */
  readonly gradientNorm?: number
  /** The gradient was not finite and nothing was changed. */
  readonly skipped: boolean
  /** Wall time on the session's thread. */
  readonly seconds: number
  /** The part of `seconds` in the optimizer. */
  readonly optimizerSeconds: number
}

/** What {@link Session.save} keeps beside the session's own state. */
export interface SaveOptions {
  /** Whatever the loop needs to go on, such as a loader's state. */
  readonly run?: Json
  /** Files, and folders of files, copied into `model/`, such as a tokenizer's; none may have the name of one that the model writes. */
  readonly attachments?: readonly string[]
}

/** What {@link Session.load} found. */
export interface LoadedCheckpoint {
  /** Optimizer steps it had finished. */
  readonly step: number
  /** What {@link SaveOptions.run} was. */
  readonly run: Json
  /**
   * Options that put training on another course, by their keys, and differences of the machine, because of which sums will differ by
   * rounding; none means bit-exact continuation.
   */
  readonly warnings: readonly string[]
}

/**
 * A model in training, on one native thread. Each step is one awaited call.
 *
 * @example
 * await using session = await Session.create({ model, optimizer: adam({ lr: 1e-3 }), seed: 1 })
 * for await (const batch of loader) {
 *   const { loss } = await session.step(batch)
 * }
 */
export class Session {
  /** The model in training. */
  readonly model: Model
  /** The options, defaults filled in for this machine. */
  readonly spec: SessionSpec
  #step = 0

  private constructor(handle: NativeSession, model: Model, right: symbol) {
    own(this, 'Session', handle, right)
    this.model = model
    this.spec = decode(handle.options())
  }

  /**
   * Begins to train a model.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for an unknown, missing or impossible option, `ERR_SCOPE_EMPTY`, `ERR_STATE` while the model
   * is in another session, `ERR_DEVICE`.
   */
  static async create(options: SessionOptions): Promise<Session> {
    const { model, ...rest } = parse(sessionOptions, options, 'session')
    const handle = nativeOf(model, 'Model', 'session.model')
    const optimizer = decode<Json>(encodeOptimizer(rest.optimizer, 'session.optimizer', model.parameters()))
    const json = encode({ ...rest, optimizer }, 'session')
    return new Session(await calling(() => native().Session.create(handle, json)), model, factory)
  }

  /** Optimizer steps finished, as of the last report. */
  get stepCount(): number {
    return this.#step
  }

  /**
   * Forward and backward of one batch, and an update where it completes one.
   *
   * @throws {@link SagetrainError} `ERR_NON_FINITE` (nothing has changed; on a GPU since the update it names, and it is found at a reading), `ERR_SHAPE`, `ERR_DATA`, `ERR_TORCH`, `ERR_DISPOSED`, `ERR_POISONED`.
   */
  async step(batch: Batch): Promise<StepReport> {
    const handle = nativeOf(this, 'Session')
    const input = nativeOf(batch, 'Batch', 'batch')
    const report = await calling(() => handle.step(input))
    this.#step = report.step
    return report
  }

  /**
   * The update of the batches since the last one, however few: for the end of an epoch, with `accumulate`. Without any it changes nothing.
   *
   * @throws As {@link step}.
   */
  async finish(): Promise<StepReport> {
    const handle = nativeOf(this, 'Session')
    const report = await calling(() => handle.finish())
    this.#step = report.step
    return report
  }

  /**
   * Multiplies every rate with `factor` from the next update on, beside the schedule. Saved and loaded.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG` for a factor that is not above 0.
   */
  async setRateFactor(factor: number): Promise<void> {
    const handle = nativeOf(this, 'Session')
    const value = parse(positive, factor, 'factor', 'ERR_ARGUMENT')
    await calling(() => handle.setRateFactor(value))
  }

  /**
   * Runs `body` while the model holds its averaged weights, where {@link SessionOptions.average} is given; the weights come back to the bit.
   * Meanwhile steps, saving and loading are `ERR_STATE`.
   *
   * @example
   * const { nll } = await session.withAverages(() => session.evaluate(valid, { maxTokens: 8192 }))
   */
  async withAverages<T>(body: () => Promise<T>): Promise<T> {
    if (this.spec.average === undefined) return body()
    const handle = nativeOf(this, 'Session')
    await calling(() => handle.holdAverages(true))
    try {
      return await body()
    } finally {
      await calling(() => handle.holdAverages(false))
    }
  }

  /** SHA-256 of everything that continuation depends on; two sessions of the same digests go on to the same bits. */
  async digests(): Promise<readonly StateDigest[]> {
    const handle = nativeOf(this, 'Session')
    return decode(await calling(() => handle.digests()))
  }

  /** What `observe` saw at the last step that was due, else undefined; handed out once. */
  async sensitivity(): Promise<SensitivityReport | undefined> {
    const handle = nativeOf(this, 'Session')
    return ((await calling(() => handle.sensitivity())) ?? undefined) as SensitivityReport | undefined
  }

  /** {@link Model.evaluate} in the session's precision and with its label smoothing. */
  async evaluate(dataset: Dataset, options: EvaluateOptions): Promise<Losses> {
    nativeOf(this, 'Session')
    return this.model.evaluate(dataset, options)
  }

  /**
   * Writes the checkpoint `<folder>/step-<n>`, whole or not at all, and returns its path.
   *
   * @throws {@link SagetrainError} `ERR_IO`, `ERR_CONFIG`.
   */
  async save(folder: string, options: SaveOptions = {}): Promise<string> {
    const handle = nativeOf(this, 'Session')
    const path = parse(text, folder, 'folder', 'ERR_ARGUMENT')
    const { run = null, attachments = [] } = parse(saveOptions, options, 'save')
    const json = encode(run, 'save.run')
    return calling(() => handle.save(path, json, attachments))
  }

  /**
   * Continues from a checkpoint: parameters, optimizer, counters. Options such as `lr` and `schedule` may differ and are warned of;
   * `totalSteps` may without a warning where the schedule does not reach over it.
   *
   * @throws {@link SagetrainError} `ERR_CHECKPOINT` for one that is damaged, of another model, or of another optimizer, scope, `seed`,
   * `accumulate` or `precision`. Nothing has changed then.
   */
  async load(checkpoint: string): Promise<LoadedCheckpoint> {
    const handle = nativeOf(this, 'Session')
    const path = parse(text, checkpoint, 'checkpoint', 'ERR_ARGUMENT')
    const { run, step, warnings } = await calling(() => handle.load(path))
    this.#step = step
    return { step, run: decode(run), warnings }
  }

  /** Ends the session after the commands that are under way; the model stays. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    const handle = disown(this, 'Session')
    if (handle !== undefined) await calling(() => handle.dispose())
  }
}

const anything = v.exactOptional(v.unknown())

/** Keys only: values are checked by the crates that read them. */
const sessionOptions = object({
  model: v.custom<Model>((value) => typeof value === 'object' && value !== null, expected('a Model')),
  optimizer: v.custom<OptimizerSpec>((value) => typeof value === 'object' && value !== null, expected('an optimizer such as adam({ lr: 1e-3 })')),
  schedule: anything,
  totalSteps: anything,
  groups: anything,
  maxGradientNorm: anything,
  nonFinite: anything,
  sensitivityDtype: anything,
  device: anything,
  precision: anything,
  threads: anything,
  logEvery: anything,
  lossScale: anything,
  seed: anything,
  accumulate: anything,
  average: anything,
  labelSmoothing: anything,
  smoothness: anything,
})

const saveOptions = object({
  run: v.exactOptional(v.custom<Json>(() => true)),
  attachments: v.exactOptional(v.array(text, expected('an array of paths'))),
})
