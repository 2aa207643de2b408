import { isDetached } from '../detached.js'
import { SagetrainError } from '../errors.js'
import { show } from '../options.js'

/** What an optimizer updates; a Uint16Array holds the bits of bfloat16 or float16. */
export type FloatArray = Float32Array | Float64Array | Uint16Array

/** Types of 16 bits, which a Uint16Array does not tell by itself. */
export type HalfType = 'bfloat16' | 'float16'

/** The type of an optimizer's parameters. */
export type ParameterType = 'float32' | 'float64' | HalfType

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype?: HalfType | undefined
  readonly data: FloatArray
}

/** Each array must have the elements its shape makes. */
export function checkLengths(tensors: readonly Tensor[]): void {
  for (const { name, shape, data } of tensors) {
    const elements = shape.reduce((product, extent) => product * extent, 1)
    if (elements === data.length) continue
    throw new SagetrainError('ERR_SHAPE', `parameter ${name}: shape [${shape.join(', ')}] has ${elements} elements, data has ${data.length}`, {
      fields: { name, shape, expected: elements, found: data.length },
    })
  }
}

/** The type that all parameters have; float32 where there are none. */
export function commonType(tensors: readonly Tensor[]): ParameterType {
  const types = tensors.map(typeOf)
  const other = types.findIndex((type) => type !== types[0])
  if (other < 0) return types[0] ?? 'float32'
  const [first, name] = [tensors[0]?.name, tensors[other]?.name]
  throw wrongType(`parameter ${name}`, `is ${types[other]}, ${first} is ${types[0]}; all parameters of an optimizer have one type`)
}

function typeOf({ name, dtype, data }: Tensor): ParameterType {
  const own = data instanceof Uint16Array ? undefined : data instanceof Float64Array ? 'float64' : 'float32'
  if (own !== undefined && dtype !== undefined) throw wrongType(`parameter ${name}`, `dtype ${show(dtype)} is of a Uint16Array, data is a ${data.constructor.name}`)
  if (own === undefined && dtype === undefined) throw wrongType(`parameter ${name}`, 'a Uint16Array needs dtype "bfloat16" or "float16" beside it')
  return own ?? dtype ?? 'float32'
}

/** A float array whose memory is ours for the length of a call. */
export function checkArray(value: unknown, where: string): asserts value is FloatArray {
  if (!(value instanceof Float32Array || value instanceof Float64Array || value instanceof Uint16Array)) {
    throw wrongType(where, `expected a Float32Array, a Float64Array or a Uint16Array, got ${show(value)}`)
  }
  if (value.buffer instanceof SharedArrayBuffer) throw unusable(where, 'lies on a SharedArrayBuffer, which another thread may write')
  if (isDetached(value)) throw unusable(where, 'is detached: its buffer was transferred')
}

function unusable(where: string, problem: string): SagetrainError {
  return new SagetrainError('ERR_ARGUMENT', `${where}: the array ${problem}`, { fields: { argument: where } })
}

function wrongType(where: string, problem: string): SagetrainError {
  return new SagetrainError('ERR_DTYPE', `${where}: ${problem}`, { fields: { argument: where } })
}

/** A gradient is of the parameters' kind. */
export function checkKind(value: FloatArray, like: FloatArray | undefined, where: string): void {
  if (like === undefined || value.constructor === like.constructor) return
  throw wrongType(where, `expected a ${like.constructor.name} like the parameters, got a ${value.constructor.name}`)
}

/** A state is float64 where the parameters are, else float32 or, of 16 bits, bfloat16. */
export function checkStateKind(value: FloatArray, like: FloatArray | undefined, where: string): void {
  if (like === undefined || value instanceof Float64Array === like instanceof Float64Array) return
  throw wrongType(where, `expected a ${like instanceof Float64Array ? 'Float64Array' : 'Float32Array'}, got a ${value.constructor.name}`)
}
