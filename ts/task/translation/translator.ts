import * as v from 'valibot'
import { abortable } from '../../abort.js'
import { nativeOf } from '../../handle.js'
import { encode } from '../../json.js'
import { Model } from '../../model.js'
import { expected, object, parse, text } from '../../options.js'
import { Tokenizer } from '../../tokenizer.js'
import { searchEntries, type SearchOptions } from './search.js'

/** How to translate. */
export interface TranslateOptions extends SearchOptions {
  /** Calls the translation off. */
  readonly signal?: AbortSignal
}

/** One output of a search. */
export interface Hypothesis {
  readonly text: string
  /** Sum of log-probabilities over length^lengthPenalty, natural logarithm. */
  readonly score: number
}

/**
 * A translation model with its tokenizer.
 *
 * @example
 * using translator = await Translator.load('runs/mine/checkpoints/step-00001200/model')
 * const [english] = await translator.translate(['Wählen Sie eine Farbe aus.'])
 */
export class Translator {
  /** The model; read-only use is safe. */
  readonly model: Model
  readonly tokenizer: Tokenizer

  private constructor(model: Model, tokenizer: Tokenizer) {
    this.model = model
    this.tokenizer = tokenizer
  }

  /**
   * Loads a model folder that a run has saved: a checkpoint's `model/`, or any Marian folder with such a `tokenizer.json`.
   *
   * @throws {@link SagetrainError} `ERR_MODEL`, `ERR_DATA` for another kind of tokenizer, `ERR_IO`.
   */
  static async load(folder: string): Promise<Translator> {
    const path = parse(text, folder, 'folder', 'ERR_ARGUMENT')
    const tokenizer = await Tokenizer.load(path)
    return new Translator(await Model.load(path), tokenizer)
  }

  /**
   * The best translation of each text, in their order.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_CONFIG` (search options), `ERR_STATE` for a model that does not translate,
   * `ERR_NON_FINITE` with the position of a text whose scores hold NaN, `ERR_DISPOSED`; the signal's reason when it aborts.
   */
  async translate(texts: readonly string[], options: TranslateOptions = {}): Promise<string[]> {
    const found = await this.search(texts, options)
    return found.map(([best]) => best?.text ?? '')
  }

  /** Up to `beam` hypotheses of each text, best first. */
  async search(texts: readonly string[], options: TranslateOptions = {}): Promise<Hypothesis[][]> {
    const handle = nativeOf(this.model, 'Model', 'translator')
    const { signal, ...search } = parse(translateOptions, options, 'translate')
    const list = parse(v.array(v.string(expected('a string')), expected('an array of strings')), texts, 'texts', 'ERR_ARGUMENT')
    const sources = this.tokenizer.encode(list)
    const found = await abortable(signal, handle, () => handle.translate(sources, encode(search, 'translate')))
    return found.map((hypotheses) => {
      const decoded = this.tokenizer.decode(hypotheses.map(({ ids }) => ids))
      return hypotheses.map(({ score }, index) => ({ text: decoded[index] ?? '', score }))
    })
  }

  /** Frees model and tokenizer; idempotent. */
  [Symbol.dispose](): void {
    this.model[Symbol.dispose]()
    this.tokenizer[Symbol.dispose]()
  }
}

const translateOptions = object({ ...searchEntries, signal: v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal'))) })
