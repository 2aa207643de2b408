import * as v from 'valibot'
import { native } from '../binding.js'
import { factory, nativeOf, own } from '../handle.js'
import { call } from '../native-error.js'
import { expected, flag, object, parse, text } from '../options.js'

/** How {@link Moses} tokenizes. */
export interface MosesOptions {
  /**
   * Moses' `-a`: a hyphen within a word becomes `@-@`.
   * @default false
   */
  readonly aggressiveHyphens?: boolean
  /**
   * Whether `& | < > ' " [ ]` are written as entities.
   * @default true
   */
  readonly escape?: boolean
}

/**
 * Moses' text steps of one language, line by line, equal to those of the Python package sacremoses.
 *
 * @example
 * const moses = Moses.of('en')
 * moses.tokenize(["It's a fact."]) // ['It &apos;s a fact .']
 * moses.detokenize(['It &apos;s a fact .']) // ["It's a fact."]
 */
export class Moses {
  private constructor(handle: ReturnType<typeof create>, right: symbol) {
    own(this, 'Moses', handle, right)
  }

  /**
   * For a language by its code, such as `de`: German, English, and languages that have neither rules nor a list of abbreviations of their own.
   *
   * @throws {@link SagetrainError} `ERR_ARGUMENT` for another language, `ERR_CONFIG` for an unknown option.
   */
  static of(language: string, options: MosesOptions = {}): Moses {
    const code = parse(text, language, 'language', 'ERR_ARGUMENT')
    return new Moses(create(code, parse(mosesOptions, options, 'moses')), factory)
  }

  /** Quotation marks, dashes, apostrophes and the spaces around them made alike. */
  normalize(lines: readonly string[]): string[] {
    const list = parse(strings, lines, 'lines', 'ERR_ARGUMENT')
    return call(() => nativeOf(this, 'Moses').normalize(list))
  }

  /** One space between words and punctuation. */
  tokenize(lines: readonly string[]): string[] {
    const list = parse(strings, lines, 'lines', 'ERR_ARGUMENT')
    return call(() => nativeOf(this, 'Moses').tokenize(list))
  }

  /** The inverse of {@link Moses.tokenize}, as well as it can be told from the tokens. */
  detokenize(lines: readonly string[]): string[] {
    const list = parse(strings, lines, 'lines', 'ERR_ARGUMENT')
    return call(() => nativeOf(this, 'Moses').detokenize(list))
  }
}

const strings = v.array(v.string(expected('a string')), expected('an array of strings'))
const mosesOptions = object({ aggressiveHyphens: v.optional(flag, false), escape: v.optional(flag, true) })

function create(language: string, { aggressiveHyphens, escape }: v.InferOutput<typeof mosesOptions>) {
  return call(() => native().Moses.create(language, aggressiveHyphens, escape))
}
