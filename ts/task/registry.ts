import type { TrainEvent } from '../events.js'
import type { Model } from '../model.js'
import type { RunResult } from '../run.js'
import type { ConfigKeys } from '../train-options.js'
import { Classification, classificationKeys } from './classification/classification.js'
import { Spiral, spiralKeys } from './spiral/spiral.js'
import { Translation, translationKeys } from './translation/translation.js'

/** What every task can do. */
export interface Task extends Disposable {
  train(options: never): AsyncIterable<TrainEvent<object>> & { readonly done: Promise<RunResult<object>> }
  evaluate(model: Model | string): Promise<object>
}

/** A kind of task: how its data are prepared, and the keys of its configuration. */
export interface TaskKind {
  readonly prepare: (options: never) => Promise<Task>
  readonly keys: ConfigKeys
}

/** All tasks by name. A new one is its folder and one line here. */
export const tasks = {
  translation: { prepare: (options: Parameters<typeof Translation.prepare>[0]) => Translation.prepare(options), keys: translationKeys },
  classification: { prepare: (options: Parameters<typeof Classification.prepare>[0]) => Classification.prepare(options), keys: classificationKeys },
  spiral: { prepare: (options: Parameters<typeof Spiral.prepare>[0]) => Spiral.prepare(options), keys: spiralKeys },
} as const satisfies Record<string, TaskKind>

/** Name of a task. */
export type TaskName = keyof typeof tasks
