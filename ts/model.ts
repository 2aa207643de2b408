import * as v from 'valibot'
import { abortable } from './abort.js'
import { native, type NativeModel } from './binding.js'
import type { Batch } from './batch.js'
import type { Dataset } from './dataset.js'
import { deviceName, precisionName } from './device.js'
import { SagetrainError } from './errors.js'
import { disown, factory, nativeOf, own } from './handle.js'
import { decode, encode } from './json.js'
import type { ModelOptions, ModelSpec } from './model-spec.js'
import { calling } from './native-error.js'
import type { Device, Precision } from './session.js'
import { expected, count, object, parse, show, text, whole } from './options.js'

/** One of a model's parameters. */
export interface ParameterInfo {
  /** Hugging Face's name. */
  readonly name: string
  /** Dimensions, outermost first. */
  readonly shape: readonly number[]
  /** What it does in the model; the scope `encoder-linear` goes by it. */
  readonly role?: string
}

/** Values that were copied out of a model. */
export interface TensorValue {
  readonly shape: readonly number[]
  /** Row-major. */
  readonly data: Float32Array
}

/** Means over a dataset. */
export interface Losses {
  /** Mean loss in nats, a session's label smoothing included. */
  readonly loss: number
  /** Mean negative log-likelihood in nats; perplexity is its exponential. */
  readonly nll: number
  /** Share of samples whose likeliest class is the label, for classifiers. */
  readonly accuracy?: number
  /** Tokens or samples the means are over. */
  readonly count: number
}

/** Where a model lies and what it multiplies in while no session trains it. */
export interface PlaceOptions {
  /** @default 'cpu' */
  readonly device?: Device
  /** @default 'float32' */
  readonly precision?: Precision
}

/** How to save a model. */
export interface SaveOptions {
  /** The format that is wanted, such as `marian`; the model's own unless given. */
  readonly format?: string
}

/** How to go through a dataset for its loss; one of `maxTokens` and `batchSize`. */
export interface EvaluateOptions {
  /** Samples × longest row of a batch, at most. */
  readonly maxTokens?: number
  /** Samples of a batch. */
  readonly batchSize?: number
  /** Calls the evaluation off. */
  readonly signal?: AbortSignal
}

/**
 * A model on a thread of its own, which owns all its tensors. Values cross as copies, on request.
 *
 * @example
 * const model = await Model.create({ type: 'mlp', inputs: 2, classes: 2 })
 * model.parameters().map(({ name, shape }) => `${name} [${shape}]`)
 */
export class Model {
  /** What it is made of, defaults and presets filled in. */
  readonly spec: ModelSpec
  readonly #parameters: readonly ParameterInfo[]

  private constructor(handle: NativeModel, right: symbol) {
    own(this, 'Model', handle, right)
    this.spec = decode(handle.spec())
    this.#parameters = Object.freeze(handle.parameters())
  }

  /**
   * Makes a model with fresh weights: the same specification and seed give the same bits.
   *
   * @param options - `seed` is of the weights.
   * @throws {@link SagetrainError} `ERR_CONFIG` with the field's path for an unknown, missing or impossible field.
   */
  static async create(spec: ModelOptions, options: { readonly seed?: number } = {}): Promise<Model> {
    const { seed } = parse(createOptions, options, 'options', 'ERR_ARGUMENT')
    const json = encode(spec ?? null, 'model')
    return new Model(await calling(() => native().Model.create(json, seed)), factory)
  }

  /**
   * Loads a Hugging Face folder (`config.json`, `model.safetensors`), such as a checkpoint's `model/`.
   *
   * @throws {@link SagetrainError} `ERR_MODEL` for a damaged or unknown model, `ERR_IO`, `ERR_DEVICE`.
   */
  static async load(folder: string, options: PlaceOptions = {}): Promise<Model> {
    const path = parse(text, folder, 'folder', 'ERR_ARGUMENT')
    const place = parse(placeOptions, options, 'options')
    return placed(new Model(await calling(() => native().Model.load(path)), factory), place)
  }

  /**
   * Loads translators' folders as one model: a token's probability is the mean of theirs. It translates and is evaluated; it is neither
   * trained nor saved, and has no parameters of its own.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for models of different vocabularies or that do not translate, `ERR_MODEL`, `ERR_IO`.
   */
  static async ensemble(folders: readonly string[], options: PlaceOptions = {}): Promise<Model> {
    const paths = parse(v.array(text, expected('an array of folders')), folders, 'folders', 'ERR_ARGUMENT')
    const place = parse(placeOptions, options, 'options')
    return placed(new Model(await calling(() => native().Model.ensemble(paths)), factory), place)
  }

