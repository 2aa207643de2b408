import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, Classification, Classifier } from '#ts/index.js'
import { temporaryFolder } from '../temporary.js'
import { reviews, tinyBert } from './encoder.js'
import { askPython } from './python.js'

interface Found {
  readonly class: string
  readonly labels: readonly string[]
  readonly longest: number
  readonly probabilities: readonly (readonly number[])[]
}

test('transformers classifies as we do with what was trained, from text on', async (t) => {
  const folder = temporaryFolder(t)
  const train = join(folder, 'train.tsv')
  writeFileSync(train, `text\tlabel\n${reviews(200).map(({ text, label }) => `${text}\t${label}\n`).join('')}`)
  using task = await Classification.prepare({ train, columns: { text: 'text', label: 'label' }, tokenizer: await tinyBert(join(folder, 'bert')), maxLength: 12, output: join(folder, 'prepared') })
  const { best } = await task.train({ optimizer: adam({ lr: 2e-3, sage: {} }), epochs: 3, threads: 1, precision: 'float32', folder: join(folder, 'run') }).done
  const model = join(best?.path ?? '', 'model')
  // Of many lengths, longer ones than those of the training, and words that are not in the vocabulary.
  const texts = [...reviews(12, 500).map(({ text }) => text), `${'the film was '.repeat(9)}bad`, 'Ein völlig unbekannter Satz.', '']
  const found = await askPython<Found>(t, 'torch and transformers', join('tests', 'task', 'classifier_interop.py'), model, JSON.stringify(texts))
  if (found === undefined) return
  using classifier = await Classifier.load(model)
  t.deepEqual([found.class, found.labels, found.longest], ['BertForSequenceClassification', classifier.labels, 12])
  const ours = await classifier.predict(texts)
  for (const [index, one] of ours.entries()) {
    for (const [id, label] of classifier.labels.entries()) {
      const [is, should] = [('probabilities' in one ? one.probabilities[label] : undefined) ?? Number.NaN, found.probabilities[index]?.[id] ?? Number.NaN]
      t.true(Math.abs(is - should) < 1e-5, `${texts[index]}, ${label}: ${is}, transformers says ${should}`)
    }
  }
})
