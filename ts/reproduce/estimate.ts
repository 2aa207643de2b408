import type { Results } from './table.js'

/** A run that is to be trained. */
export interface Work {
  /** The run's name. */
  readonly name: string
  /** Runs of one kind take as long for the same amount: those of one experiment. */
  readonly kind: string
  /** Of training, in a unit that all kinds share, such as tokens. */
  readonly amount: number
}

/**
 * Seconds that the runs without a result take at the pace of those with one: of their own kind, else of a trial of that kind, seconds a unit,
 * else of all. Null where none is known and something is left.
 */
export function remainingSeconds(runs: readonly Work[], resultsOf: (kind: string) => Results, trials: ReadonlyMap<string, number> = new Map()): number | null {
  const done = runs.flatMap((run) => {
    const found = resultsOf(run.kind).get(run.name)
    return found === undefined || found.diverged !== undefined ? [] : [{ ...run, seconds: found.seconds }]
  })
  const left = runs.filter(({ name, kind }) => !resultsOf(kind).has(name))
  const seconds = left.map(({ kind, amount }) => amount * (paceOf(done.filter((run) => run.kind === kind)) ?? trials.get(kind) ?? paceOf(done) ?? Number.NaN))
  const total = seconds.reduce((sum, value) => sum + value, 0)
  return Number.isNaN(total) ? null : total
}

/** Seconds a unit. */
function paceOf(done: readonly { readonly amount: number; readonly seconds: number }[]): number | undefined {
  const amount = done.reduce((sum, run) => sum + run.amount, 0)
  return amount === 0 ? undefined : done.reduce((sum, run) => sum + run.seconds, 0) / amount
}
