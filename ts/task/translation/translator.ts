import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { abortable } from '../../abort.js'
import { SagetrainError } from '../../errors.js'
import { nativeOf } from '../../handle.js'
import { encode } from '../../json.js'
import { Model, type PlaceOptions } from '../../model.js'
import { call } from '../../native-error.js'
import { count, expected, object, parse, text } from '../../options.js'
import { TextSteps } from '../../text/text-steps.js'
import type { Tokenizer } from '../../tokenizer.js'
import { batchesOf } from '../batches.js'
import { hypothesisEntries, type SearchOptions } from './search.js'
import { TOKENIZERS, tokenizersOf, type Tokenizers } from './tokenizers.js'
import { Translations, type Hypothesis, type Translated } from './translations.js'

/** What to translate: a text, or one with the words its translation has to begin with. */
export type Source = string | { readonly text: string; readonly prefix?: string }

/** How to translate. */
export interface TranslateOptions extends SearchOptions {
  /**
   * Replaces `<unk>` by what the model looked at in the source (fairseq's `--replace-unk`). Only vocabularies without bytes have `<unk>`.
   * @default false
   */
  readonly replaceUnknown?: boolean
  /**
   * Texts that are searched together, fewer where they come slowly; the next ones are read when these are done.
   * @default 64
   */
  readonly together?: number
  /** Calls the translation off. */
  readonly signal?: AbortSignal
}

/** The id of `<unk>`. */
const UNKNOWN = 1

/**
 * A translation model with its tokenizers, or an ensemble of such models.
 *
 * @example
 * using translator = await Translator.load('runs/mine/checkpoints/step-00001200/model')
 * const [english] = await translator.translate(['Wählen Sie eine Farbe aus.'])
 * for await (const { text, score } of translator.translate(lines, { beam: 5 })) console.log(score, text)
 */
export class Translator {
  /** The model; read-only use is safe. */
  readonly model: Model
  /** Source text to ids and back; target text too, where the two share a vocabulary. */
  readonly tokenizer: Tokenizer
  /** Target text to ids and back. */
  readonly targetTokenizer: Tokenizer
  /** What a text goes through before it becomes tokens, undone in a translation. */
  readonly text: TextSteps

  private constructor(model: Model, { source: from, target }: Tokenizers, steps: TextSteps) {
    this.model = model
    this.tokenizer = from
    this.targetTokenizer = target
    this.text = steps
  }

  /**
   * Loads a model folder that a run has saved: a checkpoint's `model/`, or any Marian folder with such a `tokenizer.json`, and a
   * `target/tokenizer.json` where the model has two vocabularies. Several folders are an ensemble: a token's probability is the mean of the models'.
   *
   * @throws {@link SagetrainError} `ERR_MODEL`, `ERR_DATA` for another kind of tokenizer, `ERR_ARGUMENT` for an ensemble of different tokenizers or
   * for no folder, `ERR_IO`, `ERR_CONFIG` or `ERR_DEVICE` for where it cannot be.
   */
  static async load(folders: string | readonly string[], options: PlaceOptions = {}): Promise<Translator> {
    const [path, ...others] = typeof folders === 'string' ? [parse(text, folders, 'folder', 'ERR_ARGUMENT')] : parse(someFolders, folders, 'folders', 'ERR_ARGUMENT')
    if (path === undefined) throw new SagetrainError('ERR_ARGUMENT', 'folders: expected one or more, got none', { fields: { argument: 'folders' } })
    for (const other of others) await checkSameTokenizers(path, other) // oxlint-disable-line no-await-in-loop -- a few small files
    const model = others.length === 0 ? await Model.load(path, options) : await Model.ensemble([path, ...others], options)
    return new Translator(model, await tokenizersOf(path, model.spec), TextSteps.open(path))
  }

  /**
   * Translates texts in their order: await it for an array of the best translations, or iterate over it while more texts come.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT`, `ERR_CONFIG` (search options), `ERR_STATE` for a model that does not translate, `ERR_DATA` for a text
   * longer than the model holds or with a prefix that no output can have, and `ERR_NON_FINITE` for one whose scores hold NaN, both with its position as
   * `fields.sentence`, `ERR_DISPOSED`; the signal's reason when it aborts.
   */
  translate(texts: Iterable<Source> | AsyncIterable<Source>, options: TranslateOptions = {}): Translations {
    return new Translations(() => this.#translate(texts, options))
  }

  /** Up to `beam` hypotheses of each text, best first. */
  async search(texts: readonly Source[], options: TranslateOptions = {}): Promise<Hypothesis[][]> {
    const list = parse(sources, texts, 'texts', 'ERR_ARGUMENT').map(({ text: given, prefix }, position) => ({ text: given, prefix, position }))
    return this.#search(list, parse(translateOptions, options, 'translate'))
  }

  async *#translate(texts: Iterable<Source> | AsyncIterable<Source>, options: TranslateOptions): AsyncGenerator<Translated, void, undefined> {
    const parsed = parse(translateOptions, options, 'translate')
    let done = 0
    for await (const given of batchesOf(parse(iterable, texts, 'texts', 'ERR_ARGUMENT'), parsed.together)) {
      parsed.signal?.throwIfAborted()
      const placed = given.map((item, index): PlacedText => {
        const { text: spoken, prefix } = parse(source, item, 'texts', 'ERR_ARGUMENT')
        return { text: spoken, prefix, position: done + index }
      })
      yield* this.#together(placed, parsed)
      done += placed.length
    }
  }

