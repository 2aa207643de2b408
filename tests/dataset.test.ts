import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Dataset, type Sample } from '#ts/index.js'
import { refusal } from './refusals.js'
import { points, sentences } from './samples.js'
import { temporaryFolder } from './temporary.js'

test('samples in memory keep their rows, and say what is known of their columns', async (t) => {
  using dataset = await Dataset.from(sentences(10))
  t.is(dataset.length, 10)
  t.like(dataset.columns[0], { name: 'source', type: 'ragged', longest: 9, least: 0 })
  using batch = dataset.batch([3, 0])
  const source = batch.read('source')
  const rows = sentences(10).map((sample) => Array.from(sample['source'] ?? []))
  t.deepEqual([...source.values], [...(rows[3] ?? []), ...(rows[0] ?? [])])
  t.is(source.type === 'ragged' && source.offsets[1], rows[3]?.length)
  t.is(dataset.about, null)
})

test('any iterable will do, and an array that is used again is copied', async (t) => {
  async function* reused(): AsyncGenerator<Sample> {
    const features = new Float32Array(1)
    for (let value = 0; value < 5; value++) {
      features[0] = value
      yield { features }
    }
  }
  using dataset = await Dataset.from(reused())
  t.deepEqual([...dataset.batch([0, 1, 2, 3, 4]).read('features').values], [0, 1, 2, 3, 4])
  t.deepEqual(dataset.columns, [{ name: 'features', type: 'dense', width: 1 }])
  using same = await Dataset.from(new Set(points(3)))
  t.is(same.fingerprint, (await Dataset.from(points(3))).fingerprint)
})

test('a dataset is written whole, opened again, verified, and keeps what was said of it', async (t) => {
  const path = join(temporaryFolder(t), 'a.dataset')
  using made = await Dataset.from(sentences(50))
  await made.write(path, { made: 'here' })
  using opened = await Dataset.open(path)
  await opened.verify()
  t.deepEqual([opened.length, opened.columns, opened.about], [50, made.columns, { made: 'here' }])
  t.deepEqual(opened.batch([49]).read('target'), made.batch([49]).read('target'))
})

test('truncated, altered and foreign files are refused by name', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.dataset')
  using made = await Dataset.from(sentences(50))
  await made.write(path)
  const bytes = await readFile(path)
  const altered = Buffer.from(bytes)
  altered[altered.length - 3] = (altered.at(-3) ?? 0) ^ 1
  for (const [name, content] of [['cut', bytes.subarray(0, bytes.length - 1)], ['head', bytes.subarray(0, 20)], ['empty', Buffer.alloc(0)], ['text', Buffer.from('hello')]] as const) {
    const bad = join(folder, name)
    writeFileSync(bad, content)
    const error = await refusal(t, 'ERR_DATASET', () => Dataset.open(bad))
    t.is(error.fields['path'], bad)
  }
  writeFileSync(join(folder, 'altered'), altered)
  using damaged = await Dataset.open(join(folder, 'altered'))
  await refusal(t, 'ERR_DATASET', () => damaged.verify())
  await refusal(t, 'ERR_IO', () => Dataset.open(join(folder, 'none')))
  mkdirSync(join(folder, 'no-shards'))
  await refusal(t, 'ERR_DATASET', () => Dataset.open(join(folder, 'no-shards')))
})

test('samples that do not fit together are refused by sample and column', async (t) => {
  const [row] = points(1) as [Sample]
  const cases: [unknown, Parameters<typeof refusal>[1], Record<string, unknown>][] = [
    [[row, { ...row, label: Float32Array.of(1) }], 'ERR_DATA', { sample: 1, column: 'label' }],
    [[row, { features: Float32Array.of(1), label: row['label'] }], 'ERR_SHAPE', { sample: 1, column: 'features' }],
    [[row, { features: row['features'] }], 'ERR_DATA', { sample: 1, column: 'label' }],
    [[row, { ...row, lable: row['label'] }], 'ERR_DATA', { sample: 1, column: 'lable' }],
    [[{ features: [1, 2] }], 'ERR_DATA', { sample: 0, column: 'features' }],
    [[3], 'ERR_DATA', { sample: 0 }],
    [[null], 'ERR_DATA', { sample: 0 }],
  ]
  for (const [samples, code, fields] of cases) t.like((await refusal(t, code, () => Dataset.from(samples as Sample[]))).fields, fields)
  await refusal(t, 'ERR_SHAPE', () => Dataset.from([]))
  for (const samples of [undefined, 3, {}, 'text']) await refusal(t, 'ERR_ARGUMENT', () => Dataset.from(samples as never))
})

test('indices past the end, and of another kind, are refused', async (t) => {
  using dataset = await Dataset.from(points(4))
  await refusal(t, 'ERR_ARGUMENT', () => dataset.batch([4]))
  for (const indices of [[-1], [0.5], ['0'], 3, undefined]) await refusal(t, 'ERR_ARGUMENT', () => dataset.batch(indices as never))
})

test('what the user throws while samples are read comes back as it is', async (t) => {
  const mine = new Error('mine')
  const failing = {
    *[Symbol.iterator](): Generator<Sample> {
      yield* points(1)
      throw mine
    },
  }
  t.is(await t.throwsAsync(Dataset.from(failing)), mine)
})

test('a disposed dataset says so; its loaders and batches go on', async (t) => {
  const dataset = await Dataset.from(points(8))
  const batch = dataset.batch([1])
  const loader = dataset.loader({ batchSize: 4 })
  dataset[Symbol.dispose]()
  dataset[Symbol.dispose]()
  for (const use of [() => dataset.batch([0]), () => dataset.loader({ batchSize: 1 }), () => dataset.verify(), () => dataset.write('x')]) {
    await refusal(t, 'ERR_DISPOSED', use)
  }
  t.is(batch.read('features').values.length, 2)
  await refusal(t, 'ERR_DISPOSED', () => loader.batches())
})
