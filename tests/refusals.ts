import type { ExecutionContext } from 'ava'
import { isSagetrainError, type SagetrainError, type SagetrainErrorCode } from '#ts/index.js'

/** The typed error that `run` throws or rejects with. */
export async function refusal(t: ExecutionContext, code: SagetrainErrorCode, run: () => unknown): Promise<SagetrainError> {
  const error: unknown = await Promise.resolve().then(run).then(() => undefined, (thrown: unknown) => thrown)
  if (!isSagetrainError(error)) return t.fail(`expected ${code}, got ${String(error)}`) as never
  t.is(error.code, code, error.message)
  return error
}
