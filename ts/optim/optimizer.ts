import * as v from 'valibot'
import { native, type NativeOptimizer } from '../binding.js'
import { SagetrainError } from '../errors.js'
import { disown, factory, nativeOf, own } from '../handle.js'
import { encode } from '../json.js'
import { call } from '../native-error.js'
import { expected, nonNegative, object, oneOf, parse, positive, show, text, whole } from '../options.js'
import { checkArray, checkKind, checkLengths, commonType, type FloatArray, type HalfType } from './arrays.js'
import type { StandaloneOptions } from './optimizer-options.js'
import type { SensitivityReport } from './sensitivity.js'
import { encodeOptimizer, type OptimizerSpec } from './spec.js'
import { arrayInput, listed, named, shapeInput, type OptimizerState, type Restored, type StateMismatch } from './state.js'

/** A parameter on a typed array; all arrays of an optimizer are of one kind. */
export interface TensorInput<Data extends FloatArray = FloatArray> {
  /** Unique among the parameters; states are saved by it. */
  readonly name: string
  /** Dimensions, outermost first; `[]` is a scalar. */
  readonly shape: readonly number[]
  /** Row-major values, updated in place. Not on a SharedArrayBuffer. */
  readonly data: Data
  /** What a Uint16Array holds, bit for bit; of a Float16Array give `new Uint16Array(it.buffer, it.byteOffset, it.length)`. */
  readonly dtype?: HalfType
}

/** Scalars of one step. */
export interface StepInputs {
  /**
   * Factor of the rate, in place of the schedule's.
   * @default s(t) of the schedule
   */
  readonly multiplier?: number
  /**
   * What gradients are divided by, such as the batch's tokens.
   * @default 1
   */
  readonly divisor?: number
  /**
   * What the loss was multiplied by before the backward pass; an error where {@link StandaloneOptions.lossScale} makes it dynamic.
   * @default 1
   */
  readonly lossScale?: number
}

/** What a step did. */
export interface StepResult {
  /** Steps taken so far. */
  readonly step: number
  /** Global L2 norm before clipping; absent where neither clipping nor the check ran. */
  readonly gradientNorm?: number
  /** The gradient was not finite and nothing was changed. */
  readonly skipped: boolean
}

let adoptOptimizer: <Data extends FloatArray>(handle: NativeOptimizer, parameters: readonly TensorInput<Data>[]) => Optimizer<Data>

/**
 * An optimizer over typed arrays. It owns native memory for its states: dispose it, or let `using` do so.
 *
 * @example
 * using optimizer = createOptimizer(adam({ lr: 1e-3 }), [{ name: 'w', shape: [2], data }])
 */
export class Optimizer<Data extends FloatArray = FloatArray> {
  readonly #data: readonly Data[]
  readonly #names: readonly string[]

  static {
    adoptOptimizer = (handle, parameters) => new Optimizer(handle, parameters, factory)
  }

  private constructor(handle: NativeOptimizer, parameters: readonly TensorInput<Data>[], right: symbol) {
    own(this, 'Optimizer', handle, right)
    this.#data = parameters.map(({ data }) => data)
    this.#names = parameters.map(({ name }) => name)
  }

  /** Steps taken so far. */
  get stepCount(): number {
    return call(() => nativeOf(this, 'Optimizer').stepCount())
  }

  /** What to multiply the next step's loss with: the scale where loss scaling is dynamic, else 1. */
  get lossScale(): number {
    return call(() => nativeOf(this, 'Optimizer').lossScale())
  }

  /** Names of the parameters that SAGE modulates; empty without `sage`. */
  get scope(): readonly string[] {
    return call(() => nativeOf(this, 'Optimizer').scope())
  }

