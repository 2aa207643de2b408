import { clock, fixed } from '../report/format.js'
import { bar } from './progress.js'
import type { DataProgress } from './task-command.js'
import type { Terminal } from './terminal.js'

/** Milliseconds between lines where nothing can be redrawn. */
const LINE_MS = 10_000
/** A pace is told once a stage has gone on for so long. */
const TELLING_MS = 1000
const CLEAR_LINE = '\r\u001b[2K'

/** One line for the stage of a preparation that is under way: bar, rate and the time left of it. */
export class PreparationProgress implements Disposable {
  readonly #terminal: Terminal
  readonly #now: () => number
  #stage = ''
  #from: { readonly at: number; readonly lines: number; readonly share: number } = { at: 0, lines: 0, share: 0 }
  #printedAt = -Infinity
  #drawn = false

  constructor(terminal: Terminal, now: () => number = Date.now) {
    this.#terminal = terminal
    this.#now = now
  }

  update(state: DataProgress): void {
    const at = this.#now()
    if (state.stage !== this.#stage) {
      // What an earlier process has done is no pace of this one's: it is counted from the first look at the stage.
      ;[this.#stage, this.#from, this.#printedAt] = [state.stage, { at, lines: state.lines, share: state.share }, -Infinity]
      if (!this.#terminal.interactive) this.#terminal.line(`${state.stage} …`)
      this.#printedAt = at
    }
    if (this.#terminal.interactive) {
      this.#terminal.write(`${CLEAR_LINE}${stageLine(state, this.#pace(state, at)).slice(0, Math.max(1, this.#terminal.columns() - 1))}`)
      this.#drawn = true
    } else if (at - this.#printedAt >= LINE_MS) {
      this.#printedAt = at
      this.#terminal.line(stageLine(state, this.#pace(state, at)))
    }
  }

  #pace({ lines, share }: DataProgress, at: number): Pace {
    const seconds = (at - this.#from.at) / 1000
    const [doneLines, doneShare] = [lines - this.#from.lines, share - this.#from.share]
    if (seconds * 1000 < TELLING_MS || doneLines <= 0) return {}
    return { linesPerSecond: doneLines / seconds, ...(doneShare > 0 && { eta: ((1 - share) / doneShare) * seconds }) }
  }

  /** Takes the line away; idempotent. */
  [Symbol.dispose](): void {
    if (this.#drawn) this.#terminal.write(CLEAR_LINE)
    this.#drawn = false
  }
}

interface Pace {
  readonly linesPerSecond?: number
  /** Seconds. */
  readonly eta?: number
}

function stageLine({ stage, lines, share }: DataProgress, { linesPerSecond, eta }: Pace): string {
  const parts = [
    `${stage}  ${bar(share, 20)} ${fixed(100 * share).padStart(3)} %`,
    `${fixed(lines)} lines`,
    ...(linesPerSecond === undefined ? [] : [`${fixed(linesPerSecond)} lines/s`]),
    ...(eta === undefined ? [] : [`ETA ${clock(eta)}`]),
  ]
  return parts.join('  ')
}
