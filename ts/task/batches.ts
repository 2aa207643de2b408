/** How long what has come waits for more, in milliseconds. */
const PATIENCE = 50

const LATE = Symbol('late')

/**
 * Items in groups of `size`; of a source that pauses, those that have come after a short while. The next ones are asked for when a
 * group has been dealt with.
 */
export async function* batchesOf<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<readonly T[], void, undefined> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let next: ReturnType<typeof iterator.next> | undefined
  let batch: T[] = []
  using patience = new Patience()
  try {
    for (;;) {
      next ??= iterator.next()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const found = await (batch.length === 0 ? next : Promise.race([next, patience.ends()]))
      if (found !== LATE) {
        next = undefined
        if (found.done === true) break
        batch.push(found.value)
      }
      if (found !== LATE && batch.length < size) continue
      // What is on its way may fail while nobody waits for it; it is asked again.
      if (next instanceof Promise) next.catch(() => undefined)
      patience.renew()
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  } finally {
    // Where an item is awaited, the source would answer only after it.
    if (next === undefined) await iterator.return?.()
  }
}

/** One wait for all items of a batch. */
class Patience implements Disposable {
  #timer: NodeJS.Timeout | undefined
  #end: Promise<typeof LATE> | undefined

  /** Resolves a while after it was first asked for. */
  ends(): Promise<typeof LATE> {
    this.#end ??= new Promise((resolve) => {
      this.#timer = setTimeout(() => resolve(LATE), PATIENCE)
    })
    return this.#end
  }

  /** The next batch waits anew. */
  renew(): void {
    clearTimeout(this.#timer)
    this.#end = undefined
  }

  [Symbol.dispose](): void {
    this.renew()
  }
}
