import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { adam, inverseSqrt, listCheckpoints, readCheckpoint, verifyResume, type Dataset } from '#ts/index.js'
import { startRun } from '#ts/task/training.js'
import { refusal } from './refusals.js'
import { pointSet, sentenceSet, transformer } from './samples.js'
import { temporaryFolder } from './temporary.js'

/** A run of a Transformer with dropout, SAGE, accumulation and averages, and two checkpoints. */
async function trained(t: ExecutionContext, dataset: Dataset, options: object = {}): Promise<readonly string[]> {
  const folder = temporaryFolder(t)
  await startRun({
    task: 'sentences',
    options: {
      optimizer: adam({ lr: 4e-3, sage: {} }), schedule: inverseSqrt({ warmupSteps: 5 }), accumulate: 3, average: { decay: 0.9 }, maxGradientNorm: 1, threads: 2, precision: 'float32',
      seed: 3, epochs: 2, checkpoint: { everySteps: 4, keep: 2, keepBest: 1 }, divergence: 'error', folder, resume: false, ...options,
    },
    dataset,
    model: await transformer(),
    batch: { maxTokens: 40 },
    labelSmoothing: 0.1,
    score: () => 0,
    attachments: [],
  }).done
  return listCheckpoints(join(folder, 'checkpoints'))
}

/** Changes a checkpoint's file and its manifest with it, as only a fault of ours could. */
function tamper(checkpoint: string, name: string, change: (bytes: Buffer) => Buffer): void {
  const file = join(checkpoint, name)
  const changed = change(readFileSync(file))
  writeFileSync(file, changed)
  const manifest = JSON.parse(readFileSync(join(checkpoint, 'manifest.json'), 'utf8')) as { files: Record<string, object> }
  manifest.files[name] = { size: changed.length, sha256: createHash('sha256').update(changed).digest('hex') }
  writeFileSync(join(checkpoint, 'manifest.json'), JSON.stringify(manifest))
}

test('a run goes on to the same bits, and its later checkpoint is what a replay gives', async (t) => {
  using dataset = await sentenceSet(90)
  const [before = '', last = ''] = await trained(t, dataset)
  const certificate = await verifyResume(before, dataset, { steps: 3, later: last })
  t.true(certificate.equal)
  t.deepEqual(certificate.interrupted.differences, [])
  t.deepEqual(certificate.interrupted.expected, certificate.interrupted.found)
  t.like(certificate, { step: (await readCheckpoint(before)).step, steps: 3, replayed: { later: last, differences: [] } })
  const moved = await verifyResume(before, dataset, { steps: 4 })
  t.not(moved.interrupted.expected.parameters, certificate.interrupted.expected.parameters)
})

test('a later checkpoint that differs in one bit is found, by the array', async (t) => {
  using dataset = await sentenceSet(90)
  const [before = '', last = ''] = await trained(t, dataset)
  tamper(last, 'optimizer.safetensors', (bytes) => ((bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1), bytes))
  const { equal, replayed, interrupted } = await verifyResume(before, dataset, { steps: 2, later: last })
  t.false(equal)
  t.deepEqual(interrupted.differences, [])
  t.true(replayed !== undefined && 'differences' in replayed && replayed.differences.length === 1 && replayed.differences[0]?.startsWith('optimizer/'))
})

test('a place in the data that was not kept would be found', async (t) => {
  using dataset = await sentenceSet(90)
  const [before = '', last = ''] = await trained(t, dataset)
  tamper(last, 'state.json', (bytes) => Buffer.from(bytes.toString().replace(/"batch": (\d+)/, (_, batch: string) => `"batch": ${Number(batch) + 1}`)))
  const { replayed } = await verifyResume(before, dataset, { steps: 1, later: last })
  t.deepEqual(replayed !== undefined && 'differences' in replayed ? replayed.differences : undefined, ['position'])
})

test('checkpoints of different courses or machines are not compared, and it is said why', async (t) => {
  using dataset = await sentenceSet(90)
  const [before = '', last = ''] = await trained(t, dataset)
  const reason = async (later: string): Promise<string | undefined> => {
    const { equal, replayed } = await verifyResume(before, dataset, { steps: 1, later })
    t.true(equal)
    return replayed !== undefined && 'incomparable' in replayed ? replayed.incomparable : undefined
  }
  const other = join(temporaryFolder(t), 'step-00000099')
  for (const [from, to, expected] of [['"cpuCapability": "', '"cpuCapability": "X', /CPU capability changed from X/], ['"libtorch": "2', '"libtorch": "1', /libtorch changed from 1/], ['"labelSmoothing": 0.1', '"labelSmoothing": 0.2', /options changed/]] as const) {
    cpSync(last, other, { recursive: true })
    tamper(other, 'state.json', (bytes) => Buffer.from(bytes.toString().replaceAll(from, to)))
    t.regex((await reason(other)) ?? '', expected)
  }
  using foreign = await sentenceSet(91)
  t.is((await refusal(t, 'ERR_CHECKPOINT', () => verifyResume(before, foreign))).fields['path'], before)
  using points = await pointSet(5)
  await refusal(t, 'ERR_CHECKPOINT', () => verifyResume(before, points))
  await refusal(t, 'ERR_CONFIG', () => verifyResume(before, dataset, { steps: 0 }))
})
