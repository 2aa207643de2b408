import * as v from 'valibot'
import { native, type NativeOptimizer } from '../binding.js'
import { SagetrainError } from '../errors.js'
import { disown, factory, nativeOf, own } from '../handle.js'
import { encode } from '../json.js'
import { call } from '../native-error.js'
import { expected, nonNegative, object, parse, positive, show, text, whole } from '../options.js'
import type { ScheduleSpec } from '../schedule/spec.js'
import { checkArray, checkKind, checkLengths, type FloatArray } from './arrays.js'
import type { NamePattern } from './scope.js'
import type { SensitivityReport } from './sensitivity.js'
import { encodeOptimizer, type OptimizerSpec } from './spec.js'

/** A parameter on a typed array; all arrays of an optimizer are of one kind. */
export interface TensorInput<Data extends FloatArray = FloatArray> {
  /** Unique among the parameters; states are saved by it. */
  readonly name: string
  /** Dimensions, outermost first; `[]` is a scalar. */
  readonly shape: readonly number[]
  /** Row-major values, updated in place. Not on a SharedArrayBuffer. */
  readonly data: Data
}

/** Parameters that differ from the rest; what is left out is as in the specification. A parameter is in one group at most. */
export interface GroupOptions extends NamePattern {
  /** Their base learning rate. */
  readonly lr?: number
  /** Their λ; 0 excludes them from decay. */
  readonly weightDecay?: number
  /** β0 of their sensitivity. */
  readonly beta0?: number
}

/** What an optimizer does besides its rule, in a session or alone. */
export interface OptimizerOptions {
  /**
   * Multiplier of the rate.
   * @default constant()
   */
  readonly schedule?: ScheduleSpec
  /** Steps the schedule spans, where it needs to know. */
  readonly totalSteps?: number
  /** Parameters with a rate, a decay or a β0 of their own. */
  readonly groups?: readonly GroupOptions[]
  /** Global L2 norm that gradients are clipped to, as torch's `clip_grad_norm_` does. */
  readonly maxGradientNorm?: number
  /**
   * What to do about a gradient with NaN or an infinity: `error` fails the step, `skip` leaves it out and says so; either way nothing has
   * changed. `unchecked` saves one read of the gradients where nothing clips.
   * @default 'error'
   */
  readonly nonFinite?: 'error' | 'skip' | 'unchecked'
}

/** Options of {@link createOptimizer}. */
export interface StandaloneOptions extends OptimizerOptions {
  /**
   * Keeps the exponential moving average a ← d·a + (1 − d)·θ of every parameter, taken in the same pass; its first step sets it to θ, as
   * torch's `AveragedModel` with `get_ema_multi_avg_fn` does. It is read as `<parameter>/average` from {@link Optimizer.state}.
   */
  readonly average?: { readonly decay: number }
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
   * What the loss was multiplied by before the backward pass.
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

/** All of an optimizer that is not its parameters. */
export interface OptimizerState<Data extends FloatArray = FloatArray> {
  /** Steps taken. */
  readonly step: number
  /** By `<parameter>/<state>`, such as `weight/exp_avg`. */
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Data }>>
}

/** What {@link Optimizer.load} could not pair up. */
export interface StateMismatch {
  /** States of this optimizer that were not given: they begin at 0, averages at the next step's parameters. */
  readonly missing: readonly string[]
  /** States that were given and are not kept here. */
  readonly unused: readonly string[]
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
    return call(() => handle.step(this.#data, borrowed, { divisor, lossScale, ...(multiplier === undefined ? {} : { multiplier }) }))
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
    const { step, tensors } = call(() => nativeOf(this, 'Optimizer').state())
    const named = tensors.map(({ name, shape, values }) => [name, { shape, data: values as Data }] as const)
    return { step, tensors: Object.fromEntries(named) }
  }

  /**
   * Continues from a state that {@link state} gave; checked whole before anything changes.
   *
   * @returns What did not match: states that begin at 0, and states that are not kept here.
   * @throws {@link SagetrainError} `ERR_SHAPE` where a shape differs, `ERR_DTYPE`, `ERR_ARGUMENT`.
   */
  load(state: OptimizerState<Data>): StateMismatch {
    const handle = nativeOf(this, 'Optimizer')
    const { step, tensors } = parse(savedState, state, 'state', 'ERR_ARGUMENT')
    const list = Object.entries(tensors).map(([name, { shape, data }]) => {
      checkArray(data, `state ${name}`)
      checkKind(data, this.#data[0], `state ${name}`)
      return { name, shape, values: data }
    })
    return call(() => handle.load(step, list))
  }

  /** Frees the states; idempotent. */
  [Symbol.dispose](): void {
    disown(this, 'Optimizer')?.dispose()
  }
}

/**
 * Makes an optimizer for `parameters` on typed arrays. Float64Array parameters compute in float64, Float32Array in float32.
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
  const first = tensors[0]?.data
  for (const { name, data } of tensors) {
    checkArray(data, `parameter ${name}`)
    checkKind(data, first, `parameter ${name}`)
  }
  checkLengths(tensors)
  const dtype = first instanceof Float64Array ? 'float64' : 'float32'
  const shapes = tensors.map(({ name, shape }) => ({ name, shape: [...shape] }))
  const specText = encodeOptimizer(spec, 'optimizer', shapes)
  const json = encode(options, 'options')
  return adoptOptimizer(call(() => native().Optimizer.create(specText, shapes, json, dtype)), tensors)
}

const isExtent = (extent: number) => Number.isSafeInteger(extent) && extent >= 0
const extent = v.pipe(v.number(expected('a whole number >= 0')), v.check(isExtent, expected('a whole number >= 0')))
const array = v.custom<FloatArray>((value) => ArrayBuffer.isView(value), expected('a Float32Array or a Float64Array'))
const tensor = { shape: v.array(extent, expected('an array of extents')), data: array }
const tensorInputs = v.array(object({ name: text, ...tensor }), expected('an array of { name, shape, data }'))
const savedState = object({ step: whole, tensors: v.record(v.string(), object(tensor), expected('an object of tensors by name')) })
const stepInputs = object({ multiplier: v.exactOptional(nonNegative), divisor: v.optional(positive, 1), lossScale: v.optional(positive, 1) })
