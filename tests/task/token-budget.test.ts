import { join } from 'node:path'
import { memoryUsage } from 'node:process'
import test from 'ava'
import { adam, Dataset, readCheckpoint, type TrainEvent } from '#ts/index.js'
import { checkArms } from '#ts/cli/arms.js'
import { translationCommand } from '#ts/cli/translation-command.js'
import { concluded, findTokenBudget, probe } from '#ts/task/token-budget.js'
import { startRun, type TaskTraining } from '#ts/task/training.js'
import { translationTrainOptions } from '#ts/task/translation/translation.js'
import { refusal } from '../refusals.js'
import { temporaryFolder } from '../temporary.js'

const MIB = 2 ** 20
const LONGEST = 50

const model = { type: 'transformer', vocabularySize: 1000, hiddenSize: 128, encoderLayers: 1, decoderLayers: 1, heads: 4, feedForwardSize: 512, maxPositions: 64 } as const
const session = { optimizer: adam({ lr: 1e-3, sage: {} }), threads: 1, precision: 'float32', labelSmoothing: 0.1 } as const

const corpus = (): Promise<Dataset> => {
  const row = (length: number): Int32Array => new Int32Array(length).fill(5)
  return Dataset.from(Array.from({ length: 500 }, (_, index) => ({ source: row(index === 7 ? LONGEST : 4 + (index % 9)), target: row(3 + (index % 30)) })))
}

test('a budget is concluded from the line through what was measured, by its steeper part', (t) => {
  const probes = [{ maxTokens: 512, bytes: 100 }, { maxTokens: 1024, bytes: 612 }, { maxTokens: 2048, bytes: 2660 }]
  t.is(concluded(probes, 2660 + 2000), 3048)
  t.is(concluded(probes, 612), 1024)
  t.is(concluded(probes, 50), 487)
  t.is(concluded([{ maxTokens: 512, bytes: 100 }, { maxTokens: 1024, bytes: 90 }], 200), Infinity)
})

test('what is found fits into the memory given, and a little more memory gives more of it', async (t) => {
  using dataset = await corpus()
  const search = (beyond: number) => findTokenBudget({ model, session, dataset, memoryBytes: Math.round((memoryUsage.rss() + beyond) / 0.85) })
  const [small, large] = [await search(60 * MIB), await search(120 * MIB)]
  t.true(small.maxTokens < large.maxTokens, `${small.maxTokens} ${large.maxTokens}`)
  t.is(small.maxTokens % 64, 0)
  const rows = [{ name: 'source', length: LONGEST }, { name: 'target', length: 32 }]
  const taken = await probe({ model, session, rows, samples: Math.floor(large.maxTokens / LONGEST) })
  t.true(taken < 120 * MIB * 1.1, `${large.maxTokens} tokens took ${taken / MIB} MiB`)
  t.true(taken > 120 * MIB * 0.6, `${large.maxTokens} tokens took only ${taken / MIB} MiB`)
})

test('where nothing fits it is said what there is and what it takes', async (t) => {
  using dataset = await corpus()
  const none = await refusal(t, 'ERR_CONFIG', () => findTokenBudget({ model, session, dataset, memoryBytes: MIB }))
  t.regex(none.message, /no budget fits: 0 .* may be planned with/)
  const little = await refusal(t, 'ERR_CONFIG', () => findTokenBudget({ model, session, dataset, memoryBytes: Math.round((memoryUsage.rss() + MIB) / 0.85) }))
  t.regex(little.message, /no budget fits: batches of 512 tokens take .* may be planned with/)
})

test('a run tells its budget, keeps it, and goes on with the same whatever memory there is then', async (t) => {
  using dataset = await corpus()
  const folder = temporaryFolder(t)
  const run = async (steps: number, memoryBytes: number, resume: boolean): Promise<unknown> => {
    const training: TaskTraining<object> = {
      task: 'sentences',
      options: { ...session, seed: 1, steps, checkpoint: { keep: 1, keepBest: 1 }, divergence: 'error', folder, resume },
      dataset, model, batch: {}, tokenBudget: { memoryBytes }, score: () => 0, attachments: [],
    }
    const events: TrainEvent<object>[] = []
    for await (const event of startRun(training)) events.push(event)
    const [start] = events
    return start?.type === 'start' ? start.data['maxTokens'] : undefined
  }
  const found = await run(1, memoryUsage.rss() + 400 * MIB, false)
  t.is(typeof found, 'number')
  t.is(((await readCheckpoint(join(folder, 'checkpoints/step-00000001'))).run as { data: { maxTokens: number } }).data.maxTokens, found as number)
  t.is(await run(2, MIB, true), found)
})

test('it is an option of one run alone, and its memory one of it', async (t) => {
  const train = { model: {}, optimizer: { type: 'adam', lr: 1e-3 }, epochs: 1, batch: { maxTokens: 'auto' } }
  t.deepEqual(translationTrainOptions(train).batch, { maxTokens: 'auto' })
  t.notThrows(() => checkArms([{ name: 'one', train }], translationCommand))
  for (const run of [() => checkArms([{ name: 'one', train }, { name: 'two', train }], translationCommand), () => checkArms([{ name: 'one', train }], translationCommand, [1, 2])]) {
    t.is((await refusal(t, 'ERR_CONFIG', run)).fields['key'], 'train.batch.maxTokens')
  }
  const idle = { ...train, batch: { maxTokens: 100, memoryBytes: 1e9 } }
  t.is((await refusal(t, 'ERR_CONFIG', () => translationTrainOptions(idle))).fields['key'], 'train.batch.memoryBytes')
  t.is((await refusal(t, 'ERR_CONFIG', () => translationTrainOptions({ ...train, batch: { maxTokens: 'all' } }))).fields['key'], 'train.batch.maxTokens')
})
