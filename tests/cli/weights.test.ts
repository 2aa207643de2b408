import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
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

const golden = JSON.parse(readFileSync('tests/golden/minilm.json', 'utf8')) as readonly { readonly text: readonly [string, string?]; readonly probabilities: readonly number[] }[]

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

/** Puts the weights that the golden file's program computes into a saved folder's classifier. */
function writeClassifier(folder: string, classes: number): void {
  const path = join(folder, 'model.safetensors')
  const file = readFileSync(path)
  const head = 8 + Number(file.readBigUInt64LE(0))
  const entries = JSON.parse(file.toString('utf8', 8, head)) as Record<string, { readonly data_offsets: readonly [number, number] }>
  const write = (name: string, values: readonly number[]): void => values.forEach((value, index) => file.writeFloatLE(value, head + (entries[name]?.data_offsets[0] ?? Number.NaN) + 4 * index))
  write('classifier.weight', Array.from({ length: classes * 384 }, (_, place) => Math.sin(place) / 4))
  write('classifier.bias', [0.1, -0.2, 0.3])
  writeFileSync(path, file)
}

withMinilm('real weights say what transformers says with them, of texts and pairs, short and cut (skipped likewise)', async (t) => {
  const folder = temporaryFolder(t)
  const { model } = await Model.fineTune(minilm, { head: { kind: 'classification', classes: 3 }, pooler: 'pretrained' })
  await model.save(folder)
  model[Symbol.dispose]()
  writeClassifier(folder, 3)
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt', 'special_tokens_map.json']) if (existsSync(join(minilm, file))) copyFileSync(join(minilm, file), join(folder, file))
  using classifier = await Classifier.load(folder)
  const said = await classifier.predict(golden.map(({ text: [text, pair] }) => (pair === undefined ? text : { text, pair })))
  for (const [index, { text, probabilities }] of golden.entries()) {
    const one = said[index]
    const found = one !== undefined && 'probabilities' in one ? Object.values(one.probabilities) : []
    for (const [place, value] of probabilities.entries()) t.true(Math.abs((found[place] ?? Number.NaN) - value) < 1e-5, `${text.join(' | ').slice(0, 40)}: ${found.join(', ')} instead of ${probabilities.join(', ')}`)
  }
})
