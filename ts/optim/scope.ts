import { SagetrainError } from '../errors.js'

/** A parameter as predicates see it. */
export interface ParameterShape {
  /** Its Hugging Face name, or the name given to `createOptimizer`. */
  readonly name: string
  /** Its dimensions, outermost first. */
  readonly shape: readonly number[]
}

/** Globs over parameter names: `*` any characters (dots too), `?` one, `[ab]` one of, `{a,b}` either. */
export interface NamePattern {
  /** What is selected; each glob must match some name. */
  readonly include: readonly string[]
  /** What is taken out again. */
  readonly exclude?: readonly string[]
}

/**
 * Which parameters SAGE modulates. `'encoder-linear'` is what the paper's released code does: Q, K, V, attention output and both
 * feed-forward matrices of encoder layers, and their biases.
 */
export type Scope = 'all' | 'encoder-linear' | NamePattern

/** Chooses parameters one by one; called once for each, when the optimizer is made. */
export type ScopePredicate = (parameter: ParameterShape) => boolean

/** The list a predicate selects, as a scope. */
export function selectNames(predicate: ScopePredicate, parameters: readonly ParameterShape[]): NamePattern {
  const selected = parameters.filter(({ name, shape }) => predicate({ name, shape }))
  if (selected.length > 0) return { include: selected.map(({ name }) => literal(name)) }
  const names = parameters.slice(0, 3).map(({ name }) => name)
  const message = `sage.scope: the predicate selects none of ${parameters.length} parameters; their names are like ${names.join(', ')}`
  throw new SagetrainError('ERR_SCOPE_EMPTY', message, { fields: { key: 'sage.scope', count: parameters.length, names } })
}

/** A glob that matches `name` and nothing else. */
function literal(name: string): string {
  return name.replaceAll(/[*?{}[\]\\]/g, (character) => `[${character}]`)
}
