import * as v from 'valibot'
import { native } from '../binding.js'
import { SagetrainError } from '../errors.js'
import { calling } from '../native-error.js'
import { expected, parse, show } from '../options.js'
import { metricJson, type BleuOptions, type ChrfOptions, type Metric, type TerOptions, type TokenizedBleuOptions } from './metric.js'

/** One reference a sentence, or several lists with one reference a sentence each. */
export type References = readonly string[] | readonly (readonly string[])[]

/** Corpus BLEU with its parts. */
export interface Bleu {
  /** 0 to 100. */
  readonly score: number
  /** Of n-grams from order 1 up, in percent. */
  readonly precisions: readonly number[]
  readonly brevityPenalty: number
  readonly systemLength: number
  /** Of several references, of the ones nearest in length. */
  readonly referenceLength: number
  /** sacreBLEU's signature. */
  readonly signature: string
}

/** Corpus chrF. */
export interface Chrf {
  /** 0 to 100. */
  readonly score: number
  /** sacreBLEU's signature. */
  readonly signature: string
}

/** Corpus TER with its parts. */
export interface Ter {
  /** Edits a hundred words of the reference: less is better, and more than 100 is possible. */
  readonly score: number
  readonly edits: number
  /** Words of the reference, of several the mean. */
  readonly referenceLength: number
  /** sacreBLEU's signature. */
  readonly signature: string
}

/** Corpus BLEU of tokenized text with its parts. */
export interface TokenizedBleu extends Bleu {
  /** Tokens of the system's text over those of the reference. */
  readonly ratio: number
  /** The line that fairseq-score prints: `BLEU4 = 34.50, 68.1/42.3/…`. */
  readonly line: string
}

/**
 * Corpus BLEU, equal to sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` for lists that are empty or of unequal length, and for options that do not exist.
 * @example
 * (await bleu(['the cat sat on the mat'], ['the cat sat on the mat'])).score // 100
 */
export async function bleu(hypotheses: readonly string[], references: References, options: BleuOptions = {}): Promise<Bleu> {
  return (await corpusScore({ ...options, type: 'bleu' }, hypotheses, references)) as Bleu
}

/**
 * Corpus chrF2, or chrF2++ with `wordOrder: 2`, equal to sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link bleu}.
 */
export async function chrf(hypotheses: readonly string[], references: References, options: ChrfOptions = {}): Promise<Chrf> {
  return (await corpusScore({ ...options, type: 'chrf' }, hypotheses, references)) as Chrf
}

/**
 * Corpus TER (Snover et al., 2006), equal to sacreBLEU's.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link bleu}.
 */
export async function ter(hypotheses: readonly string[], references: References, options: TerOptions = {}): Promise<Ter> {
  return (await corpusScore({ ...options, type: 'ter' }, hypotheses, references)) as Ter
}

/**
 * Corpus BLEU of text that is tokenized, as fairseq-score and fairseq-generate compute it: unsmoothed, words between white space, one
 * reference, in which `<unk>` matches nothing.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link bleu}, and for several references.
 */
export async function tokenizedBleu(hypotheses: readonly string[], references: References, options: TokenizedBleuOptions = {}): Promise<TokenizedBleu> {
  return (await corpusScore({ ...options, type: 'tokenizedBleu' }, hypotheses, references)) as TokenizedBleu
}

/**
 * The score of each sentence by itself. BLEU wants `effectiveOrder: true` here.
 *
 * @throws {@link SagetrainError} `ERR_ARGUMENT` as {@link bleu}.
 */
export async function sentenceScores(metric: Metric, hypotheses: readonly string[], references: References): Promise<readonly number[]> {
  const [spec, lines, lists] = [metricJson(metric, 'metric'), sentences(hypotheses, 'hypotheses'), referenceLists(references)]
  return (await calling(() => native().sentenceScoresOf(spec, lines, lists))) as readonly number[]
}

async function corpusScore(metric: unknown, hypotheses: readonly string[], references: References): Promise<unknown> {
  const [spec, lines, lists] = [metricJson(metric, 'options'), sentences(hypotheses, 'hypotheses'), referenceLists(references)]
  return calling(() => native().corpusScoreOf(spec, lines, lists))
}

/** Checked lines. */
export function sentences(value: unknown, where: string): string[] {
  return parse(v.array(v.string(expected('a string')), expected('an array of strings')), value, where, 'ERR_ARGUMENT')
}

/** Checked references, one list each. */
export function referenceLists(value: unknown): string[][] {
  if (!Array.isArray(value)) throw new SagetrainError('ERR_ARGUMENT', `references: expected an array of strings, or of such arrays, got ${show(value)}`, { fields: { key: 'references', value } })
  if (!Array.isArray(value[0])) return [sentences(value, 'references')]
  return value.map((list, index) => sentences(list, `references[${index}]`))
}
