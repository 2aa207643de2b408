import { join } from 'node:path'
import test from 'ava'
import { adam, inverseSqrt, Translation, Translator, type TransformerShapeOptions } from '#ts/index.js'
import { temporaryFolder } from '../temporary.js'
import { corpus, lines } from './corpus.js'
import { askPython } from './python.js'

interface Report {
  readonly class: string
  readonly greedy: readonly string[]
  readonly ct2Greedy: readonly string[]
  readonly ct2Beam: readonly string[]
  /** What CTranslate2's own converter, or its loader, says to two vocabularies. */
  readonly stock: string | null
}

const [LIBRARIES, SCRIPT] = ['torch, transformers and ctranslate2', join('tests', 'task', 'interop.py')]
const LONGEST = 40
/** So many that the model is sure: how an unsure one's beams end depends on when a search stops, which CTranslate2 decides otherwise. */
const STEPS = 160

/** Sentences of the language, one a user would type, and one with nothing that the model has seen. */
const TEXTS = [...lines(12, 3).map((line) => line.split('\t')[0] ?? ''), 'ein Haus', 'Wählen Sie eine Farbe aus.']

/** The class, what the model has, and whether each side has a vocabulary of its own. */
const VARIANTS: readonly (readonly [string, TransformerShapeOptions, 'joint' | 'two'])[] = [
  ['MarianMTModel', {}, 'joint'],
  ['MarianMTModel', { embeddings: 'separate', activation: 'swish' }, 'joint'],
  ['PegasusForConditionalGeneration', { normalization: 'pre', encoderLayerDrop: 0.1 }, 'joint'],
  ['MarianMTModel', {}, 'two'],
  ['MarianMTModel', { embeddings: 'separate' }, 'two'],
]

async function train(task: Translation, variant: TransformerShapeOptions, folder: string): Promise<string> {
  const run = task.train({
    model: { preset: 'transformer-small', hiddenSize: 32, heads: 2, encoderLayers: 2, decoderLayers: 2, feedForwardSize: 64, ...variant },
    optimizer: adam({ lr: 5e-3, betas: [0.9, 0.98], sage: {} }),
    schedule: inverseSqrt({ warmupSteps: 20 }),
    batch: { maxTokens: 600 },
    steps: STEPS,
    evaluation: { everySteps: STEPS, beam: 1 },
    folder,
    threads: 1,
    precision: 'float32',
  })
  const { best } = await run.done
  return join(best?.path ?? '', 'model')
}

test('transformers and CTranslate2 translate as we do with what was trained', async (t) => {
  if (process.env['SAGETRAIN_PYTHON'] === undefined) return void (await askPython(t, LIBRARIES, SCRIPT))
  t.timeout(600_000)
  const folder = temporaryFolder(t)
  const data = { ...corpus(folder, 600), heldOut: { valid: 20 }, output: join(folder, 'prepared') }
  using joint = await Translation.prepare({ ...data, vocabulary: { size: 320 } })
  // Subwords of each side: fewer of the one than of the other.
  using two = await Translation.prepare({ ...data, vocabulary: { type: 'subword', merges: 60, joint: false } })
  t.not(two.tokenizer.size, two.targetTokenizer.size)
  const models: string[] = []
  for (const [index, [, variant, vocabularies]] of VARIANTS.entries()) models.push(await train(vocabularies === 'joint' ? joint : two, variant, join(folder, String(index))))

  const wanted = JSON.stringify({ texts: TEXTS, beam: 4, longest: LONGEST })
  const reports = await askPython<readonly Report[]>(t, LIBRARIES, SCRIPT, wanted, ...models)
  if (reports === undefined) return
  for (const [index, [name, , vocabularies]] of VARIANTS.entries()) {
    using translator = await Translator.load(models[index] ?? '')
    const search = async (beam: number): Promise<readonly string[]> => translator.translate(TEXTS, { beam, maxLengthRatio: 0, maxLengthExtra: LONGEST })
    const [greedy, beam] = [await search(1), await search(4)]
    t.is(reports[index]?.class, name)
    t.true(greedy.filter((text) => text.startsWith('a ')).length >= 12, 'the model has learnt something')
    t.deepEqual(reports[index]?.greedy, greedy, `${name} ${index}: transformers`)
    t.deepEqual(reports[index]?.ct2Greedy, greedy, `${name} ${index}: CTranslate2, greedy`)
    if (vocabularies === 'two') t.regex(reports[index]?.stock ?? '', /Target vocabulary 0 has size \d+ but the model expected/)
    t.deepEqual(reports[index]?.ct2Beam, beam, `${name} ${index}: CTranslate2, beam`)
  }
})
