import test from 'ava'
import { parseArguments, valueOf, type OptionSpec } from '#ts/cli/arguments.js'
import { UsageError } from '#ts/cli/exit-codes.js'

const specs: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', about: 'machine-readable' },
  config: { type: 'string', value: 'FILE', about: 'configuration', short: 'c' },
}
const known = { keys: ['optimizer', 'batch', 'source', 'epochs'], paths: () => [] }

test('options, dotted flags and words are told apart', (t) => {
  const parsed = parseArguments(['train', 'translation', '--json', '-c', 'run.json', '--optimizer.sage.beta0', '0.75', '--batch.maxTokens=2000', '--epochs', '3'], specs, known)
  t.deepEqual(parsed.positionals, ['train', 'translation'])
  t.deepEqual({ ...parsed.options }, { json: true, config: 'run.json' })
  t.deepEqual(parsed.overrides.map(({ path, text }) => [path.join('.'), text]), [['optimizer.sage.beta0', '0.75'], ['batch.maxTokens', '2000'], ['epochs', '3']])
})

test('a flag without a value is true, and does not eat the next flag or what stands after --', (t) => {
  const parsed = parseArguments(['--optimizer.amsgrad', '--json', '--epochs', '--', 'word'], specs, known)
  t.deepEqual(parsed.overrides.map(({ text }) => text), [undefined, undefined])
  t.deepEqual(parsed.positionals, ['word'])
})

test('negative numbers are values', (t) => {
  t.deepEqual(parseArguments(['--optimizer.lr', '-1e-3'], specs, known).overrides[0]?.text, '-1e-3')
  t.deepEqual(parseArguments(['--optimizer.lr=-1'], specs, known).overrides[0]?.text, '-1')
})

test('what is unknown is refused with the nearest flag', (t) => {
  const message = (args: readonly string[]): string | undefined => t.throws(() => parseArguments(args, specs, known), { instanceOf: UsageError })?.message
  t.is(message(['--optimiser.lr', '1']), 'unknown option --optimiser.lr; did you mean --optimizer.lr?')
  t.is(message(['--jsn']), 'unknown option --jsn; did you mean --json?')
  t.is(message(['--wholly-different']), 'unknown option --wholly-different; see --help for what there is')
  t.is(message(['-x']), 'unknown option -x; see --help for what there is')
  t.is(message(['--config']), '--config needs a value: --config FILE')
  t.is(message(['--json=3']), '--json takes no value, got "3"')
  t.regex(message(['--optimizer..lr', '1']) ?? '', /is not a path/)
  t.regex(message(['--optimizer.__proto__.x', '1']) ?? '', /is not a path/)
})

test('a value is what it looks like', (t) => {
  t.deepEqual(['0.75', '1e-3', '2000', 'true', 'null', '[1,2]', '0.9,0.98', 'all', 'a,b', '{broken', '1.2.3', undefined].map(valueOf), [0.75, 1e-3, 2000, true, null, [1, 2], [0.9, 0.98], 'all', 'a,b', '{broken', '1.2.3', true])
})