  async *#together(placed: readonly PlacedText[], options: ParsedOptions): AsyncGenerator<Translated, void, undefined> {
    const found = await this.#search(placed, options)
    for (const [index, hypotheses] of found.entries()) {
      const [best] = hypotheses
      yield { source: placed[index]?.text ?? '', text: best?.text ?? '', score: best?.score ?? null, hypotheses }
    }
  }

  /** A text of nothing but white space has nothing to translate. */
  async #search(list: readonly PlacedText[], options: ParsedOptions): Promise<Hypothesis[][]> {
    const spoken = list.filter(isSpoken)
    const found = spoken.length === 0 ? [] : await this.#searchSpoken(spoken, options)
    let next = 0
    return list.map((item) => (isSpoken(item) ? (found[next++] ?? []) : []))
  }

  async #searchSpoken(list: readonly PlacedText[], { signal, replaceUnknown, together: _together, ...search }: ParsedOptions): Promise<Hypothesis[][]> {
    const handle = nativeOf(this.model, 'Model', 'translator')
    const spoken = this.text.process('source', list.map(({ text: given }) => given))
    const [ids, prefixes, positions] = [this.tokenizer.encode(spoken), this.#prefixes(list), list.map(({ position }) => position)]
    const asked = encode({ ...search, alignment: replaceUnknown }, 'translate')
    const found = await abortable(signal, handle, () => handle.translate(ids, prefixes, positions, asked))
    return found.map((hypotheses, index) => {
      const texts = replaceUnknown ? this.#replacing(hypotheses, spoken[index] ?? '') : this.targetTokenizer.decode(hypotheses.map(({ ids: row }) => row))
      const read = this.text.restore('target', texts)
      return hypotheses.map(({ score }, place) => ({ text: read[place] ?? '', score }))
    })
  }

  /** Ids without the closing `</s>`; none where no text has a prefix. */
  #prefixes(list: readonly SourceText[]): Int32Array[] {
    if (list.every(({ prefix }) => prefix === '')) return []
    return this.targetTokenizer.encode(this.text.process('target', list.map(({ prefix }) => prefix))).map((ids) => ids.subarray(0, -1))
  }

  #replacing(hypotheses: readonly { ids: Int32Array; alignment: Uint32Array }[], from: string): string[] {
    const [rows, alignments] = [hypotheses.map(({ ids }) => ids), hypotheses.map(({ alignment }) => alignment)]
    if (!rows.some((row) => row.includes(UNKNOWN))) return this.targetTokenizer.decode(rows)
    const [tokenizer, target] = [nativeOf(this.tokenizer, 'Tokenizer'), nativeOf(this.targetTokenizer, 'Tokenizer')]
    return call(() => target.decodeReplacing(rows, alignments, tokenizer.parts(from)))
  }

  /** Frees model and tokenizers; idempotent. */
  [Symbol.dispose](): void {
    this.model[Symbol.dispose]()
    this.tokenizer[Symbol.dispose]()
    this.targetTokenizer[Symbol.dispose]()
  }
}

const isSpoken = ({ text: source }: SourceText): boolean => source.trim() !== ''

async function checkSameTokenizers(first: string, other: string): Promise<void> {
  for (const file of TOKENIZERS) {
    // oxlint-disable-next-line no-await-in-loop -- two at most
    const [one, two] = await Promise.all([first, other].map((folder) => readFile(join(folder, file)).catch(absent)))
    if (one === two || (one !== undefined && two !== undefined && one.equals(two))) continue
    const [without, having] = one === undefined ? [first, other] : [other, first]
    const problem = one === undefined || two === undefined ? `${without} has no ${file}, ${having} has one` : `${other} has another ${file} than ${first}`
    throw new SagetrainError('ERR_ARGUMENT', `folders: ${problem}; models of an ensemble share their tokenizers`, { fields: { argument: 'folders' } })
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

type SourceText = v.InferOutput<typeof source>
/** With its place among all that are translated, by which sampling draws and errors speak. */
type PlacedText = SourceText & { readonly position: number }
type ParsedOptions = v.InferOutput<typeof translateOptions>

const A_SOURCE = 'a string, or an object with a text'
const string = v.string(expected('a string'))
const source = v.pipe(
  v.union([string, object({ text: string, prefix: v.optional(string, '') })], expected(A_SOURCE)),
  v.transform((given) => (typeof given === 'string' ? { text: given, prefix: '' } : given)),
)
const sources = v.array(source, expected('an array of strings'))
const someFolders = v.array(text, expected('a folder or an array of folders'))
const isIterable = (value: unknown): value is Iterable<Source> | AsyncIterable<Source> => typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
const iterable = v.custom<Iterable<Source> | AsyncIterable<Source>>(isIterable, expected('an array or another iterable of strings'))
const translateOptions = object({
  ...hypothesisEntries,
  together: v.optional(count, 64),
  signal: v.exactOptional(v.instance(AbortSignal, expected('an AbortSignal'))),
})
