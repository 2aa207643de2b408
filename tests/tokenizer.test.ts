import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Tokenizer, Translation } from '#ts/index.js'
import { refusal } from './refusals.js'
import { temporaryFolder } from './temporary.js'
import { corpus } from './task/corpus.js'

test('text comes back to the byte, and every row ends with </s>', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Translation.prepare({ ...corpus(folder, 60), vocabulary: { size: 300 }, output: folder })
  using tokenizer = await Tokenizer.load(task.prepared.folder)
  const texts = ['ein rotes Haus', 'naïve 😀 </s> \u0000', '', 'trailing  ']
  const rows = tokenizer.encode(texts)
  t.true(rows.every((row) => row.at(-1) === 0 && row.every((id) => id >= 0 && id < tokenizer.size)))
  t.deepEqual(tokenizer.decode(rows), texts)
  t.is(tokenizer.size, task.prepared.vocabulary)
  t.is(tokenizer.size, task.tokenizer.size)
})

test('other tokenizers, missing ones and foreign ids are refused', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Translation.prepare({ ...corpus(folder, 60), vocabulary: { size: 300 }, output: folder })
  writeFileSync(join(folder, 'tokenizer.json'), '{}')
  await refusal(t, 'ERR_DATA', () => Tokenizer.load(folder))
  await refusal(t, 'ERR_IO', () => Tokenizer.load(join(folder, 'none.json')))
  copyFileSync(task.prepared.tokenizer, join(folder, 'tokenizer.json'))
  const tokenizer = await Tokenizer.load(folder)
  await refusal(t, 'ERR_DATA', () => tokenizer.decode([Int32Array.of(1_000_000)]))
  await refusal(t, 'ERR_DATA', () => tokenizer.decode([Int32Array.of(-1)]))
  for (const texts of ['text', [1], undefined]) await refusal(t, 'ERR_ARGUMENT', () => tokenizer.encode(texts as never))
  for (const rows of [[[1]], undefined, Int32Array.of(1)]) await refusal(t, 'ERR_ARGUMENT', () => tokenizer.decode(rows as never))
  tokenizer[Symbol.dispose]()
  tokenizer[Symbol.dispose]()
  await refusal(t, 'ERR_DISPOSED', () => tokenizer.encode(['a']))
})
