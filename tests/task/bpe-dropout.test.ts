import { join } from 'node:path'
import test from 'ava'
import { adam, Translation, type StepEvent, type TranslationTrainOptions } from '#ts/index.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'
import { corpus } from './corpus.js'

const model = { hiddenSize: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForwardSize: 16, dropout: 0 } as const

async function losses(task: Translation, batch: TranslationTrainOptions['batch']): Promise<readonly number[]> {
  const run = task.train({ model, optimizer: adam({ lr: 1e-3 }), batch, steps: 4, folder: false, threads: 1, precision: 'float32', seed: 3 })
  const events: StepEvent[] = []
  for await (const event of run) if (event.type === 'step') events.push(event)
  return events.map(({ loss }) => loss)
}

test('words are split anew, the same way for the same seed', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Translation.prepare({ ...corpus(folder, 60), heldOut: { valid: 0 }, vocabulary: { size: 300 }, output: join(folder, 'prepared') })
  const plain = await losses(task, { maxTokens: 400 })
  t.deepEqual(await losses(task, { maxTokens: 400, bpeDropout: 0 }), plain)
  const dropped = await losses(task, { maxTokens: 400, bpeDropout: 0.3 })
  t.notDeepEqual(dropped, plain)
  t.deepEqual(await losses(task, { maxTokens: 400, bpeDropout: { source: 0.3, target: 0.3 } }), dropped)
  t.notDeepEqual(await losses(task, { maxTokens: 400, bpeDropout: { target: 0.3 } }), dropped)
  t.throws(() => task.train({ model, optimizer: adam({ lr: 1e-3 }), batch: { maxTokens: 400, bpeDropout: 1.5 }, steps: 1 }), { code: 'ERR_CONFIG' })
})

test('a loader of a dataset takes it by column', async (t) => {
  const folder = temporaryFolder(t)
  using task = await Translation.prepare({ ...corpus(folder, 60), heldOut: { valid: 0 }, vocabulary: { size: 300 }, output: join(folder, 'prepared') })
  const tokens = async (probability: number): Promise<number> => {
    let sum = 0
    const bpeDropout = { columns: { target: { tokenizer: task.prepared.tokenizer, probability } } }
    for await (const batch of task.dataset('train').loader({ batchSize: 8, bpeDropout })) {
      sum += batch.tokens
      batch[Symbol.dispose]()
    }
    return sum
  }
  const [stored, half, bytes] = [await tokens(0), await tokens(0.5), await tokens(1)]
  t.true(stored < half && half < bytes, `${stored} ${half} ${bytes}`)
  await refusal(t, 'ERR_ARGUMENT', async () => {
    for await (const _ of task.dataset('train').loader({ batchSize: 8, bpeDropout: { columns: { label: { tokenizer: task.prepared.tokenizer, probability: 0.1 } } } })) t.fail()
  })
})
