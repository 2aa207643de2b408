import { isObject, type JsonObject } from '../merge.js'
import { SagetrainError } from '../errors.js'
import { present } from '../json.js'
import { glueSetting, type GlueArm, type GlueModel, type GlueSetting } from '../task/classification/glue-settings.js'
import { glueTask, type GlueTask, type GlueTaskName } from '../task/classification/glue.js'
import type { ExperimentArm, Matrix, Point } from './experiment.js'
import { paperArms, paperModel, type PaperTable } from './glue-paper.js'

/** Arms on one task of GLUE. A run's metrics are shares, by the keys of the task's figures. */
export interface GlueExperiment extends Matrix, PaperTable {
  readonly glue: GlueTask
}

/** What of the paper's tables is asked for. */
export interface GlueAsked {
  readonly model: GlueModel
  /**
   * Whether to train with the smoothness term of SMART.
   * @default false
   */
  readonly smoothness?: boolean
  /** The folder of the pretrained model and its tokenizer. */
  readonly pretrained: string
  /** The folder of the published archive. */
  readonly data: string
  readonly tasks: readonly GlueTaskName[]
  readonly arms: readonly GlueArm[]
  /**
   * Whether the weights that were measured stay.
   * @default false
   */
  readonly keepModels?: boolean
}

const LABELS: Readonly<Record<GlueArm, string>> = { adam: 'Adam', 'adam-sage': 'Adam-SAGE', adamax: 'Adamax', 'adamax-sage': 'Adamax-SAGE' }

/** Of {@link glueTrain} and {@link glueArm}, whatever they are trained on. */
export const RECIPE_NOTES = [
  'SAGE is that of the paper’s released code: of encoder layers’ matrices and their biases, with its own decay (`form: "released"`).',
  'Weight decay 0.01 leaves out biases and layer norms, gradients are clipped to a norm of 1, and the rate falls as 1 − x after the warm-up, all as in the released code. Training is in float32 unless a flag is told of here: with SAGE that code forces it.',
  '“Adam” is AdamW here, the optimizer that the released Adam-SAGE modulates; that code has an Adam without bias correction too, and the paper does not say which of them is its baseline.',
  'The baselines differ from the released code’s: its AdamW decays by the rate before the schedule, here decay follows the schedule, as in its Adamax; its Adamax does not correct the bias of its first moment, here it does.',
  'The released Adamax, with and without SAGE, counts the schedule’s steps from 0, so that a warm-up begins with a step of rate 0: so does Adamax-SAGE here, while Adamax counts from 1.',
  'So the arms of a pair differ in recipe as well as in modulation, and a difference is that of both; docs/reproduction.md says how to tell them apart.',
  'Batches are drawn anew every epoch; the released code cuts the file into batches as it stands, shuffles those once, and replays them in that order.',
  'A run whose loss, gradients or outputs are no longer finite has diverged, whatever it scored before: it is told as such and counts in no mean.',
] as const

const NOTES = [
  'Hyper-parameters are Table 7’s, a column each; the paper tuned them on one seed and moved β0 by up to 0.1 between seeds, here it stays. The released settings have other dropouts before the classifier: 0.05 for CoLA and 0.1 for QQP.',
  ...RECIPE_NOTES,
  'Probabilities are of single tests, as in the paper: of twenty tests without a difference one is below 0.05 by chance.',
  'Measured on the development set, on which the best epoch was chosen too, as in the paper.',
] as const

/** What a report says of how an experiment's runs were made, flags and all. */
export function glueNotes({ notes, train: { earlyStopping } }: GlueExperiment): readonly string[] {
  if (!isObject(earlyStopping)) return [...notes, 'No run ends early, and each is measured with the weights of its best evaluation: the paper speaks of early stopping, and its released code has none.']
  const { patience, minDelta } = earlyStopping
  const gain = typeof minDelta === 'number' && minDelta > 0 ? ` by more than ${minDelta}` : ''
  return [...notes, `A run ends after ${String(patience)} evaluations in a row without a better mean of the task’s figures${gain}, and is measured with its best weights; the rate falls as if it trained to its end.`]
}

const SMOOTHNESS_NOTES = [
  'The loss has the smoothness term of SMART (Jiang et al. 2020): how much what the model says of a sample changes when its embeddings are moved a little, in the direction in which that is most. It is that half of SMART alone, as in the released code, which has no Bregman proximal steps.',
  'The moved embeddings go into the first layer as they are. The released code embeds them a second time (positions, types, layer norm and dropout: https://github.com/namisan/mt-dnn/issues/230); which of the two made Table 6 is not known.',
  'The paper states neither the term’s weight, noise and step size nor other hyper-parameters of Table 6: the term’s are this program’s defaults unless a flag is told of here, the others Table 7’s.',
] as const

/**
 * The runs of Table 2 that are asked for, or of Table 6, a matrix a task.
 *
 * @throws {@link SagetrainError} `ERR_CONFIG` for an optimizer that the paper does not have for the model.
 */
export function glueExperiments(asked: GlueAsked): readonly GlueExperiment[] {
  const table = { model: asked.model, smoothness: asked.smoothness === true }
  const known = paperArms(table)
  const unknown = asked.arms.find((arm) => !known.includes(arm))
  if (unknown !== undefined) throw new SagetrainError('ERR_CONFIG', `optimizers: the paper has no ${LABELS[unknown]} for ${paperModel(table)}; it has ${known.join(', ') || 'none'}`, { fields: { key: 'optimizers', value: unknown } })
  return asked.tasks.map((name) => experimentOf(asked, glueTask(name), known.filter((arm) => asked.arms.includes(arm))))
}

function experimentOf({ model, smoothness = false, pretrained, data, keepModels = false }: GlueAsked, glue: GlueTask, arms: readonly GlueArm[]): GlueExperiment {
  const settings = arms.flatMap((arm) => {
    const setting = glueSetting(model, arm, glue.name)
    return setting === undefined ? [] : [{ arm, setting }]
  })
  return {
    name: glue.name,
    label: glue.label,
    task: 'classification',
    prepare: { recipe: glue.name, data, tokenizer: pretrained },
    train: settings[0] === undefined ? {} : { ...glueTrain(settings[0].setting, pretrained), ...(smoothness && { smoothness: {} }) },
    arms: settings.map(({ arm, setting: { lr, beta0 } }) => glueArm(arm, [{ rate: lr }], beta0)),
    weights: 'best',
    predictTest: true,
    keeps: keepModels ? 'model' : 'results',
    together: 1,
    notes: smoothness ? [...SMOOTHNESS_NOTES, ...NOTES] : NOTES,
    glue,
    model,
    smoothness,
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
    // What is fastest differs between machines, and runs of one matrix may be trained on several.
    precision: 'float32',
  }
}

/** An optimizer as the paper's code has it; β0 of one with SAGE where its points have none. */
export function glueArm(name: GlueArm, points: readonly Point[], beta0?: number): ExperimentArm {
  const type = name.startsWith('adamax') ? 'adamax' : 'adamw'
  const own = name.endsWith('-sage') ? { sage: { form: 'released', scope: 'encoder-linear', ...present({ beta0 }) } } : { decay: 'decoupled' }
  return { name, label: LABELS[name], train: { optimizer: { type, ...own } }, points }
}