  /** Names, shapes and roles, in the model's order; tied weights appear once. */
  parameters(): readonly ParameterInfo[] {
    return this.#parameters
  }

  /**
   * Copies a parameter out.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for an unknown name, with the nearest one; `ERR_DISPOSED`, `ERR_POISONED`.
   */
  async read(name: string): Promise<TensorValue> {
    const handle = nativeOf(this, 'Model')
    const wanted = parse(text, name, 'name', 'ERR_ARGUMENT')
    const { shape, values } = await calling(() => handle.read(wanted))
    return { shape, data: values }
  }

  /**
   * Replaces a parameter's values by a copy of `data`.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_SHAPE` for another number of values.
   */
  async write(name: string, data: Float32Array): Promise<void> {
    const handle = nativeOf(this, 'Model')
    const wanted = parse(text, name, 'name', 'ERR_ARGUMENT')
    if (!(data instanceof Float32Array)) {
      throw new SagetrainError('ERR_DTYPE', `data: expected a Float32Array, got ${show(data)}`, { fields: { argument: 'data' } })
    }
    await calling(() => handle.write(wanted, data))
  }

  /**
   * The model's output for a batch, without dropout: a Transformer's logits are `[target tokens, vocabulary]`, an MLP's `[samples, classes]`.
   *
   * @throws {@link SagetrainError} `ERR_SHAPE` for a missing or foreign column.
   */
  async forward(batch: Batch): Promise<TensorValue> {
    const handle = nativeOf(this, 'Model')
    const input = nativeOf(batch, 'Batch', 'batch')
    const { shape, values } = await calling(() => handle.forward(input))
    return { shape, data: values }
  }

  /**
   * Mean loss over a dataset, without gradients and without dropout.
   *
   * @throws {@link SagetrainError} `ERR_CONFIG`, `ERR_SHAPE`; the signal's reason when it aborts.
   */
  async evaluate(dataset: Dataset, options: EvaluateOptions): Promise<Losses> {
    const handle = nativeOf(this, 'Model')
    const data = nativeOf(dataset, 'Dataset', 'dataset')
    const { signal, ...batches } = options ?? {}
    const size = encode(parse(evaluateOptions, batches, 'evaluate'), 'evaluate')
    return abortable(signal, handle, () => handle.losses(data, size))
  }

  /**
   * Writes a complete Hugging Face folder, which `transformers` opens where it has the architecture.
   *
   * @param options - `format` refuses to write another one. Each model has one format: a Transformer's is `marian` in post-norm, `pegasus`
   * in pre-norm with one shared table, else our own `sagetrain`, which no other library reads.
   * @throws {@link SagetrainError} `ERR_IO`; `ERR_ARGUMENT` for a format that cannot hold the model, with what it lacks.
   */
  async save(folder: string, options: SaveOptions = {}): Promise<void> {
    const handle = nativeOf(this, 'Model')
    const path = parse(text, folder, 'folder', 'ERR_ARGUMENT')
    const { format } = parse(saveOptions, options, 'options', 'ERR_ARGUMENT')
    await calling(() => handle.save(path, format))
  }

  /** Frees the tensors after the commands that are under way; idempotent. */
  [Symbol.dispose](): void {
    disown(this, 'Model')?.dispose()
  }
}

/** Lays a fresh model where it is to be; one that cannot be there is freed. */
async function placed(model: Model, { device = 'cpu', precision = 'float32' }: PlaceOptions): Promise<Model> {
  if (device === 'cpu' && precision === 'float32') return model
  try {
    const handle = nativeOf(model, 'Model')
    await calling(() => handle.place(device, encode(precision, 'precision')))
    return model
  } catch (error) {
    model[Symbol.dispose]()
    throw error
  }
}

/** Uses a model, loading and freeing it where it is given as a folder; for this package's own modules. */
export async function withModel<T>(model: Model | string, use: (model: Model) => Promise<T>): Promise<T> {
  if (typeof model !== 'string') {
    nativeOf(model, 'Model', 'model')
    return use(model)
  }
  using loaded = await Model.load(model)
  return await use(loaded)
}

const placeOptions = object({ device: v.exactOptional(deviceName), precision: v.exactOptional(precisionName) })
const saveOptions = object({ format: v.exactOptional(text) })
const createOptions = object({ seed: v.optional(whole, 1) })
const evaluateOptions = v.union([object({ maxTokens: count }), object({ batchSize: count })], 'expected { maxTokens } or { batchSize }')
