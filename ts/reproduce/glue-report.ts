import { csv } from '../report/csv.js'
import type { Block, Report } from '../report/document.js'
import { fixed, MISSING, signed } from '../report/format.js'
import { drawIntervals } from '../report/intervals.js'
import type { TTest } from '../score/t-test.js'
import { GLUE } from '../task/classification/glue.js'
import { paperModel, TABLE_3, type PaperRow } from './glue-paper.js'
import type { GlueSubmission } from './glue-submission.js'
import { glueSummary, spreads } from './glue-summary.js'
import type { GlueAverageRow, GlueRow, GlueScore, GlueTable, GlueTaskResult } from './glue-table.js'
import { factBlocks, hasInterval, interval, probability, sameWithEverySeed, seedsOf, spread, TOO_FEW, type Provenance } from './report.js'

/** What the paper takes for a difference. */
const SIGNIFICANT = 0.05

/** The report of the table: Table 2, or Table 6, as it came out here and as printed, and for each task how sure that is. */
export function glueReport(table: GlueTable, notes: readonly string[], { command, facts }: Provenance, submissions: readonly GlueSubmission[] = []): Report {
  const { averages, tasks } = table
  const missing = tasks.flatMap((task) => task.missing.map((name) => `${task.label} ${name}`))
  return {
    title: `GLUE, settings of ${paperModel(table)}${table.smoothness ? ' (with the smoothness term of SMART)' : ''}: ${averages.map(({ label }) => label).join(', ')}`,
    blocks: [
      { type: 'code', text: command },
      { type: 'text', text: glueVerdict(table) },
      { type: 'table', caption: 'Development sets, in percent: mean ± sample standard deviation over seeds. The average is the paper’s: over a task’s metrics and sets first, then over the tasks; its deviation is that of the seeds’ averages.', ...glueSummary(table, spreads) },
      { type: 'table', caption: 'The average, and what an arm with SAGE has more than the same optimizer without: seed by seed, with Student’s paired t-test; intervals are told from three seeds on.', head: HEAD, rows: averages.map((one) => scoreLine(one.label, one, String((one.score?.degrees ?? -1) + 1))) },
      ...averages.flatMap((one) => differencesOf(one, tasks)),
      ...tasks.flatMap(taskBlocks),
      ...submissionBlocks(table, submissions),
      { type: 'list', items: [...notes, ...averages.flatMap(({ label, missing: lacking }) => lacking.map((what) => `${label} has no average of ${what}.`)), ...(missing.length === 0 ? [] : [`Still to come: ${missing.join(', ')}.`])] },
      ...factBlocks(facts),
    ],
  }
}

/** Who is ahead on average and on which tasks, as far as the tests allow. */
export function glueVerdict({ averages, tasks }: GlueTable): string {
  const sentences = averages.filter(({ baseline }) => baseline !== null).map((one) => averageVerdict(one) + taskVerdict(one, tasks))
  return sentences.length === 0 ? 'No arm with SAGE stands beside the same optimizer without it, so there is nothing to compare.' : sentences.join(' ')
}

function averageVerdict({ label, baseline, difference, paperDifference }: GlueAverageRow): string {
  if (difference === null) return `${label} less ${baseline}: no seed has all tasks yet.`
  const { mean, degrees, pValue } = difference
  const range = hasInterval(difference) ? `95 % interval ${interval(difference, signed)}` : TOO_FEW
  const sure = pValue === null ? '' : sameWithEverySeed(difference) ? ' (the same with every seed)' : ` (${range}, ${probability(pValue)})`
  const printed = paperDifference === null ? '' : `; in the paper ${signed(paperDifference)}`
  return `${label} less ${baseline}: ${signed(mean, 2)} on average over ${degrees + 1} seed${degrees === 0 ? '' : 's'}${sure}${printed}.`
}

