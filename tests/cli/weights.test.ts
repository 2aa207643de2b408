import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Classifier, Model, Tokenizer } from '#ts/index.js'
import { pretrainedWeights, weightsFolder } from '#ts/setup/weights.mjs'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

test('what there is, is listed; another name is answered with the nearest', async (t) => {
  const folder = temporaryFolder(t)
  const listed = await start(folder, ['weights', '--json']).ended
  t.deepEqual((JSON.parse(listed.out) as { weights: { name: string }[] }).weights.map(({ name }) => name), Object.keys(pretrainedWeights))
  const { code, err } = await start(folder, ['weights', 'all-MiniLM-L6']).ended
  t.is(code, 2)
  t.regex(err, /there are no weights called "all-MiniLM-L6"; did you mean "all-MiniLM-L6-v2"\?/)
})

const minilm = weightsFolder('all-MiniLM-L6-v2')
const withMinilm = existsSync(minilm) ? test : test.skip

withMinilm(`real weights load and take a head (skipped where \`sagetrain weights all-MiniLM-L6-v2\` was not run)`, async (t) => {
  const { model, new: drawn, unused } = await Model.fineTune(minilm, { head: { kind: 'classification', labels: ['no', 'yes'] }, pooler: 'pretrained' })
  using encoder = model
  t.deepEqual([drawn, unused], [['classifier.weight', 'classifier.bias'], []])
  const folder = temporaryFolder(t)
  await encoder.save(folder)
  t.like(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), { hidden_size: 384, num_hidden_layers: 6, id2label: { 0: 'no', 1: 'yes' } })
  using tokenizer = await Tokenizer.load(minilm)
  t.is(tokenizer.size, 30_522)
  await t.throwsAsync(Classifier.load(minilm), { message: /has no head that classifies/ })
})
