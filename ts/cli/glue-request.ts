import { join, resolve } from 'node:path'
import { paperArms, type PaperTable } from '../reproduce/glue-paper.js'
import { glueExperiments, type GlueExperiment } from '../reproduce/glue.js'
import type { GlueArm, GlueModel } from '../task/classification/glue-settings.js'
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

/** As many as the paper has of each. */
const SEEDS: Readonly<Record<GlueModel, number>> = { 'bert-base': 5, 'roberta-large': 3 }

/**
 * Reads the command line.
 *
 * @throws {@link UsageError}
 */
export function glueRequestOf({ positionals, options, overrides }: Arguments, context: Context): GlueRequest {
  if (positionals.length > 0) throw new UsageError(`glue takes no words, got ${positionals.join(' ')}; its tasks are given with --tasks`)
  const text = (key: string): string | undefined => (typeof options[key] === 'string' ? options[key] : undefined)
  const needed = (key: string, what: string): string => text(key) ?? refuse(`glue needs --${key} FOLDER, ${what}`)
  const table = tableOf(oneOf('settings', text('settings') ?? 'bert-base', MODELS), options['smoothness'] === true, overrides)
  const asked = {
    ...table,
    pretrained: resolve(needed('pretrained', 'of the pretrained model and its tokenizer')),
    keepModels: options['keep-models'] === true,
    data: resolve(needed('data', 'with the published tasks')),
    tasks: listOf('tasks', text('tasks'), GLUE.map(({ name }): GlueTaskName => name)),
    arms: listOf('optimizers', text('optimizers') ?? 'adamax,adamax-sage', paperArms(table)) satisfies readonly GlueArm[],
  }
  return {
    experiments: glueExperiments(asked).map((experiment) => withFlags(experiment, overrides, context)),
    seeds: parseSeeds(text('seeds') ?? String(SEEDS[asked.model])),
    folder: join(text('runs') ?? 'runs', `glue-${table.smoothness ? 'smart-base' : table.model}`),
    planOnly: options['plan'] === true,
  }
}

/** The table of the paper that is meant: its Table 6 is of BERT-base. */
function tableOf(model: GlueModel, smoothness: boolean, overrides: Arguments['overrides']): PaperTable {
  if (smoothness && model !== 'bert-base') throw new UsageError(`--smoothness: the paper's Table 6 is of bert-base; --settings ${model} has no place in it`)
  const flag = overrides.find(({ path }) => path[0] === 'smoothness')?.flag
  if (!smoothness && flag !== undefined) throw new UsageError(`${flag} changes the smoothness term, which is off; add --smoothness, which has a folder and a table of its own`)
  return { model, smoothness }
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
