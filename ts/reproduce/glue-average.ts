import { GLUE, type GlueTask, type GlueTaskName } from '../task/classification/glue.js'

/** Figures by task, in the task's order, in one unit; null, or not there, where one is not measured. */
export type GlueFigures = { readonly [task in GlueTaskName]?: readonly (number | null | undefined)[] }

/** An average, or what it lacks. */
export interface GlueAverage {
  /** Null where something is missing. */
  readonly value: number | null
  /** What is missing, for people: `MRPC F1`. */
  readonly missing: readonly string[]
}

/** The mean of a task's figures: of its metrics and its development sets; null where one is missing. */
export function taskAverage({ figures }: GlueTask, measured: GlueFigures[GlueTaskName]): number | null {
  return meanOf(figures.map((_, place) => measured?.[place] ?? null))
}

/** The paper's average over development sets (its A.1.3): each task's mean over metrics and sets, then the mean over tasks. */
export function devAverage(measured: GlueFigures, tasks: readonly GlueTask[] = GLUE): GlueAverage {
  const missing = tasks.flatMap(({ name, label, figures }) => figures.filter((_, place) => !isKnown(measured[name]?.[place])).map((figure) => `${label} ${figure.label}`))
  return { value: meanOf(tasks.map((task) => taskAverage(task, measured[task.name]))), missing }
}

function isKnown(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter(isKnown)
  return known.length === 0 || known.length < values.length ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}
