import { GLUE, type GlueTaskName } from './glue.js'

/** Models that the paper fine-tunes. */
export type GlueModel = 'bert-base' | 'roberta-large'

/** Optimizers that it fine-tunes them with. */
export type GlueArm = 'adam' | 'adam-sage' | 'adamax' | 'adamax-sage'

/** A column of Table 7 for one model and optimizer. */
export interface GlueSetting {
  readonly lr: number
  /** Of SAGE. */
  readonly beta0?: number
  /** Sequences a step. */
  readonly batchSize: number
  readonly epochs: number
  /** Dropout before the classifier. */
  readonly classifierDropout: number
  /** Share of all steps. */
  readonly warmupRatio: number
}

/** Values by task, in the order of {@link GLUE}. */
type Line = readonly [number, number, number, number, number, number, number, number]

interface ModelSettings {
  readonly arms: { readonly [arm in GlueArm]?: { readonly lr: Line; readonly beta0?: Line } }
  readonly batchSize: Line
  readonly epochs: Line
  readonly classifierDropout: Line
  readonly warmupRatio: Line
}

const TABLE_7: Readonly<Record<GlueModel, ModelSettings>> = {
  //                                         RTE   MRPC  CoLA  SST-2 STS-B QNLI  QQP   MNLI
  'bert-base': {
    arms: {
      adam:                         { lr:    [1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 2e-5, 2e-5] },
      'adam-sage':                  { lr:    [1e-4, 8e-5, 8e-5, 3e-5, 1e-4, 8e-5, 4e-5, 5e-5],
                                      beta0: [0.60, 0.80, 0.70, 0.80, 0.60, 0.70, 0.75, 0.70] },
      adamax:                       { lr:    [1e-4, 1e-4, 1e-4, 5e-5, 1e-4, 1e-4, 1e-4, 8e-5] },
      'adamax-sage':                { lr:    [3e-4, 3e-4, 2e-4, 2e-4, 5e-4, 5e-4, 3e-4, 2e-4],
                                      beta0: [0.65, 0.80, 0.75, 0.70, 0.75, 0.70, 0.75, 0.85] },
    },
    batchSize:                               [16,   8,    32,   32,   32,   32,   32,   32],
    epochs:                                  [6,    6,    6,    6,    6,    3,    6,    3],
    classifierDropout:                       [0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.0,  0.3],
    warmupRatio:                             [0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.0,  0.1],
  },
  'roberta-large': {
    arms: {
      adamax:                       { lr:    [5e-5, 5e-5, 3e-5, 1e-5, 5e-5, 1e-5, 1e-4, 1e-5] },
      'adamax-sage':                { lr:    [6e-5, 2e-4, 8e-5, 2e-5, 8e-5, 3e-5, 2e-4, 8e-5],
                                      beta0: [0.75, 0.65, 0.70, 0.75, 0.80, 0.80, 0.65, 0.60] },
    },
    batchSize:                               [16,   8,    32,   32,   32,   32,   32,   32],
    epochs:                                  [15,   6,    6,    6,    10,   10,   15,   3],
    classifierDropout:                       [0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.0,  0.3],
    warmupRatio:                             [0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.1],
  },
}

/** The optimizers that the paper has for a model, in its order. */
export function glueArms(model: GlueModel): readonly GlueArm[] {
  return (['adam', 'adam-sage', 'adamax', 'adamax-sage'] as const).filter((arm) => arm in TABLE_7[model].arms)
}

/** Hyper-parameters of Table 7; undefined for an optimizer that the paper does not have for this model. */
export function glueSetting(model: GlueModel, arm: GlueArm, task: GlueTaskName): GlueSetting | undefined {
  const { arms, ...shared } = TABLE_7[model]
  const own = arms[arm]
  if (own === undefined) return undefined
  const place = GLUE.findIndex(({ name }) => name === task)
  const at = (line: Line): number => line[place] ?? Number.NaN
  const { batchSize, epochs, classifierDropout, warmupRatio } = shared
  return {
    lr: at(own.lr),
    ...(own.beta0 !== undefined && { beta0: at(own.beta0) }),
    batchSize: at(batchSize),
    epochs: at(epochs),
    classifierDropout: at(classifierDropout),
    warmupRatio: at(warmupRatio),
  }
}
