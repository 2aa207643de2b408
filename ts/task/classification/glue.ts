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
  /** The columns of the texts where its files name them; CoLA's name them in the test file alone. */
  readonly texts: { readonly text: string; readonly pair?: string }
  /** What predictions of the parts whose labels the benchmark's server keeps are handed in as, in their order. */
  readonly submission: readonly string[]
}

/** Headings of the metrics. */
const METRICS: Readonly<Record<GlueMetric, string>> = { accuracy: 'Acc', f1: 'F1', matthews: 'Mcc', pearson: 'Pearson', spearman: 'Spearman' }

const figureOf = (metric: GlueMetric): GlueFigure => ({ key: metric, metric, label: METRICS[metric] })

function task(name: GlueTaskName, label: string, metrics: readonly GlueMetric[], text: string, pair?: string): GlueTask {
  return { name, label, figures: metrics.map(figureOf), texts: { text, ...(pair !== undefined && { pair }) }, submission: [`${label}.tsv`] }
}

const mnli: GlueTask = {
  ...task('mnli', 'MNLI', ['accuracy'], 'sentence1', 'sentence2'),
  figures: [
    { ...figureOf('accuracy'), label: 'm' },
    { key: 'accuracyMismatched', metric: 'accuracy', label: 'mm' },
  ],
  submission: ['MNLI-m.tsv', 'MNLI-mm.tsv'],
}

/** The eight tasks that the paper trains on, in the order of its Table 2; WNLI is left out there. */
export const GLUE: readonly GlueTask[] = [
  task('rte', 'RTE', ['accuracy'], 'sentence1', 'sentence2'),
  task('mrpc', 'MRPC', ['accuracy', 'f1'], '#1 String', '#2 String'),
  task('cola', 'CoLA', ['matthews'], 'sentence'),
  task('sst-2', 'SST-2', ['accuracy'], 'sentence'),
  task('sts-b', 'STS-B', ['pearson', 'spearman'], 'sentence1', 'sentence2'),
  task('qnli', 'QNLI', ['accuracy'], 'question', 'sentence'),
  task('qqp', 'QQP', ['accuracy', 'f1'], 'question1', 'question2'),
  mnli,
]

/** The task of that name. */
export function glueTask(name: GlueTaskName): GlueTask {
  const found = GLUE.find((one) => one.name === name)
  if (found === undefined) throw new TypeError(`GLUE has no task "${name}"`)
  return found
}
