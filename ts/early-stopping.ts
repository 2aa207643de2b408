/** When training that has stopped getting better ends. */
export interface EarlyStoppingOptions {
  /** Evaluations in a row without an improvement after which training ends. */
  readonly patience: number
  /**
   * What counts as an improvement: more than this over the last one that counted, in the metric's own unit.
   * @default 0
   */
  readonly minDelta?: number
}

/** Where a count of evaluations stands. */
export interface EarlyStoppingState {
  /** The score of the last improvement; null before the first. */
  readonly reference: number | null
  /** Evaluations since. */
  readonly waited: number
}

/** Counts evaluations without improvement, as Keras and Lightning do: small gains add up until they count. */
export class EarlyStopping {
  readonly #options: Required<EarlyStoppingOptions>
  #state: EarlyStoppingState

  constructor({ patience, minDelta = 0 }: EarlyStoppingOptions, state: EarlyStoppingState = { reference: null, waited: 0 }) {
    this.#options = { patience, minDelta }
    this.#state = state
  }

  /** Takes in the score of an evaluation, higher being better; one that is not finite is no improvement. */
  observe(score: number): void {
    const { reference, waited } = this.#state
    const improved = Number.isFinite(score) && (reference === null || score > reference + this.#options.minDelta)
    this.#state = improved ? { reference: score, waited: 0 } : { reference, waited: waited + 1 }
  }

  /** Whether patience is at its end. */
  get isDue(): boolean {
    return this.#state.waited >= this.#options.patience
  }

  /** For the run's state. */
  state(): EarlyStoppingState {
    return this.#state
  }
}
