import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { SagetrainError } from '#ts/errors.js'
import type { ArmOptions, ArmTraining, Measured, Metrics, PreparedTask, TaskCommand, TimedEvent } from '#ts/cli/task-command.js'

/** What the scripted task was asked to do. */
export interface Script {
  readonly started: ArmOptions[]
  disposed: number
  /** Called before each step; may throw, or wait. */
  onStep?: (arm: string, step: number) => void | Promise<void>
  /** What an evaluation finds, unless it is BLEU that grows with the steps. */
  evaluation?: (arm: string, step: number) => { readonly metrics: Metrics; readonly best: boolean }
  /** Called before it is measured, and before its test parts are predicted; may throw. */
  onMeasure?: (arm: string, what: 'held-out' | 'test') => void
}

/** A task whose training is a formula: the command's whole path without an addon. */
export function scriptedTask(script: Script): TaskCommand {
  return {
    name: 'scripted',
    about: 'a formula instead of a model',
    title: 'Scripted',
    examples: ['sagetrain train scripted --steps 20'],
    keys: { prepare: ['source'], train: ['optimizer', 'schedule', 'steps', 'threads', 'seed'] },
    files: ['source'],
    check: (train) => {
      if (train['optimizer'] === undefined) throw new SagetrainError('ERR_CONFIG', 'train.optimizer: is missing')
    },
    columns: [
      { key: 'loss', label: 'loss', digits: 3, better: 'lower' },
      { key: 'bleu', label: 'BLEU', digits: 1, better: 'higher' },
      { key: 'tokensPerSecond', label: 'tokens/s', digits: 0, better: 'higher' },
      { key: 'peakMemory', label: 'peak memory', digits: 0, format: 'bytes' },
    ],
    headline: 'bleu',
    defaults: { prepare: {}, train: { optimizer: { type: 'adam', lr: 1e-3 }, steps: 20 } },
    prepare: async (options, say) => {
      say('Preparing.')
      if (options['source'] === 'missing') throw new SagetrainError('ERR_DATA', 'source: missing is not a file; give one')
      return prepared(script)
    },
  }
}

function prepared(script: Script): PreparedTask {
  return {
    facts: [{ label: 'data', value: '10 sentences' }],
    measuredOn: '10 held-out sentences',
    train: async (options) => {
      script.started.push(options)
      if (options.folder !== false) await mkdir(join(options.folder, 'checkpoints'), { recursive: true })
      return training(options, script)
    },
    compare: async (arms) => ({
      comparisons: arms.length < 2 ? [] : [{ metric: 'bleu', baseline: arms[0]?.name ?? '', arm: arms[1]?.name ?? '', difference: 2, interval: [1, 3], pValue: 0.01, samples: 10, resamples: 1000 }],
      intervals: Object.fromEntries(arms.map(({ name }) => [name, { bleu: [18, 22] as const }])),
      samples: [{ source: 'Hallo <Welt>', reference: 'Hello <world>', outputs: Object.fromEntries(arms.map(({ name, measured }) => [name, measured.outputs[0] ?? ''])) }],
      boundaries: [],
    }),
    async [Symbol.asyncDispose]() {
      script.disposed += 1
    },
  }
}

function training(options: ArmOptions, script: Script): ArmTraining {
  const sage = JSON.stringify(options.train).includes('sage')
  const bleu = sage ? 22 : 20
  return {
    events: eventsOf(options, script),
    measure: async (): Promise<Measured> => {
      script.onMeasure?.(options.name, 'held-out')
      return { bestStep: 10, metrics: { loss: 1.5, bleu }, signatures: { bleu: 'nrefs:1' }, outputs: [`Hello \u001b[31m${options.name}`] }
    },
    predictTest: async () => {
      script.onMeasure?.(options.name, 'test')
      return { 'predicted.txt': options.name }
    },
    async [Symbol.asyncDispose]() {
      script.disposed += 1
    },
  }
}

async function* eventsOf({ name, train, folder, signal }: ArmOptions, script: Script): AsyncGenerator<TimedEvent> {
  const total = Number(train['steps'])
  yield { type: 'start', totalSteps: total, parameters: 5600000, device: 'cpu', precision: 'float32', threads: Number(train['threads'] ?? 1), seconds: 0 }
  for (let step = 1; step <= total; step += 1) {
    await script.onStep?.(name, step)
    await setTimeout(1)
    yield { type: 'step', step, loss: 9 / step, tokensPerSecond: 1000, optimizerShare: 0.1, seconds: step / 10 }
    if (step % 10 === 0) yield { type: 'evaluation', step, ...(script.evaluation?.(name, step) ?? { metrics: { loss: 8 / step, bleu: step }, best: true }), seconds: step / 10 }
    if (signal.aborted) {
      if (folder !== false) await writeFile(join(folder, 'checkpoints', `step-${step}`), '')
      yield { type: 'end', reason: 'stopped', step, seconds: step / 10 }
      return
    }
  }
  yield { type: 'end', reason: 'finished', step: total, seconds: total / 10 }
}
