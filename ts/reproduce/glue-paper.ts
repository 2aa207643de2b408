import { glueArms, type GlueArm, type GlueModel } from '../task/classification/glue-settings.js'
import { GLUE, type GlueTaskName } from '../task/classification/glue.js'

/** Figures of a task in the order in which its table has them; null where the paper has none. */
type Figures = readonly (number | null)[]

/** A line of one of the paper's tables, in percent. */
export interface PaperRow {
  /** As the paper calls model and optimizer, or whose figures it quotes. */
  readonly label: string
  readonly model: GlueModel
  /** What it trained with; missing for figures that it quotes. */
  readonly arm?: GlueArm
  /** Whether it trained with the smoothness term of SMART. */
  readonly smoothness: boolean
  readonly figures: Readonly<Record<GlueTaskName, Figures>>
  /** The average as printed; null where it has none. */
  readonly average: number | null
}

/** Figures of the eight tasks, in the order of {@link GLUE}. */
type Line = readonly [Figures, Figures, Figures, Figures, Figures, Figures, Figures, Figures]

/** Which of the paper's tables runs stand beside: Table 6 is BERT-base with the smoothness term, Table 2 is without. */
export interface PaperTable {
  readonly model: GlueModel
  readonly smoothness: boolean
}

function row(model: GlueModel, arm: GlueArm | undefined, label: string, line: Line, average: number | null, smoothness = false): PaperRow {
  const figures = Object.fromEntries(GLUE.map(({ name }, place) => [name, line[place] ?? []])) as PaperRow['figures']
  return { label, model, ...(arm !== undefined && { arm }), smoothness, figures, average }
}

const bertAdamax = row('bert-base', 'adamax', 'BERT-base, Adamax', [[69.2], [86.2, 90.4], [57.8], [92.9], [89.7, 89.2], [91.2], [90.9, 88], [84.5, 84.4]], 82.8)

/** Table 2: development sets, one task at a time, means over seeds. */
export const TABLE_2: readonly PaperRow[] = [
  row('bert-base', undefined, 'BERT-base, Devlin et al. 2018', [[null], [null, 86.7], [null], [92.7], [null, null], [88.4], [null, null], [84.4, null]], null),
  row('bert-base', 'adam', 'BERT-base, Adam', [[63.5], [84.1, 89], [54.7], [92.9], [89.2, 88.8], [91.1], [90.9, 88.1], [84.5, 84.4]], 81.5),
  row('bert-base', 'adam-sage', 'BERT-base, Adam-SAGE', [[73.3], [87, 90.9], [60.3], [93.5], [90.3, 89.9], [91.7], [91.2, 88.1], [84.7, 84.8]], 84),
  bertAdamax,
  row('bert-base', 'adamax-sage', 'BERT-base, Adamax-SAGE', [[74], [87.3, 91], [59.7], [93.8], [90.3, 89.8], [91.8], [91.2, 88.2], [85, 85.2]], 84.2),
  row('roberta-large', undefined, 'RoBERTa-large, Liu et al. 2019', [[86.6], [null, 90.9], [68], [96.4], [92.4, null], [94.7], [92.2, null], [90.2, 90.2]], null),
  row('roberta-large', 'adamax', 'RoBERTa-large, Adamax', [[86.6], [90.4, 93.1], [67.5], [96.4], [92.4, 92.2], [94.7], [92.1, 89.3], [90.4, 90.3]], 88.7),
  row('roberta-large', 'adamax-sage', 'RoBERTa-large, Adamax-SAGE', [[87.8], [91.5, 93.9], [68.7], [96.7], [92.7, 92.4], [94.9], [92.2, 89.4], [90.8, 90.4]], 89.3),
]

/** Table 3: the benchmark's test server, where MRPC and QQP have F1 alone and STS-B one correlation. */
export const TABLE_3: readonly PaperRow[] = [
  row('bert-base', undefined, 'BERT-base, Devlin et al. 2018', [[66.4], [88.9], [52.1], [93.5], [85.8], [90.5], [71.2], [84.6, 83.4]], 79.6),
  row('bert-base', 'adamax', 'BERT-base, Adamax', [[66.8], [88.6], [54], [93.4], [86.6], [90.6], [71.1], [84.7, 83.6]], 79.9),
  row('bert-base', 'adamax-sage', 'BERT-base, Adamax-SAGE', [[69.8], [89.7], [54.5], [94.1], [87.1], [90.8], [71.3], [84.9, 83.8]], 80.7),
]

/** Table 6: development sets, with the smoothness regulariser of SMART (Jiang et al. 2020). */
export const TABLE_6: readonly PaperRow[] = [
  bertAdamax,
  row('bert-base', 'adamax', 'SMART-base, Adamax', [[72.5], [87.7, 91.4], [59.5], [93.5], [90, 89.6], [91.9], [91.7, 88.9], [85.2, 85.7]], 84.1, true),
  row('bert-base', 'adamax-sage', 'SMART-base, Adamax-SAGE', [[75.1], [89, 92.8], [60.8], [94.3], [90.1, 89.7], [92.2], [91.9, 89.1], [85.9, 86]], 85, true),
]

/** Table 8: standard deviations over seeds of Table 2's figures. Of a task with two figures it does not say which. */
export const TABLE_8: readonly { readonly model: GlueModel; readonly arm: GlueArm; readonly deviations: Readonly<Record<GlueTaskName, number>> }[] = [
  { model: 'bert-base', arm: 'adam-sage', deviations: { rte: 0.35, mrpc: 0.32, cola: 0.85, 'sst-2': 0.25, 'sts-b': 0.12, qnli: 0.06, qqp: 0.05, mnli: 0.06 } },
  { model: 'bert-base', arm: 'adamax-sage', deviations: { rte: 0.56, mrpc: 0.69, cola: 0.12, 'sst-2': 0.23, 'sts-b': 0.03, qnli: 0.06, qqp: 0.08, mnli: 0.1 } },
  { model: 'roberta-large', arm: 'adamax-sage', deviations: { rte: 0.51, mrpc: 0.78, cola: 0.5, 'sst-2': 0.19, 'sts-b': 0.08, qnli: 0, qqp: 0.05, mnli: 0.05 } },
]

/** What the paper has of an optimizer on the development sets. */
export function paperRow({ model, smoothness }: PaperTable, arm: string): PaperRow | undefined {
  return (smoothness ? TABLE_6 : TABLE_2).find((one) => one.model === model && one.arm === arm && one.smoothness === smoothness)
}

/** Lines of the table that it sets beside those of its own optimizers: of Table 6 the one without the term. */
export function paperBeside({ smoothness }: PaperTable): readonly PaperRow[] {
  return smoothness ? TABLE_6.filter((one) => !one.smoothness) : []
}

/** The standard deviation that the paper has of a task; null where it has none, as of Table 6. */
export function paperDeviation({ model, smoothness }: PaperTable, arm: string, task: GlueTaskName): number | null {
  return smoothness ? null : (TABLE_8.find((one) => one.model === model && one.arm === arm)?.deviations[task] ?? null)
}

/** What the paper calls the model of a table. */
export function paperModel({ model, smoothness }: PaperTable): string {
  return smoothness ? 'SMART-base' : { 'bert-base': 'BERT-base', 'roberta-large': 'RoBERTa-large' }[model]
}

/** The optimizers that the paper has in a table, in its order. */
export function paperArms(table: PaperTable): readonly GlueArm[] {
  return glueArms(table.model).filter((arm) => paperRow(table, arm) !== undefined)
}
