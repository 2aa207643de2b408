// What the user sees while set-up works: one living line on a terminal, plain lines elsewhere. All of it on stderr.

const plainEveryMs = 10_000
const paintEveryMs = 100
const clearLine = '\r\x1b[K'

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}

/** @param {number} seconds */
export function formatSeconds(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** A line of its own; a meter's living line gives way and is painted again below it. @param {string} text */
export function say(text) {
  process.stderr.write(`${process.stderr.isTTY ? clearLine : ''}${text}\n`)
}

/** Progress of a known number of bytes: done, rate over the last seconds, time left. */
export class Meter {
  #label
  #total
  #stream
  #started = performance.now()
  #painted = performance.now()
  /** @type {[at: number, bytes: number][]} */
  #recent = []

  /**
   * @param {string} label
   * @param {number} total bytes
   * @param {{ write(text: string): unknown, isTTY?: boolean, columns?: number }} [stream]
   */
  constructor(label, total, stream = process.stderr) {
    this.#label = label
    this.#total = total
    this.#stream = stream
  }

  /** @param {number} bytes done so far */
  update(bytes) {
    const now = performance.now()
    if (now - this.#painted < (this.#stream.isTTY ? paintEveryMs : plainEveryMs)) return
    this.#painted = now
    this.#write(this.#line(bytes, now))
  }

  /** Ends the line: what was done and how long it took. */
  done() {
    const seconds = (performance.now() - this.#started) / 1000
    this.#write(`${this.#label}: ${formatBytes(this.#total)} in ${formatSeconds(seconds)}`)
    if (this.#stream.isTTY) this.#stream.write('\n')
  }

  /** Clears the living line, so that an error does not stand behind it. */
  clear() {
    if (this.#stream.isTTY) this.#stream.write(clearLine)
  }

  /**
   * @param {number} bytes
   * @param {number} now
   */
  #line(bytes, now) {
    this.#recent.push([now, bytes])
    while (this.#recent.length > 2 && now - (this.#recent[0]?.[0] ?? now) > 5000) this.#recent.shift()
    const [from, before] = this.#recent[0] ?? [now, bytes]
    const rate = ((bytes - before) / (now - from || 1)) * 1000 // bytes a second
    const left = rate > 0 ? `, ${formatBytes(rate)}/s, ${formatSeconds((this.#total - bytes) / rate)} left` : ''
    return `${this.#label}: ${formatBytes(bytes)} of ${formatBytes(this.#total)}${left}`
  }

  /** @param {string} line */
  #write(line) {
    const cut = line.slice(0, (this.#stream.columns || 200) - 1)
    this.#stream.write(this.#stream.isTTY ? `${clearLine}${cut}` : `${line}\n`)
  }
}
