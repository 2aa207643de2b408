import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checkpointOf, listCheckpoints, modelFolder, retainCheckpoints } from './checkpoint.js'
import type { Json } from './json.js'
import type { Session } from './session.js'

/** An evaluated step; a higher score is better. */
export interface Ranked {
  readonly step: number
  readonly score: number
}

/** Where and when a loop saves, and what is kept. */
export interface KeeperOptions {
  readonly folder: string
  /** Without it whenever the model is to be evaluated. */
  readonly everySteps?: number
  /** Beside that, once so long after the last one. */
  readonly everyMinutes?: number
  /** Newest ones kept. */
  readonly keep: number
  /** Best ones kept. */
  readonly keepBest: number
  /** Files, and folders of files, copied into each model folder. */
  readonly attachments: readonly string[]
}

/** Saves checkpoints and lets go of those that are neither among the newest nor among the best. */
export class CheckpointKeeper {
  readonly #options: KeeperOptions
  /** The newest ones that were due by steps. */
  #newest: readonly string[] = []
  #last: string | undefined
  #ranked: readonly Ranked[]
  #savedAt = -1
  #savedTime = performance.now()

  constructor(options: KeeperOptions, ranked: readonly Ranked[] = []) {
    this.#options = options
    this.#ranked = ranked
  }

  /** Takes over what a run that goes on at `step` has left; `newest` are the steps that its state names as such. */
  async continue(path: string, step: number, newest?: readonly number[]): Promise<void> {
    const found = (await listCheckpoints(this.#options.folder)).filter((one) => stepOf(one) < step)
    this.#newest = [...found, path].filter((one) => newest?.includes(stepOf(one)) ?? true).slice(-this.#options.keep)
    this.#last = path
    this.#savedAt = step
  }

  /** The newest checkpoint. */
  get last(): string | undefined {
    return this.#last
  }

  /** Steps of the newest ones, once `step` has been saved. */
  newestWith(step: number, due: boolean): readonly number[] {
    return this.#withNewest(this.pathOf(step), due).map(stepOf)
  }

  #withNewest(path: string, due: boolean): readonly string[] {
    return due ? [...this.#newest.filter((one) => one !== path), path].slice(-this.#options.keep) : this.#newest
  }

  /** The best evaluated steps, best first; of equals the earlier. */
  get ranked(): readonly Ranked[] {
    return this.#ranked
  }

  /** Where the checkpoint of a step is, or would be. */
  pathOf(step: number): string {
    return checkpointOf(this.#options.folder, step)
  }

  /** Ranks an evaluation. */
  rank(step: number, score: number): void {
    if (!Number.isFinite(score)) return
    const others = this.#ranked.filter((one) => one.step !== step)
    this.#ranked = [...others, { step, score }].toSorted((a, b) => b.score - a.score || a.step - b.step).slice(0, this.#options.keepBest)
  }

  /** Whether to save at a step; `evaluated` says whether the model was to be evaluated there. */
  isDue(step: number, evaluated: boolean): boolean {
    const { everySteps } = this.#options
    return this.#ranked.some((one) => one.step === step) || (everySteps === undefined ? evaluated : step % everySteps === 0)
  }

  /** Whether to save although no step is due: so long after the last time. */
  isLate(): boolean {
    return performance.now() - this.#savedTime >= (this.#options.everyMinutes ?? Infinity) * 60_000
  }

  /** Whether the step has been saved. */
  isSaved(step: number): boolean {
    return this.#savedAt === step
  }

  /**
   * Saves, and says what remains. One that is not due, since training was stopped or minutes have passed, remains until the next: an
   * interruption changes nothing about which are the newest.
   */
  async save(session: Session, run: Json, due: boolean): Promise<{ readonly path: string; readonly kept: readonly string[] }> {
    const { folder } = this.#options
    const path = await session.save(folder, { run, attachments: this.#attachments() })
    this.#savedAt = session.stepCount
    this.#savedTime = performance.now()
    this.#newest = this.#withNewest(path, due)
    this.#last = path
    return { path, kept: await retainCheckpoints(folder, [...this.#newest, path, ...this.#ranked.map(({ step }) => this.pathOf(step))]) }
  }

  /** As they were asked for; what is gone since, such as a cache that was cleared, as the newest checkpoint has it. */
  #attachments(): readonly string[] {
    const last = this.#last
    return this.#options.attachments.map((path) => (last === undefined || existsSync(path) ? path : join(modelFolder(last), basename(path))))
  }

  /** Training went back to the newest one: what was saved is that. */
  wentBack(step: number): void {
    this.#savedAt = step
  }
}

function stepOf(path: string): number {
  return Number(basename(path).slice('step-'.length))
}
