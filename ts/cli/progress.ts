import { clock, fixed } from '../report/format.js'
import type { Style, Terminal } from './terminal.js'

/** Where one arm stands. */
export interface ProgressState {
  readonly step: number
  /** Steps of the whole run, once known. */
  readonly totalSteps?: number
  readonly loss: number | null
  readonly tokensPerSecond: number
  /**
   * What the speed counts.
   * @default 'tokens/s'
   */
  readonly unit?: string
  /** Seconds to the end, once it can be said. */
  readonly eta?: number
  /** What it does beside stepping, e.g. "evaluating". */
  readonly note?: string
}

export interface ProgressOptions {
  /** Milliseconds between redraws of a terminal. */
  readonly redrawMs?: number
  /** Milliseconds between lines of an arm where nothing can be redrawn. */
  readonly lineMs?: number
  /** Milliseconds, for tests. */
  readonly now?: () => number
}

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_BELOW = '\u001b[0J'
const STYLES: readonly Style[] = ['blue', 'yellow', 'magenta', 'green']
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of `width` characters, exact to an eighth of one. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(width, '░')
}

/** The figures of a line, the most important first: a narrow terminal drops the last ones. */
function figures(state: ProgressState): readonly string[] {
  const total = state.totalSteps === undefined ? '' : `/${fixed(state.totalSteps)}`
  const width = state.totalSteps === undefined ? 6 : fixed(state.totalSteps).length
  return [
    `step ${fixed(state.step).padStart(width)}${total}`,
    `loss ${fixed(state.loss, 3).padStart(6)}`,
    `ETA ${(state.eta === undefined ? '–' : clock(state.eta)).padStart(5)}`,
    `${fixed(state.tokensPerSecond).padStart(6)} ${state.unit ?? 'tokens/s'}`,
    ...(state.note === undefined ? [] : [state.note]),
  ]
}

/** One line for an arm, at most `columns` characters long. */
export function progressLine(name: string, state: ProgressState, columns: number): string {
  const parts = figures(state)
  let text = name
  for (const part of parts) if (`${text}  ${part}`.length <= columns) text += `  ${part}`
  const room = Math.min(24, columns - text.length - 2)
  if (state.totalSteps === undefined || room < 6) return text.slice(0, columns)
  return `${name}  ${bar(state.step / state.totalSteps, room)}${text.slice(name.length)}`
}

/**
 * One line an arm, redrawn in place on a terminal; elsewhere a line now and then. Whatever ends the process, the cursor is shown again.
 */
export class Progress implements Disposable {
  readonly #terminal: Terminal
  readonly #states = new Map<string, ProgressState | undefined>()
  readonly #printed = new Map<string, number>()
  readonly #options: Required<ProgressOptions>
  readonly #release: readonly (() => void)[]
  #drawn: readonly number[] = []
  #drawnAt = -Infinity
  #open = true

  constructor(terminal: Terminal, names: readonly string[], { redrawMs = 100, lineMs = 10_000, now = Date.now }: ProgressOptions = {}) {
    this.#terminal = terminal
    this.#options = { redrawMs, lineMs, now }
    for (const name of names) this.#states.set(name, undefined)
    this.#release = terminal.interactive ? this.#takeTerminal() : []
  }

  #takeTerminal(): readonly (() => void)[] {
    const close = (): void => this[Symbol.dispose]()
    this.#terminal.write(HIDE_CURSOR)
    process.on('exit', close)
    return [() => process.off('exit', close), this.#terminal.onResize(() => this.#draw()), this.#terminal.intercept((text) => this.print(text))]
  }

  /** Tells where an arm stands; drawn when it is time to. */
  update(name: string, state: ProgressState): void {
    if (!this.#open) return
    this.#states.set(name, state)
    const now = this.#options.now()
    if (this.#terminal.interactive) {
      if (now - this.#drawnAt >= this.#options.redrawMs) this.#draw()
    } else if (now - (this.#printed.get(name) ?? -Infinity) >= this.#options.lineMs) {
      this.#printed.set(name, now)
      this.#terminal.line(`${this.#padded(name)}  ${figures(state).join('  ')}`)
    }
  }

  /** Prints a line that stays, above the redrawn ones. */
  print(text: string): void {
    this.#clear()
    this.#terminal.write(`${text}\n`)
    if (this.#open && this.#terminal.interactive) this.#draw()
  }

  #padded(name: string): string {
    return name.padEnd(Math.max(...[...this.#states.keys()].map((one) => one.length)))
  }

  #draw(): void {
    this.#clear()
    const columns = Math.max(1, this.#terminal.columns() - 1)
    const lines: number[] = []
    const started = [...this.#states.entries()].filter((entry): entry is [string, ProgressState] => entry[1] !== undefined)
    for (const [name, state] of started) {
      const line = progressLine(this.#padded(name), state, columns)
      const shown = this.#padded(name).slice(0, line.length)
      const style = STYLES[[...this.#states.keys()].indexOf(name) % STYLES.length] ?? 'blue'
      this.#terminal.write(`${this.#terminal.style(style, shown)}${line.slice(shown.length)}\n`)
      lines.push(line.length)
    }
    this.#drawn = lines
    this.#drawnAt = this.#options.now()
  }

  // A terminal made narrower since has wrapped the lines: count the rows they take now, not those they took then.
  #clear(): void {
    const columns = Math.max(1, this.#terminal.columns())
    const rows = this.#drawn.reduce((total, length) => total + Math.max(1, Math.ceil(length / columns)), 0)
    if (rows > 0) this.#terminal.write(`\u001b[${rows}A\r${CLEAR_BELOW}`)
    this.#drawn = []
  }

  /** Draws the last state, leaves it standing and gives the terminal back. Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#open) return
    if (this.#terminal.interactive) {
      this.#draw()
      this.#terminal.write(SHOW_CURSOR)
    }
    this.#drawn = []
    this.#open = false
    for (const release of this.#release) release()
  }
}

/** Steps to seconds: what is left at the pace so far, evaluations included. */
export class Pace {
  #from: { readonly step: number; readonly at: number } | undefined

  /** Seconds to `totalSteps`; undefined before the pace is known. */
  eta(step: number, totalSteps: number | undefined, at: number): number | undefined {
    this.#from ??= { step, at }
    const done = step - this.#from.step
    if (totalSteps === undefined || done < 5) return undefined
    return ((at - this.#from.at) / done) * Math.max(0, totalSteps - step)
  }
}
