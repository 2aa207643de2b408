import test from 'ava'
import { isSagetrainError, SagetrainError } from '#ts/errors.js'

test('an error carries code, fields and cause', (t) => {
  const cause = new Error('below')
  const error = new SagetrainError('ERR_SHAPE', 'too long', { fields: { expected: 2 }, cause })
  t.deepEqual([error.name, error.code, error.message, error.fields, error.cause], ['SagetrainError', 'ERR_SHAPE', 'too long', { expected: 2 }, cause])
  t.true(error instanceof Error && Object.isFrozen(error.fields))
  t.false('cause' in new SagetrainError('ERR_SHAPE', 'no cause'))
})

test('the brand knows errors of another copy of the package, and tells codes apart', (t) => {
  const foreign = Object.defineProperty(Object.assign(new Error('x'), { code: 'ERR_DATA', fields: {} }), Symbol.for('sagetrain.error'), { value: true })
  t.true(isSagetrainError(foreign))
  t.true(isSagetrainError(foreign, 'ERR_DATA'))
  t.false(isSagetrainError(foreign, 'ERR_IO'))
  for (const other of [new Error('x'), undefined, null, 'ERR_DATA', { code: 'ERR_DATA' }]) t.false(isSagetrainError(other))
})
