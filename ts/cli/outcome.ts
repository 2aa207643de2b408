import { armNames, labelOf, measuredColumns, runLabel, seedsPerArm, spread, valuesOf } from '../report/arms.js'
import type { ArmReport, ComparisonReport, MetricColumn } from '../report/report-data.js'
import { showMetric } from '../report/metric.js'
import { seedStatement, verdict } from '../report/verdict.js'
import { printTable } from './table.js'
import { printable, type Terminal } from './terminal.js'

/** Prints the table of all arms, who is ahead and how sure that is, and the held-out sentences. */
export function printOutcome(terminal: Terminal, report: ComparisonReport): void {
  const columns = measuredColumns(report)
  const means = seedsPerArm(report) < 2 ? [] : armNames(report).map((arm) => meanRow(report, arm, columns))
  const rows = [...report.arms.map((run) => runRow(report, run, columns)), ...means]
  terminal.line()
  printTable(terminal, [{ label: '', align: 'left' }, ...columns.map(({ key, label }) => ({ label: report.arms.some(({ result }) => result?.intervals[key]) ? `${label} [95 %]` : label }))], rows)
  terminal.line()
  terminal.line(terminal.style('bold', verdict(report)))
  terminal.line(seedStatement(report))
  for (const line of ratesLines(report)) terminal.line(line)
  printSamples(terminal, report)
}

function runRow(report: ComparisonReport, run: ArmReport, columns: readonly MetricColumn[]): readonly string[] {
  const cells = columns.map((column) => {
    const [value, interval] = [run.result?.metrics[column.key], run.result?.intervals[column.key]]
    return interval === undefined ? showMetric(column, value) : `${showMetric(column, value)} [${interval.map((end) => showMetric(column, end)).join(', ')}]`
  })
  return [runLabel(report, run), ...cells]
}

function meanRow(report: ComparisonReport, arm: string, columns: readonly MetricColumn[]): readonly string[] {
  const cells = columns.map((column) => {
    const { mean, deviation } = spread(valuesOf(report, arm, column.key))
    return `${showMetric(column, mean)} ± ${showMetric(column, deviation)}`
  })
  return [`${labelOf(report, arm)}, mean ± s`, ...cells]
}

function ratesLines({ rates }: ComparisonReport): readonly string[] {
  return rates === null ? [] : [`Rates: ${rates.description} (${rates.command})`]
}

function printSamples(terminal: Terminal, report: ComparisonReport): void {
  if (report.samples.length === 0) return
  const width = Math.max(...report.arms.map((run) => runLabel(report, run).length), 'reference'.length)
  terminal.line()
  terminal.line(terminal.style('bold', 'Sentences it never saw'))
  for (const { source, reference, outputs } of report.samples) {
    terminal.line(`  ${terminal.style('dim', 'source'.padEnd(width))}  ${printable(source)}`)
    for (const run of report.arms) terminal.line(`  ${terminal.style('dim', runLabel(report, run).padEnd(width))}  ${printable(outputs[run.name] || '(nothing at all)')}`)
    terminal.line(`  ${terminal.style('dim', 'reference'.padEnd(width))}  ${printable(reference)}`)
    terminal.line()
  }
}