  /**
   * Updates the parameters in place, synchronously; the arrays are borrowed for the call.
   *
   * @param gradients - One for each parameter, in their order and of their kind; `null` leaves its parameter untouched, decay included.
   * @throws {@link SagetrainError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_NON_FINITE`: nothing has changed. `ERR_DISPOSED`, `ERR_POISONED`.
   */
  step(gradients: readonly (Data | null | undefined)[], inputs: StepInputs = {}): StepResult {
    const handle = nativeOf(this, 'Optimizer')
    const { multiplier, divisor, lossScale } = parse(stepInputs, inputs, 'step', 'ERR_ARGUMENT')
    this.#data.forEach((data, index) => checkArray(data, `parameter ${this.#names[index]}`))
    const borrowed = this.#borrow(gradients)
    const scalars = { divisor, ...(lossScale !== undefined && { lossScale }), ...(multiplier !== undefined && { multiplier }) }
    return call(() => handle.step(this.#data, borrowed, scalars))
  }

  #borrow(gradients: readonly (Data | null | undefined)[]): (Data | null)[] {
    if (!Array.isArray(gradients) || gradients.length !== this.#data.length) {
      const found = Array.isArray(gradients) ? `${gradients.length}` : show(gradients)
      throw new SagetrainError('ERR_SHAPE', `gradients: expected an array of ${this.#data.length}, one for each parameter, got ${found}`, {
        fields: { argument: 'gradients', expected: this.#data.length },
      })
    }
    return Array.from(gradients, (gradient: Data | null | undefined, index) => {
      if (gradient === null || gradient === undefined) return null
      const where = `gradient of ${this.#names[index]}`
      checkArray(gradient, where)
      checkKind(gradient, this.#data[index], where)
      return gradient
    })
  }

  /**
   * What the last step saw, where `observe` was due; else undefined.
   */
  sensitivity(): SensitivityReport | undefined {
    return (call(() => nativeOf(this, 'Optimizer').sensitivity()) ?? undefined) as SensitivityReport | undefined
  }

  /**
   * Copies of all states, by name.
   *
   * @throws {@link SagetrainError} `ERR_DISPOSED`.
   */
  state(): OptimizerState<Data> {
    return named<Data>(call(() => nativeOf(this, 'Optimizer').state()))
  }

  /**
   * Continues from a state that {@link state} gave; checked whole before anything changes.
   *
   * @returns What did not match: states that begin at 0, and states that are not kept here.
   * @throws {@link SagetrainError} `ERR_SHAPE` where a shape differs, `ERR_DTYPE`, `ERR_CHECKPOINT` for a state of a type that is not kept,
   *   `ERR_ARGUMENT`.
   */
  load(state: OptimizerState<Data>): StateMismatch {
    const handle = nativeOf(this, 'Optimizer')
    const given = listed(state, this.#data[0])
    return call(() => handle.load(given))
  }

  /**
   * Writes all states, with the specification and options that made them, to a safetensors file; synchronously. It is written under a
   * temporary name, synced and renamed. docs/optimizer-state.md describes it.
   *
   * @throws {@link SagetrainError} `ERR_IO`, `ERR_ARGUMENT`, `ERR_DISPOSED`.
   */
  save(path: string): void {
    const handle = nativeOf(this, 'Optimizer')
    const file = filePath(path)
    call(() => handle.save(file))
  }

  /**
   * Goes on from a file that {@link save} wrote, or from a checkpoint's `optimizer.safetensors` (a file without metadata needs its `step` said); read and
   * compared whole before anything changes. A scope or groups that have changed since are reported.
   *
   * @throws {@link SagetrainError} `ERR_IO`, `ERR_CHECKPOINT` (damaged, foreign, of another kind of optimizer, of another step than was given),
   *   `ERR_SHAPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`.
   */
  restore(path: string, options: { readonly step?: number } = {}): Restored {
    const handle = nativeOf(this, 'Optimizer')
    const file = filePath(path)
    const { step } = parse(fileInputs, options, 'restore', 'ERR_ARGUMENT')
    return call(() => handle.restore(file, step))
  }

  /**
   * Writes the states as the state dict of a torch optimizer over the same parameters, in safetensors: docs/optimizer-state.md has the
   * Python that loads it.
   *
   * @throws {@link SagetrainError} `ERR_IO`, `ERR_CONFIG` for a weight decay that torch's optimizer has not, `ERR_ARGUMENT`, `ERR_DISPOSED`.
   */
  exportTorch(path: string): void {
    const handle = nativeOf(this, 'Optimizer')
    const file = filePath(path)
    call(() => handle.exportTorch(file))
  }

  /**
   * Goes on from a torch optimizer's state dict, saved as docs/optimizer-state.md says. `step` is for torch's SGD, which counts none.
   *
   * @throws {@link SagetrainError} `ERR_IO`, `ERR_CHECKPOINT` for what does not fit (such as steps that differ), `ERR_CONFIG` for a group that
   *   cannot be (such as amsgrad), `ERR_SHAPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`.
   */
  importTorch(path: string, options: { readonly step?: number } = {}): Restored {
    const handle = nativeOf(this, 'Optimizer')
    const file = filePath(path)
    const { step } = parse(fileInputs, options, 'importTorch', 'ERR_ARGUMENT')
    return call(() => handle.importTorch(file, step))
  }

  /** Frees the states; idempotent. */
  [Symbol.dispose](): void {
    disown(this, 'Optimizer')?.dispose()
  }
}

/**
 * Makes an optimizer for `parameters` on typed arrays. Float64Array parameters compute in float64, all others in float32.
 *
 * @param spec - From {@link sgd}, {@link adam}, {@link adamw}, {@link adamax}, or the same as plain JSON.
 * @throws {@link SagetrainError} `ERR_CONFIG` (specification, options), `ERR_SCOPE_EMPTY`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT` (names, arrays).
 * @example
 * const data = new Float32Array([1, -1])
 * using optimizer = createOptimizer(adam({ lr: 0.1 }), [{ name: 'w', shape: [2], data }])
 * optimizer.step([new Float32Array([0.5, -0.5])]) // data is now [0.9, -0.9]
 */
export function createOptimizer<Data extends FloatArray>(
  spec: OptimizerSpec,
  parameters: readonly TensorInput<Data>[],
  options: StandaloneOptions = {},
): Optimizer<Data> {
  const tensors = parse(tensorInputs, parameters, 'parameters', 'ERR_ARGUMENT') as readonly TensorInput<FloatArray>[] as readonly TensorInput<Data>[]
  tensors.forEach(({ name, data }) => checkArray(data, `parameter ${name}`))
  checkLengths(tensors)
  const dtype = commonType(tensors)
  const shapes = tensors.map(({ name, shape }) => ({ name, shape: [...shape] }))
  const specText = encodeOptimizer(spec, 'optimizer', shapes)
  const json = encode(options, 'options')
  return adoptOptimizer(call(() => native().Optimizer.create(specText, shapes, json, dtype)), tensors)
}

const tensor = object({ name: text, shape: shapeInput, data: arrayInput, dtype: v.exactOptional(oneOf(['bfloat16', 'float16'])) })
const tensorInputs = v.array(tensor, expected('an array of { name, shape, data }'))
const stepInputs = object({ multiplier: v.exactOptional(nonNegative), divisor: v.optional(positive, 1), lossScale: v.exactOptional(positive) })
const fileInputs = object({ step: v.exactOptional(whole) })
const filePath = (path: unknown): string => parse(text, path, 'path', 'ERR_ARGUMENT')
