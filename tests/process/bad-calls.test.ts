import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import type { BadCallsReport } from './bad-calls.js'

const child = fileURLToPath(new URL('bad-calls.js', import.meta.url))

test('no call with a bad value ends the process, and every refusal is a typed error', async (t) => {
  t.timeout(240_000)
  const { stdout } = await promisify(execFile)(process.execPath, [child], { maxBuffer: 1 << 26 })
  const { calls, targets, refused, untyped, native } = JSON.parse(stdout) as BadCallsReport
  t.log(`${calls} calls of ${targets} functions, ${native.calls} of the addon's own`, refused)
  t.true(calls >= 2000 && native.calls >= 2000)
  t.deepEqual(untyped, [])
  t.deepEqual(native.oddities, [])
  t.is(refused['ERR_INTERNAL'], undefined, 'a bad argument is no internal fault')
})
