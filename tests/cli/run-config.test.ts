import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isSagetrainError } from '#ts/errors.js'
import { classificationCommand } from '#ts/cli/classification-command.js'
import { UsageError } from '#ts/cli/exit-codes.js'
import { merge, type JsonObject } from '#ts/merge.js'
import { withType } from '#ts/cli/named-type.js'
import { applyOverrides, armsOf, checkConfig, ownConfig, readConfig, type RunConfig } from '#ts/cli/run-config.js'
import { optimizerSpec } from '#ts/optim/spec.js'
import { scheduleSpec } from '#ts/schedule/spec.js'

const keys = { prepare: ['source', 'target', 'vocabulary'], train: ['optimizer', 'schedule', 'batch', 'epochs'] }
const single: RunConfig = { task: 'translation', prepare: {}, train: { optimizer: { type: 'adam', lr: 1e-3 } } }
const both: RunConfig = {
  task: 'translation',
  prepare: {},
  train: { optimizer: { type: 'adam', betas: [0.9, 0.98] }, epochs: 2 },
  compare: [
    { name: 'adam', train: { optimizer: { lr: 2e-3 } } },
    { name: 'adam-sage', train: { optimizer: { lr: 4e-3, sage: { beta0: 0.8 } } } },
  ],
}

function lay(config: RunConfig, ...flags: readonly (readonly [flag: string, text: string])[]): RunConfig {
  return applyOverrides(config, flags.map(([flag, text]) => ({ flag: `--${flag}`, path: flag.split('.'), text })), keys)
}

function refused(t: ExecutionContext, act: () => unknown): string {
  return t.throws(act, { instanceOf: UsageError })?.message ?? ''
}

test('flags go into the part that has their key', (t) => {
  const config = lay(single, ['source', 'a.de'], ['batch.maxTokens', '2000'], ['optimizer.lr', '2e-3'])
  t.deepEqual(config.prepare, { source: 'a.de' })
  t.deepEqual(config.train, { optimizer: { type: 'adam', lr: 2e-3 }, batch: { maxTokens: 2000 } })
  t.deepEqual(single.prepare, {})
})

test('an optimizer can be given by name, with SAGE by its suffix, options kept', (t) => {
  t.deepEqual(lay(single, ['optimizer', 'adamax-sage'], ['optimizer.sage.beta0', '0.7']).train, { optimizer: { type: 'adamax', lr: 1e-3, sage: { beta0: 0.7 } } })
  t.deepEqual(lay(single, ['optimizer.sage.beta0', '0.7'], ['optimizer', 'adam-sage']).train, { optimizer: { type: 'adam', lr: 1e-3, sage: { beta0: 0.7 } } })
  t.deepEqual(lay(single, ['schedule', 'constant']).train['schedule'], { type: 'constant' })
})

test('another type that is named drops the options below that it has not, and none that was typed', (t) => {
  const config: RunConfig = { ...single, train: { optimizer: { type: 'adamw', lr: 1e-3, betas: [0.9, 0.98], eps: 1e-6, weightDecay: 0.1 }, schedule: { type: 'warmupLinear', warmupRatio: 0.1 } } }
  t.deepEqual(lay(config, ['optimizer', 'sgd'], ['schedule', 'constant']).train, { optimizer: { type: 'sgd', lr: 1e-3, weightDecay: 0.1 }, schedule: { type: 'constant' } })
  t.deepEqual(lay(config, ['schedule.warmupSteps', '5'], ['schedule.type', 'cosine']).train['schedule'], { type: 'cosine', warmupSteps: 5 })
  t.deepEqual(lay(config, ['optimizer.eps', '1'], ['optimizer', 'sgd']).train['optimizer'], { type: 'sgd', lr: 1e-3, weightDecay: 0.1, eps: 1 })
  t.deepEqual(lay(config, ['schedule', 'warmupLinear']).train, config.train)
  t.deepEqual(lay(config, ['schedule', 'cosinus']).train['schedule'], { type: 'cosinus', warmupRatio: 0.1 })
})

test('what a named type keeps is what the addon takes', (t) => {
  const specs = [['optimizer', optimizerSpec, ['sgd', 'adam', 'adamw', 'adamax'], { lr: 1, momentum: 0.9, nesterov: false, betas: [0.9, 0.99], eps: 1e-8 }], ['schedule', scheduleSpec, ['constant', 'linear', 'inverseSqrt', 'cosine', 'polynomial', 'warmupLinear'], { warmupSteps: 1, power: 1 }]] as const
  for (const [key, spec, types, options] of specs) {
    for (const type of types) {
      const kept = withType({ [key]: { type: 'other', ...options } }, key, type)[key] as JsonObject
      const foreign = Object.entries(options).filter(([option]) => !(option in kept))
      const complete = type === 'warmupLinear' ? { ...kept, warmupRatio: 0.1 } : kept
      t.notThrows(() => spec(complete, key), type)
      for (const [option, value] of foreign) t.throws(() => spec({ ...complete, [option]: value }, key), { message: /unknown key/ }, `${type}.${option}`)
    }
  }
})

