import test from 'ava'
import { bar, Pace, Progress, progressLine, type ProgressState } from '#ts/cli/progress.js'
import { printTable, tableLines } from '#ts/cli/table.js'
import { createTerminal, printable } from '#ts/cli/terminal.js'

const state: ProgressState = { step: 570, totalSteps: 1500, loss: 3.2141, tokensPerSecond: 3912.4, eta: 252 }

/** A screen that understands the few sequences that are written: enough to see what a reader would. */
class Screen {
  readonly isTTY: boolean
  columns: number
  rows: string[] = ['']
  written = ''
  cursor = true
  readonly #resize = new Set<() => void>()

  constructor({ tty = true, columns = 80 } = {}) {
    this.isTTY = tty
    this.columns = columns
  }

  write(text: string): void {
    this.written += text
    // oxlint-disable-next-line no-control-regex -- a terminal's own language
    for (const [part] of text.matchAll(/\u001b\[\??\d*[a-zA-Z]|\n|\r|[^\u001b\n\r]+/g)) this.#take(part)
  }

  #take(part: string): void {
    if (part === '\n') this.rows.push('')
    else if (part.endsWith('A') && part.startsWith('\u001b')) this.rows.splice(Math.max(0, this.rows.length - 1 - Number.parseInt(part.slice(2), 10)))
    else if (part === '\u001b[0J') this.rows.push('')
    else if (part === '\u001b[?25l') this.cursor = false
    else if (part === '\u001b[?25h') this.cursor = true
    else if (!part.startsWith('\u001b') && part !== '\r') this.rows[this.rows.length - 1] += part
  }

  on(_event: 'resize', listener: () => void): void {
    this.#resize.add(listener)
  }

  off(_event: 'resize', listener: () => void): void {
    this.#resize.delete(listener)
  }

  /** Rewraps what is shown, as terminals do, and tells. */
  resize(columns: number): void {
    this.columns = columns
    this.rows = this.rows.flatMap((row) => (row === '' ? [''] : (row.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [''])))
    for (const listener of this.#resize) listener()
  }
}

test('a line holds what fits, the most important first, never more than there is room', (t) => {
  t.is(progressLine('adam', state, 90), `adam  ${bar(0.38, 24)}  step   570/1,500  loss  3.214  ETA  4:12   3,912 tokens/s`)
  for (let columns = 1; columns < 120; columns += 1) t.true(progressLine('adam-sage', state, columns).length <= columns)
  t.regex(progressLine('adam', state, 40), /^adam {2}step/)
  t.regex(progressLine('adam', { step: 3, loss: null, tokensPerSecond: 0 }, 80), /loss {6}– {2}ETA {5}–/)
})

test('a bar is exact to an eighth', (t) => {
  t.deepEqual([bar(0, 4), bar(0.5, 4), bar(1, 4), bar(2, 4), bar(0.28125, 4)], ['░░░░', '██░░', '████', '████', '█▏░░'])
})

test('on a terminal each arm keeps its line, what is printed stays above, and the cursor comes back', (t) => {
  const screen = new Screen()
  const terminal = createTerminal(screen, { TERM: 'xterm', NO_COLOR: '1' })
  const progress = new Progress(terminal, ['adam', 'adam-sage'], { redrawMs: 0 })
  t.false(screen.cursor)
  progress.update('adam', state)
  progress.update('adam-sage', { ...state, step: 600 })
  progress.print('evaluated')
  terminal.line('said by someone else')
  progress.update('adam', { ...state, step: 700 })
  t.deepEqual(screen.rows.map((row) => row.replace(/ +[█▏▎▍▌▋▊▉░]+.*step +/, ' ').split('  ')[0]), ['evaluated', 'said by someone else', 'adam 700/1,500', 'adam-sage 600/1,500', ''])
  progress[Symbol.dispose]()
  progress[Symbol.dispose]()
  t.true(screen.cursor)
  terminal.line('after it')
  t.is(screen.rows.filter((row) => row.startsWith('adam')).length, 2)
  t.is(screen.rows.at(-2), 'after it')
})

test('a terminal made narrower leaves no torn lines behind', (t) => {
  const screen = new Screen({ columns: 100 })
  using progress = new Progress(createTerminal(screen, { TERM: 'xterm', NO_COLOR: '1' }), ['adam', 'adam-sage'], { redrawMs: 0 })
  progress.update('adam', state)
  progress.update('adam-sage', state)
  screen.resize(40)
  t.is(screen.rows.filter((row) => row !== '').length, 2)
  t.true(screen.rows.every((row) => row.length < 40))
})

test('elsewhere lines come now and then, without a single control character', (t) => {
  const screen = new Screen({ tty: false })
  let time = 0
  const progress = new Progress(createTerminal(screen, {}), ['adam'], { lineMs: 10_000, now: () => time })
  for (; time < 25_000; time += 100) progress.update('adam', state)
  progress[Symbol.dispose]()
  t.is(screen.written.split('\n').length - 1, 3)
  // oxlint-disable-next-line no-control-regex -- that there are none is the test
  t.notRegex(screen.written, /[\u0000-\u0009\u000b-\u001f]/)
})

test('colour is for eyes: not in a pipe, not with NO_COLOR, and by force', (t) => {
  const styled = (tty: boolean, environment: Record<string, string>): boolean => createTerminal(new Screen({ tty }), environment).style('bold', 'x') !== 'x'
  t.deepEqual([styled(true, {}), styled(false, {}), styled(true, { NO_COLOR: '1' }), styled(false, { FORCE_COLOR: '1' }), styled(true, { TERM: 'dumb' })], [true, false, false, true, false])
  t.is(printable('a\u001b[31mb\n'), 'a\ufffd[31mb\ufffd')
})

test('the time left is what the pace so far says', (t) => {
  const pace = new Pace()
  t.is(pace.eta(100, 200, 50), undefined)
  t.is(pace.eta(110, 200, 70), 180)
  t.is(pace.eta(200, 200, 90), 0)
  t.is(pace.eta(150, undefined, 90), undefined)
})

test('a table lines up, and one too wide for the terminal becomes blocks', (t) => {
  const columns = [{ label: 'arm', align: 'left' }, { label: 'BLEU' }] as const
  t.deepEqual(tableLines(columns, [['adam', '24.3'], ['adam-sage', '5.1']]), ['arm        BLEU', '─────────  ────', 'adam       24.3', 'adam-sage   5.1'])
  const narrow = new Screen({ columns: 10 })
  printTable(createTerminal(narrow, { TERM: 'xterm', NO_COLOR: '1' }), columns, [['adam-sage', '5.1']])
  t.deepEqual(narrow.rows, ['adam-sage', '  BLEU  5.1', ''])
})
