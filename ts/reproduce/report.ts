import { drawChart } from '../report/chart.js'
import type { Block, Report } from '../report/document.js'
import { fixed, MISSING, signed } from '../report/format.js'
import { drawIntervals } from '../report/intervals.js'
import type { Fact } from '../report/report-data.js'
import { TONES } from '../report/theme.js'
import type { TTest } from '../score/t-test.js'
import type { Experiment } from './experiment.js'
import { inUnit, METRIC_ORDER, metricLabel, mostOf } from './metric-names.js'
import type { SweepResult } from './sweep.js'
import type { SeedScore, TableResult, TableRow, Trial } from './table.js'

/** What a report says beside its figures. */
export interface Provenance {
  readonly command: string
  readonly facts: readonly Fact[]
}

/** The report of a table: what the paper has, what came out here, and how sure the differences are. */
export function tableReport(title: string, experiments: readonly Experiment[], results: readonly TableResult[], { command, facts }: Provenance): Report {
  const parts = results.flatMap((result, index) => tableBlocks(result, experiments[index]))
  return { title, blocks: [{ type: 'code', text: command }, ...parts, ...factBlocks(facts)] }
}

function tableBlocks(result: TableResult, experiment: Experiment | undefined): readonly Block[] {
  const metric = metricLabel(result.metric)
  const columns = columnsOf(result)
  return [
    { type: 'heading', text: result.label },
    { type: 'text', text: tableVerdict(result) },
    { type: 'table', caption: `${metric} on ${measuredOn(experiment)}: mean ± sample standard deviation over seeds, the mean’s 95 % interval by Student’s t, from three seeds on. Differences are seed by seed.`, head: ['', 'paper', metric, '95 %', 'learning rate', 'seeds'], rows: result.rows.flatMap((row) => [rowOf(row), ...differenceRow(row, result)]) },
    ...intervalsOf(result),
    { type: 'table', caption: 'Every run that the figures come from.', head: ['run', ...columns.map(metricLabel)], rows: result.rows.flatMap((row) => row.seeds.map((run) => [nameOf(row, run)].concat(columns.map((key) => fixed(inUnit(key, run.metrics[key]), 2))))) },
    ...trialBlocks(result, experiment?.validation ?? result.metric),
    { type: 'list', items: [...(experiment?.notes ?? []), ...(result.missing.length === 0 ? [] : [`Still to come: ${result.missing.join(', ')}.`])] },
  ]
}

function measuredOn(experiment: Experiment | undefined): string {
  return experiment?.measuredOn ?? 'the held-out part'
}

function nameOf({ label: name }: TableRow, { seed, weights, diverged }: SeedScore): string {
  return `${name}, seed ${seed}${weights === undefined ? '' : `, ${weights}`}${diverged === undefined ? '' : ', diverged'}`
}

/** Who is ahead, as far as the intervals allow, and what diverged. */
export function tableVerdict(result: TableResult): string {
  return [...differenceVerdicts(result), ...result.rows.flatMap((row) => divergences(row, result.trials))].join(' ')
}

function differenceVerdicts(result: TableResult): readonly string[] {
  const compared = result.rows.flatMap((row) => (row.difference === null ? [] : [differenceVerdict(row, row.difference, result)]))
  if (compared.length > 0) return compared
  return [result.missing.length > 0 ? 'Not measured yet.' : 'There is no pair of runs that converged, so no difference to tell of.']
}

function divergences({ arm, label: name, seeds, rate }: TableRow, trials: readonly Trial[]): readonly string[] {
  const diverged = seeds.filter((run) => run.diverged !== undefined).map(({ seed }) => seed)
  const tried = trials.filter((one) => one.arm === arm)
  if (rate === null && tried.length > 0 && tried.every(({ validation }) => validation === null)) return [tried.every((one) => one.diverged === true) ? `${name} diverged at every rate that was tried.` : `${name} has no score at any rate that was tried.`]
  return diverged.length === 0 ? [] : [`${name} diverged with seed ${diverged.join(', ')}, which no mean counts.`]
}

function differenceVerdict(row: TableRow, difference: TTest, { rows, metric }: TableResult): string {
  const paper = paperDifference(row, rows)
  const told = paper === null ? '' : ` In the paper it is ${signed(paper)}.`
  const gap = `${row.label} less ${row.baseline ?? ''} is ${signed(difference.mean, 2)} ${metricLabel(metric)} over ${difference.degrees + 1} seed${difference.degrees === 0 ? '' : 's'}`
  if (difference.lower === null || difference.upper === null) return `${gap}; one seed has no interval.${told}`
  if (sameWithEverySeed(difference)) return `${gap}, the same with every seed, of which no test can say how sure it is.${told}`
  const range = `${hasInterval(difference) ? `95 % interval ${interval(difference, signed)}` : TOO_FEW}, ${probability(difference.pValue ?? 1)}`
  const open = difference.lower <= 0 && difference.upper >= 0
  return `${open ? 'Too close to call: ' : ''}${gap} (${range})${open && hasInterval(difference) ? ', an interval with 0 in it' : ''}.${told}`
}