function taskVerdict({ arm }: GlueAverageRow, tasks: readonly GlueTaskResult[]): string {
  const tested = tasks.flatMap(({ label, rows }) => {
    const difference = rows.find((row) => row.arm === arm)?.mean.difference ?? null
    return difference === null || difference.pValue === null || sameWithEverySeed(difference) ? [] : [{ label, mean: difference.mean, sure: difference.pValue < SIGNIFICANT }]
  })
  const untested = withoutDifference(arm, tasks)
  if (tested.length === 0) return untested === '' ? '' : ` There is ${untested}.`
  const named = (which: typeof tested): string => which.map(({ label }) => label).join(', ') || 'none'
  const [better, worse, open] = [tested.filter(({ mean, sure }) => sure && mean > 0), tested.filter(({ mean, sure }) => sure && mean < 0), tested.filter(({ sure }) => !sure)]
  return ` By p < ${SIGNIFICANT} it is better on ${named(better)} and worse on ${named(worse)}; undecided on ${named(open)}${untested === '' ? '' : `; ${untested}`}.`
}

/** Tasks of which no test can say anything, because the difference is that of every seed. */
function withoutDifference(arm: string, tasks: readonly GlueTaskResult[]): string {
  const alike = tasks.flatMap(({ label, rows }) => {
    const difference = rows.find((row) => row.arm === arm)?.mean.difference ?? null
    return difference === null || !sameWithEverySeed(difference) ? [] : [{ label, mean: difference.mean }]
  })
  const [none, some] = [alike.filter(({ mean }) => mean === 0), alike.filter(({ mean }) => mean !== 0)]
  const named = (which: typeof alike): string => which.map(({ label, mean }) => (mean === 0 ? label : `${label} (${signed(mean, 2)})`)).join(', ')
  return [...(none.length > 0 ? [`no difference with any seed on ${named(none)}`] : []), ...(some.length > 0 ? [`the same difference with every seed on ${named(some)}`] : [])].join(' and ')
}

const HEAD = ['', 'paper', 'mean ± sd', '95 %', 'less baseline', '95 % of that', 'p', 'in the paper', 'seeds'] as const

function scoreLine(name: string, { paper, score, difference, paperDifference }: GlueScore, seeds: string): readonly string[] {
  return [
    name,
    fixed(paper, 1),
    score === null ? MISSING : spread(score),
    score === null ? MISSING : interval(score),
    ...differenceCells(difference),
    paperDifference === null ? MISSING : signed(paperDifference),
    seeds,
  ]
}

function differenceCells(difference: TTest | null): readonly string[] {
  return difference === null ? [MISSING, MISSING, MISSING] : [signed(difference.mean, 2), interval(difference, signed), difference.pValue === null || sameWithEverySeed(difference) ? MISSING : probability(difference.pValue).replace('p = ', '').replace('p ', '')]
}

/** What an arm gains by SAGE, task by task. */
function differencesOf({ arm, label, baseline }: GlueAverageRow, tasks: readonly GlueTaskResult[]): readonly Block[] {
  const drawn = tasks.flatMap((task) => {
    const difference = task.rows.find((row) => row.arm === arm)?.mean.difference ?? null
    if (difference === null || !hasInterval(difference)) return []
    return [{ label: task.label, tone: 1, score: difference.mean, low: difference.lower, high: difference.upper, value: signed(difference.mean) }]
  })
  if (drawn.length === 0) return []
  const [name, title] = [`glue-${arm}`, `${label} less ${baseline ?? ''}: means over seeds and their 95 % intervals`]
  return [{ type: 'drawing', name, title, svg: drawIntervals(name, title, 'percentage points', drawn) }]
}

function taskBlocks(task: GlueTaskResult): readonly Block[] {
  const { label, rows } = task
  const deviations = rows.filter(({ paperDeviation }) => paperDeviation !== null).map((row) => `${row.label} ${fixed(row.paperDeviation, 2)}`)
  const caption = `${label}, in percent.${deviations.length === 0 ? '' : ` Standard deviations in the paper: ${deviations.join(', ')}.`}`
  return [
    { type: 'heading', text: label },
    { type: 'table', caption, head: HEAD, rows: rows.flatMap((row) => linesOf(row, task)) },
    ...runsBlock(task),
    { type: 'list', items: rows.map(({ label: name, rate, beta0 }) => `${name}: learning rate ${rate}${beta0 === null ? '' : `, β0 ${beta0}`}`) },
  ]
}

