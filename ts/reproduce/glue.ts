import type { JsonObject } from '../cli/merge.js'
import { SagetrainError } from '../errors.js'
import { present } from '../json.js'
import { glueArms, glueSetting, type GlueArm, type GlueModel, type GlueSetting } from '../task/classification/glue-settings.js'
import { glueTask, type GlueTask, type GlueTaskName } from '../task/classification/glue.js'
import type { ExperimentArm, Matrix, Point } from './experiment.js'

/** Arms on one task of GLUE. A run's metrics are shares, by the keys of the task's figures. */
export interface GlueExperiment extends Matrix {
  readonly glue: GlueTask
  readonly model: GlueModel
}

/** What of Table 2 is asked for. */
export interface GlueAsked {
  readonly model: GlueModel
  /** The folder of the pretrained model and its tokenizer. */
  readonly pretrained: string
  /** The folder of the published archive. */
  readonly data: string
  readonly tasks: readonly GlueTaskName[]
  readonly arms: readonly GlueArm[]
}

const LABELS: Readonly<Record<GlueArm, string>> = { adam: 'Adam', 'adam-sage': 'Adam-SAGE', adamax: 'Adamax', 'adamax-sage': 'Adamax-SAGE' }

const NOTES = [
  'Hyper-parameters are Table 7’s, a column each; the paper tuned them on one seed and moved β0 by up to 0.1 between seeds, here it stays.',
  'SAGE is that of the paper’s released code: of encoder layers’ matrices and their biases, with its own decay (`form: "released"`).',
  'Weight decay 0.01 leaves out biases and layer norms, gradients are clipped to a norm of 1, and the rate falls as 1 − x after the warm-up, all as in the released code.',
  'The baselines’ decay follows the rate’s schedule and Adamax corrects its first moment, where the released code does neither.',
  'Probabilities are of single tests, as in the paper: of twenty tests without a difference one is below 0.05 by chance.',
  'Measured on the development set, on which the best epoch was chosen too, as in the paper.',
] as const

/**
 * The runs of Table 2 that are asked for, a matrix a task.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for an optimizer that the paper does not have for the model.
 */
export function glueExperiments(asked: GlueAsked): readonly GlueExperiment[] {
  const known = glueArms(asked.model)
  const unknown = asked.arms.find((arm) => !known.includes(arm))
  if (unknown !== undefined) throw new SagetrainError('ERR_CONFIG', `optimizers: Table 7 has no ${LABELS[unknown]} for ${asked.model}; it has ${known.join(', ')}`, { fields: { key: 'optimizers', value: unknown } })
  return asked.tasks.map((name) => experimentOf(asked, glueTask(name), known.filter((arm) => asked.arms.includes(arm))))
}

function experimentOf({ model, pretrained, data }: GlueAsked, glue: GlueTask, arms: readonly GlueArm[]): GlueExperiment {
  const settings = arms.flatMap((arm) => {
    const setting = glueSetting(model, arm, glue.name)
    return setting === undefined ? [] : [{ arm, setting }]
  })
  return {
    name: glue.name,
    label: glue.label,
    task: 'classification',
    prepare: { recipe: glue.name, data, tokenizer: pretrained },
    train: settings[0] === undefined ? {} : glueTrain(settings[0].setting, pretrained),
    arms: settings.map(({ arm, setting: { lr, beta0 } }) => glueArm(arm, [{ rate: lr }], beta0)),
    weights: 'best',
    together: 1,
    notes: NOTES,
    glue,
    model,
  }
}

/** What the arms of a task share. */
export function glueTrain({ batchSize, epochs, classifierDropout, warmupRatio }: Omit<GlueSetting, 'lr' | 'beta0'>, pretrained: string): JsonObject {
  return {
    model: { pretrained, classifierDropout },
    optimizer: { betas: [0.9, 0.999], eps: 1e-6, weightDecay: 0.01 },
    groups: [{ include: ['*.bias', '*LayerNorm.weight'], weightDecay: 0 }],
    schedule: { type: 'warmupLinear', warmupRatio },
    batch: { batchSize },
    epochs,
    maxGradientNorm: 1,
  }
}

/** An optimizer as the paper's code has it; β0 of one with SAGE where its points have none. */
export function glueArm(name: GlueArm, points: readonly Point[], beta0?: number): ExperimentArm {
  const type = name.startsWith('adamax') ? 'adamax' : 'adamw'
  const own = name.endsWith('-sage') ? { sage: { form: 'released', scope: 'encoder-linear', ...present({ beta0 }) } } : { decay: 'decoupled' }
  return { name, label: LABELS[name], train: { optimizer: { type, ...own } }, points }
}
