import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The package as a program in a string imports it. */
const index = new URL('../../index.js', import.meta.url).href
const samples = new URL('../samples.js', import.meta.url).href

/** Lines that begin every program: the public names and small data. */
const prelude = `
import * as sagetrain from ${JSON.stringify(index)}
import { perceptron, pointSet, sentenceSet, transformer } from ${JSON.stringify(samples)}
const { adam, createOptimizer, Dataset, Model, Session, Spiral } = sagetrain
`

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** Exit code, or the signal that ended it. */
  readonly code: number | string
}

/** Runs a program in a process of its own. */
export async function runProgram(source: string, flags: readonly string[] = [], before = prelude): Promise<Ended> {
  const args = [...flags, '--input-type=module', '--eval', before + source]
  try {
    return { ...(await promisify(execFile)(process.execPath, args, { timeout: 120_000, maxBuffer: 1 << 24 })), code: 0 }
  } catch (error) {
    const { stdout = '', stderr = '', code, signal } = error as Partial<Ended> & { readonly signal?: string }
    return { stdout, stderr, code: signal ?? code ?? String(error) }
  }
}
