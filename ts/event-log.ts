import { closeSync, openSync, writeSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { TrainEvent } from './events.js'

const header = `${JSON.stringify({ schema: 1 })}\n`

/** `events.jsonl`: one event a line after the line `{ "schema": 1 }`. */
export class EventLog implements Disposable {
  readonly #file: number

  private constructor(file: number) {
    this.#file = file
  }

  /** Begins a log, or goes on with the one there is: what it holds beyond `step` happened to a training that is no more. */
  static async open(path: string, step: number): Promise<EventLog> {
    const kept = step === 0 ? [] : (await lines(path)).filter((line) => isUpTo(line, step))
    const temporary = `${path}.${process.pid}.tmp`
    await writeFile(temporary, header + kept.map((line) => `${line}\n`).join(''))
    await rename(temporary, path)
    return new EventLog(openSync(path, 'a'))
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

async function lines(path: string): Promise<string[]> {
  const content = await readFile(path, 'utf8').catch(() => '')
  return content.split('\n').slice(1)
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
