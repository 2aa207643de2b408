import type { StepPoint } from './report-data.js'

/**
 * A curve of bounded length over a run of any length: points are means over a stride of steps, and the stride doubles whenever there
 * would be too many of them.
 */
export class StepCurve {
  readonly #limit: number
  #stride = 1
  #points: StepPoint[] = []
  #pending: StepPoint[] = []

  /** @param limit the most points kept, an even number */
  constructor(limit = 1024) {
    this.#limit = limit
  }

  /** Takes in a step. */
  add(point: StepPoint): void {
    this.#pending.push(point)
    if (this.#pending.length < this.#stride) return
    this.#points.push(meanOf(this.#pending))
    this.#pending = []
    if (this.#points.length >= this.#limit) this.#halve()
  }

  #halve(): void {
    const halved: StepPoint[] = []
    for (let index = 0; index < this.#points.length; index += 2) halved.push(meanOf(this.#points.slice(index, index + 2)))
    this.#points = halved
    this.#stride *= 2
  }

  /** The curve so far, a stride that is not full included. */
  points(): readonly StepPoint[] {
    return this.#pending.length === 0 ? [...this.#points] : [...this.#points, meanOf(this.#pending)]
  }
}

/** The mean loss, placed at the last of the steps; a loss that is not finite makes the mean missing, not wrong. */
function meanOf(points: readonly StepPoint[]): StepPoint {
  const last = points.at(-1) ?? { step: 0, seconds: 0 }
  let total = 0
  for (const { loss } of points) total += loss ?? Number.NaN
  const mean = total / points.length
  return { step: last.step, seconds: last.seconds, loss: Number.isFinite(mean) ? mean : null }
}
