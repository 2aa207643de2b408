import type { Best, EndReason, TrainEvent } from './events.js'

/** What a run came to. */
export interface RunResult<M extends object> {
  readonly reason: EndReason
  /** Optimizer steps finished. */
  readonly step: number
  /** The best evaluation; null where there was none. */
  readonly best: Best<M> | null
  /** The newest checkpoint, to resume from. */
  readonly checkpoint?: string
  /** Where `events.jsonl` and `checkpoints/` lie; absent where nothing is written. */
  readonly folder?: string
}

/** What drives a run: events, and at any moment what it has come to. */
export interface Training<M extends object> {
  events(): AsyncGenerator<TrainEvent<M>, void, undefined>
  result(): RunResult<M>
}

/**
 * A training run: its events, and what it came to. It starts when it is first iterated or when `done` is first asked for; while it is
 * iterated it waits for its consumer between events, and leaving the loop ends it.
 *
 * @example
 * const run = task.train({ model: { preset: 'transformer-small' }, optimizer: adam({ lr: 1e-3 }), batch: { maxTokens: 4096 }, epochs: 10 })
 * for await (const event of run) if (event.type === 'evaluation') console.log(event.metrics.bleu)
 * const { best } = await run.done
 */
export class Run<M extends object> implements AsyncIterable<TrainEvent<M>> {
  readonly #training: Training<M>
  readonly #events: AsyncGenerator<TrainEvent<M>, void, undefined>
  #iterated = false
  #asked = false
  #resolve!: (result: RunResult<M>) => void
  #reject!: (error: unknown) => void
  readonly #done: Promise<RunResult<M>>

  /** @hidden Made by a task's `train`. */
  constructor(training: Training<M>) {
    this.#training = training
    this.#events = training.events()
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever iterates gets the error there; `done` must not report it a second time as unhandled.
    this.#done.catch(() => undefined)
  }

  /**
   * What the run came to. Without a loop over the events, asking for it runs the training.
   *
   * @throws What training threw; an aborted signal is no error but a `reason`.
   */
  get done(): Promise<RunResult<M>> {
    if (!this.#asked) setImmediate(() => void this.#drain())
    this.#asked = true
    return this.#done
  }

  /** The events from here on. */
  [Symbol.asyncIterator](): AsyncIterator<TrainEvent<M>, void, undefined> {
    this.#iterated = true
    return { next: () => this.#next(), return: () => this.#leave() }
  }

  async #next(): Promise<IteratorResult<TrainEvent<M>, void>> {
    try {
      const next = await this.#events.next()
      if (next.done === true) this.#resolve(this.#training.result())
      return next
    } catch (error) {
      this.#reject(error)
      throw error
    }
  }

  async #leave(): Promise<IteratorResult<TrainEvent<M>, void>> {
    try {
      await this.#events.return()
      this.#resolve(this.#training.result())
    } catch (error) {
      this.#reject(error)
      throw error
    }
    return { done: true, value: undefined }
  }

  /** Goes on by itself unless someone iterates. */
  async #drain(): Promise<void> {
    try {
      while (!this.#iterated && (await this.#next()).done !== true);
    } catch {
      // Told through `done`.
    }
  }
}
