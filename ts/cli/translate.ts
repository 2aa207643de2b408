import { open } from 'node:fs/promises'
import { Translator } from '../task/translation/translator.js'
import type { SearchOptions } from '../task/translation/search.js'
import type { OptionSpec } from './arguments.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { readLines } from './lines.js'
import { findModelFolder } from './model-folder.js'
import { watchInterruption } from './signals.js'
import { printable } from './terminal.js'

/** Sentences that are searched together. */
const TOGETHER = 64

/** How to search, as options of a command. */
export const SEARCH_OPTIONS = {
  beam: { type: 'string', value: 'N', about: 'hypotheses kept a sentence; 1 is greedy (default: 4)' },
  'length-penalty': { type: 'string', value: 'X', about: 'exponent of the length a score is divided by (default: 1)' },
} as const satisfies Record<string, OptionSpec>

/** Reads {@link SEARCH_OPTIONS}. */
export function searchOptionsOf(options: Readonly<Record<string, string | boolean | undefined>>): SearchOptions {
  const number = (name: keyof typeof SEARCH_OPTIONS): number | undefined => {
    const written = options[name]
    if (written === undefined) return undefined
    const value = Number(written)
    if (!Number.isFinite(value)) throw new UsageError(`--${name} ${String(written)}: give a number`)
    return value
  }
  const [beam, lengthPenalty] = [number('beam'), number('length-penalty')]
  return { ...(beam !== undefined && { beam }), ...(lengthPenalty !== undefined && { lengthPenalty }) }
}

export const translate: Command = {
  name: 'translate',
  usage: 'sagetrain translate MODEL [FILE|-] [options]',
  about: 'translates lines of a file or of standard input, one line out for one line in',
  options: { ...SEARCH_OPTIONS, output: { type: 'string', value: 'FILE', about: 'where the translations go (default: standard output)' } },
  examples: () => [
    "echo 'Wählen Sie eine Farbe aus.' | sagetrain translate runs/quickstart/adam-sage",
    'sagetrain translate runs/translation/checkpoints/step-00001200 input.de --beam 8 --output output.en',
    'sagetrain translate runs/translation input.de.gz --json > output.jsonl',
  ],
  run: async ({ positionals, options }, context) => {
    const [model, file = '-', ...surplus] = positionals
    if (model === undefined) throw new UsageError('translate needs a model: a model folder, a checkpoint or a run')
    if (surplus.length > 0) throw new UsageError(`translate takes one file, got ${[file, ...surplus].join(' ')}`)
    const search = searchOptionsOf(options)
    using interruption = watchInterruption(() => undefined)
    using translator = await Translator.load(await findModelFolder(model))
    const target = typeof options['output'] === 'string' ? await open(options['output'], 'w') : undefined
    try {
      for await (const { source, text, score } of translations(translator, file, search, interruption.signal)) {
        if (options['json'] === true) context.json({ source, translation: text, score })
        else if (target !== undefined) await target.write(`${text}\n`)
        else context.terminal.line(context.terminal.interactive ? printable(text) : text)
      }
      return EXIT.ok
    } catch (error) {
      if (!interruption.signal.aborted || error !== interruption.signal.reason) throw error
      return interruption.exitCode() ?? EXIT.error
    } finally {
      await target?.close()
    }
  },
}

interface Translated {
  readonly source: string
  readonly text: string
  readonly score: number | null
}

async function* translations(translator: Translator, file: string, search: SearchOptions, signal: AbortSignal): AsyncGenerator<Translated> {
  // Someone who types waits for each line; a file's lines are faster together.
  const together = file === '-' && process.stdin.isTTY ? 1 : TOGETHER
  let waiting: string[] = []
  for await (const line of readLines(file)) {
    signal.throwIfAborted()
    waiting.push(line)
    if (waiting.length < together) continue
    yield* translateTogether(translator, waiting, search, signal)
    waiting = []
  }
  if (waiting.length > 0) yield* translateTogether(translator, waiting, search, signal)
}

/** An empty line stays one, so that input and output keep in step; a line break within a translation would break that too. */
async function* translateTogether(translator: Translator, lines: readonly string[], search: SearchOptions, signal: AbortSignal): AsyncGenerator<Translated> {
  const found = await translator.search(lines.filter((line) => line.trim() !== ''), { ...search, signal })
  let next = 0
  for (const source of lines) {
    const [best] = source.trim() === '' ? [] : (found[next++] ?? [])
    yield { source, text: (best?.text ?? '').replaceAll(/[\r\n]+/g, ' '), score: best?.score ?? null }
  }
}
