import { isDetached } from '../detached.js'
import { SagetrainError } from '../errors.js'
import { show } from '../options.js'

/** What an optimizer updates. */
export type FloatArray = Float32Array | Float64Array

/** Each array must have the elements its shape makes. */
export function checkLengths(tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: FloatArray }[]): void {
  for (const { name, shape, data } of tensors) {
    const elements = shape.reduce((product, extent) => product * extent, 1)
    if (elements === data.length) continue
    throw new SagetrainError('ERR_SHAPE', `parameter ${name}: shape [${shape.join(', ')}] has ${elements} elements, data has ${data.length}`, {
      fields: { name, shape, expected: elements, found: data.length },
    })
  }
}

/** A float array whose memory is ours for the length of a call. */
export function checkArray(value: unknown, where: string): asserts value is FloatArray {
  if (!(value instanceof Float32Array || value instanceof Float64Array)) {
    throw new SagetrainError('ERR_DTYPE', `${where}: expected a Float32Array or a Float64Array, got ${show(value)}`, { fields: { argument: where } })
  }
  if (value.buffer instanceof SharedArrayBuffer) throw unusable(where, 'lies on a SharedArrayBuffer, which another thread may write')
  if (isDetached(value)) throw unusable(where, 'is detached: its buffer was transferred')
}

function unusable(where: string, problem: string): SagetrainError {
  return new SagetrainError('ERR_ARGUMENT', `${where}: the array ${problem}`, { fields: { argument: where } })
}

/** All arrays of an optimizer are of one kind. */
export function checkKind(value: FloatArray, like: FloatArray | undefined, where: string): void {
  if (like === undefined || value.constructor === like.constructor) return
  throw new SagetrainError('ERR_DTYPE', `${where}: expected a ${like.constructor.name} like the parameters, got a ${value.constructor.name}`, {
    fields: { argument: where },
  })
}
