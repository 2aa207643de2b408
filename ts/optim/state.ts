import * as v from 'valibot'
import { SagetrainError } from '../errors.js'
import { expected, object, oneOf, parse, positive, whole } from '../options.js'
import { checkArray, checkStateKind, type FloatArray } from './arrays.js'

/** What states of parameters on a `Data` are kept in. */
export type StateArray<Data extends FloatArray = FloatArray> = Data extends Float64Array ? Float64Array : Float32Array | Uint16Array

/** One state of one parameter. */
export interface StateTensor<Data extends FloatArray = FloatArray> {
  readonly shape: readonly number[]
  /** Of the parameter's shape. */
  readonly data: StateArray<Data>
  /** What a Uint16Array holds. */
  readonly dtype?: 'bfloat16'
}

/** All of an optimizer that is not its parameters. */
export interface OptimizerState<Data extends FloatArray = FloatArray> {
  /** Steps taken. */
  readonly step: number
  /** Where dynamic loss scaling stands; absent without it. Loading a state without it leaves the scale as it is. */
  readonly lossScale?: { readonly scale: number; readonly goodSteps: number }
  /** By `<parameter>/<state>`, such as `weight/exp_avg`. */
  readonly tensors: Readonly<Record<string, StateTensor<Data>>>
}

/** What {@link Optimizer.load} could not pair up. */
export interface StateMismatch {
  /** States of this optimizer that were not given: they begin at 0, master weights and averages at the parameters. */
  readonly missing: readonly string[]
  /** States that were given and are not kept here. */
  readonly unused: readonly string[]
}

/** What came of {@link Optimizer.restore} and {@link Optimizer.importTorch}. */
export interface Restored extends StateMismatch {
  /** Steps taken. */
  readonly step: number
  /**
   * What has another value than when the state was saved, a line each such as `optimizer.lr: 0.1 → 0.2`: nothing of it is applied, training
   * goes on with the options there are.
   */
  readonly changes: readonly string[]
  /** States that a torch optimizer carried along without renewing them: not taken. */
  readonly stale: readonly string[]
}

/** A state as the addon has it. */
export interface NamedArray {
  readonly name: string
  readonly shape: number[]
  readonly values: FloatArray
}

/** All states as the addon has them. */
export interface NativeState {
  readonly step: number
  readonly lossScale?: { scale: number; goodSteps: number }
  readonly tensors: NamedArray[]
}

/** Names arrays that the addon gave. */
export function named<Data extends FloatArray>({ step, lossScale, tensors }: NativeState): OptimizerState<Data> {
  const tensor = ({ shape, values }: NamedArray): StateTensor<Data> => {
    const data = values as StateArray<Data>
    return values instanceof Uint16Array ? { shape, data, dtype: 'bfloat16' } : { shape, data }
  }
  return { step, ...(lossScale && { lossScale }), tensors: Object.fromEntries(tensors.map((array) => [array.name, tensor(array)])) }
}

/** A state that a user gave, checked, for an optimizer with parameters like `like`. */
export function listed(state: unknown, like: FloatArray | undefined): NativeState {
  const { step, lossScale, tensors } = parse(savedState, state, 'state', 'ERR_ARGUMENT')
  const list = Object.entries(tensors).map(([name, { shape, data, dtype }]) => {
    checkArray(data, `state ${name}`)
    checkStateKind(data, like, `state ${name}`)
    if (data instanceof Uint16Array !== (dtype !== undefined)) {
      throw new SagetrainError('ERR_DTYPE', `state ${name}: dtype "bfloat16" stands beside a Uint16Array, and only there`, { fields: { argument: name } })
    }
    return { name, shape, values: data }
  })
  return { step, tensors: list, ...(lossScale && { lossScale }) }
}

const isExtent = (extent: number) => Number.isSafeInteger(extent) && extent >= 0
const extent = v.pipe(v.number(expected('a whole number >= 0')), v.check(isExtent, expected('a whole number >= 0')))

/** A tensor's shape. */
export const shapeInput = v.array(extent, expected('an array of extents'))
/** A tensor's elements, looked at by {@link checkArray}. */
export const arrayInput = v.custom<FloatArray>((value) => ArrayBuffer.isView(value), expected('a Float32Array, a Float64Array or a Uint16Array'))

const tensor = object({ shape: shapeInput, data: arrayInput, dtype: v.exactOptional(oneOf(['bfloat16'])) })
const scaleState = object({ scale: positive, goodSteps: whole })
const savedState = object({ step: whole, lossScale: v.exactOptional(scaleState), tensors: v.record(v.string(), tensor, expected('an object of tensors by name')) })
