import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Classifier, Model } from '#ts/index.js'
import { reviews, TINY, tinyBert } from '../task/encoder.js'
import { temporaryFolder } from '../temporary.js'
import { start } from './process.js'

test('evaluate cuts where predict cuts: at the model’s positions, beyond 512 too, where its tokenizer says so', async (t) => {
  const folder = temporaryFolder(t)
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache')
  const model = await tinyBert(join(folder, 'long'))
  using made = await Model.create({ type: 'bert', ...TINY, maxPositions: 640, head: { kind: 'classification', classes: 2, labels: ['negative', 'positive'] } }, { seed: 3 })
  // So that a word more says something else.
  for (const { name, shape } of made.parameters()) if (shape.length === 2) await made.write(name, (await made.read(name)).data.map((value) => 20 * value))
  await made.save(model)
  // 520 to 690 tokens.
  const texts = reviews(6).map(({ text, label }, index) => ({ text: `${'the film was not good and '.repeat(86 + 5 * index)}${text}`, label }))
  writeFileSync(join(folder, 'test.tsv'), `text\tlabel\n${texts.map(({ text, label }) => `${text}\t${label}\n`).join('')}`)
  const losses: number[] = []
  for (const [tokenizer, cut] of [[{ model_max_length: 640 }, 640], [{ model_max_length: 520 }, 520], [{ model_max_length: 1e30 }, 512], [{}, 512]] as const) {
    writeFileSync(join(model, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'BertTokenizer', do_lower_case: true, ...tokenizer }))
    using classifier = await Classifier.load(model)
    t.is(classifier.maxLength, cut)
    const said = await classifier.predict(texts.map(({ text }) => text))
    const expected = said.reduce((sum, one, index) => sum - Math.log('probabilities' in one ? (one.probabilities[texts[index]?.label ?? ''] ?? 0) : 0), 0) / texts.length
    const { code, out, err } = await start(folder, ['evaluate', 'long', '--test', 'test.tsv', '--columns.text', 'text', '--columns.label', 'label', '--json']).ended
    t.is(code, 0, err)
    const { loss } = (JSON.parse(out) as { metrics: { loss: number } }).metrics
    t.true(Math.abs(loss - expected) < 1e-5, `cut at ${cut}: ${loss}, predictions have ${expected}`)
    losses.push(loss)
  }
  t.true(Math.abs((losses[0] ?? 0) - (losses[1] ?? 0)) > 1e-3, `where it is cut says something else: ${losses.join(', ')}`)
})
