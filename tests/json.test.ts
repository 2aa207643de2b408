import test from 'ava'
import { decode, encode, present } from '#ts/json.js'
import { refusal } from './refusals.js'

test('plain JSON passes, undefined is left out', (t) => {
  t.is(encode({ a: 1, b: [true, null, 'x'], c: undefined, d: { e: -0.5 } }, 'x'), '{"a":1,"b":[true,null,"x"],"d":{"e":-0.5}}')
  t.is(encode(Object.assign(Object.create(null), { a: 1 }), 'x'), '{"a":1}')
})

test('what JSON would lose in silence is refused by its path', async (t) => {
  const cyclic: Record<string, unknown> = {}
  cyclic['a'] = cyclic
  const cases: [unknown, string][] = [
    [{ a: Number.NaN }, 'x.a'],
    [{ a: [1, Infinity] }, 'x.a[1]'],
    [{ a: () => 1 }, 'x.a'],
    [{ a: new Map() }, 'x.a'],
    [{ a: 1n }, 'x.a'],
    [{ a: Symbol('s') }, 'x.a'],
    [{ a: new Float32Array(2) }, 'x.a'],
  ]
  for (const [value, key] of cases) t.is((await refusal(t, 'ERR_CONFIG', () => encode(value, 'x'))).fields['key'], key)
  await refusal(t, 'ERR_CONFIG', () => encode(cyclic, 'x'))
})

test('what is read is frozen through and through', (t) => {
  const value = decode<{ a: { b: number[] } }>('{"a":{"b":[1]}}')
  t.true(Object.isFrozen(value) && Object.isFrozen(value.a) && Object.isFrozen(value.a.b))
})

test('present drops keys without a value', (t) => {
  t.deepEqual(present({ a: 1, b: undefined, c: null }), { a: 1, c: null })
})
