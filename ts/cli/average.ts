import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkpointOf, averageCheckpoints, latestCheckpoint, listCheckpoints, readCheckpoint } from '../checkpoint.js'
import type { Ranked } from '../checkpoint-keeper.js'
import { fixed } from '../report/format.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { isObject } from '../merge.js'
import { printFacts } from './table.js'

export const average: Command = {
  name: 'average',
  usage: 'sagetrain average RUN --last N | RUN --best N | PATH… --output FOLDER',
  about: 'writes the mean of several checkpoints’ weights as a model folder',
  options: {
    last: { type: 'string', value: 'N', about: 'the run’s N newest checkpoints (train.checkpoint.keep says how many there are)' },
    best: { type: 'string', value: 'N', about: 'the run’s N best (train.checkpoint.keepBest)' },
    output: { type: 'string', value: 'FOLDER', about: 'the model folder to write; it must not be there yet' },
  },
  examples: () => [
    'sagetrain average runs/translation --last 10 --output runs/translation/average-10',
    'sagetrain average runs/quickstart/adam-sage --best 5 --output average',
    'sagetrain average runs/translation/checkpoints/step-00001000 runs/translation/checkpoints/step-00001200 --output average',
  ],
  run: async ({ positionals, options }, context) => {
    const { last, best, output } = options
    if (typeof output !== 'string') throw new UsageError('average needs --output FOLDER, the model folder to write')
    const averaged = await averageCheckpoints(await checkpointsOf(positionals, last, best), output)
    context.json(averaged)
    printFacts(context.terminal, [
      ...averaged.from.map((path, index) => ({ label: index === 0 ? 'mean of' : '', value: path })),
      { label: 'tensors', value: `${fixed(averaged.tensors)}, ${fixed(averaged.elements)} numbers` },
      { label: 'model', value: averaged.path },
    ])
    return EXIT.ok
  },
}

type Given = string | boolean | undefined

async function checkpointsOf(paths: readonly string[], last: Given, best: Given): Promise<readonly string[]> {
  if (last === undefined && best === undefined) {
    if (paths.length < 2) throw new UsageError('average needs two checkpoints or more, or a run with --last N or --best N')
    return paths
  }
  const [run, ...surplus] = paths
  if (run === undefined || surplus.length > 0 || (last !== undefined && best !== undefined)) throw new UsageError('--last N and --best N are of one run; give one of them')
  const folder = join(run, 'checkpoints')
  if (!existsSync(folder)) throw new UsageError(`${run}: has no checkpoints/; give a run, of several arms one`)
  return last === undefined ? bestOf(folder, numberOf('best', best)) : lastOf(folder, numberOf('last', last))
}

function numberOf(name: string, written: Given): number {
  const number = Number(written)
  if (!Number.isSafeInteger(number) || number < 2) throw new UsageError(`--${name} ${String(written)}: give a whole number above 1`)
  return number
}

async function lastOf(folder: string, number: number): Promise<readonly string[]> {
  const found = await listCheckpoints(folder)
  if (found.length < number) throw new UsageError(`--last ${number}: ${folder} holds ${found.length}; train with train.checkpoint.keep ${number} to have as many`)
  return found.slice(-number)
}

/** The best by the ranking that the newest checkpoint keeps. */
async function bestOf(folder: string, number: number): Promise<readonly string[]> {
  const { path } = await latestCheckpoint(folder)
  const kept = path === undefined ? null : (await readCheckpoint(path)).run
  const ranked = (isObject(kept) && Array.isArray(kept['ranked']) ? kept['ranked'] : []) as unknown as readonly Ranked[]
  const paths = ranked.map(({ step }) => checkpointOf(folder, step)).filter((one) => existsSync(one))
  if (paths.length < number) throw new UsageError(`--best ${number}: ${folder} holds ${paths.length} that were evaluated; train with train.checkpoint.keepBest ${number} to have as many`)
  return paths.slice(0, number)
}
