import { native } from '../binding.js'
import { SagetrainError } from '../errors.js'
import { decode, encode } from '../json.js'
import { call } from '../native-error.js'
import { show } from '../options.js'
import type { AdamSpec } from './adam.js'
import type { AdamaxSpec } from './adamax.js'
import type { AdamwSpec } from './adamw.js'
import { selectNames, type ParameterShape, type ScopePredicate } from './scope.js'
import type { SgdSpec } from './sgd.js'

/** An update rule as plain JSON, its kind in `type`; made by {@link sgd}, {@link adam}, {@link adamw}, {@link adamax}. */
export type OptimizerSpec = SgdSpec | AdamSpec | AdamwSpec | AdamaxSpec

/** Fills in the defaults of an optimizer of that type. */
export function resolveOptimizer<Type extends OptimizerSpec['type']>(type: Type, options: unknown): Extract<OptimizerSpec, { type: Type }> {
  if (typeof options !== 'object' || options === null) {
    throw new SagetrainError('ERR_CONFIG', `${type}: expected an object of options, got ${show(options)}`, { fields: { key: type } })
  }
  return optimizerSpec({ ...options, type }, type) as Extract<OptimizerSpec, { type: Type }>
}

/** Checks a specification and fills in its defaults; `where` begins the paths in messages. A scope predicate stays what it is. */
export function optimizerSpec(value: unknown, where: string): OptimizerSpec {
  const predicate = predicateOf(value)
  const plain = predicate === undefined ? value : withScope(value as OptimizerSpec, 'all')
  const json = encode(plain ?? null, where)
  const spec = decode<OptimizerSpec>(call(() => native().resolveOptimizer(json, where)))
  return predicate === undefined ? spec : withScope(spec, predicate)
}

/** The specification as JSON text for these parameters, a scope predicate replaced by the list it selects. */
export function encodeOptimizer(value: unknown, where: string, parameters: readonly ParameterShape[]): string {
  const spec = optimizerSpec(value, where)
  const predicate = predicateOf(spec)
  return encode(predicate === undefined ? spec : withScope(spec, selectNames(predicate, parameters)), where)
}

function predicateOf(value: unknown): ScopePredicate | undefined {
  const scope = (value as Partial<OptimizerSpec> | null | undefined)?.sage?.scope
  return typeof scope === 'function' ? scope : undefined
}

function withScope(spec: OptimizerSpec, scope: NonNullable<OptimizerSpec['sage']>['scope']): OptimizerSpec {
  return Object.freeze({ ...spec, sage: Object.freeze({ ...spec.sage, scope }) }) as OptimizerSpec
}
