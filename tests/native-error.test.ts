import test from 'ava'
import { call, calling, fromNative } from '#ts/native-error.js'
import { isSagetrainError } from '#ts/errors.js'

test('a marked message becomes the typed error it describes', (t) => {
  const error = fromNative(new Error('sagetrain:{"code":"ERR_SHAPE","message":"bad: \\"x\\"","fields":{"found":3}}'))
  t.deepEqual([error.code, error.message, error.fields], ['ERR_SHAPE', 'bad: "x"', { found: 3 }])
})

test('anything else is an internal fault with its cause', (t) => {
  const cause = new TypeError('no such function')
  for (const thrown of [cause, 'text', undefined]) {
    const error = fromNative(thrown)
    t.is(error.code, 'ERR_INTERNAL')
    t.is(error.cause, thrown)
  }
})

test('synchronous and awaited calls convert alike, what they throw before there is a promise too', async (t) => {
  const fail = (): never => {
    throw new Error('sagetrain:{"code":"ERR_IO","message":"disk full","fields":{}}')
  }
  t.true(isSagetrainError(t.throws(() => call(fail)), 'ERR_IO'))
  t.true(isSagetrainError(await t.throwsAsync(calling(fail)), 'ERR_IO'))
  t.true(isSagetrainError(await t.throwsAsync(calling(async () => fail())), 'ERR_IO'))
  t.is(await calling(async () => 3), 3)
})
