import type { Terminal } from './terminal.js'

/** A column's heading and side. */
export interface TableColumn {
  readonly label: string
  readonly align?: 'left' | 'right'
}

/** Lines of a table, columns two spaces apart; cells are plain text. */
export function tableLines(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = columns.map(({ label }, index) => Math.max(label.length, ...rows.map((row) => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => (align === 'left' ? (cells[index] ?? '').padEnd(widths[index] ?? 0) : (cells[index] ?? '').padStart(widths[index] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ label }) => label)), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)]
}

/** Prints a table; one too wide for the terminal is printed as one block a row instead of being wrapped into noise. */
export function printTable(terminal: Terminal, columns: readonly TableColumn[], rows: readonly (readonly string[])[]): void {
  const [head = '', rule = '', ...body] = tableLines(columns, rows)
  if (terminal.interactive && rule.length > terminal.columns()) return printBlocks(terminal, columns, rows)
  terminal.line(terminal.style('bold', head))
  terminal.line(terminal.style('dim', rule))
  for (const line of body) terminal.line(line)
}

function printBlocks(terminal: Terminal, columns: readonly TableColumn[], rows: readonly (readonly string[])[]): void {
  const width = Math.max(...columns.map(({ label }) => label.length))
  for (const row of rows) {
    terminal.line(terminal.style('bold', row[0] ?? ''))
    columns.slice(1).forEach(({ label }, index) => terminal.line(`  ${terminal.style('dim', label.padEnd(width))}  ${row[index + 1] ?? ''}`))
  }
}

/** Prints labelled values, labels aligned. */
export function printFacts(terminal: Terminal, facts: readonly { readonly label: string; readonly value: string }[]): void {
  const width = Math.max(0, ...facts.map(({ label }) => label.length))
  for (const { label, value } of facts) terminal.line(`  ${terminal.style('dim', label.padEnd(width))}  ${value}`)
}
