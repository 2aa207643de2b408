import { closeSync, openSync, writeSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { SagetrainError } from './errors.js'
import type { TrainEvent } from './events.js'

const header = `${JSON.stringify({ schema: 1 })}\n`

/** `events.jsonl`: one event a line after the line `{ "schema": 1 }`. */
export class EventLog implements Disposable {
  readonly #path: string
  #file: number

  private constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'a')
  }

  /** Begins a log, or goes on with the one there is: what it holds beyond `step` happened to a training that is no more. */
  static async open(path: string, step: number): Promise<EventLog> {
    await rewrite(path, step === 0 ? [] : (await lines(path)).filter((line) => isUpTo(line, step)))
    return new EventLog(path)
  }

  /** Drops what happened after `step`, to which the training has gone back. */
  async backTo(step: number): Promise<void> {
    await rewrite(this.#path, (await lines(this.#path)).filter((line) => isUpTo(line, step)))
    closeSync(this.#file)
    this.#file = openSync(this.#path, 'a')
  }

  /** Adds an event. A synchronous write into the page cache: microseconds, where an awaited one would cost a short step its share. */
  add(event: TrainEvent<object>): void {
    writeSync(this.#file, `${JSON.stringify(event)}\n`)
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

async function rewrite(path: string, kept: readonly string[]): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, header + kept.map((line) => `${line}\n`).join(''))
  await rename(temporary, path)
}

async function lines(path: string): Promise<string[]> {
  return (await readIfThere(path)).split('\n').slice(1)
}

/** A log's text; empty where there is none. What cannot be read is an error: what goes on without it would drop what it holds. */
export async function readIfThere(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw new SagetrainError('ERR_IO', `${path}: the run's events cannot be read (${error.message}); move the file away to go on without them`, { fields: { path }, cause: error })
  })
}

/** A torn last line, left by a kill, is no event. */
function isUpTo(line: string, step: number): boolean {
  try {
    const event = JSON.parse(line) as Partial<TrainEvent>
    return typeof event.step === 'number' && event.step <= step && event.type !== 'end'
  } catch {
    return false
  }
}
