import { join, resolve } from 'node:path'
import { glueExperiments, type GlueExperiment } from '../reproduce/glue.js'
import { glueArms, type GlueArm, type GlueModel } from '../task/classification/glue-settings.js'
import { GLUE, type GlueTaskName } from '../task/classification/glue.js'
import type { Arguments } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { withFlags } from './matrix-flags.js'
import { parseSeeds } from './run-config.js'

/** What `sagetrain glue` was asked for. */
export interface GlueRequest {
  readonly experiments: readonly GlueExperiment[]
  readonly seeds: readonly number[]
  /** Where the tasks' folders and the report go. */
  readonly folder: string
  /** Whether to stop after the plan. */
  readonly planOnly: boolean
}

const MODELS = ['bert-base', 'roberta-large'] as const satisfies readonly GlueModel[]

/** As many as the paper has of BERT. */
const SEEDS = 5

/**
 * Reads the command line.
 *
 * @throws {@link UsageError}
 */
export function glueRequestOf({ positionals, options, overrides }: Arguments, context: Context): GlueRequest {
  if (positionals.length > 0) throw new UsageError(`glue takes no words, got ${positionals.join(' ')}; its tasks are given with --tasks`)
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined)
  const needed = (key: string, what: string): string => text(key) ?? refuse(`glue needs --${key} FOLDER, ${what}`)
  const model = oneOf('settings', text('settings') ?? 'bert-base', MODELS)
  const asked = {
    model,
    pretrained: resolve(needed('pretrained', 'of the pretrained model and its tokenizer')),
    data: resolve(needed('data', 'with the published tasks')),
    tasks: listOf('tasks', text('tasks'), GLUE.map(({ name }): GlueTaskName => name)),
    arms: listOf('optimizers', text('optimizers') ?? 'adamax,adamax-sage', glueArms(model)) satisfies readonly GlueArm[],
  }
  return {
    experiments: glueExperiments(asked).map((experiment) => withFlags(experiment, overrides, context)),
    seeds: parseSeeds(text('seeds') ?? String(SEEDS)),
    folder: join(text('runs') ?? 'runs', `glue-${model}`),
    planOnly: options['plan'] === true,
  }
}

function refuse(message: string): never {
  throw new UsageError(message)
}

function oneOf<Word extends string>(flag: string, written: string, words: readonly Word[]): Word {
  return words.find((word) => word === written) ?? refuse(`--${flag} ${written}: there are ${words.join(', ')}`)
}

/** The words of a list, each once, in the order of `words`; `all`, or nothing, is all of them. */
function listOf<Word extends string>(flag: string, written: string | undefined, words: readonly Word[]): readonly Word[] {
  if (written === undefined || written === 'all') return words
  const chosen = new Set(written.split(',').map((one) => oneOf(flag, one.trim(), words)))
  return words.filter((word) => chosen.has(word))
}
