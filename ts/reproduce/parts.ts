import type { Experiment } from './experiment.js'
import { ablation, betaPanel, heatMaps } from './glue-studies.js'
import { NMT } from './nmt.js'
import { sentenceExperiments } from './sentences.js'

/** The paper's size, or one that two processor cores can train. */
export type Scale = 'paper' | 'quick'

/** Where data and weights lie that this program cannot make: folders. */
export interface Sources {
  readonly data: string
  readonly pretrained: string
}

/** A table or a figure of the paper that can be reproduced. */
export interface Part {
  readonly of: 'nmt' | 'glue'
  readonly wanted: 'table' | 'figure'
  readonly number: string
  readonly scale: Scale
  /** What its report shows: arms over seeds, the metric over β0, or the metric over a grid. */
  readonly shows: 'table' | 'sweep' | 'grid'
  readonly title: string
  readonly needs: readonly (keyof Sources)[]
  /** Seeds where none are given. */
  readonly seeds: number
  readonly experiments: (sources: Sources) => readonly Experiment[]
}

const TRANSLATION = { 4: 'Table 4: translation with Adam and with Adam-SAGE', 8: 'Figure 8: BLEU over β0 for several learning rates' } as const
const LANGUAGE = { 2: 'Table 2 in small: fine-tuning with and without SAGE', 12: 'Table 12: what modulates the rate', 7: 'Figure 7: validation score over the learning rate and β1' } as const

/** What there is. */
export const PARTS: readonly Part[] = [
  { of: 'nmt', wanted: 'table', number: '4', scale: 'paper', shows: 'table', title: TRANSLATION[4], needs: ['data'], seeds: 3, experiments: ({ data }) => NMT.paper.map((one) => ({ ...one, prepare: { ...one.prepare, data } })) },
  { of: 'nmt', wanted: 'table', number: '4', scale: 'quick', shows: 'table', title: TRANSLATION[4], needs: [], seeds: 3, experiments: () => NMT.quick },
  { of: 'nmt', wanted: 'figure', number: '8', scale: 'paper', shows: 'sweep', title: TRANSLATION[8], needs: ['data'], seeds: 1, experiments: ({ data }) => NMT.paper.map((one) => ({ ...one, prepare: { ...one.prepare, data } })) },
  { of: 'nmt', wanted: 'figure', number: '8', scale: 'quick', shows: 'sweep', title: TRANSLATION[8], needs: [], seeds: 1, experiments: () => NMT.quick },
  { of: 'glue', wanted: 'table', number: '2', scale: 'quick', shows: 'table', title: LANGUAGE[2], needs: ['data', 'pretrained'], seeds: 5, experiments: sentenceExperiments },
  { of: 'glue', wanted: 'table', number: '12', scale: 'paper', shows: 'table', title: LANGUAGE[12], needs: ['data', 'pretrained'], seeds: 1, experiments: ablation.paper },
  { of: 'glue', wanted: 'table', number: '12', scale: 'quick', shows: 'table', title: LANGUAGE[12], needs: ['data', 'pretrained'], seeds: 1, experiments: ablation.quick },
  { of: 'glue', wanted: 'figure', number: '7', scale: 'paper', shows: 'grid', title: LANGUAGE[7], needs: ['data', 'pretrained'], seeds: 1, experiments: heatMaps.paper },
  { of: 'glue', wanted: 'figure', number: '7', scale: 'quick', shows: 'grid', title: LANGUAGE[7], needs: ['data', 'pretrained'], seeds: 1, experiments: heatMaps.quick },
  { of: 'glue', wanted: 'figure', number: '8', scale: 'paper', shows: 'sweep', title: 'Figure 8: MNLI accuracy over β0 for several learning rates', needs: ['data', 'pretrained'], seeds: 1, experiments: betaPanel },
]
