import test from 'ava'
import * as v from 'valibot'
import { count, flag, fraction, nonNegative, object, oneOf, parse, positive, show, text, whole } from '#ts/options.js'
import { refusal } from './refusals.js'

const schema = object({
  rate: positive,
  betas: v.optional(v.tuple([fraction, fraction]), [0.9, 0.999]),
  inner: v.optional(object({ every: count, word: v.optional(oneOf(['one', 'two']), 'one') }), { every: 1 }),
  on: v.optional(flag, false),
})

test('defaults are filled in and undefined counts as absent', (t) => {
  t.deepEqual(parse(schema, { rate: 1, betas: undefined, inner: { every: 2, word: undefined } }, 'x'), {
    rate: 1,
    betas: [0.9, 0.999],
    inner: { every: 2, word: 'one' },
    on: false,
  })
})

test('messages name the path, what was expected and what was found', async (t) => {
  const cases: [unknown, string, RegExp][] = [
    [{}, 'x.rate', /is missing/],
    [{ rate: '1e-3' }, 'x.rate', /expected a finite number > 0, got "1e-3"/],
    [{ rate: Number.NaN }, 'x.rate', /got NaN/],
    [{ rate: 1, betas: [0.9, 1] }, 'x.betas[1]', /expected a number in \[0, 1\), got 1/],
    [{ rate: 1, inner: { every: 0 } }, 'x.inner.every', /whole number >= 1, got 0/],
    [{ rate: 1, inner: { every: 1, word: 'tow' } }, 'x.inner.word', /"one" \| "two", got "tow"; did you mean "two"\?/],
    [{ rate: 1, inner: { evry: 1, every: 1 } }, 'x.inner.evry', /unknown option; did you mean "every"\?/],
    [{ rate: 1, on: 1 }, 'x.on', /expected true or false, got 1/],
    [3, 'x', /expected an object, got 3/],
    [null, 'x', /got null/],
    [undefined, 'x', /./],
  ]
  for (const [value, key, message] of cases) {
    const error = await refusal(t, 'ERR_CONFIG', () => parse(schema, value, 'x'))
    t.is(error.fields['key'], key, error.message)
    t.regex(error.message, message)
  }
})

test('of a union the member that got furthest is the one that complains', async (t) => {
  const either = object({ scope: v.union([oneOf(['all']), object({ include: v.array(text) })], 'expected "all" or { include }') })
  t.regex((await refusal(t, 'ERR_CONFIG', () => parse(either, { scope: { include: ['a', 3] } }, 'x'))).message, /^x\.scope\.include\[1\]: expected a string/)
  t.regex((await refusal(t, 'ERR_CONFIG', () => parse(either, { scope: 'al' }, 'x'))).message, /^x\.scope: expected "all" or \{ include \}/)
})

test('of a union of objects the member that shares most keys complains', async (t) => {
  const size = v.union([object({ batchSize: count }), object({ maxTokens: count, maxSamples: v.exactOptional(count) })], 'expected { batchSize } or { maxTokens }')
  const either = object({
    batch: v.optional(size, { batchSize: 1 }),
    best: v.exactOptional(v.union([object({ metrics: v.array(text) }), object({ metric: oneOf(['loss']) })], 'expected { metrics } or { metric }')),
    model: v.exactOptional(v.union([v.custom(() => false), v.looseObject({ preset: text, dropout: fraction }), object({ dropout: v.optional(fraction, 0), pooler: oneOf(['new']) })], 'expected a model')),
  })
  for (const [value, message] of [
    [{ batch: { size: 3 } }, 'x.batch.size: unknown option; known: batchSize, maxTokens, maxSamples'],
    [{ batch: { batchsize: 3 } }, 'x.batch.batchsize: unknown option; did you mean "batchSize"?'],
    [{ batch: { maxTokens: 3, maxSample: 1 } }, 'x.batch.maxSample: unknown option; did you mean "maxSamples"?'],
    [{ batch: { batchSize: 3, maxTokens: 1 } }, 'x.batch.maxTokens: does not go with batchSize'],
    [{ batch: { maxTokens: 0 } }, 'x.batch.maxTokens: expected a whole number >= 1, got 0'],
    [{ batch: 3 }, 'x.batch: expected { batchSize } or { maxTokens }'],
    [{ best: { metric: 'pearson' } }, 'x.best.metric: expected "loss", got "pearson"; or did you mean "metrics"?'],
    [{ model: { pooler: 'folder' } }, 'x.model.pooler: expected "new", got "folder"'],
    [{ model: { pooler: 'new', dropout: 2 } }, 'x.model.dropout: expected a number in [0, 1), got 2'],
  ] as const) {
    t.is((await refusal(t, 'ERR_CONFIG', () => parse(either, value, 'x'))).message, message)
  }
})

test('a value that contains itself is refused like any other', async (t) => {
  const cyclic: Record<string, unknown> = { rate: 1 }
  cyclic['self'] = cyclic
  await refusal(t, 'ERR_CONFIG', () => parse(schema, cyclic, 'x'))
})

test('numbers keep to their kind', async (t) => {
  t.is(parse(whole, 0, 'x'), 0)
  t.is(parse(nonNegative, 0, 'x'), 0)
  for (const [kind, bad] of [[whole, 1.5], [whole, -1], [whole, 2 ** 53], [count, 0], [nonNegative, -1], [nonNegative, Infinity], [positive, 0], [fraction, 1], [text, '']] as const) {
    await refusal(t, 'ERR_CONFIG', () => parse(kind as v.GenericSchema, bad, 'x'))
  }
})

test('values are shown short, and large ones by their kind', (t) => {
  const shown = [1, 'a', 'x'.repeat(100), [1, 2], {}, new Float32Array(3), new Map(), null, undefined, () => 1, Object.create(null), new DataView(new ArrayBuffer(2))].map(show)
  t.deepEqual(shown, ['1', '"a"', `"${'x'.repeat(57)}..."`, 'an array of 2', 'an object', 'Float32Array(3)', 'a Map', 'null', 'undefined', 'a function', 'a bare object', 'DataView(2)'])
})