/** Which run each file for the test server comes from, and what the archive lacks. */
function submissionBlocks(table: GlueTable, submissions: readonly GlueSubmission[]): readonly Block[] {
  if (submissions.length === 0) return []
  const rows = submissions.flatMap(({ arm, files }) => Object.entries(files).map(([file, { run, score, samples }]) => [`${arm}/${file}`, run, fixed(score, 2), fixed(samples)]))
  return [
    { type: 'heading', text: 'For the test server' },
    { type: 'table', caption: 'Predictions of the test parts, in submission/: each file is of the run that is best on the development set, with its score there in percent.', head: ['', 'run', 'development', 'samples'], rows },
    { type: 'list', items: submissions.flatMap(lacks) },
    ...serverBlock(table),
  ]
}

/** What an archive lacks, a line a reason. */
function lacks({ arm, missing }: GlueSubmission): readonly string[] {
  const reasons = [...new Set(Object.values(missing))]
  return reasons.map((reason) => `${arm} lacks ${Object.keys(missing).filter((file) => missing[file] === reason).join(', ')}: ${reason}.`)
}

/** What the paper has from the server, to set the server's answer beside. */
function serverBlock(table: GlueTable): readonly Block[] {
  const rows = TABLE_3.filter(({ model, smoothness }) => model === table.model && smoothness === table.smoothness)
  if (rows.length === 0) return []
  const line = ({ label, figures, average }: PaperRow): readonly string[] => [`paper: ${label}`, fixed(average, 1), ...GLUE.map(({ name }) => figures[name].map((figure) => fixed(figure, 1)).join('/'))]
  const caption = 'The server’s figures in the paper’s Table 3: F1 of MRPC and QQP, one correlation of STS-B, the others as on the development sets; the average is the plain mean of the nine.'
  return [{ type: 'table', caption, head: ['', 'Avg', ...GLUE.map(({ label }) => label)], rows: rows.map(line) }]
}

/** A column a seed. */
function runsBlock({ rows, figures }: GlueTaskResult): readonly Block[] {
  const seeds = [...new Set(rows.flatMap((row) => row.seeds.map(({ seed }) => seed)))].toSorted((one, other) => one - other)
  if (seeds.length === 0) return []
  const cell = (row: GlueRow, seed: number, key: string): string => {
    const run = row.seeds.find((one) => one.seed === seed)
    return run?.diverged === undefined ? fixed(percentOf(run?.metrics[key]), 2) : 'diverged'
  }
  const lines = rows.flatMap((row) => figures.map(({ key, label }) => [`${row.label}, ${label}`].concat(seeds.map((seed) => cell(row, seed, key)))))
  return [{ type: 'table', caption: 'Every run that the figures come from.', head: ['', ...seeds.map((seed) => `seed ${seed}`)], rows: lines }]
}

/** A line a figure, and one of their mean where there are several. */
function linesOf(row: GlueRow, { figures }: GlueTaskResult): readonly (readonly string[])[] {
  const lines = row.figures.map((score, place) => scoreLine(`${row.label}, ${figures[place]?.label ?? ''}`, score, seedsOf(row.seeds)))
  return figures.length === 1 ? lines : [...lines, scoreLine(`${row.label}, mean`, row.mean, seedsOf(row.seeds))]
}

function percentOf(value: number | null | undefined): number | null {
  return typeof value === 'number' ? 100 * value : null
}

/** Every figure of every run as its run kept it, a share, one a line, for other programs. */
export function glueCsv({ model, smoothness, tasks }: GlueTable): string {
  const rows = tasks.flatMap(({ task, figures, rows: arms }) =>
    arms.flatMap(({ arm, rate, beta0, seeds }) => seeds.flatMap(({ seed, metrics }) => figures.map(({ key }) => [smoothness ? 'smart-base' : model, task, arm, seed, rate, beta0, key, metrics[key] ?? null]))),
  )
  return csv(['model', 'task', 'arm', 'seed', 'learningRate', 'beta0', 'metric', 'value'], rows)
}
