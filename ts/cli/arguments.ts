import { parseArgs } from 'node:util'
import type { Json } from '../json.js'
import { UsageError } from './exit-codes.js'
import { flagsMeant } from './meant.js'

/** An option of a command itself, not of the configuration. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** What `--help` says of its value, e.g. "FOLDER". */
  readonly value?: string
  readonly about: string
  readonly short?: string
}

/** A dotted flag: where in the configuration, and what to set there. */
export interface Override {
  readonly flag: string
  readonly path: readonly string[]
  readonly text: string | undefined
}

/** A command line taken apart. */
export interface Arguments {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly overrides: readonly Override[]
}

/** What dotted flags may name; without any key, every flag must be an option of the command. */
export interface KnownKeys {
  /** First words. */
  readonly keys: readonly string[]
  /** Whole paths, to say which one an unknown flag may mean. */
  paths(): readonly string[]
}

const NONE: KnownKeys = { keys: [], paths: () => [] }

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i

/**
 * Takes a command line apart. `--option value` and `--option=value` mean the same; a flag that the command does not know but whose
 * first word is one of the known keys is a path into the configuration.
 *
 * @throws {@link UsageError} for anything else, with the flag that may be meant.
 */
export function parseArguments(args: readonly string[], specs: Readonly<Record<string, OptionSpec>>, known: KnownKeys = NONE): Arguments {
  const { tokens } = parseArgs({ args: joinNegativeNumbers(args), options: nodeOptions(specs), strict: false, tokens: true, allowPositionals: true })
  const [positionals, overrides]: [string[], Override[]] = [[], []]
  const options: Record<string, string | boolean | undefined> = {}
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index]
    if (token === undefined || token.kind === 'option-terminator') continue
    if (token.kind === 'positional') positionals.push(token.value)
    else if (Object.hasOwn(specs, token.name)) options[token.name] = ownValue(token, specs[token.name])
    else {
      const next = tokens[index + 1]
      const follows = token.value === undefined && next?.kind === 'positional' && !args.slice(0, next.index).includes('--')
      if (follows) index += 1
      overrides.push(overrideOf(token, follows ? next.value : token.value, specs, known))
    }
  }
  return { positionals, options, overrides }
}

function nodeOptions(specs: Readonly<Record<string, OptionSpec>>): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  return Object.fromEntries(Object.entries(specs).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]))
}

/** `--weight -1`: parseArgs would take −1 for a flag. */
function joinNegativeNumbers(args: readonly string[]): string[] {
  const joined: string[] = []
  for (const arg of args) {
    const before = joined.at(-1)
    if (arg.startsWith('-') && NUMBER.test(arg) && before?.startsWith('--') && before.length > 2 && !before.includes('=')) joined[joined.length - 1] = `${before}=${arg}`
    else joined.push(arg)
  }
  return joined
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
}

function ownValue({ rawName, value }: OptionToken, spec: OptionSpec | undefined): string | boolean {
  if (spec?.type === 'boolean') {
    if (value === undefined || value === 'true') return true
    if (value === 'false') return false
    throw new UsageError(`${rawName} takes no value, got "${value}"`)
  }
  if (value === undefined || value === '') throw new UsageError(`${rawName} needs a value: ${rawName} ${spec?.value ?? 'VALUE'}`)
  return value
}

function overrideOf({ name, rawName }: OptionToken, text: string | undefined, specs: Readonly<Record<string, OptionSpec>>, known: KnownKeys): Override {
  const path = name.split('.')
  if (!rawName.startsWith('--') || !known.keys.includes(path[0] ?? '')) throw unknown(rawName, path, specs, known)
  if (path.includes('') || path.includes('__proto__')) throw new UsageError(`${rawName} is not a path: write words with single dots between them`)
  return { flag: rawName, path, text }
}

function unknown(rawName: string, path: readonly string[], specs: Readonly<Record<string, OptionSpec>>, { keys, paths }: KnownKeys): UsageError {
  const meant = flagsMeant(path, [...keys, ...Object.keys(specs)], paths())
  const hint = meant.length === 0 ? 'see --help for what there is' : `did you mean ${meant.map((flag) => `--${flag}`).join(' or ')}?`
  return new UsageError(`unknown option ${rawName}; ${hint}`)
}

/** What a flag's text means: JSON where it is some, a list where there are commas between numbers, else the text. No text is `true`. */
export function valueOf(text: string | undefined): Json {
  if (text === undefined) return true
  if (NUMBER.test(text)) return Number(text)
  if (/^(true|false|null)$|^[[{"]/.test(text)) return parseJson(text)
  if (text.includes(',') && text.split(',').every((part) => NUMBER.test(part))) return text.split(',').map(Number)
  return text
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
