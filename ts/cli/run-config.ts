import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import type { Json } from '../json.js'
import { expected, flag, object, parse, positive, text, whole } from '../options.js'
import type { RateSearch } from '../report/report-data.js'
import { configurationKind } from '../setup/configuration.mjs'
import { hint } from '../suggest.js'
import { valueOf, type Override } from './arguments.js'
import { UsageError } from './exit-codes.js'
import { isObject, isSetAt, merge, setAt, type JsonObject } from '../merge.js'
import { namesType, withType } from './named-type.js'

/** An arm of a comparison: what it changes in `train`. */
export interface Arm {
  readonly name: string
  readonly train: JsonObject
}

/** A run as a configuration file writes it, and as it is kept in the run's folder. */
export interface RunConfig {
  readonly task: string
  /** Name of the run's folder below `runs/`. */
  readonly name?: string
  readonly prepare: JsonObject
  readonly train: JsonObject
  /** Arms to train at the same time, each with its share of the threads. */
  readonly compare?: readonly Arm[]
  /** Seeds to train each arm with, one after the other. */
  readonly seeds?: readonly number[]
  /** How the arms' rates were found, for the report. */
  readonly rates?: RateSearch
  /** How long it took where it was measured, for the plan. */
  readonly estimate?: { readonly minutes: number; readonly machine: string }
}

/** Keys of a task's two parts, to know which one a flag means. */
export interface ConfigKeys {
  readonly prepare: readonly string[]
  readonly train: readonly string[]
}

const SAGE = ['optimizer', 'sage']
const NAME = /^[\w][\w.-]*$/

const anything = v.custom<JsonObject>(isObject, (issue) => `expected an object, got ${JSON.stringify(issue.input)}`)
const armName = v.pipe(text, v.regex(/^[\w][\w-]*$/, 'expected letters, digits, "-" and "_": it names a folder'))
const schema = object({
  $schema: v.optional(text),
  task: text,
  name: v.optional(v.pipe(text, v.regex(NAME, 'expected letters, digits, ".", "-" and "_": it names a folder'))),
  prepare: v.optional(anything, {}),
  train: v.optional(anything, {}),
  compare: v.optional(v.pipe(v.array(object({ name: armName, train: v.optional(anything, {}) })), v.minLength(1, 'has no arm'))),
  seeds: v.optional(v.pipe(v.array(whole), v.minLength(1, 'has no seed'))),
  rates: v.optional(
    object({
      description: text,
      command: text,
      metric: text,
      digits: v.exactOptional(whole),
      trials: v.array(object({ arm: text, setting: text, value: v.nullable(v.number(expected('a number or null'))), chosen: flag })),
    }),
  ),
  estimate: v.optional(object({ minutes: positive, machine: text })),
})

/**
 * Reads a configuration file.
 *
 * @throws {@link UsageError} when it is not there or not JSON; `ERR_CONFIG` with the key's path when it does not fit.
 */
export async function readConfig(path: string): Promise<RunConfig> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`)
  })
  return checkConfig(parseFile(content, path), path)
}

function parseFile(content: string, path: string): unknown {
  try {
    return JSON.parse(content)
  } catch (error) {
    throw new UsageError(`${path}: is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Checks a configuration's own keys; those of `prepare` and `train` are the task's to check. */
export function checkConfig(value: unknown, where: string): RunConfig {
  const { $schema: _schema, ...config } = parse(schema, value, where)
  const names = config.compare?.map(({ name }) => name) ?? []
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new UsageError(`${where}.compare: two arms are called "${twice}"; give each its own name`)
  return config as RunConfig
}

/** A task's own configuration, to lay flags on. `--optimizer NAME` asks for that one: it is trained alone, without the task's comparison. */
export function ownConfig(task: string, defaults: Omit<RunConfig, 'task'>, overrides: readonly Override[]): RunConfig {
  const { compare: _compare, ...alone } = defaults
  const named = overrides.some(({ path, text: written }) => path.length === 1 && path[0] === 'optimizer' && written !== undefined)
  const arms = overrides.some(({ path }) => path[0] === 'compare')
  return checkConfig({ task, ...(named && !arms ? alone : defaults), train: withOwnDecay(defaults.train, overrides) }, task)
}

/** A task's decay is that of its own optimizer: another, asked for by name, is without unless it says so. */
function withOwnDecay(train: JsonObject, overrides: readonly Override[]): JsonObject {
  const asked = overrides.map((override) => canonical(override, override.path)).findLast(([path]) => path.join('.') === 'optimizer.type')
  const { optimizer } = train
  if (asked === undefined || !isObject(optimizer) || optimizer['type'] === asked[1]) return train
  const { weightDecay: _weightDecay, ...rest } = optimizer
  return { ...train, optimizer: rest }
}

/**
 * Lays dotted flags on a configuration; a flag of `train` holds for every arm, one below `optimizer.sage` for every arm that has SAGE,
 * `--compare.ARM.…` for one.
 */
export function applyOverrides(config: RunConfig, overrides: readonly Override[], keys: ConfigKeys): RunConfig {
  return typesFirst(overrides).reduce((result, override) => applyOne(result, override, keys), config)
}

/** Flags that name a type before the others: they drop options of the type below, and never one that was typed. */
export function typesFirst(overrides: readonly Override[]): readonly Override[] {
  const named = (override: Override): boolean => namesType(canonical(override, override.path[0] === 'compare' ? override.path.slice(2) : override.path)[0])
  return [...overrides.filter(named), ...overrides.filter((override) => !named(override))]
}

