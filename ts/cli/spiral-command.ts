import { modelFolder } from '../checkpoint.js'
import { choiceOf } from '../choice.js'
import type { Dataset } from '../dataset.js'
import type { Boundary } from '../report/boundary.js'
import { fixed } from '../report/format.js'
import type { Fact } from '../report/report-data.js'
import { Spiral, spiralKeys, spiralTrainOptions, type SpiralTrainOptions } from '../task/spiral/spiral.js'
import { armEvents, numbersOf } from './arm-events.js'
import { withTrained } from './measuring.js'
import type { JsonObject } from '../merge.js'
import type { ArmOptions, ArmTraining, Compared, Measured, MeasuredArm, PreparedTask, TaskCommand } from './task-command.js'

/** Grid points a side of a drawn boundary, and how far the picture reaches; the arms end at radius 1. */
const GRID = { resolution: 121, extent: 1.2 } as const

/** Training points that are drawn. */
const POINTS = 400

export const spiralCommand: TaskCommand = {
  name: 'spiral',
  about: 'two arms of points and a small perceptron, Adam and Adam-SAGE side by side, in under a minute',
  title: 'Spiral',
  examples: ['sagetrain train spiral', 'sagetrain train spiral --optimizer adamax-sage --optimizer.sage.form released', 'sagetrain train spiral --compare.adam-sage.optimizer.sage.beta0 0.9', 'sagetrain train spiral --noise 0.06 --seeds 3'],
  keys: spiralKeys,
  files: [],
  check: (train) => void spiralTrainOptions(train),
  columns: [
    { key: 'accuracy', label: 'accuracy', digits: 2, better: 'higher', format: 'percent' },
    { key: 'loss', label: 'loss', digits: 4, better: 'lower' },
    { key: 'tokensPerSecond', label: 'points/s', digits: 0, better: 'higher' },
    { key: 'optimizerShare', label: 'optimizer’s share', digits: 1, format: 'percent' },
    { key: 'trainingSeconds', label: 'training', digits: 0, format: 'duration' },
    { key: 'peakMemory', label: 'peak memory', digits: 0, format: 'bytes' },
  ],
  headline: 'accuracy',
  choice: (train) => choiceOf(spiralTrainOptions(train).best.metric),
  defaults: {
    prepare: {},
    train: { optimizer: { type: 'adam', lr: 1e-3, observe: { every: 20 } }, batch: { batchSize: 100 }, epochs: 60 },
    compare: [
      { name: 'adam', train: {} },
      { name: 'adam-sage', train: { optimizer: { sage: { beta0: 0.75 } } } },
    ],
  },
  prepare: async (options) => {
    const task = await Spiral.prepare(options)
    return new PreparedSpiral(task)
  },
}

class PreparedSpiral implements PreparedTask {
  readonly facts: readonly Fact[]
  readonly measuredOn: string
  readonly #task: Spiral

  constructor(task: Spiral) {
    this.#task = task
    const [train, valid] = [task.dataset('train').length, task.dataset('valid').length]
    this.measuredOn = `the ${fixed(valid)} validation points that the best weights were chosen by`
    this.facts = [{ label: 'points', value: `${fixed(train)} training, ${fixed(valid)} validation, drawn with different seeds` }]
  }

  get dataset(): Dataset {
    return this.#task.dataset('train')
  }

  async train({ train, folder, resume, signal }: ArmOptions): Promise<ArmTraining> {
    const run = this.#task.train({ ...(train as unknown as SpiralTrainOptions), folder, resume, signal })
    return {
      events: armEvents(run, folder),
      measure: async () => {
        const { best, checkpoint } = await run.done
        return this.#measure(best?.path ?? checkpoint, best?.step ?? 0, train)
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  async #measure(checkpoint: string | undefined, bestStep: number, train: JsonObject): Promise<Measured> {
    if (checkpoint === undefined) return { bestStep, metrics: {}, signatures: {}, outputs: [] }
    const model = modelFolder(checkpoint)
    return { bestStep, metrics: numbersOf(await withTrained(model, train, (trained) => this.#task.evaluate(trained))), signatures: {}, outputs: [], model }
  }

  async compare(arms: readonly MeasuredArm[]): Promise<Compared> {
    const boundaries = await Promise.all(arms.map((arm) => this.#boundary(arm)))
    return { comparisons: [], intervals: {}, samples: [], boundaries: boundaries.filter((one) => one !== undefined) }
  }

  async #boundary({ label, measured }: MeasuredArm): Promise<Boundary | undefined> {
    if (measured.model === undefined) return undefined
    const { probabilities, resolution, extent } = await this.#task.boundary(measured.model, GRID)
    return {
      title: label,
      caption: `accuracy ${fixed((measured.metrics['accuracy'] ?? Number.NaN) * 100, 1)} % on validation points`,
      size: resolution,
      x: [-extent, extent],
      y: [-extent, extent],
      probabilities: Array.from(probabilities, (probability) => Math.round(probability * 1000) / 1000),
      points: this.#points(),
    }
  }

  #points(): Boundary['points'] {
    const dataset = this.#task.dataset('train')
    using batch = dataset.batch(Array.from({ length: Math.min(POINTS, dataset.length) }, (_, index) => index))
    const [features, labels] = [batch.read('features').values, batch.read('label').values]
    return Array.from(labels, (label, index) => ({ x: round(features[2 * index]), y: round(features[2 * index + 1]), label: label === 1 ? 1 : 0 }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#task[Symbol.dispose]()
  }
}

function round(value = 0): number {
  return Math.round(value * 10_000) / 10_000
}
