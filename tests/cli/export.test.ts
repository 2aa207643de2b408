import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Model, type TransformerShapeOptions } from '#ts/index.js'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

async function save(folder: string, shape: TransformerShapeOptions): Promise<void> {
  using model = await Model.create({ type: 'transformer', vocabularySize: 30, hiddenSize: 16, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForwardSize: 16, ...shape })
  await model.save(folder)
}

const modelType = (folder: string): unknown => (JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>)['model_type']

test('a model goes into the format that holds it, and into no other', async (t) => {
  const folder = temporaryFolder(t)
  await save(join(folder, 'post'), {})
  await save(join(folder, 'pre'), { normalization: 'pre' })
  for (const [name, format] of [['post', 'marian'], ['pre', 'pegasus']] as const) {
    const { code, out, err } = await start(folder, ['export', name, '--output', `out-${name}`]).ended
    t.deepEqual([code, err], [0, ''])
    t.regex(out, /there is no tokenizer/)
    t.is(modelType(join(folder, `out-${name}`)), format)
    t.deepEqual(readFileSync(join(folder, `out-${name}`, 'model.safetensors')), readFileSync(join(folder, name, 'model.safetensors')))
  }
  const refused = await start(folder, ['export', 'pre', '--output', 'none', '--format', 'marian']).ended
  t.not(refused.code, 0)
  t.regex(refused.err, /format "marian": it holds normalization "post", the model's is "pre"; this model is saved as pegasus/)
  const foreign = await start(folder, ['export', 'pre', '--output', 'none', '--format', 'm2m100']).ended
  t.regex(foreign.err, /sinusoids have other frequencies/)
  t.false(existsSync(join(folder, 'none', 'model.safetensors')))
})

test('what is missing is said', async (t) => {
  const folder = temporaryFolder(t)
  t.regex((await start(folder, ['export']).ended).err, /one model/)
  t.regex((await start(folder, ['export', 'nowhere']).ended).err, /--output is missing/)
  t.regex((await start(folder, ['export', 'nowhere', '--output', 'x']).ended).err, /no model is there/)
})
