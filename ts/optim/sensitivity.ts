/** What `observe` saw in one step. */
export interface SensitivityReport {
  readonly step: number
  /** One entry for each parameter that has a gradient and an average, in the parameters' order. */
  readonly tensors: readonly TensorSensitivity[]
}

/** What was seen of one parameter. */
export interface TensorSensitivity {
  readonly name: string
  /** Elements. */
  readonly count: number
  /** I = |θ ⊙ g| */
  readonly sensitivity: SensitivitySummary
  /** Î, its corrected moving average. */
  readonly average: SensitivitySummary
  /** U = |I − Î| */
  readonly variation: SensitivitySummary
  /** r, what multiplies the rate, whether it was applied or not. */
  readonly modulation: SensitivitySummary
  /** Σ θ⊙g with signs. */
  readonly signedSum: number
  /** A fixed, seeded sample of elements, the same in every report. */
  readonly samples: readonly ElementSensitivity[]
}

/** One quantity over the elements of one parameter. */
export interface SensitivitySummary {
  readonly mean: number
  /** Divided by the number of elements. */
  readonly variance: number
  readonly min: number
  readonly max: number
  /** Elements that are exactly 0. */
  readonly zeros: number
  /** `histogram[k]` counts 2^(k − 72) ≤ x < 2^(k − 71); the first and the last take what lies beyond. */
  readonly histogram: readonly number[]
}

/** What was seen of one element. */
export interface ElementSensitivity {
  /** Flat position in the parameter. */
  readonly index: number
  readonly sensitivity: number
  readonly average: number
  readonly variation: number
  readonly modulation: number
}
