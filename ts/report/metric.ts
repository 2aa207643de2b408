import { bytes, duration, fixed, MISSING } from './format.js'
import type { MetricColumn } from './report-data.js'

/** A value as its column shows it. */
export function showMetric(column: MetricColumn, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  if (column.format === 'percent') return `${fixed(value * 100, column.digits)} %`
  if (column.format === 'bytes') return bytes(value)
  if (column.format === 'duration') return duration(value)
  return fixed(value, column.digits)
}
