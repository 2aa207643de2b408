import * as v from 'valibot'
import { abortable } from './abort.js'
import { native, type NativeModel } from './binding.js'
import type { Batch } from './batch.js'
import type { Dataset } from './dataset.js'
import { deviceName, precisionName } from './device.js'
import { SagetrainError } from './errors.js'
import { disown, factory, nativeOf, own } from './handle.js'
import { decode, encode } from './json.js'
import type { EncoderHeadOptions, ModelOptions, ModelSpec } from './model-spec.js'
import { modelFolderAt } from './model-folder.js'
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

/** How to put a head on a pretrained encoder. */
export interface FineTuneOptions {
  readonly head: EncoderHeadOptions
  /**
   * Where the pooler, the dense layer over the first token's state, comes from: drawn anew, as in the paper's code, or the folder's. The
   * last layer is drawn as `torch.nn.Linear` draws beside a new one, and as transformers draws beside the folder's.
   * @default 'new'
   */
  readonly pooler?: 'new' | 'pretrained'
  /** Instead of what the folder's `config.json` says, of embeddings and of every block's output. */
  readonly dropout?: number
  /** Likewise, of attention weights. */
  readonly attentionDropout?: number
  /**
   * Of the new weights.
   * @default 1
   */
  readonly seed?: number
}

/** What of its folder a model has no use for. */
export interface LeftAside {
  /** The folder's tensors that the model has no use for, such as those of another head. */
  readonly unused: readonly string[]
  /** Settings of `config.json` that nothing is known about; they are saved again as they are. */
  readonly unknownSettings: readonly string[]
}

/** A pretrained encoder with a head, and what became of what is in its folder. */
export interface FineTuned extends LeftAside {
  readonly model: Model
  /** Parameters that were drawn. */
  readonly new: readonly string[]
  /** Of the new ones those that were to come from the folder, which does not hold them. */
  readonly missing: readonly string[]
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
  /** What of the folder that it was loaded from it has no use for: weights of pre-training's heads, a pooler that nothing stands on. */
  readonly leftAside: LeftAside
  readonly #parameters: readonly ParameterInfo[]

  private constructor(handle: NativeModel, right: symbol) {
    own(this, 'Model', handle, right)
    this.spec = decode(handle.spec())
    const { unused = [], unknownSettings = [] } = decode<Partial<LeftAside>>(handle.loadReport() ?? '{}')
    this.leftAside = { unused, unknownSettings }
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
   * Loads a BERT or RoBERTa encoder from a Hugging Face folder and puts a head on it: `config.json`, `model.safetensors` or its shards.
   *
   * @throws {@link SagetrainError} `ERR_MODEL` for a folder that is damaged, holds no encoder or lacks a weight of it, all of which are named;
   * `ERR_CONFIG` for an impossible head, `ERR_IO`.
   */
  static async fineTune(folder: string, options: FineTuneOptions): Promise<FineTuned> {
    const path = parse(text, folder, 'folder', 'ERR_ARGUMENT')
    const { seed, ...wanted } = parse(fineTuneOptions, options, 'fineTune')
    const json = encode(wanted, 'fineTune')
    const handle = await calling(() => native().Model.fineTune(path, json, seed))
    return { model: new Model(handle, factory), ...decode<Omit<FineTuned, 'model'>>(handle.loadReport() ?? '{}') }
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

/** Uses a model, loading and freeing it where it is given as a folder, a checkpoint or a run; for this package's own modules. */
export async function withModel<T>(model: Model | string, use: (model: Model) => Promise<T>): Promise<T> {
  if (typeof model !== 'string') {
    nativeOf(model, 'Model', 'model')
    return use(model)
  }
  using loaded = await Model.load(await modelFolderAt(model))
  return await use(loaded)
}

const placeOptions = object({ device: v.exactOptional(deviceName), precision: v.exactOptional(precisionName) })
const saveOptions = object({ format: v.exactOptional(text) })
const probability = v.pipe(v.number(expected('a number in [0, 1)')), v.minValue(0, expected('a number in [0, 1)')), v.ltValue(1, expected('a number in [0, 1)')))
const fineTuneOptions = object({
  head: v.custom<EncoderHeadOptions>((value) => typeof value === 'object' && value !== null, expected('{ kind, classes }')),
  pooler: v.optional(v.picklist(['new', 'pretrained'], expected('"new" or "pretrained"')), 'new'),
  dropout: v.exactOptional(probability),
  attentionDropout: v.exactOptional(probability),
  seed: v.optional(whole, 1),
})
const createOptions = object({ seed: v.optional(whole, 1) })
const evaluateOptions = v.union([object({ maxTokens: count }), object({ batchSize: count })], 'expected { maxTokens } or { batchSize }')
