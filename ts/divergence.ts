import { fixed } from './report/format.js'

/** What to do about training that diverges: go back to the last checkpoint, and on with a lower rate. */
export interface RollbackOptions {
  /**
   * A loss above this many times the median of the last `window` updates is a jump; above 1.
   * @default 3
   */
  readonly lossFactor?: number
  /**
   * Updates of the median. As long as there were fewer, only a loss or gradient that is not finite counts.
   * @default 50
   */
  readonly window?: number
  /**
   * What each rollback multiplies every rate with, to the end of training; between 0 and 1.
   * @default 0.5
   */
  readonly lrFactor?: number
  /**
   * Rollbacks after which the next divergence is `ERR_DIVERGED`.
   * @default 3
   */
  readonly atMost?: number
}

/** What a run's state keeps of the losses and the rollbacks so far. */
export interface DivergenceState {
  readonly rollbacks: number
  /** Losses of the last updates, oldest first. */
  readonly losses: readonly number[]
}

/** Watches the losses of the updates for jumps. */
export class LossWatch {
  readonly options: Required<RollbackOptions>
  #losses: readonly number[]
  #rollbacks: number

  constructor(options: Required<RollbackOptions>, state: DivergenceState = { rollbacks: 0, losses: [] }) {
    this.options = options
    this.#losses = state.losses
    this.#rollbacks = state.rollbacks
  }

  /** Takes in an update's loss. Says what is wrong with one that is not finite or has jumped, and does not count it. */
  observe(loss: number): string | undefined {
    const { lossFactor, window } = this.options
    if (!Number.isFinite(loss)) return 'the loss is not finite'
    if (this.#losses.length === window) {
      const limit = lossFactor * median(this.#losses)
      if (loss > limit) return `the loss, ${fixed(loss, 3)}, is more than ${lossFactor} × ${fixed(limit / lossFactor, 3)}, the median of the last ${window} updates`
    }
    this.#losses = [...this.#losses, loss].slice(-window)
    return undefined
  }

  /** Goes back to where the losses stood at a checkpoint; false when there have been as many rollbacks as may be. */
  rollBack(losses: readonly number[]): boolean {
    if (this.#rollbacks === this.options.atMost) return false
    this.#rollbacks += 1
    this.#losses = losses
    return true
  }

  /** What multiplies every rate by now. */
  get rateFactor(): number {
    return this.options.lrFactor ** this.#rollbacks
  }

  /** For the run's state. */
  state(): DivergenceState {
    return { rollbacks: this.#rollbacks, losses: this.#losses }
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}
