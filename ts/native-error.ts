import { SagetrainError, type ErrorFields, type SagetrainErrorCode } from './errors.js'

/**
 * How errors cross: the binding throws, and rejects with, an `Error` whose message is this marker and a JSON object
 * `{ code, message, fields }`. One convention serves constructors, synchronous calls and promises, and costs a call
 * that succeeds nothing.
 */
const marker = 'sagetrain:'

/** The typed error for whatever the binding threw; what carries no marker is a fault of the binding itself. */
export function fromNative(error: unknown): SagetrainError {
  if (error instanceof SagetrainError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (!message.startsWith(marker)) return unmarked(error, message)
  const data = JSON.parse(message.slice(marker.length)) as { code: SagetrainErrorCode; message: string; fields: ErrorFields }
  return new SagetrainError(data.code, data.message, { fields: data.fields })
}

/** Node-API refuses arguments of a wrong kind by itself; nothing else comes without the marker. */
function unmarked(error: unknown, message: string): SagetrainError {
  const status = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (status === 'InvalidArg' || status.endsWith('Expected')) return new SagetrainError('ERR_ARGUMENT', message, { cause: error })
  return new SagetrainError('ERR_INTERNAL', `internal fault: ${message}`, { cause: error })
}

/** Runs a synchronous native call. */
export function call<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw fromNative(error)
  }
}

/** Awaits a native call; also what it throws before its promise exists. */
export async function calling<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw fromNative(error)
  }
}
