/** Watches sensitivity without steering by it: not a bit of any parameter changes. */
export interface ObserveOptions {
  /** Reports after every step that is a multiple of this. */
  readonly every: number
  /**
   * Decay of the moving average; with `sage` on, SAGE's own average is watched, and this is an error.
   * @default 0.75
   */
  readonly beta0?: number
}
