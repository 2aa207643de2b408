/** What the best of a run's evaluations is chosen by. */
export interface Choice {
  /** Names the number, as a table does. */
  readonly metric: string
  readonly better: 'higher' | 'lower'
  /** Where it stands among an evaluation's metrics; several of them, of two validation parts, have their mean taken. */
  readonly keys: readonly string[]
}

/** Losses are the better the lower they are. */
const LOSSES: ReadonlySet<string> = new Set(['loss', 'nll'])

/** By a metric, over the keys of further validation parts too where they are there. */
export function choiceOf(metric: string, further: readonly string[] = []): Choice {
  return { metric, better: LOSSES.has(metric) ? 'lower' : 'higher', keys: [metric, ...further] }
}

/** The number that an evaluation is judged by; NaN without it. */
export function chosenNumber({ keys }: Choice, metrics: object): number {
  const found = keys.flatMap((key) => (metrics as Readonly<Record<string, number | null | undefined>>)[key] ?? [])
  return found.reduce((sum, value) => sum + value, 0) / found.length
}

/** The same where higher is better, as a run compares its evaluations. */
export function chosenScore(choice: Choice): (metrics: object) => number {
  const sign = choice.better === 'lower' ? -1 : 1
  return (metrics) => sign * chosenNumber(choice, metrics)
}
