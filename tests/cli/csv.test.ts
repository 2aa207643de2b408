import test from 'ava'
import { CsvRows } from '#ts/cli/csv.js'

function rowsOf(...lines: readonly string[]): readonly (readonly string[])[] {
  const csv = new CsvRows()
  return lines.flatMap((line) => {
    const row = csv.push(line)
    return row === undefined ? [] : [row]
  })
}

test('columns are as RFC 4180 and the preparation have them', (t) => {
  t.deepEqual(rowsOf('a,b,c\r', 'd,,'), [['a', 'b', 'c'], ['d', '', '']])
  t.deepEqual(rowsOf('"a, b","say ""so""",""'), [['a, b', 'say "so"', '']])
  t.deepEqual(rowsOf('a "quote" within,"closed" and more'), [['a "quote" within', 'closed and more']])
  t.deepEqual(rowsOf('"two\r', 'lines","😀"\r', 'next'), [['two\r\nlines', '😀'], ['next']])
})

test('a quote that is open goes on in the next line', (t) => {
  const csv = new CsvRows()
  t.is(csv.push('a,"b'), undefined)
  t.true(csv.isOpen)
  t.deepEqual(csv.push('c"'), ['a', 'b\nc'])
  t.false(csv.isOpen)
})
