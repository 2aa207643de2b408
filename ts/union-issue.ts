import * as v from 'valibot'
import { hint, suggest } from './suggest.js'

/** What valibot says of a value. */
export type Issue = v.BaseIssue<unknown>

/** What a schema is made of, as valibot keeps it: a wrapper's schema, an object's entries, an array's items, a union's members. */
interface Parts {
  readonly wrapped?: v.GenericSchema
  readonly entries?: Readonly<Record<string, v.GenericSchema>>
  readonly item?: v.GenericSchema
  readonly items?: readonly v.GenericSchema[]
  readonly options?: readonly v.GenericSchema[]
}

/** What is wrong, and where below the value that was checked. */
export interface Found {
  readonly issue: Pick<Issue, 'message' | 'input'>
  readonly path: string
}

/** Of all that is wrong what says most: a misspelt key is both unknown and missing. */
export function tellingIssue(schema: v.GenericSchema, issues: readonly [Issue, ...Issue[]]): Found {
  const issue = issues.find((one) => one.expected === 'never') ?? issues[0]
  const keys = issue.path?.map(({ key }) => key) ?? []
  const below = withinUnion(keys.reduce<v.GenericSchema | undefined>(schemaAt, schema), issue)
  return { issue: below.issue, path: pathText(keys) + below.path }
}

function pathText(keys: readonly unknown[]): string {
  return keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
}

/** Of a union's members the one that was meant complains: of an object that with most of its keys, else the one that got furthest. */
function withinUnion(schema: v.GenericSchema | undefined, issue: Issue): Found {
  const { options } = partsOf(schema)
  const shapes = options?.filter((member): member is v.GenericSchema => partsOf(member).entries !== undefined) ?? []
  const given = keysOf(issue.input)
  if (shapes.length === 0 || given.length === 0) return deepest(issue)
  const ranked = shapes.map((member) => {
    const result = v.safeParse(member, issue.input)
    return { member, shared: given.filter((key) => key in (partsOf(member).entries ?? {})).length, issues: result.success ? undefined : result.issues }
  })
  const [meant] = ranked.toSorted((one, other) => other.shared - one.shared || missing(one.issues) - missing(other.issues) || (one.issues?.length ?? 0) - (other.issues?.length ?? 0))
  if (meant?.issues === undefined) return deepest(issue)
  const known = [...new Set(shapes.flatMap((member) => Object.keys(partsOf(member).entries ?? {})))]
  const foreign = meant.issues.flatMap(({ expected, path }) => (expected === 'never' && path?.length === 1 ? [String(path[0].key)] : [])).find((key) => known.includes(key))
  if (meant.shared > 0 && foreign !== undefined) {
    const own = partsOf(meant.member).entries ?? {}
    return { issue: { message: `does not go with ${given.filter((key) => key in own).join(', ')}`, input: undefined }, path: `.${foreign}` }
  }
  if (meant.shared > 0) return orNear(tellingIssue(meant.member, meant.issues), known)
  const [first = ''] = given
  return { issue: { message: `unknown option${hint(first, known)}`, input: undefined }, path: `.${first}` }
}

/** Keys that a form needs and that are not given. */
function missing(issues: readonly Issue[] = []): number {
  return issues.filter(({ received }) => received === 'undefined').length
}

/** A key's value may be wrong because another form's key, one letter away, was meant. */
function orNear({ issue, path }: Found, known: readonly string[]): Found {
  const key = path.slice(1)
  const near = known.includes(key) ? suggest(key, known.filter((other) => other !== key)) : undefined
  return near === undefined ? { issue, path } : { issue: { ...issue, message: `${issue.message}; or did you mean "${near}"?` }, path }
}

function keysOf(input: unknown): readonly string[] {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? Object.keys(input) : []
}

/** What a schema consists of, behind what makes it optional. */
function partsOf(schema: v.GenericSchema | undefined): Parts {
  const parts = (schema ?? {}) as Parts
  return parts.wrapped === undefined ? parts : partsOf(parts.wrapped)
}

/** The schema of what lies at a key; of a union of the first member that has it. */
function schemaAt(schema: v.GenericSchema | undefined, key: unknown): v.GenericSchema | undefined {
  const { entries, item, items, options } = partsOf(schema)
  if (typeof key === 'number') return items?.[key] ?? item
  return entries?.[String(key)] ?? options?.map((member) => schemaAt(member, key)).find((found) => found !== undefined)
}

function deepest(issue: Issue): Found {
  const inner = issue.issues?.map((one) => ({ found: deepest(one), keys: one.path?.map(({ key }) => key) ?? [] })) ?? []
  const paths = inner.map(({ found, keys }): Found => ({ issue: found.issue, path: pathText(keys) + found.path })).filter(({ path }) => path !== '')
  return paths.reduce<Found>((best, one) => (one.path.length > best.path.length ? one : best), { issue, path: '' })
}
