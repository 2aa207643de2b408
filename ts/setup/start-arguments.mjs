// The arguments of `npm start`, judged before a set-up that may take minutes.
import { configurationPaths } from './configuration.mjs'

/** Options of `sagetrain start` beside the configuration's keys and `--help`. */
export const startOptions = ['name', 'runs', 'seeds', 'json']

/** @param {readonly string[]} args */
export const asksForHelp = (args) => args.includes('--help') || args.includes('-h')

/**
 * The arguments that the quickstart would refuse: a word where there is no flag, and flags that are neither an option nor a key.
 *
 * @param {readonly string[]} args
 */
export function unknownArguments(args) {
  const known = new Set(configurationPaths('translation').concat(startOptions))
  const isKnown = (/** @type {string} */ flag) => known.has(flag.replace(/^--(compare\.[\w-]+\.)?/, '').replace(/=.*/s, ''))
  return args.filter((arg, index) => (arg.startsWith('--') ? !isKnown(arg) : index === 0))
}