test('a bare object is turned on with its defaults, and a list of texts may be written with commas', (t) => {
  const config: RunConfig = { task: 'classification', prepare: {}, train: { batch: { batchSize: 4 } } }
  const known = { prepare: ['labels', 'columns'], train: ['batch', 'best', 'smoothness', 'optimizer', 'divergence', 'groups'] }
  const laid = (flag: string, text?: string): RunConfig => applyOverrides(config, [{ flag: `--${flag}`, path: flag.split('.'), text }], known)
  t.deepEqual(laid('smoothness').train['smoothness'], {})
  t.deepEqual(laid('batch').train['batch'], { batchSize: 4 })
  t.deepEqual(laid('optimizer.observe').train['optimizer'], { observe: {} })
  t.is(laid('divergence').train['divergence'], true, 'what may be something else is not guessed')
  t.deepEqual(laid('labels', 'good, bad').prepare['labels'], ['good', 'bad'])
  t.deepEqual(laid('labels', '0,1').prepare['labels'], ['0', '1'])
  t.deepEqual(laid('labels', '["a,b","c"]').prepare['labels'], ['a,b', 'c'])
  t.deepEqual(laid('best.metrics', 'f1').train['best'], { metrics: ['f1'] })
})

test('a bare --optimizer.sage turns it on, and leaves on what is', (t) => {
  const bare = { flag: '--optimizer.sage', path: ['optimizer', 'sage'], text: undefined }
  t.deepEqual(applyOverrides(single, [bare], keys).train['optimizer'], { type: 'adam', lr: 1e-3, sage: {} })
  t.deepEqual(applyOverrides(lay(single, ['optimizer.sage.beta0', '0.7']), [bare], keys).train['optimizer'], { type: 'adam', lr: 1e-3, sage: { beta0: 0.7 } })
  const arm = { flag: '--compare.adam.optimizer.sage', path: ['compare', 'adam', 'optimizer', 'sage'], text: undefined }
  t.deepEqual(applyOverrides(both, [arm], keys).compare?.[0]?.train['optimizer'], { lr: 2e-3, sage: {} })
})

test('arms are the common part with their own laid over it', (t) => {
  t.deepEqual(armsOf(both), [
    { name: 'adam', train: { optimizer: { type: 'adam', betas: [0.9, 0.98], lr: 2e-3 }, epochs: 2 } },
    { name: 'adam-sage', train: { optimizer: { type: 'adam', betas: [0.9, 0.98], lr: 4e-3, sage: { beta0: 0.8 } }, epochs: 2 } },
  ])
  t.deepEqual(armsOf(single).map(({ name }) => name), ['adam'])
  t.deepEqual(armsOf(lay(single, ['optimizer', 'adam-sage'])).map(({ name }) => name), ['adam-sage'])
})

test('an object of another type replaces the one below', (t) => {
  t.deepEqual(merge({ schedule: { type: 'inverseSqrt', warmupSteps: 100 } }, { schedule: { type: 'constant' } }), { schedule: { type: 'constant' } })
  t.deepEqual(merge({ betas: [1, 2], a: { b: 1 } }, { betas: [3], a: { c: 2 } }), { betas: [3], a: { b: 1, c: 2 } })
})

test('one arm can be changed, and a flag that every arm overrides is an error', (t) => {
  const arms = armsOf(lay(both, ['compare.adam-sage.optimizer.lr', '8e-3'], ['epochs', '1']))
  t.deepEqual(arms.map(({ train }) => [(train['optimizer'] as { lr: number }).lr, train['epochs']]), [[2e-3, 1], [8e-3, 1]])
  t.regex(refused(t, () => lay(both, ['optimizer.lr', '1e-3'])), /no effect: every arm sets its own; write --compare\.adam\.optimizer\.lr/)
  t.regex(refused(t, () => lay(both, ['compare.adam-sgae.epochs', '1'])), /no arm "adam-sgae"; did you mean "adam-sage"\?/)
  t.regex(refused(t, () => lay(both, ['compare.adam', '1'])), /needs a key/)
  t.regex(refused(t, () => lay(both, ['optimizer.sage.beta0', '0.7'])), /every arm sets its own; write --compare\.adam-sage\.optimizer\.sage\.beta0/)
})