/** The paper's figure of the arm less that of its baseline. */
function paperDifference({ paper, baseline }: TableRow, rows: readonly TableRow[]): number | null {
  const other = rows.find(({ label }) => label === baseline)?.paper ?? null
  return paper === null || other === null ? null : paper - other
}

/** `84.13 ± 0.32`: mean and sample standard deviation. */
export function spread({ mean, deviation }: TTest): string {
  return deviation === null ? fixed(mean, 2) : `${fixed(mean, 2)} ± ${fixed(deviation, 2)}`
}

/** `83.90 to 84.36`: the mean’s 95 % interval. */
export function interval(test: TTest, show: (value: number, digits: number) => string = fixed): string {
  return hasInterval(test) ? `${show(test.lower, 2)} to ${show(test.upper, 2)}` : MISSING
}

/**
 * Whether all values are the same, but for rounding. Scores of few samples often are, and a test would call a difference without any spread
 * certain, however few seeds it is of.
 */
export function sameWithEverySeed({ degrees, deviation, mean, pValue }: TTest): boolean {
  return degrees > 0 && (pValue === null || deviation === null || deviation <= 1e-9 * Math.abs(mean))
}

/** What stands for the interval of two seeds. */
export const TOO_FEW = 'two seeds are too few for an interval'

/** Whether an interval says something: of one seed there is none, and that of two reaches 12.7 standard errors to either side. */
export function hasInterval(test: TTest): test is TTest & { readonly lower: number; readonly upper: number } {
  return test.degrees >= 2 && test.lower !== null && test.upper !== null && !sameWithEverySeed(test)
}

function rowOf({ label: name, paper, score, rate, beta0, seeds }: TableRow): readonly string[] {
  const where = rate === null ? MISSING : `${rate}${beta0 === null ? '' : `, β0 ${beta0}`}`
  return [name, fixed(paper, 1), score === null ? MISSING : spread(score), score === null ? MISSING : interval(score), where, seedsOf(seeds)]
}

/** How many runs there are, and how many of them diverged. */
export function seedsOf(seeds: readonly SeedScore[]): string {
  const diverged = seeds.filter((run) => run.diverged !== undefined).length
  return diverged === 0 ? String(seeds.length) : `${seeds.length - diverged} and ${diverged} diverged`
}

/** None of a baseline. */
function differenceRow(row: TableRow, { rows }: TableResult): readonly (readonly string[])[] {
  const { baseline, difference } = row
  if (baseline === null) return []
  const [name, paper] = [`less ${baseline}`, paperDifference(row, rows)]
  const told = paper === null ? MISSING : signed(paper)
  if (difference === null) return [[name, told, MISSING, MISSING, '', '0']]
  return [[name, told, signed(difference.mean, 2), interval(difference, signed), '', String(difference.degrees + 1)]]
}

function columnsOf({ rows, metric }: TableResult): readonly string[] {
  const known = new Set(rows.flatMap(({ seeds }) => seeds.flatMap(({ metrics }) => Object.keys(metrics))))
  return [metric, ...METRIC_ORDER.filter((key) => key !== metric && known.has(key))]
}

function intervalsOf({ experiment, rows, metric }: TableResult): readonly Block[] {
  const drawn = rows.flatMap(({ label: name, score }, row) => (score === null || !hasInterval(score) ? [] : [{ label: name, tone: row % TONES, score: score.mean, low: score.lower, high: score.upper, value: fixed(score.mean, 1) }]))
  if (drawn.length === 0) return []
  const title = `${metricLabel(metric)}: means over seeds and their 95 % intervals`
  return [{ type: 'drawing', name: `${experiment}-scores`, title, svg: drawIntervals(`${experiment}-scores`, title, metricLabel(metric), drawn, mostOf(metric).most) }]
}

