interface MetricName {
  readonly label: string
  /** Runs keep it as a share; tables tell it in percent. */
  readonly percent?: true
  /** After the point, where not 2. */
  readonly digits?: number
}

/** What tables call the metrics that runs keep. */
const NAMES: Readonly<Record<string, MetricName>> = {
  bleu: { label: 'BLEU (sacreBLEU)' },
  tokenizedBleu: { label: 'BLEU (tokenized, fairseq’s)' },
  compoundSplitBleu: { label: 'BLEU (tokenized, compounds split)' },
  chrf: { label: 'chrF' },
  nll: { label: 'NLL (nats/token)', digits: 4 },
  accuracy: { label: 'accuracy (%)', percent: true },
  f1: { label: 'F1 (%)', percent: true },
  matthews: { label: 'Matthews (× 100)', percent: true },
  pearson: { label: 'Pearson (× 100)', percent: true },
  spearman: { label: 'Spearman (× 100)', percent: true },
  score: { label: 'mean of the metrics (× 100)', percent: true },
  loss: { label: 'loss', digits: 4 },
}

/** Metrics in the order of a table's columns; a loss is none, only what searches may rank by. */
export const METRIC_ORDER = Object.keys(NAMES).filter((key) => key !== 'loss')

/** What a table calls the metric. */
export function metricLabel(metric: string): string {
  return NAMES[metric]?.label ?? metric
}

/** Digits after the point that tell one run from another. */
export function digitsOf(metric: string): number {
  return NAMES[metric]?.digits ?? 2
}

/** The largest value that a table can tell of the metric, where it has one: an axis ends there. */
export function mostOf(metric: string): { readonly most?: number } {
  return NAMES[metric]?.percent === true ? { most: 100 } : {}
}

/** A value that a run keeps in the unit that tables tell it in; null without a finite one. */
export function inUnit(metric: string, value: number | null | undefined): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null
  return NAMES[metric]?.percent === true ? 100 * value : value
}
