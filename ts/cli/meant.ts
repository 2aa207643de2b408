import { suggest } from '../suggest.js'

/** How many flags a hint names at most. */
const FEW = 3

/** Words shorter than this are within too many others. */
const TELLING = 4

/** Parts of a configuration file, which flags leave out. */
const PARTS: ReadonlySet<string> = new Set(['prepare', 'train'])

/**
 * The flags that an unknown one may mean: written with its part, misspelt, in another style, or by the last word of its path alone.
 *
 * @param words what may stand first: options and the configuration's keys
 * @param paths dotted paths of the configuration
 */
export function flagsMeant(path: readonly string[], words: readonly string[], paths: readonly string[]): readonly string[] {
  const [first = '', ...rest] = path
  if (words.includes(first)) return [path.join('.')]
  if (PARTS.has(first) && rest.length > 0) return flagsMeant(rest, words, paths)
  const near = suggest(first, words)
  const corrected = near === undefined ? undefined : [near, ...rest].join('.')
  if (corrected !== undefined && (rest.length === 0 || near === 'compare' || paths.includes(corrected))) return [corrected]
  const leaves = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}.`)))
  const found = [called(rest.at(-1) ?? first, leaves), corrected === undefined ? [] : [corrected], related(first, leaves)].find((flags) => flags.length > 0)
  return found?.slice(0, FEW) ?? []
}

/** Paths whose last word is that name, or nearly, the shortest. */
function called(name: string, paths: readonly string[]): readonly string[] {
  const last = (path: string): string => plain(path.split('.').at(-1) ?? '')
  const near = suggest(plain(name), paths.map(last))
  const found = paths.filter((path) => last(path) === near)
  const depth = Math.min(...found.map((path) => path.split('.').length))
  return found.filter((path) => path.split('.').length === depth)
}

/** Paths with a word that holds the name, or that begins it. */
function related(name: string, paths: readonly string[]): readonly string[] {
  const asked = plain(name)
  const near = (word: string): boolean => (asked.length >= TELLING && word.includes(asked)) || (word.length >= TELLING && asked.startsWith(word))
  return paths.filter((path) => path.split('.').map(plain).some(near))
}

/** `max-tokens` and `max_tokens` are `maxTokens`. */
function plain(word: string): string {
  return word.replaceAll(/[-_]/g, '').toLowerCase()
}
