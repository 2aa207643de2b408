import { fixed, MISSING } from '../report/format.js'
import { spread } from './report.js'
import { glueTask } from '../task/classification/glue.js'
import { paperBeside, type PaperRow } from './glue-paper.js'
import { paperAverage, type GlueScore, type GlueTable, type GlueTaskResult } from './glue-table.js'

/** A table in the shape of the paper's: a line an arm, with the average first, which a narrow window would hide, then a column a task. */
export interface GlueSummary {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** How a number is shown. */
type Show = (score: GlueScore) => string

/** Means alone, as the paper prints them. */
export const means: Show = ({ score }) => fixed(score?.mean, 1)

/** Means and standard deviations. */
export const spreads: Show = ({ score }) => (score === null ? MISSING : spread(score))

const paper: Show = (score) => fixed(score.paper, 1)

/** The arms as measured, with `show`, and below them the same lines of the paper. */
export function glueSummary(table: GlueTable, show: Show): GlueSummary {
  const { tasks, averages } = table
  const line = (arm: string, label: string, shown: Show, average: GlueScore): readonly string[] => [label, shown(average), ...tasks.map((task) => cellOf(task, arm, shown))]
  return {
    head: ['', 'Avg', ...tasks.map(({ label, figures }) => `${label} ${figures.map((figure) => figure.label).join('/')}`)],
    rows: [
      ...averages.map((average) => line(average.arm, average.label, show, average)),
      ...averages.map((average) => line(average.arm, `paper: ${average.label}`, paper, average)),
      ...paperBeside(table).map((row) => printed(row, tasks)),
    ],
  }
}

/** A line of the paper alone. */
function printed(row: PaperRow, tasks: readonly GlueTaskResult[]): readonly string[] {
  const cells = tasks.map(({ task }) => row.figures[task].map((figure) => fixed(figure, 1)).join('/'))
  return [`paper: ${row.label}`, fixed(paperAverage(row, tasks.map(({ task }) => glueTask(task))), 1), ...cells]
}

function cellOf({ rows, figures }: GlueTaskResult, arm: string, show: Show): string {
  const scores = rows.find((row) => row.arm === arm)?.figures ?? []
  return figures.map((_, place) => (scores[place] === undefined ? MISSING : show(scores[place]))).join('/')
}
