import { present } from '../json.js'
import { tTest, type TTest } from '../score/t-test.js'
import type { GlueTask, GlueTaskName } from '../task/classification/glue.js'
import type { CellResult } from './cell-result.js'
import { baselineOf, beta0Of, cellOf, type Cell, type ExperimentArm, type Point } from './experiment.js'
import { devAverage, taskAverage, type GlueFigures } from './glue-average.js'
import { paperDeviation, paperRow, type PaperRow, type PaperTable } from './glue-paper.js'
import type { GlueExperiment } from './glue.js'
import { missingOf, type Results, type SeedScore } from './table.js'

/** A number of the table, in percent, over seeds. */
export interface GlueScore {
  /** The paper's. */
  readonly paper: number | null
  /** Mean, deviation and interval; null before the first seed is measured. */
  readonly score: TTest | null
  /** This arm's less its baseline's over the seeds that both have; null without. */
  readonly difference: TTest | null
  /** The paper's difference. */
  readonly paperDifference: number | null
}

/** An arm on a task. */
export interface GlueRow {
  readonly arm: string
  readonly label: string
  /** The label of the arm that it is compared with; null for a baseline. */
  readonly baseline: string | null
  readonly rate: number
  readonly beta0: number | null
  /** Metrics of every seed as its run kept them: shares. */
  readonly seeds: readonly SeedScore[]
  /** In the order of the task's figures. */
  readonly figures: readonly GlueScore[]
  /** The mean of the figures: what counts in the average. */
  readonly mean: GlueScore
  /** The paper's standard deviation, in percent. */
  readonly paperDeviation: number | null
}

/** A task's part of the table. */
export interface GlueTaskResult {
  readonly task: GlueTaskName
  readonly label: string
  readonly figures: readonly { readonly key: string; readonly label: string }[]
  readonly rows: readonly GlueRow[]
  /** Runs that are still to come. */
  readonly missing: readonly string[]
}

/** An arm's average over the tasks. */
export interface GlueAverageRow extends GlueScore {
  readonly arm: string
  readonly label: string
  readonly baseline: string | null
  /** Seeds without an average, and why: `seed 2: MNLI mm`. */
  readonly missing: readonly string[]
}

/** Table 2, or Table 6, as it came out here. */
export interface GlueTable extends PaperTable {
  readonly tasks: readonly GlueTaskResult[]
  readonly averages: readonly GlueAverageRow[]
}

/** Values by seed, in percent. */
type BySeed = ReadonlyMap<number, number>

/** Puts the table together from the runs that are done: `results` by the experiment's name. */
export async function glueTableOf(experiments: readonly GlueExperiment[], seeds: readonly number[], results: ReadonlyMap<string, Results>): Promise<GlueTable> {
  const [first] = experiments
  if (first === undefined) throw new TypeError('a table has at least one task')
  const tasks = await Promise.all(experiments.map((experiment) => taskOf(experiment, seeds, results.get(experiment.name) ?? new Map())))
  const averages = await Promise.all(first.arms.map((arm) => averageOf(experiments, first, arm, seeds, tasks)))
  return { model: first.model, smoothness: first.smoothness, tasks, averages }
}

async function taskOf(experiment: GlueExperiment, seeds: readonly number[], results: Results): Promise<GlueTaskResult> {
  const { glue, arms } = experiment
  const chosen = new Map(arms.map((arm) => [arm.name, pointOf(arm)]))
  return {
    task: glue.name,
    label: glue.label,
    figures: glue.figures.map(({ key, label }) => ({ key, label })),
    rows: await Promise.all(arms.map((arm) => rowOf(experiment, arm, seeds, results))),
    missing: missingOf(experiment, seeds, chosen, results).map(({ name }) => name),
  }
}

/** The one point that the paper has. */
export function pointOf({ name, points: [point] }: ExperimentArm): Point {
  if (point === undefined) throw new TypeError(`${name} has no learning rate`)
  return point
}

/** An arm's run with a seed. */
export function glueCell(experiment: GlueExperiment, arm: ExperimentArm, seed: number): Cell {
  return cellOf(experiment, { arm: arm.name, ...pointOf(arm), seed })
}

/** What of a run counts in the average, in percent; null where one of its figures is missing. */
export function devScore(task: GlueTask, { metrics }: Pick<CellResult, 'metrics'>): number | null {
  return taskAverage(task, figuresOf(task, metrics))
}

