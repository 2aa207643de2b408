import { DEFAULT_BEAM } from '../task/translation/search.js'
import type { Translated } from '../task/translation/translations.js'
import { Translator, type Source, type TranslateOptions } from '../task/translation/translator.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { atLine, readLines } from './lines.js'
import { findModelFolder } from '../model-folder.js'
import { outputOption, writeEach, type Writing } from './output-file.js'
import { numberOf, PLACE_OPTIONS, placeOptionsOf, SAMPLING_OPTIONS, SEARCH_OPTIONS, searchOptionsOf } from './search-options.js'
import { calledOff, watchInterruption } from './signals.js'

/** Sentences that are searched together. */
const TOGETHER = 64

type Options = Readonly<Record<string, string | boolean | undefined>>

export const translate: Command = {
  name: 'translate',
  usage: 'sagetrain translate MODEL[,MODEL…] [FILE|-] [options]',
  about: 'translates lines of a file or of standard input, one line out for one line in; several models are an ensemble',
  options: {
    ...SEARCH_OPTIONS,
    ...PLACE_OPTIONS,
    ...SAMPLING_OPTIONS,
    'n-best': { type: 'string', value: 'N', about: 'N lines for each line in, best first: its number from 0 ||| translation ||| score' },
    prefix: { type: 'string', value: 'TEXT', about: 'what every translation has to begin with' },
    'with-prefixes': { type: 'boolean', about: 'lines are source TAB what its translation has to begin with' },
    'replace-unknown': { type: 'boolean', about: 'put what the model looked at in the source where it says <unk>' },
    together: { type: 'string', value: 'N', about: `sentences that are searched together (default: ${TOGETHER}, 1 at a terminal)` },
    ...outputOption('translations'),
  },
  examples: () => [
    "echo 'Wählen Sie eine Farbe aus.' | sagetrain translate runs/quickstart/adam-sage",
    'sagetrain translate runs/translation/checkpoints/step-00001200 input.de --beam 8 --output output.en',
    'sagetrain translate runs/a,runs/b input.de.gz --n-best 4 --json > output.jsonl',
    'sagetrain translate runs/translation input.de --sample --top-p 0.9 --beam 3 --n-best 3',
  ],
  run: async ({ positionals, options }, context) => {
    const [models, file = '-', ...surplus] = positionals
    if (models === undefined) throw new UsageError('translate needs a model: a model folder, a checkpoint or a run')
    if (surplus.length > 0) throw new UsageError(`translate takes one file, got ${[file, ...surplus].join(' ')}`)
    const writing = writingOf(options)
    using interruption = watchInterruption(() => undefined)
    const { signal } = interruption
    // Ended with the command: standard input may stay open, and would keep the process.
    const reading = new AbortController()
    const asked = { ...translateOptionsOf(options, file), signal }
    try {
      using translator = await Translator.load(await Promise.all(models.split(',').map(findModelFolder)), placeOptionsOf(options))
      const found = translations(translator, sourcesOf(file, options, AbortSignal.any([signal, reading.signal])), file, asked)
      await writeEach(found, { output: options['output'], ...writing }, context)
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    } finally {
      reading.abort()
    }
  },
}

function translateOptionsOf(options: Options, file: string): TranslateOptions {
  // Someone who types waits for each line; a file's lines are faster together.
  const together = options['together'] === undefined ? (file === '-' && process.stdin.isTTY ? 1 : TOGETHER) : numberOf(options, 'together')
  if (options['prefix'] !== undefined && options['with-prefixes'] === true) throw new UsageError('--prefix and --with-prefixes exclude each other')
  return { ...searchOptionsOf(options), together, replaceUnknown: options['replace-unknown'] === true }
}

/** A translated line with its number from 0. */
type Numbered = Translated & { readonly line: number }

/** What is written of a line. */
function writingOf(options: Options): Omit<Writing<Numbered>, 'output'> {
  const nBest = nBestOf(options)
  const json = options['json'] === true ? (one: Numbered): object => jsonOf(one, nBest) : undefined
  if (nBest === undefined) return { lines: ({ text }) => [text], json }
  return { lines: ({ line, hypotheses }) => hypotheses.slice(0, nBest).map((one) => `${line} ||| ${one.text} ||| ${one.score.toFixed(4)}`), json }
}

function nBestOf(options: Options): number | undefined {
  if (options['n-best'] === undefined) return undefined
  const [nBest, beam] = [numberOf(options, 'n-best'), searchOptionsOf(options).beam ?? DEFAULT_BEAM]
  if (nBest > beam) throw new UsageError(`--n-best ${nBest}: a beam of ${beam} has no more than ${beam}; give --beam ${nBest} too`)
  if (Number.isInteger(nBest) && nBest >= 1) return nBest
  throw new UsageError(`--n-best ${nBest}: give a whole number of at least 1`)
}

function jsonOf({ source, text, score, hypotheses }: Translated, nBest: number | undefined): object {
  const list = hypotheses.slice(0, nBest).map((one) => ({ translation: one.text, score: one.score }))
  return { source, translation: text, score, ...(nBest === undefined ? {} : { hypotheses: list }) }
}

/** A line break within a translation would put output and input out of step. */
async function* translations(translator: Translator, sources: AsyncIterable<Source>, file: string, asked: TranslateOptions): AsyncGenerator<Numbered> {
  let line = 0
  try {
    for await (const one of translator.translate(sources, asked)) {
      yield { ...unbroken(one), line }
      line += 1
    }
  } catch (error) {
    throw atLine(error, file)
  }
}

async function* sourcesOf(file: string, options: Options, signal: AbortSignal): AsyncGenerator<Source> {
  const everywhere = String(options['prefix'] ?? '')
  for await (const line of readLines(file, signal)) {
    const tab = options['with-prefixes'] === true ? line.indexOf('\t') : -1
    yield tab < 0 ? { text: line, prefix: everywhere } : { text: line.slice(0, tab), prefix: line.slice(tab + 1) }
  }
}

function unbroken(one: Translated): Translated {
  const join = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ')
  return { ...one, text: join(one.text), hypotheses: one.hypotheses.map((hypothesis) => ({ ...hypothesis, text: join(hypothesis.text) })) }
}
