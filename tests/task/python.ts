import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

/** What a program of the reference libraries prints as JSON; undefined, and the test skipped with its reason, where they are not there. */
export async function askPython<T>(t: ExecutionContext, libraries: string, script: string, ...args: readonly string[]): Promise<T | undefined> {
  const skip = (reason: string): undefined => {
    t.log(`skipped: ${reason}`)
    t.pass()
  }
  const python = process.env['SAGETRAIN_PYTHON']
  if (python === undefined) return skip(`SAGETRAIN_PYTHON names no Python with ${libraries}`)
  const found = await promisify(execFile)(python, [script, ...args], { env: { ...process.env, HF_HUB_OFFLINE: '1' } }).catch((error: Error) => error)
  if (!(found instanceof Error)) return JSON.parse(found.stdout) as T
  if (!found.message.includes('ModuleNotFoundError')) throw found
  return skip(found.message.slice(found.message.indexOf('ModuleNotFoundError')))
}
