/** Every code that a {@link SagetrainError} can carry; codes are stable, messages are not. */
export type SagetrainErrorCode =
  /** An argument is not what the function takes. */
  | 'ERR_ARGUMENT'
  /** An option is unknown, out of range, or without effect. */
  | 'ERR_CONFIG'
  /** A length or shape does not fit. */
  | 'ERR_SHAPE'
  /** An array is of another element type. */
  | 'ERR_DTYPE'
  /** Input data cannot be used: bad lines, unknown columns, ids outside the vocabulary. */
  | 'ERR_DATA'
  /** A dataset file is truncated, altered or foreign. */
  | 'ERR_DATASET'
  /** A scope or group selects no parameter. */
  | 'ERR_SCOPE_EMPTY'
  /** A loss, a gradient or a weight is NaN or infinite. */
  | 'ERR_NON_FINITE'
  /** Training diverges, and has been set back as often as it may be. */
  | 'ERR_DIVERGED'
  /** A checkpoint is absent, incomplete, altered or of an unknown format. */
  | 'ERR_CHECKPOINT'
  /** A model folder or a model's specification cannot be used. */
  | 'ERR_MODEL'
  /** The file system refused. */
  | 'ERR_IO'
  /** The handle was disposed. */
  | 'ERR_DISPOSED'
  /** An internal fault left the object half-written; it accepts no more work. */
  | 'ERR_POISONED'
  /** The caller withdrew the request. */
  | 'ERR_ABORTED'
  /** libtorch refused an operation. */
  | 'ERR_TORCH'
  /** The addon or its libtorch cannot be loaded; run `npm run setup`. */
  | 'ERR_LIBTORCH'
  /** The device does not exist in this build or on this machine. */
  | 'ERR_DEVICE'
  /** The GPU's driver refused, or a kernel for it cannot be compiled. */
  | 'ERR_CUDA'
  /** The call does not fit the object's state. */
  | 'ERR_STATE'
  /** A fault of sagetrain itself; please report it. */
  | 'ERR_INTERNAL'

/** What surrounds a message, as data: the key, the file, the line, the shape. */
export type ErrorFields = Readonly<Record<string, unknown>>

/** Shared by every copy of this package in a process, so that {@link isSagetrainError} knows errors of another copy. */
const brand = Symbol.for('sagetrain.error')

/**
 * The one error class of this package. The message says what was wrong, where, and what to do; `code` and `fields` say it to a program.
 *
 * @example
 * try {
 *   adam({ lr: -1 })
 * } catch (error) {
 *   if (isSagetrainError(error, 'ERR_CONFIG')) console.log(error.fields.key) // adam.lr
 * }
 */
export class SagetrainError<Code extends SagetrainErrorCode = SagetrainErrorCode> extends Error {
  override readonly name = 'SagetrainError'
  /** The stable reason. */
  readonly code: Code
  /** The reason's particulars; which keys there are depends on the code. */
  readonly fields: ErrorFields

  /** Made by this package; there is no need to make one. */
  constructor(code: Code, message: string, options: { readonly fields?: ErrorFields; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fields = Object.freeze({ ...options.fields })
    Object.defineProperty(this, brand, { value: true })
  }
}

/**
 * Whether `value` is a {@link SagetrainError}, of `code` where one is given. Unlike `instanceof` it also knows
 * errors that another installed copy of the package made.
 */
export function isSagetrainError<Code extends SagetrainErrorCode = SagetrainErrorCode>(
  value: unknown,
  code?: Code,
): value is SagetrainError<Code> {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false
  return code === undefined || ('code' in value && value.code === code)
}
