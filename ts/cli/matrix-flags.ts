import * as v from 'valibot'
import { count, parse } from '../options.js'
import { beta0Of, pointCells, type Matrix } from '../reproduce/experiment.js'
import type { Override } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { isSetAt, merge } from '../merge.js'
import { applyOverrides, typesFirst, type ConfigKeys } from './run-config.js'
import { taskOf } from './train.js'

/**
 * Flags are laid over what the runs of a matrix share and told of in its notes; one below `optimizer.sage` holds for the arms that have
 * SAGE. What the runs differ in is not for a flag to say.
 *
 * @throws {@link UsageError} for a flag that sets that; `ERR_CONFIG` for one that the task refuses.
 */
export function withFlags<M extends Matrix>(matrix: M, overrides: readonly Override[], context: Context): M {
  const command = taskOf(matrix.task, context)
  const laid = typesFirst(overrides).reduce((result, override) => withFlag(result, override, command.keys), matrix)
  for (const cell of pointCells(laid, 1)) command.check(cell.train)
  parse(v.optional(count), laid.train['threads'], 'train.threads')
  if (overrides.length === 0) return laid
  const flags = overrides.map(({ flag, text }) => `${flag} ${text ?? ''}`.trim()).join(' ')
  return { ...laid, notes: [...laid.notes, `Changed on the command line: ${flags}.`] }
}

function withFlag<M extends Matrix>(matrix: M, override: Override, keys: ConfigKeys): M {
  const { task, prepare, train, arms } = matrix
  const refuse = (): never => {
    throw new UsageError(`${override.flag}: is what an experiment is, or what its runs differ in; train one of your own with sagetrain train`)
  }
  const key = override.path.join('.')
  const hasBeta1 = arms.some(({ points }) => points.some(({ beta1 }) => beta1 !== undefined))
  if (override.path[0] === 'compare' || OWN.has(key) || (key === 'optimizer.betas' && hasBeta1)) refuse()
  const laid = applyOverrides({ task, prepare, train, compare: arms.map(({ name, train: own }) => ({ name, train: own })) }, [override], keys)
  const changed = arms.map((arm) => ({ ...arm, train: laid.compare?.find(({ name }) => name === arm.name)?.train ?? arm.train }))
  const differs = changed.some((arm, index) => {
    const [before, after] = [merge(train, arms[index]?.train ?? {}), merge(laid.train, arm.train)]
    return isSetAt(after, ['seed']) || isSetAt(after, ['optimizer', 'lr']) || beta0Of(after) !== beta0Of(before) || isSetAt(after, SAGE) !== isSetAt(before, SAGE)
  })
  if (differs) refuse()
  return { ...matrix, prepare: laid.prepare, train: laid.train, arms: changed }
}

const SAGE = ['optimizer', 'sage']
const OWN: ReadonlySet<string> = new Set(['seed', 'optimizer.lr', 'optimizer.sage', 'optimizer.sage.beta0', 'recipe', 'kind', 'columns', 'labels'])
