import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { readLines, readPairs } from '#ts/cli/lines.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'

async function fileOf(t: ExecutionContext, content: string | Uint8Array, name = 'lines.txt'): Promise<string> {
  const path = join(temporaryFolder(t), name)
  await writeFile(path, content)
  return path
}

async function linesOf(path: string): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of readLines(path)) lines.push(line)
  return lines
}

test('lines end at \\n or \\r\\n, as in training, and at nothing else', async (t) => {
  const odd = 'line\u2028separator, paragraph\u2029separator, return\rwithin, next\u0085line, feed\fand\vtab'
  t.deepEqual(await linesOf(await fileOf(t, `${odd}\nzwei\r\n\r\r\n\nlast`)), [odd, 'zwei', '\r', '', 'last'])
  t.deepEqual(await linesOf(await fileOf(t, 'eins\nzwei\n')), ['eins', 'zwei'])
  t.deepEqual(await linesOf(await fileOf(t, '')), [])
})

test('a letter and a \\r\\n that lie across two reads stay whole', async (t) => {
  const long = 'ü'.repeat(40_000)
  t.deepEqual(await linesOf(await fileOf(t, `x${long}\r\n${'y'.repeat(65_535)}\r\nend`)), [`x${long}`, 'y'.repeat(65_535), 'end'])
})

test('gzip is unpacked; a broken one, and what is no UTF-8, are named', async (t) => {
  const packed = gzipSync('eins\tone\nzwei\ttwo\n')
  t.deepEqual(await readPairs({ tsv: await fileOf(t, packed, 'a.tsv.gz') }), { sources: ['eins', 'zwei'], references: ['one', 'two'] })
  for (const [content, message] of [
    [packed.subarray(0, 20), /broken\.gz: is no whole gzip file \(unexpected end of file\); make it again/],
    [Buffer.from('plain text'), /broken\.gz: is no whole gzip file \(incorrect header check\).*drop the \.gz/],
    [gzipSync(Buffer.of(0x61, 0x0a, 0xff, 0x0a)), /broken\.gz:2: is not UTF-8/],
  ] as const) {
    const path = await fileOf(t, content, 'broken.gz')
    const error = await refusal(t, 'ERR_DATA', () => linesOf(path))
    t.regex(error.message, message)
    t.is(error.fields['path'], path)
  }
})

test('a file that cannot be read is named', async (t) => {
  for (const path of ['/nowhere', '/nowhere.gz']) t.is((await refusal(t, 'ERR_IO', () => linesOf(path))).message, `${path}: there is no such file`)
  t.regex((await refusal(t, 'ERR_IO', () => linesOf('/'))).message, /^\/: cannot be read \(EISDIR/)
})

test('a byte order mark is none within a file, and a letter cut off at its end is an error with its line', async (t) => {
  t.deepEqual(await linesOf(await fileOf(t, '\uFEFFeins\n\uFEFFzwei')), ['eins', '\uFEFFzwei'])
  const error = await refusal(t, 'ERR_DATA', async () => linesOf(await fileOf(t, Buffer.of(0x61, 0x0a, 0x0a, 0xc3))))
  t.is(error.fields['line'], 3)
})

test('a signal ends the reading with its reason', async (t) => {
  const reason = new Error('enough')
  const lines = readLines(await fileOf(t, 'eins\nzwei\n'), AbortSignal.abort(reason))
  t.is(await t.throwsAsync(lines.next()), reason)
})
