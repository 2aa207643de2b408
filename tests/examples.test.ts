import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import * as sagetrain from '#ts/index.js'

/** `expression // value`: the last line of an example that says what it gives. */
const claim = /^(?<expression>[^/].*?) \/\/ (?<value>.+)$/

const files = [...sources('ts/optim'), ...sources('ts/schedule'), ...sources('ts/score')]

function sources(folder: string): string[] {
  return readdirSync(folder).map((name) => `${folder}/${name}`)
}

/** The claims of a file's examples. */
function claims(file: string): { expression: string; value: string }[] {
  const comments = readFileSync(file, 'utf8').match(/\/\*\*[\s\S]*?\*\//g) ?? []
  const examples = comments.flatMap((comment) => comment.split('@example').slice(1))
  const lines = examples.flatMap((example) => example.split('\n').map((line) => line.replace(/^\s*\* ?/, '')))
  return lines.flatMap((line) => {
    const { expression, value } = claim.exec(line)?.groups ?? {}
    return expression === undefined || value === undefined || expression.startsWith('optimizer.') ? [] : [{ expression, value }]
  })
}

test('examples give what they say', async (t) => {
  const found = files.flatMap(claims)
  t.true(found.length >= 10, `${found.length} claims`)
  for (const { expression, value } of found) {
    const names = Object.keys(sagetrain)
    const evaluate = (code: string): unknown => new Function(...names, `return (async () => (${code}))()`)(...Object.values(sagetrain)) as unknown
    const [given, said] = [await evaluate(expression), await evaluate(value)]
    if (typeof given === 'number') t.true(Math.abs(given - (said as number)) < 1e-9, expression)
    else t.deepEqual(given, said, expression)
  }
})
