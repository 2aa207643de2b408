/** What a classifier says of one text or pair. */
export type Prediction = { readonly text: string; readonly pair?: string } & (
  | {
      /** The likeliest class. */
      readonly label: string
      /** Its id. */
      readonly class: number
      /** Of every class, by its name. */
      readonly probabilities: Readonly<Record<string, number>>
    }
  | {
      /** A regression's number. */
      readonly value: number
    }
)

/**
 * Predictions in the order of their texts: to iterate over as they come, or to await as an array. Each use predicts anew; texts that are an
 * iterator can be used once.
 */
export class Predictions implements AsyncIterable<Prediction>, PromiseLike<Prediction[]> {
  readonly #make: () => AsyncGenerator<Prediction, void, undefined>

  /** @param make - Begins to predict. */
  constructor(make: () => AsyncGenerator<Prediction, void, undefined>) {
    this.#make = make
  }

  /** Predicts as it is asked for more. */
  [Symbol.asyncIterator](): AsyncGenerator<Prediction, void, undefined> {
    return this.#make()
  }

  /** All of them. */
  // oxlint-disable-next-line unicorn/no-thenable -- made to be awaited
  then<T = Prediction[], E = never>(onFulfilled?: ((predictions: Prediction[]) => T | PromiseLike<T>) | null, onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.#all().then(onFulfilled, onRejected)
  }

  async #all(): Promise<Prediction[]> {
    const all: Prediction[] = []
    for await (const prediction of this) all.push(prediction)
    return all
  }
}
