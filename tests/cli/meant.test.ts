import test from 'ava'
import { flagsMeant } from '#ts/cli/meant.js'
import { TASKS } from '#ts/cli/registry.js'
import { configurationPaths } from '#ts/setup/configuration.mjs'

function meant(task: string, flag: string): readonly string[] {
  const { prepare, train } = TASKS.get(task)?.keys ?? { prepare: [], train: [] }
  return flagsMeant(flag.split('.'), ['config', 'compare', ...prepare, ...train], configurationPaths(task))
}

test('what a stranger types first leads to the flag', (t) => {
  for (const [flag, ...flags] of [
    ['lr', 'optimizer.lr'],
    ['beta0', 'optimizer.sage.beta0', 'optimizer.observe.beta0'],
    ['maxTokens', 'batch.maxTokens'],
    ['max-tokens', 'batch.maxTokens'],
    ['warmupSteps', 'schedule.warmupSteps'],
    ['warmup_steps', 'schedule.warmupSteps'],
    ['preset', 'model.preset'],
    ['vocab', 'vocabulary.type', 'vocabulary.size', 'vocabulary.merges'],
    ['vocab.size', 'vocabulary.size'],
    ['batchSize', 'batch.maxTokens', 'batch.maxSamples', 'batch.memoryBytes'],
    ['warmup', 'schedule.warmupSteps', 'schedule.warmupRatio'],
    ['train.steps', 'steps'],
    ['prepare.vocabulary.size', 'vocabulary.size'],
    ['train.lr', 'optimizer.lr'],
    ['optimiser.lr', 'optimizer.lr'],
    ['optimiser.lrr', 'optimizer.lr'],
    ['epohcs', 'epochs'],
    ['comparee.adam.epochs', 'compare.adam.epochs'],
    ['wholly-different'],
    ['x'],
  ] as const) t.deepEqual([...meant('translation', flag)].toSorted(), [...flags].toSorted(), flag)
  t.deepEqual(meant('spiral', 'batchSize'), ['batch.batchSize'])
})

test('a task that the schema does not have has no paths', (t) => {
  t.deepEqual(configurationPaths('scripted'), [])
  t.true(['optimizer', 'optimizer.sage.scope.include', 'heldOut.valid', 'steps'].every((path) => configurationPaths('translation').includes(path)))
})
