import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { classificationCommand } from '#ts/cli/classification-command.js'
import { checkCell, claimCell, type CellConfig } from '#ts/cli/cell-config.js'
import { modelsOf, type Inputs } from '#ts/cli/inputs.js'
import type { JsonObject } from '#ts/merge.js'
import { temporaryFolder } from '../temporary.js'

const COMMAND = { files: ['data', 'tokenizer', 'valid.source', 'output'], modelFolders: ['model.pretrained'] }
const PREPARE: JsonObject = { recipe: 'rte', data: '/a/glue', tokenizer: '/a/bert', valid: { source: '/a/valid' }, output: '/a/out' }
const TRAIN: JsonObject = { model: { pretrained: '/a/bert', pooler: 'new' }, epochs: 6, threads: 4 }
const HELD: Inputs = { data: '11', models: { 'model.pretrained': '22' } }

const cell = (prepare = PREPARE, train = TRAIN, inputs = HELD): CellConfig => ({ config: { task: 'classification', prepare, train }, command: COMMAND, inputs })
const moved = cell({ recipe: 'rte', data: '/b/glue', tokenizer: '/b/bert', valid: { source: '/b/valid' }, output: '/b/out' }, { model: { pretrained: '/b/bert', pooler: 'new' }, epochs: 6, threads: 2 })

test('paths may differ where they hold the same; anything else is named', async (t) => {
  const folder = join(temporaryFolder(t), 'run')
  await claimCell(folder, cell())
  await t.notThrowsAsync(checkCell(folder, moved))
  await t.throwsAsync(checkCell(folder, { ...moved, inputs: { ...HELD, data: '12' } }), { code: 'ERR_STATE', message: /is of other data: what its files held/ })
  await t.throwsAsync(checkCell(folder, { ...moved, inputs: { ...HELD, models: { 'model.pretrained': '23' } } }), { code: 'ERR_STATE', message: /is of another train\.model\.pretrained/ })
  await t.throwsAsync(checkCell(folder, cell({ ...PREPARE, recipe: 'mrpc' })), { code: 'ERR_STATE', message: /is of prepare\.recipe "rte", asked for is "mrpc"/ })
  await t.throwsAsync(checkCell(folder, cell(PREPARE, { ...TRAIN, model: { pretrained: '/a/bert', pooler: 'pretrained' } })), { message: /train\.model\.pooler "new"/ })
  await t.throwsAsync(checkCell(folder, cell({ recipe: 'rte', tokenizer: '/a/bert', valid: { source: '/a/valid' } })), { message: /prepare\.data "\/a\/glue", asked for is nothing/ })
})

test('the model is the tokenizer’s where none is named, and an arm’s own where one is', async (t) => {
  const folder = temporaryFolder(t)
  for (const [name, text] of [['one', 'abc'], ['two', 'abd']] as const) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'config.json'), '{}')
    writeFileSync(join(folder, name, 'model.safetensors'), text)
  }
  const [one, two] = [join(folder, 'one'), join(folder, 'two')]
  const models = (train: JsonObject, tokenizer: string) => modelsOf(classificationCommand, { prepare: { tokenizer }, train }, new Map())
  const implied = await models({}, one)
  t.deepEqual(implied, await models({ model: { pretrained: one } }, two), 'what is trained is what counts')
  t.notDeepEqual(implied, await models({}, two))
  t.deepEqual(await models({ model: { preset: 'bert-base' } }, one), {})
  t.deepEqual(Object.keys(await models({ model: { fineTuned: two } }, one)), ['model.fineTuned'])
})

test('a run goes on with the paths as they are now', async (t) => {
  const folder = temporaryFolder(t)
  await claimCell(folder, cell())
  await claimCell(folder, moved)
  t.is((JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { prepare: { data: string } }).prepare.data, '/b/glue')
})

test('a folder that does not say what its paths held fits the same places alone, however they are spelt', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'glue'))
  symlinkSync(join(folder, 'glue'), join(folder, 'link'))
  const [at, linked, elsewhere] = ['glue', 'link', 'none'].map((name) => cell({ ...PREPARE, data: join(folder, name) }))
  if (at === undefined || linked === undefined || elsewhere === undefined) return t.fail()
  const run = join(folder, 'run')
  await claimCell(run, at)
  rmSync(join(run, 'inputs.json'))
  await t.notThrowsAsync(checkCell(run, linked))
  await t.throwsAsync(checkCell(run, elsewhere), { code: 'ERR_STATE', message: /prepare\.data .* and it does not say what was there/ })
  writeFileSync(join(run, 'inputs.json'), '{')
  await t.throwsAsync(checkCell(run, at), { code: 'ERR_DATA', message: /inputs\.json: does not say what the run was trained on/ })
})

test('a model is its settings and weights, in one file or several, and nothing else of its folder', async (t) => {
  const folder = temporaryFolder(t)
  const write = (name: string, files: Readonly<Record<string, string>>): string => {
    mkdirSync(join(folder, name))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text)
    return join(folder, name)
  }
  const of = async (path: string): Promise<string | undefined> => (await modelsOf(COMMAND, { prepare: {}, train: { model: { pretrained: path } } }, new Map()))['model.pretrained']
  const [config, weights] = [{ 'config.json': '{}' }, { 'model.safetensors': 'abc' }]
  const one = await of(write('one', { ...config, ...weights }))
  t.regex(one ?? '', /^[0-9a-f]{64}$/)
  t.is(await of(write('copy', { ...config, ...weights, 'README.md': 'text', 'pytorch_model.bin': 'x' })), one)
  t.not(await of(write('weights', { ...config, 'model.safetensors': 'abd' })), one)
  t.not(await of(write('settings', { ...weights, 'config.json': '{"a":1}' })), one)
  const shards = { ...config, 'model.safetensors.index.json': '{}', 'model-00001-of-00002.safetensors': 'a', 'model-00002-of-00002.safetensors': 'b' }
  const several = await of(write('shards', shards))
  t.not(await of(write('other-shard', { ...shards, 'model-00002-of-00002.safetensors': 'c' })), several)
  t.deepEqual([await of(join(folder, 'none')), await of(write('empty', config)), await modelsOf({}, { prepare: PREPARE, train: TRAIN }, new Map())], [undefined, undefined, {}])
})