function applyOne(config: RunConfig, override: Override, keys: ConfigKeys): RunConfig {
  const [first = '', ...rest] = override.path
  if (first === 'compare') return applyToArm(config, override, rest)
  if (keys.prepare.includes(first) && !keys.train.includes(first)) return { ...config, prepare: layFlag(config.prepare, override, override.path, kindIn(config.task, 'Prepare')) }
  if (!keys.train.includes(first)) throw new UsageError(`${override.flag} is not an option of the task "${config.task}"${hint(first, [...keys.prepare, ...keys.train])}`)
  const [spec, , sage] = canonical(override, override.path)
  const guided = config.compare?.filter(({ train }) => isSetAt(merge(config.train, train), SAGE)) ?? []
  const mixed = guided.length > 0 && guided.length < (config.compare?.length ?? 0)
  if (sage && mixed) throw new UsageError(`${override.flag} ${String(override.text)} would turn SAGE on in every arm; write ${override.flag} without "-sage": the arms that have it keep it`)
  const meant = mixed && SAGE.every((word, index) => override.path[index] === word) ? guided : (config.compare ?? [])
  const hidden = meant.length > 0 && meant.every((arm) => isSetAt(arm.train, spec))
  if (hidden) throw new UsageError(`${override.flag} would have no effect: every arm sets its own; write --compare.${meant[0]?.name ?? 'ARM'}.${override.path.join('.')}`)
  if (meant !== guided) return { ...config, train: layFlag(config.train, override, override.path, kindIn(config.task, 'Train')) }
  return meant.reduce((result, { name }) => applyToArm(result, override, [name, ...override.path]), config)
}

function applyToArm(config: RunConfig, override: Override, [name = '', ...path]: readonly string[]): RunConfig {
  const arms = config.compare ?? []
  if (!arms.some((arm) => arm.name === name)) throw new UsageError(`${override.flag}: there is no arm "${name}"${hint(name, arms.map((arm) => arm.name))}`)
  if (path.length === 0) throw new UsageError(`${override.flag} needs a key of the arm, e.g. ${override.flag}.optimizer.lr`)
  return { ...config, compare: arms.map((arm) => (arm.name === name ? { name, train: layFlag(arm.train, override, path, kindIn(config.task, 'Train')) } : arm)) }
}

/** `--optimizer NAME` means its `type`, and `NAME-sage` also `sage: {}`; `--schedule NAME` likewise. */
function canonical({ text: written }: Override, path: readonly string[]): readonly [path: readonly string[], value: Json, sage: boolean] {
  const value = valueOf(written)
  const named = (path.length === 1 && (path[0] === 'optimizer' || path[0] === 'schedule')) && typeof value === 'string'
  if (!named) return [path, value, false]
  const sage = path[0] === 'optimizer' && value.endsWith('-sage')
  return [[...path, 'type'], sage ? value.slice(0, -'-sage'.length) : value, sage]
}

/** What a key of a task holds. */
type Kind = (path: readonly string[]) => ReturnType<typeof configurationKind>

function kindIn(task: string, part: 'Prepare' | 'Train'): Kind {
  return (path) => configurationKind(task, part, path.join('.'))
}

function layFlag(base: JsonObject, override: Override, at: readonly string[], kindOf: Kind): JsonObject {
  if (override.text === undefined && at.join('.') === SAGE.join('.')) return withSage(base)
  // An object named alone is turned on with its defaults, or left on as it is.
  if (override.text === undefined && kindOf(at) === 'object') return isSetAt(base, at) ? base : setAt(base, at, {})
  const [path, written, sage] = canonical(override, at)
  const [key = ''] = path
  const value = override.text !== undefined && !/^[[{]/.test(override.text) && kindOf(path) === 'texts' ? override.text.split(',').map((word) => word.trim()) : written
  const laid = namesType(path) && typeof value === 'string' ? withType(base, key, value) : setAt(base, path, value)
  return sage ? withSage(laid) : laid
}

/** Turned on with its defaults, unless it is on already; a bare `--optimizer.sage` means that too. */
function withSage(train: JsonObject): JsonObject {
  return isSetAt(train, SAGE) ? train : setAt(train, SAGE, {})
}

/**
 * Reads `--seeds`: a count (seeds 1 to that) or a list.
 *
 * @throws {@link UsageError}
 */
export function parseSeeds(written: string): readonly number[] {
  const numbers = written.split(',').filter((part) => part.trim() !== '').map(Number)
  if (numbers.length === 0 || !numbers.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) throw new UsageError(`--seeds ${written}: give a count, or a list such as 1,2,3`)
  if (written.includes(',')) return [...new Set(numbers)]
  const [count = 0] = numbers
  if (count < 1 || count > 1000) throw new UsageError(`--seeds ${written}: a count is between 1 and 1000; for the one seed ${written} write "${written},"`)
  return Array.from({ length: count }, (_, index) => index + 1)
}

/**
 * Each arm's complete `train`; without `compare` the run is its only arm.
 *
 * @throws {@link UsageError} for an arm with threads of its own: unequal shares would compare the machine, not the arms.
 */
export function armsOf(config: RunConfig): readonly Arm[] {
  if (config.compare === undefined) return [{ name: defaultArmName(config.train), train: config.train }]
  const apart = config.compare.find(({ train }) => 'threads' in train)
  if (apart !== undefined) throw new UsageError(`compare.${apart.name}.threads: arms share the threads equally; give train.threads, of all arms together`)
  return config.compare.map(({ name, train }) => ({ name, train: merge(config.train, train) }))
}

function defaultArmName({ optimizer }: JsonObject): string {
  if (!isObject(optimizer) || typeof optimizer['type'] !== 'string') return 'run'
  return optimizer['sage'] === undefined ? optimizer['type'] : `${optimizer['type']}-sage`
}
