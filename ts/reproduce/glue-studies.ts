import type { Modulation } from '../optim/sage.js'
import type { GlueArm } from '../task/classification/glue-settings.js'
import type { GlueTaskName } from '../task/classification/glue.js'
import { BETA0, beta0Of, type Experiment, type ExperimentArm, type Point } from './experiment.js'
import { glueArm, glueExperiments } from './glue.js'
import { pointOf } from './glue-table.js'
import type { Sources } from './parts.js'
import { sentenceExperiments } from './sentences.js'

/** The learning rates that the paper searched for GLUE (A.1.2). */
const RATES = [1e-5, 2e-5, 3e-5, 5e-5, 8e-5, 1e-4, 2e-4, 3e-4, 5e-4, 8e-4]

/** What is fine-tuned at the paper's size: BERT-base at Table 7's hyper-parameters, measured on the development set. */
function paperBase(sources: Sources, task: GlueTaskName, arms: readonly GlueArm[], metric: string): Experiment {
  const [experiment] = glueExperiments({ ...sources, model: 'bert-base', tasks: [task], arms })
  if (experiment === undefined) throw new TypeError(`there is no task ${task}`)
  return { ...experiment, metric, validation: metric, predictTest: false, measuredOn: 'the development set that chose the epoch' }
}

function quickBase(sources: Sources, name: string): Experiment {
  const found = sentenceExperiments(sources).find((one) => one.name === name)
  if (found === undefined) throw new TypeError(`there is no set ${name}`)
  return found
}

/** Table 12: Adam-SAGE with each of the modulations. */
export const ablation = {
  paper: (sources: Sources): readonly Experiment[] => ABLATED.map(({ task, paper }) => {
    const base = paperBase(sources, task, ['adam', 'adam-sage'], 'accuracy')
    return modulated(base, RATES.map((rate) => ({ rate })), paper, [
      'The paper says that its variants were carefully tuned, not over which rates: here every variant is trained at each rate of its GLUE grid (A.1.2), and the best by the development set is told; Adam and Adam-SAGE at their one rate of Table 7.',
    ])
  }),
  quick: (sources: Sources): readonly Experiment[] => {
    const base = quickBase(sources, 'sentiment')
    return [modulated(base, [2e-5, 1e-4, 5e-4, 2e-3].map((rate) => ({ rate })), {}, ['Every arm has four points; the paper does not say over which its variants were tuned.'])]
  },
}

/** The paper's figures, with the sets it has them of; a variant without one did not converge. */
const ABLATED: readonly { readonly task: GlueTaskName; readonly paper: Readonly<Record<string, number>> }[] = [
  { task: 'rte', paper: { adam: 63.5, 'adam-sage': 73.3, product: 63.5, average: 63.8, variation: 63.8 } },
  { task: 'sst-2', paper: { adam: 92.9, 'adam-sage': 93.5, product: 91.2, average: 91.1, variation: 91.1 } },
]

/** The paper's numbering of its variants. */
const VARIANTS = [
  { modulation: 'product', label: '1: (Î + ε)(U + ε)' },
  { modulation: 'inverse', label: '2: (Î + ε)/(U + ε)' },
  { modulation: 'average', label: '3: Î + ε' },
  { modulation: 'reciprocal', label: '4: 1/(Î + ε)' },
  { modulation: 'variation', label: '5: U + ε' },
] as const satisfies readonly { readonly modulation: Modulation; readonly label: string }[]

/** A note of SAGE, where it is that of one row among others. */
function ofAdamSage(note: string): string {
  return note.replace(/^SAGE is|(?<=and )SAGE (?=are)/, (word) => `Adam-${word}`)
}

function modulated(base: Experiment, points: readonly Point[], paper: Readonly<Record<string, number>>, notes: readonly string[]): Experiment {
  const arms = base.arms.filter(({ name }) => name === 'adam' || name === 'adam-sage')
  const [, guided] = arms
  if (guided === undefined) throw new TypeError(`${base.name} has no arm with SAGE`)
  const beta0 = guided.points[0]?.beta0 ?? beta0Of(guided.train) ?? BETA0
  const variants = VARIANTS.map(({ modulation, label }): ExperimentArm => {
    const optimizer = { type: 'adamw', decay: 'decoupled', sage: { modulation, scope: 'encoder-linear', beta0 } }
    return { name: modulation, label, train: { optimizer }, points }
  })
  const withFigure = (arm: ExperimentArm): ExperimentArm => {
    const figure = paper[arm.name]
    return figure === undefined ? arm : { ...arm, paper: figure }
  }
  return { ...base, arms: [...arms, ...variants].map(withFigure), notes: [...base.notes.map(ofAdamSage), ...notes, 'The rows 1 to 5 are in the form of the paper’s equations, for the released code has none of them, and of the same parameters as Adam-SAGE. What multiplies by a sensitivity, 1, 3 and 5, hardly moves them: sensitivities are far below 1. Variants 2 and 4 did not converge in the paper.'] }
}

/** Figure 7: Adam, and Adam-SAGE with three β0, over the learning rate and Adam's β1. */
export const heatMaps = {
  paper: (sources: Sources): readonly Experiment[] => [
    mapped(paperBase(sources, 'rte', ['adam', 'adam-sage'], 'accuracy'), RATES.slice(0, 7), [0.45, 0.55, 0.65, 0.75, 0.85, 0.95], [0.8, 0.7, 0.6]),
  ],
  quick: (sources: Sources): readonly Experiment[] => [mapped(quickBase(sources, 'sentiment'), [5e-5, 2e-4, 8e-4], [0.5, 0.7, 0.9], [0.8, 0.6])],
}

function mapped(base: Experiment, rates: readonly number[], betas: readonly number[], guides: readonly number[]): Experiment {
  const plain = betas.flatMap((beta1) => rates.map((rate): Point => ({ rate, beta1 })))
  const guided = guides.flatMap((beta0) => plain.map((point) => ({ ...point, beta0 })))
  return { ...base, arms: [glueArm('adam', plain), glueArm('adam-sage', guided)] }
}

/** Figure 8's panel of MNLI. */
export function betaPanel(sources: Sources): readonly Experiment[] {
  const base = paperBase(sources, 'mnli', ['adamax', 'adamax-sage'], 'accuracy')
  const notes = ['The paper does not say which optimizer its MNLI panel is of; the rates are those of Adamax-SAGE.', `The baseline is at Table 7’s rate, ${base.arms.map((arm) => pointOf(arm).rate)[0]}.`]
  return [{ ...base, sweep: { arm: 'adamax-sage', rates: [2e-4, 3e-4], beta0: [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9], notes } }]
}
