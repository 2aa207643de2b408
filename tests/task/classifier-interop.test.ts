import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adam, Classification, Classifier, type Classifiable } from '#ts/index.js'
import { temporaryFolder } from '../temporary.js'
import { pairsTsv, reviewPairs, reviews, tinyBert, tinyRoberta } from './encoder.js'
import { askPython } from './python.js'

interface Found {
  readonly class: string
  readonly labels: readonly string[]
  readonly longest: number
  readonly probabilities: readonly (readonly number[])[]
}

const LONG = `${'the film was '.repeat(9)}bad`
// Of many lengths, longer ones than those of the training, and words that are not in the vocabulary.
const TEXTS = [...reviews(12, 500).map(({ text }) => text), LONG, 'Ein völlig unbekannter Satz.', '']
const PAIRS: readonly (readonly [string, string])[] = [
  ...reviewPairs(12, 500).map(({ text, pair }) => [text, pair] as const),
  // Either is cut, both are, and one is empty.
  [LONG, 'the plot is dull'], ['a song', LONG], [LONG, `not ${LONG}`], [LONG, LONG], ['', 'a clever book'], ['a clever book', ''], ['Ein völlig', ' unbekannter  Satz.'],
]

const CASES = [
  { name: 'BERT on texts', make: tinyBert, class: 'BertForSequenceClassification', texts: TEXTS },
  { name: 'BERT on pairs', make: tinyBert, class: 'BertForSequenceClassification', texts: PAIRS },
  { name: 'RoBERTa on texts', make: tinyRoberta, class: 'RobertaForSequenceClassification', texts: TEXTS },
  { name: 'RoBERTa on pairs', make: tinyRoberta, class: 'RobertaForSequenceClassification', texts: PAIRS },
] as const

/** Trains a classifier; resolves to its folder. */
async function trained(folder: string, make: typeof tinyRoberta, pair: boolean): Promise<string> {
  const encoder = await make(join(folder, 'encoder'))
  const train = join(folder, 'train.tsv')
  writeFileSync(train, pairsTsv(pair ? reviewPairs(200) : reviews(200).map((one) => Object.assign(one, { pair: '' }))))
  const columns = pair ? { text: 'text', pair: 'pair', label: 'label' } : { text: 'text', label: 'label' }
  using task = await Classification.prepare({ train, columns, tokenizer: encoder, maxLength: 24, output: join(folder, 'prepared') })
  const { best } = await task.train({ optimizer: adam({ lr: 4e-3, sage: {} }), batch: { batchSize: 16 }, epochs: 6, best: { metric: 'loss' }, threads: 1, precision: 'float32', folder: join(folder, 'run') }).done
  return join(best?.path ?? '', 'model')
}

test('transformers classifies as we do with what was trained, from text on', async (t) => {
  const folder = temporaryFolder(t)
  const models: string[] = []
  for (const { name, make, texts } of CASES) models.push(await trained(join(folder, name), make, texts === PAIRS))
  // One program for all: most of its time is its start.
  const asked = CASES.flatMap(({ texts }, index) => [models[index] ?? '', JSON.stringify(texts)])
  const found = await askPython<readonly Found[]>(t, 'torch and transformers', join('tests', 'task', 'classifier_interop.py'), ...asked)
  for (const [place, { class: architecture, labels, longest, probabilities }] of (found ?? []).entries()) {
    const { name = '', texts = [], class: expected } = CASES[place] ?? {}
    using classifier = await Classifier.load(models[place] ?? '')
    t.deepEqual([architecture, labels, longest], [expected, classifier.labels, 24])
    const ours = await classifier.predict(texts.map((one): Classifiable => (typeof one === 'string' ? one : { text: one[0], pair: one[1] })))
    t.is(ours.length, probabilities.length)
    const shares = probabilities.map(([first = 0]) => first)
    t.true(Math.max(...shares) - Math.min(...shares) > 0.5, `${name}: it says much the same of all, which proves little`)
    for (const [index, one] of ours.entries()) {
      for (const [id, label] of classifier.labels.entries()) {
        const [is, should] = [('probabilities' in one ? one.probabilities[label] : undefined) ?? Number.NaN, probabilities[index]?.[id] ?? Number.NaN]
        t.true(Math.abs(is - should) < 1e-5, `${name}: ${String(texts[index])}, ${label}: ${is}, transformers says ${should}`)
      }
    }
  }
})