async function rowOf(experiment: GlueExperiment, arm: ExperimentArm, seeds: readonly number[], results: Results): Promise<GlueRow> {
  const { glue } = experiment
  const baseline = baselineOf(experiment, arm)
  const [own, other] = [seedsOf(experiment, arm, seeds, results), baseline === undefined ? [] : seedsOf(experiment, baseline, seeds, results)]
  const [paper, paperOther] = [paperRow(experiment, arm.name), baseline && paperRow(experiment, baseline.name)].map((row) => row?.figures[glue.name] ?? [])
  const scoreOf = (valueOf: (score: SeedScore) => number | null, paperOf: (figures: GlueFigures[GlueTaskName]) => number | null): Promise<GlueScore> =>
    compare([bySeed(own, valueOf), bySeed(other, valueOf)], [paperOf(paper), paperOf(paperOther)])
  return {
    arm: arm.name,
    label: arm.label,
    baseline: baseline?.label ?? null,
    rate: pointOf(arm).rate,
    beta0: beta0Of(arm.train) ?? null,
    seeds: own,
    figures: await Promise.all(glue.figures.map(({ key }, place) => scoreOf(({ metrics }) => percent(metrics, key), (figures) => figures?.[place] ?? null))),
    mean: await scoreOf((score) => devScore(glue, score), (figures) => taskAverage(glue, figures)),
    paperDeviation: paperDeviation(experiment, arm.name, glue.name),
  }
}

function seedsOf(experiment: GlueExperiment, arm: ExperimentArm, seeds: readonly number[], results: Results): readonly SeedScore[] {
  return seeds.flatMap((seed): SeedScore[] => {
    const found = results.get(glueCell(experiment, arm, seed).name)
    return found === undefined ? [] : [{ seed, metrics: found.metrics, ...present({ diverged: found.diverged, weights: found.signatures['weights'] }) }]
  })
}

function percent(metrics: CellResult['metrics'], key: string): number | null {
  const value = metrics[key]
  return typeof value === 'number' && Number.isFinite(value) ? 100 * value : null
}

/** What a run measured, in percent and in the task's order. */
function figuresOf({ figures }: GlueTask, metrics: CellResult['metrics']): readonly (number | null)[] {
  return figures.map(({ key }) => percent(metrics, key))
}

function bySeed(scores: readonly SeedScore[], valueOf: (score: SeedScore) => number | null): BySeed {
  return new Map(scores.flatMap((score) => {
    const value = valueOf(score)
    return value === null ? [] : [[score.seed, value] as const]
  }))
}

/** Seeds pair up: with the same one an arm and its baseline begin with the same head and see the same batches. */
async function compare([own, other]: readonly [BySeed, BySeed], [paper, paperOther]: readonly [number | null, number | null]): Promise<GlueScore> {
  const pairs = Array.from(own).flatMap(([seed, value]) => {
    const baseline = other.get(seed)
    return baseline === undefined ? [] : [{ value, baseline }]
  })
  return {
    paper,
    score: own.size === 0 ? null : await tTest([...own.values()]),
    difference: pairs.length === 0 ? null : await tTest(pairs.map(({ value }) => value), pairs.map(({ baseline }) => baseline)),
    paperDifference: paper === null || paperOther === null ? null : paper - paperOther,
  }
}

async function averageOf(experiments: readonly GlueExperiment[], first: GlueExperiment, arm: ExperimentArm, seeds: readonly number[], tasks: readonly GlueTaskResult[]): Promise<GlueAverageRow> {
  const glue = experiments.map((experiment) => experiment.glue)
  const baseline = baselineOf(first, arm)
  const [own, other] = [arm, baseline].map((one) => averagesOf(one?.name, glue, seeds, tasks))
  const complete = (averages: Averages | undefined): BySeed => new Map(averages?.flatMap(({ seed, value }) => (value === null ? [] : [[seed, value] as const])))
  const scores = await compare([complete(own), complete(other)], [paperAverage(paperRow(first, arm.name), glue), paperAverage(baseline && paperRow(first, baseline.name), glue)])
  const missing = (own ?? []).filter(({ value }) => value === null).map(({ seed, missing: what }) => `seed ${seed}: ${what.join(', ')}`)
  return { arm: arm.name, label: arm.label, baseline: baseline?.label ?? null, ...scores, missing }
}

type Averages = readonly { readonly seed: number; readonly value: number | null; readonly missing: readonly string[] }[]

function averagesOf(arm: string | undefined, glue: readonly GlueTask[], seeds: readonly number[], tasks: readonly GlueTaskResult[]): Averages {
  return seeds.map((seed) => {
    const measured = glue.map((task): [GlueTaskName, readonly (number | null)[]] => {
      const row = tasks.find((one) => one.task === task.name)?.rows.find((one) => one.arm === arm)
      const score = row?.seeds.find((one) => one.seed === seed)
      return [task.name, score === undefined ? [] : figuresOf(task, score.metrics)]
    })
    return { seed, ...devAverage(Object.fromEntries(measured), glue) }
  })
}

/** As printed for all eight tasks; of some, the same rule on the printed figures. */
export function paperAverage(row: PaperRow | undefined, glue: readonly GlueTask[]): number | null {
  if (row === undefined) return null
  return glue.length === Object.keys(row.figures).length ? row.average : devAverage(row.figures, glue).value
}
