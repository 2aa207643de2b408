/** Name of a GLUE task, as a recipe has it. */
export type GlueTaskName = 'rte' | 'mrpc' | 'cola' | 'sst-2' | 'sts-b' | 'qnli' | 'qqp' | 'mnli'

/** What a GLUE task is scored by. */
export type GlueMetric = 'accuracy' | 'f1' | 'matthews' | 'pearson' | 'spearman'

/** A number that is reported of a task: one metric on one part. */
export interface GlueFigure {
  /** Its name among a run's metrics. */
  readonly key: string
  readonly metric: GlueMetric
  readonly part: 'valid' | 'validMismatched'
  /** As a column's heading. */
  readonly label: string
}

/** A task of GLUE (Wang et al., ICLR 2019). */
export interface GlueTask {
  readonly name: GlueTaskName
  readonly label: string
  /** Its folder in the published archive. */
  readonly folder: string
  readonly kind: 'classification' | 'regression'
  /** What the published files write for the class ids 0, 1, …; none for a regression. */
  readonly labels: readonly string[]
  /** Of the development set, in the order in which papers write them. */
  readonly figures: readonly GlueFigure[]
  /** Parts whose labels the benchmark's server keeps. */
  readonly test: readonly ('test' | 'testMismatched')[]
  /** What predictions of those are handed in as, in their order. */
  readonly submission: readonly string[]
}

/** Headings of the metrics. */
const METRICS: Readonly<Record<GlueMetric, string>> = { accuracy: 'Acc', f1: 'F1', matthews: 'Mcc', pearson: 'Pearson', spearman: 'Spearman' }

const onValid = (metric: GlueMetric): GlueFigure => ({ key: metric, metric, part: 'valid', label: METRICS[metric] })

function task(name: GlueTaskName, label: string, metrics: readonly GlueMetric[], labels: readonly string[] = ['0', '1']): GlueTask {
  return { name, label, folder: label, kind: labels.length === 0 ? 'regression' : 'classification', labels, figures: metrics.map(onValid), test: ['test'], submission: [`${label}.tsv`] }
}

const ENTAILED = ['not_entailment', 'entailment'] as const

const mnli: GlueTask = {
  ...task('mnli', 'MNLI', ['accuracy'], ['contradiction', 'neutral', 'entailment']),
  figures: [
    { ...onValid('accuracy'), label: 'm' },
    { key: 'accuracyMismatched', metric: 'accuracy', part: 'validMismatched', label: 'mm' },
  ],
  test: ['test', 'testMismatched'],
  submission: ['MNLI-m.tsv', 'MNLI-mm.tsv'],
}

/**
 * The eight tasks that the paper trains on, in the order of its Table 2; WNLI is left out there. Class ids are those of its code (MT-DNN's),
 * which differ from those of the `glue` data sets on the Hugging Face hub for MNLI, QNLI and RTE.
 */
export const GLUE: readonly GlueTask[] = [
  task('rte', 'RTE', ['accuracy'], ENTAILED),
  task('mrpc', 'MRPC', ['accuracy', 'f1']),
  task('cola', 'CoLA', ['matthews']),
  task('sst-2', 'SST-2', ['accuracy']),
  task('sts-b', 'STS-B', ['pearson', 'spearman'], []),
  task('qnli', 'QNLI', ['accuracy'], ENTAILED),
  task('qqp', 'QQP', ['accuracy', 'f1']),
  mnli,
]

/** The task of that name. */
export function glueTask(name: GlueTaskName): GlueTask {
  const found = GLUE.find((one) => one.name === name)
  if (found === undefined) throw new TypeError(`GLUE has no task "${name}"`)
  return found
}
