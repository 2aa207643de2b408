import type { PlaceOptions } from '../model.js'
import type { SamplingOptions, SearchOptions } from '../task/translation/search.js'
import type { OptionSpec } from './arguments.js'
import { UsageError } from './exit-codes.js'

/** How to search, as options of a command. */
export const SEARCH_OPTIONS = {
  beam: { type: 'string', value: 'N', about: 'hypotheses kept a sentence; 1 is greedy (default: 4)' },
  'length-penalty': { type: 'string', value: 'X', about: 'strength of the length normalisation; 0 for none (default: 1)' },
  'length-normalization': { type: 'string', value: 'NAME', about: 'length, as fairseq, or gnmt (default: length)' },
  'max-length-ratio': { type: 'string', value: 'X', about: 'the longest output has this times the source’s tokens … (default: 1.2)' },
  'max-length-extra': { type: 'string', value: 'N', about: '… plus this many (default: 10)' },
  'max-length': { type: 'string', value: 'N', about: 'the longest output in tokens, whatever the source' },
  'min-length': { type: 'string', value: 'N', about: 'the shortest output in tokens (default: 0)' },
} as const satisfies Record<string, OptionSpec>

/** Where to compute, as options of a command. */
export const PLACE_OPTIONS = {
  device: { type: 'string', value: 'NAME', about: 'cpu, cuda:0 and so on, or auto (default: cpu)' },
  precision: { type: 'string', value: 'NAME', about: 'of the products: float32, bfloat16 or float16 (default: float32)' },
} as const satisfies Record<string, OptionSpec>

/** Reads {@link PLACE_OPTIONS}; their values are checked where the model is loaded. */
export function placeOptionsOf({ device, precision }: Options): PlaceOptions {
  return { ...(device !== undefined && { device }), ...(precision !== undefined && { precision }) } as PlaceOptions
}

/** How to draw instead of searching, as options of a command. */
export const SAMPLING_OPTIONS = {
  sample: { type: 'boolean', about: 'draw --beam outputs from the model instead of searching for the likeliest' },
  temperature: { type: 'string', value: 'X', about: 'with --sample: divides the logits; below 1 sharpens (default: 1)' },
  'top-k': { type: 'string', value: 'N', about: 'with --sample: only the likeliest N tokens' },
  'top-p': { type: 'string', value: 'P', about: 'with --sample: only the likeliest tokens that hold this share of the probability' },
  seed: { type: 'string', value: 'N', about: 'with --sample: decides what is drawn (default: 1)' },
} as const satisfies Record<string, OptionSpec>

type Options = Readonly<Record<string, string | boolean | undefined>>

/** Reads {@link SEARCH_OPTIONS}, and {@link SAMPLING_OPTIONS} where the command has them. */
export function searchOptionsOf(options: Options): SearchOptions {
  const names = ['beam', 'length-penalty', 'max-length-ratio', 'max-length-extra', 'max-length', 'min-length']
  const normalization = options['length-normalization']
  const numbers: SearchOptions = numbersOf(options, names)
  const { minLength, maxLength } = numbers
  if (minLength !== undefined && maxLength !== undefined && minLength >= maxLength) throw new UsageError(`--min-length ${minLength}: with </s> it is more than --max-length ${maxLength}`)
  return {
    ...numbers,
    ...(normalization === undefined ? {} : { lengthNormalization: normalizationOf(normalization) }),
    ...(options['sample'] === true ? { sampling: samplingOf(options) } : refuseSampling(options)),
  }
}

function samplingOf(options: Options): SamplingOptions {
  return numbersOf(options, ['temperature', 'top-k', 'top-p', 'seed'])
}

function refuseSampling(options: Options): object {
  const without = Object.keys(SAMPLING_OPTIONS).find((name) => name !== 'sample' && options[name] !== undefined)
  if (without !== undefined) throw new UsageError(`--${without} has no effect without --sample`)
  return {}
}

/** The numbers among the options, under the names that the API has. */
function numbersOf(options: Options, names: readonly string[]): Record<string, number> {
  const given = names.filter((name) => options[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), numberOf(options, name)]))
}

/** A number among a command's options. */
export function numberOf(options: Options, name: string): number {
  const value = Number(options[name])
  if (!Number.isFinite(value)) throw new UsageError(`--${name} ${String(options[name])}: give a number`)
  return value
}

function normalizationOf(written: string | boolean): 'length' | 'gnmt' {
  if (written === 'length' || written === 'gnmt') return written
  throw new UsageError(`--length-normalization ${String(written)}: give length or gnmt`)
}
