import test from 'ava'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

const REFERENCE = 'the cat sat on the mat\nthere is a small house\nit rains today\n'

test('a table, a signature and p-values', async (t) => {
  t.pass()
})
