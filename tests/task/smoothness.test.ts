import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { adamax, Classification, verifyResume, type ClassificationTrainOptions, type SmoothnessOptions, type StartEvent, type StepEvent } from '#ts/index.js'
import { start } from '../cli/process.js'
import { refusal } from '../refusals.js'
import { reviews, tinyBert } from './encoder.js'

let folder: string
let task: Classification

const options = { optimizer: adamax({ lr: 3e-3, sage: {} }), maxGradientNorm: 1, batch: { batchSize: 16 }, epochs: 6, threads: 1, precision: 'float32', seed: 3 } as const satisfies ClassificationTrainOptions

test.before('a folder of a small BERT, and files of labelled text', async () => {
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-smoothness-'))
  const tsv = (count: number, from: number): string => ['review\tverdict', ...reviews(count, from).map(({ text, label }) => `${text}\t${label}`)].join('\n') + '\n'
  writeFileSync(join(folder, 'train.tsv'), tsv(240, 0))
  writeFileSync(join(folder, 'valid.tsv'), tsv(60, 1000))
  const [train, valid, tokenizer] = [join(folder, 'train.tsv'), join(folder, 'valid.tsv'), await tinyBert(join(folder, 'bert'))]
  task = await Classification.prepare({ train, valid, tokenizer, columns: { text: 'review', label: 'verdict' }, output: join(folder, 'prepared') })
})

test.after.always(async () => {
  task[Symbol.dispose]()
  await rm(folder, { recursive: true, force: true })
})

/** What a training tells, with its accuracy in the end. */
async function told(change: Partial<ClassificationTrainOptions>): Promise<{ begin: StartEvent; steps: readonly StepEvent[]; accuracy: number; smooth: number }> {
  const run = task.train({ ...options, folder: false, ...change })
  const steps: StepEvent[] = []
  let begin: StartEvent | undefined
  for await (const event of run) {
    if (event.type === 'start') begin = event
    if (event.type === 'step') steps.push(event)
  }
  if (begin === undefined) throw new Error('no start')
  const { best } = await run.done
  const terms = steps.map(({ smoothness }) => smoothness ?? 0)
  return { begin, steps, accuracy: best?.metrics.accuracy ?? 0, smooth: terms.reduce((sum, term) => sum + term, 0) / terms.length }
}

test.serial('it learns as well, and smoother the more the term weighs', async (t) => {
  const smoothness = { weight: 5, radius: 2, steps: 2 }
  const [light, heavy, none] = [await told({ smoothness: { ...smoothness, weight: 1e-6 } }), await told({ smoothness }), await told({})]
  for (const { accuracy } of [light, heavy, none]) t.true(accuracy > 0.95, `accuracy ${accuracy}`)
  t.true(heavy.smooth < light.smooth * 0.75, `${heavy.smooth} ${light.smooth}`)
  t.true(none.steps.every((step) => !('smoothness' in step)))
  t.like(heavy.begin.session, { smoothness: { ...smoothness, noise: 1e-5, stepSize: 1e-5, norm: 'infinity' } })
  // The same pass over the same first batch: the loss that is told has no term in it.
  t.is(heavy.steps[0]?.loss, none.steps[0]?.loss)
})

test.serial('a run that goes on equals the one that was not interrupted', async (t) => {
  const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')]
  const total = { ...options, smoothness: { norm: 'euclidean', steps: 2 }, epochs: 2, totalSteps: 30 } as const
  const { checkpoint: expected = '' } = await task.train({ ...total, folder: whole }).done
  await task.train({ ...total, epochs: 1, folder: parts }).done
  const { checkpoint: found = '' } = await task.train({ ...total, folder: parts, resume: true }).done
  for (const file of ['model/model.safetensors', 'optimizer.safetensors']) t.deepEqual(readFileSync(join(found, file)), readFileSync(join(expected, file)), file)
  t.true((await verifyResume(found, task.dataset('train'), { steps: 2 })).equal)
  const warnings: string[] = []
  for await (const event of task.train({ ...total, smoothness: { steps: 1 }, epochs: 3, folder: parts, resume: true })) if (event.type === 'warning') warnings.push(event.message)
  t.true(warnings.some((text) => text.startsWith('smoothness.steps changed from 2 to 1')), warnings.join('\n'))
})

test.serial('flags set it, and the plan tells it', async (t) => {
  const common = ['train', 'classification', '--train', 'train.tsv', '--valid', 'valid.tsv', '--columns.text', 'review', '--columns.label', 'verdict', '--tokenizer', 'bert', '--output', 'prepared', '--steps', '2']
  const { code, out, err } = await start(folder, [...common, '--name', 'flags', '--smoothness.weight', '3', '--smoothness.norm', 'euclidean']).ended
  t.is(code, 0, err)
  t.regex(out, /smoothness +weight 3 norm euclidean/)
  t.regex(readFileSync(join(folder, 'runs/flags/events.jsonl'), 'utf8'), /"smoothness":\{"weight":3.*"norm":"euclidean"\}.*\n(.*\n)*.*"type":"step".*"smoothness":\d/)
  t.regex((await start(folder, [...common, '--smoothness', '{}']).ended).out, /smoothness +with its defaults/)
  t.regex((await start(folder, [...common, '--smoothness.wieght', '3']).ended).err, /did you mean --?smoothness\.weight|did you mean "weight"/)
})

test.serial('what cannot be is refused by its name', async (t) => {
  const cases: [SmoothnessOptions, string][] = [
    [{ weight: 0 }, 'weight'],
    [{ noise: -1 }, 'noise'],
    [{ stepSize: Number.NaN }, 'stepSize'],
    [{ steps: 1.5 }, 'steps'],
    [{ steps: 1001 }, 'steps'],
    [{ radius: 0 }, 'radius'],
    [{ norm: 'l1' as never }, 'norm'],
    [{ wieght: 1 } as never, 'wieght'],
  ]
  for (const [smoothness, key] of cases) t.is((await refusal(t, 'ERR_CONFIG', () => task.train({ ...options, smoothness }))).fields['key'], `train.smoothness.${key}`)
  t.regex((await refusal(t, 'ERR_NON_FINITE', () => task.train({ ...options, smoothness: { noise: 1e30 }, folder: false }).done)).message, /^smoothness: a perturbation of the embeddings became NaN/)
})
