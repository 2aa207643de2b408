import { styleText } from 'node:util'

/** The styles the command uses; each has its meaning in words beside it, so nothing is lost without colour. */
export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'blue' | 'magenta'

/** What is needed of an output stream. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
  on?(event: 'resize', listener: () => void): unknown
  off?(event: 'resize', listener: () => void): unknown
}

/** Where a command writes for people. */
export interface Terminal {
  /** Whether lines can be redrawn. */
  readonly interactive: boolean
  columns(): number
  write(text: string): void
  line(text?: string): void
  /** Has `line` handed to `print` until the returned function is called: for who redraws lines below those that stay. */
  intercept(print: (text: string) => void): () => void
  style(style: Style, text: string): string
  onResize(listener: () => void): () => void
}

type Environment = Readonly<Record<string, string | undefined>>

/** NO_COLOR wins (no-color.org), then FORCE_COLOR, then whether a person is looking. */
function wantsColour(stream: Output, environment: Environment): boolean {
  if (environment['NO_COLOR']) return false
  if (environment['FORCE_COLOR'] !== undefined) return environment['FORCE_COLOR'] !== '0'
  return stream.isTTY === true && environment['TERM'] !== 'dumb'
}

/** A terminal on `stream`; on a pipe or a file it writes plain lines. */
export function createTerminal(stream: Output, environment: Environment = process.env): Terminal {
  const colour = wantsColour(stream, environment)
  let print: ((text: string) => void) | undefined
  return {
    interactive: stream.isTTY === true && environment['TERM'] !== 'dumb',
    columns: () => stream.columns ?? 100,
    write: (text) => void stream.write(text),
    line: (text = '') => (print === undefined ? void stream.write(`${text}\n`) : print(text)),
    intercept: (instead) => {
      print = instead
      return () => void (print = undefined)
    },
    style: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
    onResize: (listener) => {
      stream.on?.('resize', listener)
      return () => void stream.off?.('resize', listener)
    },
  }
}

/** Control characters of foreign text (a corpus, a file name) would move the cursor or recolour the screen. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these control characters are the subject
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
