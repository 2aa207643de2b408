import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import * as sagetrain from '#ts/index.js'
import { TASKS } from '#ts/cli/registry.js'
import { checkConfig, readConfig } from '#ts/cli/run-config.js'
import { QUICKSTART } from '#ts/cli/start.js'

interface Schema {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
}

const schema = JSON.parse(readFileSync(new URL('../../cli/run.schema.json', pathToFileURL(QUICKSTART)), 'utf8')) as Schema & { readonly $defs: Readonly<Record<string, Schema>> }

function resolve(one: Schema): Schema {
  const name = one.$ref?.split('/').at(-1)
  return name === undefined ? one : (schema.$defs[name] ?? {})
}

/** Paths of a value that the schema does not know. */
function unknownIn(value: unknown, of: Schema, path: string): readonly string[] {
  const { properties, items, anyOf, enum: words } = resolve(of)
  if (words !== undefined && !words.includes(value)) return [`${path}: ${JSON.stringify(value)}`]
  if (Array.isArray(value) && items !== undefined) return value.flatMap((item, index) => unknownIn(item, items, `${path}[${index}]`))
  if (typeof value !== 'object' || value === null || Array.isArray(value) || anyOf !== undefined) return []
  return Object.entries(value).flatMap(([key, item]) => {
    const below = properties?.[key]
    return below === undefined ? [`${path}.${key}`] : unknownIn(item, below, `${path}.${key}`)
  })
}

test('the published schema has the keys that the tasks take, no more and no fewer', (t) => {
  for (const { name, keys } of TASKS.values()) {
    for (const part of ['prepare', 'train'] as const) {
      const known = Object.keys(schema.$defs[`${name}${part === 'prepare' ? 'Prepare' : 'Train'}`]?.properties ?? {})
      t.deepEqual(known.toSorted(), keys[part].toSorted(), `${name}.${part}`)
    }
  }
  t.deepEqual(schema.properties?.['task']?.enum, [...TASKS.keys()])
})

test('the quickstart and every task’s defaults fit it', async (t) => {
  const quickstart = await readConfig(QUICKSTART)
  t.deepEqual(quickstart.compare?.map(({ name }) => name), ['adam', 'adam-sage'])
  const configs = [quickstart, ...[...TASKS.values()].map(({ name, defaults }) => checkConfig({ task: name, ...defaults }, name))]
  for (const { task, prepare, train, compare = [] } of configs) {
    const [data, training] = [schema.$defs[`${task}Prepare`] ?? {}, schema.$defs[`${task}Train`] ?? {}]
    t.deepEqual([...unknownIn(prepare, data, 'prepare'), ...unknownIn(train, training, 'train'), ...compare.flatMap((arm) => unknownIn(arm.train, training, arm.name))], [], task)
  }
})

test('every optimizer and schedule fits it with all its options', (t) => {
  const { adam, adamax, adamw, constant, cosine, inverseSqrt, linear, polynomial, sgd, warmupLinear } = sagetrain
  const optimizers = [
    sgd({ lr: 1, momentum: 0.9, nesterov: true, sage: {} }), adam({ lr: 1, observe: { every: 2 } }), adamax({ lr: 1, decay: 'modulated', sage: {} }),
    adamw({ lr: 1, sage: { form: 'released', scope: { include: ['*'] } } }), ...(['product', 'none'] as const).map((modulation) => adam({ lr: 1, sage: { modulation } })),
  ]
  const schedules = [constant(), linear({ warmupSteps: 1 }), linear({ warmupRatio: 0.1 }), inverseSqrt({ warmupSteps: 1 }), cosine({ warmupSteps: 1 }), polynomial({ power: 2, warmupSteps: 1 }), warmupLinear({ warmupRatio: 0.1 })]
  t.deepEqual(optimizers.flatMap((spec) => unknownIn(spec, schema.$defs['optimizer'] ?? {}, spec.type)), [])
  t.deepEqual(schedules.flatMap((spec) => unknownIn(spec, schema.$defs['schedule'] ?? {}, spec.type)), [])
})

test('a search fits it with all its options', (t) => {
  const evaluation = { everySteps: 1, beam: 1, lengthPenalty: 0, lengthNormalization: 'gnmt', maxLengthRatio: 1, maxLengthExtra: 1, maxLength: 9, minLength: 1, sampling: { temperature: 1, topK: 1, topP: 1, seed: 1 } }
  const train = { ...TASKS.get('translation')?.defaults.train, evaluation }
  t.deepEqual(unknownIn(train, schema.$defs['translationTrain'] ?? {}, 'train'), [])
  t.notThrows(() => TASKS.get('translation')?.check(train))
})
