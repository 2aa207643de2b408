/** One output of a search. */
export interface Hypothesis {
  readonly text: string
  /** Length-normalised log-probability, natural logarithm. */
  readonly score: number
}

/** What became of one text. */
export interface Translated {
  readonly source: string
  /** The best hypothesis's; empty for a text of nothing but white space, which is not translated. */
  readonly text: string
  /** The best hypothesis's; null where there is none. */
  readonly score: number | null
  /** Best first, at most `beam`. */
  readonly hypotheses: readonly Hypothesis[]
}

/**
 * Translations in the order of their texts: to iterate over as they come, or to await as an array of texts. Each use translates anew;
 * texts that are an iterator can be used once.
 */
export class Translations implements AsyncIterable<Translated>, PromiseLike<string[]> {
  readonly #make: () => AsyncGenerator<Translated, void, undefined>

  /** @param make - Begins to translate. */
  constructor(make: () => AsyncGenerator<Translated, void, undefined>) {
    this.#make = make
  }

  /** Translates as it is asked for more. */
  [Symbol.asyncIterator](): AsyncGenerator<Translated, void, undefined> {
    return this.#make()
  }

  /** The best text of each. */
  // oxlint-disable-next-line unicorn/no-thenable -- made to be awaited
  then<T = string[], E = never>(onFulfilled?: ((texts: string[]) => T | PromiseLike<T>) | null, onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.#texts().then(onFulfilled, onRejected)
  }

  async #texts(): Promise<string[]> {
    const texts: string[] = []
    for await (const { text } of this) texts.push(text)
    return texts
  }
}
