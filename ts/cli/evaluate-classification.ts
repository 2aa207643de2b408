import { SagetrainError } from '../errors.js'
import { fixed } from '../report/format.js'
import type { Fact } from '../report/report-data.js'
import { Classification } from '../task/classification/classification.js'
import { Classifier } from '../task/classification/classifier.js'
import { majorityOf, type LabelledColumns } from '../task/classification/prepare.js'
import { leftAside } from '../task/classification/pretrained-folder.js'
import { evaluateClassification, type PartMetrics } from '../task/classification/scores.js'
import { type Arguments, type OptionSpec, valueOf } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { LABELLED_OPTIONS, readingOf, trainedWith } from './labelled-files.js'
import { placeOptionsOf } from './search-options.js'
import { printFacts } from './table.js'

/** The options that have their say of classifiers alone. */
export const CLASSIFICATION_OPTIONS = {
  test: { type: 'string', value: 'FILE', about: 'labelled text, .tsv, .csv or .jsonl (default: the test file that the run was prepared with)' },
  ...LABELLED_OPTIONS,
  'columns.label': { type: 'string', value: 'COLUMN', about: 'the class, or the number of a regression' },
  labels: { type: 'string', value: 'LIST', about: 'how the file writes the model’s classes, in the order of their ids (default: as the model)' },
} as const satisfies Record<string, OptionSpec>

/** Which model, as it was given and as it was found. */
interface Given {
  readonly given: string
  readonly folder: string
}

/** Scores the classifier of a model folder on a labelled file. */
export async function evaluateClassifier({ given, folder }: Given, options: Arguments['options'], context: Context, signal: AbortSignal): Promise<void> {
  const trained = await trainedWith(given)
  const test = testOf(options['test'] ?? trained['test'])
  const { columns, header } = readingOf(options, trained)
  const wanted = columnsOf(columns)
  using classifier = await Classifier.load(folder, placeOptionsOf(options))
  refuseOtherPairs(wanted, classifier)
  const labels = labelsOf(options['labels'], classifier)
  // A preparation has a training part and perhaps others: here the file is all there is. It is cut where predictions are.
  const asked = { train: test, columns: wanted, heldOut: { valid: 0 }, tokenizer: folder, maxLength: classifier.maxLength, signal, ...(header !== undefined && { header }) }
  using task = await Classification.prepare({ ...asked, ...(labels === undefined ? { kind: 'regression' } : { labels }) })
  const ofFile = task.prepared.warnings.filter((warning) => !warning.startsWith('valid: ')).map((warning) => warning.replace(/^train: /, ''))
  const [part, warnings] = [task.prepared.parts.train, [...leftAside(folder, classifier.model.leftAside), ...ofFile]]
  if (part === undefined) throw new SagetrainError('ERR_INTERNAL', `${String(test)}: nothing of it was prepared`)
  // Whatever the file calls them, its classes have been given the model's ids.
  const { metrics } = await evaluateClassification(classifier.model, task.dataset('train'), signal)
  const majority = majorityOf(part)
  context.json({ metrics, samples: part.samples, ...(majority !== undefined && { majority }), ...(labels !== undefined && { labels: Object.fromEntries(labels.map((label, id) => [label, part.labels?.[id] ?? 0])) }), warnings })
  printFacts(context.terminal, [{ label: 'samples', value: fixed(part.samples) }, ...metricFacts(metrics, majority), ...warnings.map((value) => ({ label: 'warning', value }))])
}

function testOf(found: unknown): string | readonly string[] {
  if (typeof found === 'string') return found
  if (Array.isArray(found) && found.every((one) => typeof one === 'string')) return found
  throw new UsageError('evaluate needs labelled text to score a classifier on: --test FILE')
}

function columnsOf({ text, label, ...pair }: Partial<LabelledColumns>): LabelledColumns {
  if (text !== undefined && label !== undefined) return { text, label, ...pair }
  throw new UsageError('evaluate needs to know the file’s columns: --columns.text NAME --columns.label NAME, and --columns.pair NAME where there are two texts')
}

/** It is scored on what it was trained on: texts, or pairs of them. */
function refuseOtherPairs({ pair }: LabelledColumns, classifier: Classifier): void {
  if (classifier.pair === undefined || classifier.pair === (pair !== undefined)) return
  throw new UsageError(classifier.pair ? 'the model was trained on pairs of texts: name the second one’s column with --columns.pair' : 'the model was trained on single texts: name the file’s columns without a pair, --columns.text NAME --columns.label NAME')
}

/** The classes as the file writes them; undefined for numbers. */
function labelsOf(written: string | boolean | undefined, { labels, kind }: Classifier): readonly string[] | undefined {
  if (kind === 'regression') {
    if (written !== undefined) throw new UsageError('--labels has no effect on a model that says numbers')
    return undefined
  }
  if (written === undefined) return labels
  const read = valueOf(String(written))
  const named = Array.isArray(read) ? read.map(String) : String(written).split(',')
  if (named.length === labels.length) return named
  throw new UsageError(`--labels ${String(written)}: give ${labels.length} with commas between them, or as a JSON array, for ${labels.join(', ')}`)
}

function metricFacts(metrics: PartMetrics, majority: number | undefined): readonly Fact[] {
  const percent = (value: number): string => `${fixed(value * 100, 2)} %`
  const beside = majority === undefined ? '' : ` (the most frequent class: ${percent(majority)})`
  const rows: Readonly<Record<string, readonly [label: string, write: (value: number) => string]>> = {
    accuracy: ['accuracy', (value) => `${percent(value)}${beside}`],
    f1: ['F1', percent],
    matthews: ['Matthews', (value) => fixed(value, 3)],
    pearson: ['Pearson', (value) => fixed(value, 3)],
    spearman: ['Spearman', (value) => fixed(value, 3)],
    loss: ['loss', (value) => fixed(value, 4)],
  }
  return Object.entries(rows).flatMap(([key, [label, write]]) => {
    const value = (metrics as Readonly<Record<string, number | undefined>>)[key]
    return value === undefined ? [] : [{ label, value: write(value) }]
  })
}
