/** Name of a GLUE task, as a recipe has it. */
export type GlueTaskName = 'rte' | 'mrpc' | 'cola' | 'sst-2' | 'sts-b' | 'qnli' | 'qqp' | 'mnli'

/** What a GLUE task is scored by. */
export type GlueMetric = 'accuracy' | 'f1' | 'matthews' | 'pearson' | 'spearman'

/** A number that is reported of a task: one metric on one part. */
export interface GlueFigure {
  /** Its name among a run's metrics. */
  readonly key: string
  readonly metric: GlueMetric
  /** As a column's heading. */
  readonly label: string
}

/** A task of GLUE (Wang et al., ICLR 2019). */
export interface GlueTask {
  readonly name: GlueTaskName
  readonly label: string
  /** Of the development set, in the order in which papers write them. */
  readonly figures: readonly GlueFigure[]
  /** What predictions of the parts whose labels the benchmark's server keeps are handed in as, in their order. */
  readonly submission: readonly string[]
}

/** Headings of the metrics. */
const METRICS: Readonly<Record<GlueMetric, string>> = { accuracy: 'Acc', f1: 'F1', matthews: 'Mcc', pearson: 'Pearson', spearman: 'Spearman' }

const figureOf = (metric: GlueMetric): GlueFigure => ({ key: metric, metric, label: METRICS[metric] })

function task(name: GlueTaskName, label: string, metrics: readonly GlueMetric[]): GlueTask {
  return { name, label, figures: metrics.map(figureOf), submission: [`${label}.tsv`] }
}

const mnli: GlueTask = {
  ...task('mnli', 'MNLI', ['accuracy']),
  figures: [
    { ...figureOf('accuracy'), label: 'm' },
    { key: 'accuracyMismatched', metric: 'accuracy', label: 'mm' },
  ],
  submission: ['MNLI-m.tsv', 'MNLI-mm.tsv'],
}

/** The eight tasks that the paper trains on, in the order of its Table 2; WNLI is left out there. */
export const GLUE: readonly GlueTask[] = [
  task('rte', 'RTE', ['accuracy']),
  task('mrpc', 'MRPC', ['accuracy', 'f1']),
  task('cola', 'CoLA', ['matthews']),
  task('sst-2', 'SST-2', ['accuracy']),
  task('sts-b', 'STS-B', ['pearson', 'spearman']),
  task('qnli', 'QNLI', ['accuracy']),
  task('qqp', 'QQP', ['accuracy', 'f1']),
  mnli,
]

/** The task of that name. */
export function glueTask(name: GlueTaskName): GlueTask {
  const found = GLUE.find((one) => one.name === name)
  if (found === undefined) throw new TypeError(`GLUE has no task "${name}"`)
  return found
}
