import { abortable } from '../../abort.js'
import type { Dataset } from '../../dataset.js'
import { nativeOf } from '../../handle.js'
import { encode } from '../../json.js'
import type { Model } from '../../model.js'
import type { TextSteps } from '../../text/text-steps.js'
import type { Tokenizer } from '../../tokenizer.js'
import type { SearchOptions } from './search.js'

/** Scores of a translation model on one part of the data. */
export interface TranslationMetrics {
  /** Mean loss in nats a target token, label smoothing included. */
  readonly loss: number
  /** Mean negative log-likelihood in nats. */
  readonly nll: number
  /** The same in bits: nll / ln 2. */
  readonly bits: number
  /** e^nll. */
  readonly perplexity: number
  /** Corpus BLEU of beam-search output, 0 to 100, equal to sacreBLEU's. */
  readonly bleu: number
  /** Corpus chrF2, 0 to 100, equal to sacreBLEU's. */
  readonly chrf: number
}

/** {@link TranslationMetrics} with what they were computed from. */
export interface TranslationScores {
  readonly metrics: TranslationMetrics
  /** sacreBLEU's signatures. */
  readonly signatures: { readonly bleu: string; readonly chrf: string }
  /** The model's outputs, in the data's order. */
  readonly hypotheses: readonly string[]
  readonly references: readonly string[]
  readonly sources: readonly string[]
  /**
   * Outputs and references before their words were put together: what fairseq-generate's BLEU is of, where the data were tokenized. See
   * {@link tokenizedBleu}.
   */
  readonly tokens: { readonly hypotheses: readonly string[]; readonly references: readonly string[] }
  /** Seconds the search took. */
  readonly searchSeconds: number
}

/** Text of a dataset's column as the model is given it; byte-level BPE gives it back to the byte. */
export function spokenOf(dataset: Dataset, column: 'source' | 'target', tokenizer: Tokenizer): string[] {
  using batch = dataset.batch(Array.from({ length: dataset.length }, (_, index) => index))
  const read = batch.read(column)
  if (read.type !== 'ragged') return []
  const rows = Array.from({ length: dataset.length }, (_, row) => read.values.subarray(read.offsets[row], read.offsets[row + 1]))
  return tokenizer.decode(rows)
}

type NativeScores = Omit<TranslationMetrics, 'bits'> & {
  readonly bleuSignature: string
  readonly chrfSignature: string
  readonly hypotheses: string[]
  readonly tokens: string[]
  readonly searchSeconds: number
}

/** A part of the data, ready to be scored against. */
export interface EvaluationPart {
  readonly dataset: Dataset
  readonly sources: readonly string[]
  /** As people read them. */
  readonly references: readonly string[]
  /** As the model is given them. */
  readonly spoken: readonly string[]
}

/** What turns the target's sentences into ids and back. */
export interface TextTools {
  readonly tokenizer: Tokenizer
  readonly text: TextSteps
}

/** Loss, BLEU and chrF of a model on a part, with the target's tools; hypotheses are scored as people read them, and so are the references to be. */
export async function evaluateTranslation(
  model: Model,
  { dataset, sources, references, spoken }: EvaluationPart,
  { tokenizer, text }: TextTools,
  options: { readonly search: SearchOptions; readonly maxTokens: number; readonly signal?: AbortSignal | undefined },
): Promise<TranslationScores> {
  const handle = nativeOf(model, 'Model', 'model')
  const [data, ids] = [nativeOf(dataset, 'Dataset'), nativeOf(tokenizer, 'Tokenizer')]
  const steps = nativeOf(text, 'TextSteps')
  const search = encode(options.search, 'search')
  const found = (await abortable(options.signal, handle, () =>
    handle.evaluateTranslation(data, ids, steps, [...references], search, options.maxTokens),
  )) as NativeScores
  const { loss, nll, perplexity, bleu, chrf } = found
  return {
    metrics: { loss, nll, bits: nll / Math.LN2, perplexity, bleu, chrf },
    signatures: { bleu: found.bleuSignature, chrf: found.chrfSignature },
    hypotheses: found.hypotheses,
    references,
    sources,
    tokens: { hypotheses: found.tokens, references: spoken },
    searchSeconds: found.searchSeconds,
  }
}