/** One curve, and one column, for each arm and β0 that was tried. */
function trialBlocks({ experiment, rows, trials }: TableResult, validation: string): readonly Block[] {
  if (trials.length === 0) return []
  const rates = [...new Set(trials.map(({ rate }) => rate))].toSorted((one, other) => one - other)
  const metric = metricLabel(validation)
  const curves = rows.flatMap(({ arm, label: name }, row) => {
    const own = trials.filter((one) => one.arm === arm)
    return [...new Set(own.map(({ beta0 }) => beta0))].map((beta0) => ({ label: beta0 === undefined ? name : `${name}, β0 ${beta0}`, row, trials: own.filter((one) => one.beta0 === beta0) }))
  })
  // An arm's curve has the colour of its interval; of several curves each has its own.
  const alone = new Set(curves.map(({ row }) => row)).size === curves.length
  const cell = (tried: readonly Trial[], rate: number): string => {
    const trial = tried.find((one) => one.rate === rate)
    if (trial === undefined) return ''
    return `${trial.validation === null ? (trial.diverged === true ? 'diverged' : 'no score') : fixed(trial.validation, 2)}${trial.chosen ? ' (chosen)' : ''}`
  }
  const title = `Validation: ${metric} over the learning rate`
  const series = curves.map(({ label, row, trials: tried }, index) => ({ label, tone: (alone ? row : index) % TONES, dots: true, points: tried.map(({ rate, validation: score }) => [rate, score] as const) }))
  const { svg } = drawChart({ id: `${experiment}-rates`, title, description: 'One run a point, with the first seed', x: { label: 'learning rate', kind: 'log' }, y: { label: metric, ...mostOf(validation) }, series })
  return [
    { type: 'table', caption: `Validation: best ${metric} of the first seed’s runs; the best of each arm is taken, of equal ones that of the lowest rate.`, head: ['learning rate', ...curves.map(({ label }) => label)], rows: rates.map((rate) => [String(rate)].concat(curves.map(({ trials: tried }) => cell(tried, rate)))) },
    { type: 'drawing', name: `${experiment}-rates`, title, svg },
  ]
}

/** `p = 0.012`; what three digits would call 0 is said to be below. */
export function probability(pValue: number): string {
  return pValue < 0.001 ? 'p < 0.001' : `p = ${fixed(pValue, 3)}`
}

/** What the machine and the program were. */
export function factBlocks(facts: readonly Fact[]): readonly Block[] {
  return [
    { type: 'heading', text: 'Where it ran' },
    { type: 'list', items: facts.map(({ label: name, value }) => `${name}: ${value}`) },
  ]
}

/** The report of the figure: the metric over β0, a curve a learning rate. */
export function sweepReport(title: string, experiments: readonly Experiment[], results: readonly SweepResult[], { command, facts }: Provenance): Report {
  const parts = results.flatMap((result, index) => sweepBlocks(result, experiments[index]))
  return { title, blocks: [{ type: 'code', text: command }, ...parts, ...factBlocks(facts)] }
}

function sweepBlocks(result: SweepResult, experiment: Experiment | undefined): readonly Block[] {
  const { experiment: id, label: name, metric, points, baseline, missing } = result
  const [rates, betas] = [points.map(({ rate }) => rate), points.map(({ beta0 }) => beta0)].map((values) => [...new Set(values)].toSorted((one, other) => one - other))
  const title = `${name}: ${metricLabel(metric)} over β0`
  const series = (rates ?? []).map((rate, tone) => ({ label: `lr ${rate}`, tone: (tone + 1) % TONES, dots: true, points: points.filter((one) => one.rate === rate).map(({ beta0, score }) => [beta0, score] as const) }))
  const level = baseline === null ? [] : [{ label: `${baseline.label}, lr ${baseline.rate}`, tone: 0, points: (betas ?? []).map((beta0) => [beta0, baseline.score] as const) }]
  const { svg } = drawChart({ id: `${id}-beta0`, title, description: 'One run a point', x: { label: 'β0', zero: false }, y: { label: metricLabel(metric), ...mostOf(metric) }, series: [...series, ...level] })
  const scoreOf = (rate: number, beta0: number): string => {
    const point = points.find((one) => one.rate === rate && one.beta0 === beta0)
    return point === undefined ? MISSING : point.score === null ? (point.diverged === true ? 'diverged' : 'no score') : fixed(point.score, 2)
  }
  return [
    { type: 'heading', text: name },
    ...(points.length === 0 ? [] : [{ type: 'drawing' as const, name: `${id}-beta0`, title, svg }]),
    { type: 'table', caption: `${metricLabel(metric)} on ${measuredOn(experiment)}, one run (seed ${points[0]?.seed ?? 1}) a cell${baseline === null ? '' : `; ${baseline.label} at its best rate, ${baseline.rate}, has ${fixed(baseline.score, 2)}`}.`, head: ['β0', ...(rates ?? []).map((rate) => `lr ${rate}`)], rows: (betas ?? []).map((beta0) => [String(beta0)].concat((rates ?? []).map((rate) => scoreOf(rate, beta0)))) },
    { type: 'list', items: [...(experiment?.notes ?? []), ...(experiment?.sweep?.notes ?? []), ...(missing.length === 0 ? [] : [`Still to come: ${missing.join(', ')}.`])] },
  ]
}
