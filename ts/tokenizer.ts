import * as v from 'valibot'
import { native, type NativeTokenizer } from './binding.js'
import { disown, factory, nativeOf, own } from './handle.js'
import { call, calling } from './native-error.js'
import { expected, parse, text } from './options.js'

/**
 * Text to ids and back: byte-level BPE, so that any text comes back to the byte, but for one space it may begin with. `</s>` is 0,
 * `<unk>` 1, `<pad>` the last id.
 *
 * @example
 * const tokenizer = await Tokenizer.load('checkpoints/step-00001200/model')
 * tokenizer.decode(tokenizer.encode(['Hallo Welt'])) // ['Hallo Welt']
 */
export class Tokenizer {
  /** Tokens, the special ones counted; ids are below it. */
  readonly size: number

  private constructor(handle: NativeTokenizer, right: symbol) {
    own(this, 'Tokenizer', handle, right)
    this.size = handle.size()
  }

  /**
   * Opens a `tokenizer.json`, or the one in a folder.
   *
   * @throws {@link SagetrainError} `ERR_DATA` for another kind of tokenizer, `ERR_IO`.
   */
  static async load(path: string): Promise<Tokenizer> {
    const file = parse(text, path, 'path', 'ERR_ARGUMENT')
    return new Tokenizer(await calling(() => native().Tokenizer.load(file)), factory)
  }

  /** Ids of each text, with the closing `</s>`. */
  encode(texts: readonly string[]): Int32Array[] {
    const handle = nativeOf(this, 'Tokenizer')
    const list = parse(strings, texts, 'texts', 'ERR_ARGUMENT')
    return call(() => handle.encode(list))
  }

  /**
   * Text of each row of ids, special tokens left out.
   *
   * @throws {@link SagetrainError} `ERR_DATA` for an id outside the vocabulary.
   */
  decode(rows: readonly Int32Array[]): string[] {
    const handle = nativeOf(this, 'Tokenizer')
    const list = parse(idRows, rows, 'rows', 'ERR_ARGUMENT')
    return call(() => handle.decode(list))
  }

  /** Frees the tables; idempotent. */
  [Symbol.dispose](): void {
    disown(this, 'Tokenizer')?.dispose()
  }
}

const strings = v.array(v.string(expected('a string')), expected('an array of strings'))
const idRows = v.array(v.instance(Int32Array, expected('an Int32Array')), expected('an array of Int32Array'))