test('a flag of SAGE holds for the arms that have it, and turns it on in no other', (t) => {
  const [plain, guided] = armsOf(lay(both, ['optimizer.sage.epsilon', '1e-9'])).map(({ train }) => train['optimizer'] as { sage?: object })
  t.deepEqual([plain?.sage, guided?.sage], [undefined, { beta0: 0.8, epsilon: 1e-9 }])
  t.regex(refused(t, () => lay(both, ['optimizer', 'adamax-sage'])), /would turn SAGE on in every arm/)
  t.deepEqual(armsOf(lay(both, ['optimizer', 'adamax'])).map(({ train }) => (train['optimizer'] as { type: string }).type), ['adamax', 'adamax'])
})

test("an optimizer asked for by name is trained alone, in place of the task's own comparison", (t) => {
  const { task, ...defaults } = both
  const flags = (...written: (readonly [string, string])[]) => written.map(([flag, text]) => ({ flag: `--${flag}`, path: flag.split('.'), text }))
  const laid = (...written: (readonly [string, string])[]) => armsOf(applyOverrides(ownConfig(task, defaults, flags(...written)), flags(...written), keys))
  const released = laid(['optimizer', 'adamax-sage'], ['optimizer.sage.beta0', '0.75'], ['optimizer.sage.form', 'released'])
  t.deepEqual(released, [{ name: 'adamax-sage', train: { optimizer: { type: 'adamax', betas: [0.9, 0.98], sage: { beta0: 0.75, form: 'released' } }, epochs: 2 } }])
  t.is(laid(['epochs', '1']).length, 2)
  t.is(laid(['optimizer', 'adamax'], ['compare.adam.optimizer.lr', '1']).length, 2)
})

test('AdamW of fine-tuning decays, but neither biases nor norms; another optimizer as it says', (t) => {
  const { name, keys: own, defaults } = classificationCommand
  const laid = (...written: (readonly [string, string])[]) => {
    const flags = written.map(([flag, text]) => ({ flag: `--${flag}`, path: flag.split('.'), text }))
    return applyOverrides(ownConfig(name, defaults, flags), flags, own).train
  }
  t.like(laid(), { optimizer: { type: 'adamw', lr: 5e-5, weightDecay: 0.01 }, groups: [{ include: ['*.bias', '*LayerNorm.weight'], weightDecay: 0 }] })
  t.deepEqual(laid(['optimizer', 'adamw-sage'])['optimizer'], { type: 'adamw', lr: 5e-5, eps: 1e-6, weightDecay: 0.01, sage: {} })
  t.deepEqual(laid(['optimizer', 'adam-sage'])['optimizer'], { type: 'adam', lr: 5e-5, eps: 1e-6, sage: {} })
  t.deepEqual(laid(['optimizer.type', 'adamax'])['optimizer'], { type: 'adamax', lr: 5e-5, eps: 1e-6 })
  t.like(laid(['optimizer.weightDecay', '0.1'], ['optimizer', 'adam']), { optimizer: { type: 'adam', weightDecay: 0.1 } })
})

test('a file is checked, with the path of what is wrong', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-config-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify({ $schema: 'x', task: 'spiral' }))
  t.deepEqual(await readConfig(file), { task: 'spiral', prepare: {}, train: {} })
  await writeFile(file, '{ "task": ')
  t.regex((await t.throwsAsync(readConfig(file), { instanceOf: UsageError }))?.message ?? '', /run\.json: is not JSON/)
  t.regex((await t.throwsAsync(readConfig(join(folder, 'none')), { instanceOf: UsageError }))?.message ?? '', /cannot be read/)
  for (const [wrong, message] of [
    [{ task: 'spiral', trian: {} }, /run\.json\.trian: unknown option; did you mean "train"\?/],
    [{ task: 'spiral', train: 3 }, /run\.json\.train: expected an object, got 3/],
    [{ task: 'spiral', name: '../up' }, /run\.json\.name: .*names a folder/],
    [{ task: 'spiral', compare: [] }, /run\.json\.compare: has no arm/],
    [{ task: 'spiral', compare: [{ name: 'a/b' }] }, /run\.json\.compare\[0\]\.name: /],
  ] as const) {
    const error = t.throws(() => checkConfig(wrong, 'run.json'))
    t.true(isSagetrainError(error, 'ERR_CONFIG'))
    t.regex(error?.message ?? '', message)
  }
  t.regex(refused(t, () => checkConfig({ task: 'spiral', compare: [{ name: 'a' }, { name: 'a' }] }, 'run.json')), /two arms are called "a"/)
})
