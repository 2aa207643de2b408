import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import test from 'ava'
import { adam, Translation } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'

const FAIRSEQ = { folder: fileURLToPath(new URL('../crates/data/tests/golden/fairseq', import.meta.resolve('#ts/index.js'))), source: 'de', target: 'en' }

test('a folder of fairseq-preprocess can be trained on and scored', async (t) => {
  const output = temporaryFolder(t)
  using task = await Translation.prepare({ fairseq: FAIRSEQ, output })
  t.is(task.dataset('train').length, 80)
  t.is(task.tokenizer.size, task.prepared.vocabulary)
  const run = task.train({
    model: { hiddenSize: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 16 },
    optimizer: adam({ lr: 1e-3 }),
    batch: { maxTokens: 500 },
    evaluation: { beam: 1, maxLengthRatio: 0, maxLengthExtra: 2 },
    steps: 2,
    folder: join(output, 'run'),
  })
  const { best } = await run.done
  t.true(Number.isFinite(best?.metrics.loss))
  using again = await Translation.prepare({ fairseq: FAIRSEQ, output })
  t.true(again.prepared.reused)
})

test('what does not go with it is refused', async (t) => {
  const output = temporaryFolder(t)
  await refusal(t, 'ERR_CONFIG', () => Translation.prepare({ fairseq: FAIRSEQ, tsv: 'a.tsv', output }))
  await refusal(t, 'ERR_CONFIG', () => Translation.prepare({ fairseq: { ...FAIRSEQ, languages: 2 } as never, output }))
  await refusal(t, 'ERR_DATA', () => Translation.prepare({ fairseq: { ...FAIRSEQ, source: 'fr' }, output }))
})
