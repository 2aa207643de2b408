import { open, realpath, stat, type FileHandle } from 'node:fs/promises'
import { replaceWhole } from '../report/write.js'
import { Translator } from '../task/translation/translator.js'
import type { SearchOptions } from '../task/translation/search.js'
import type { OptionSpec } from './arguments.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { readLines } from './lines.js'
import { findModelFolder } from './model-folder.js'
import { calledOff, watchInterruption } from './signals.js'
import { printable, type Terminal } from './terminal.js'

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
  options: { ...SEARCH_OPTIONS, output: { type: 'string', value: 'FILE', about: 'where the translations go, once all are there (default: standard output)' } },
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
    const json = options['json'] === true
    using interruption = watchInterruption(() => undefined)
    const { signal } = interruption
    try {
      using translator = await Translator.load(await findModelFolder(model))
      const found = translations(translator, file, search, signal)
      if (typeof options['output'] === 'string') await writeTo(options['output'], found, json)
      else
        for await (const one of found) {
          if (json) context.json(one)
          else print(one, context.terminal)
        }
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

interface Translated {
  readonly source: string
  readonly translation: string
  readonly score: number | null
}

function print({ translation }: Translated, terminal: Terminal): void {
  terminal.line(terminal.interactive ? printable(translation) : translation)
}

/** Into a file that may be the one being read: it is replaced when all has been translated. */
async function writeTo(path: string, found: AsyncIterable<Translated>, json: boolean): Promise<void> {
  const fill = async (file: FileHandle): Promise<void> => {
    for await (const one of found) await file.write(`${json ? JSON.stringify(one) : one.translation}\n`)
  }
  const target = await targetOf(path)
  if (target !== undefined) return replaceWhole(target, fill)
  const device = await open(path, 'w')
  await fill(device).finally(() => device.close())
}

/** The file to replace: of a link the one it leads to; undefined for a pipe or a device, which is written as it stands. */
async function targetOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return path
  return found.isFile() ? realpath(path) : undefined
}

async function* translations(translator: Translator, file: string, search: SearchOptions, signal: AbortSignal): AsyncGenerator<Translated> {
  // Someone who types waits for each line; a file's lines are faster together.
  const together = file === '-' && process.stdin.isTTY ? 1 : TOGETHER
  let waiting: string[] = []
  for await (const line of readLines(file, signal)) {
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
    yield { source, translation: (best?.text ?? '').replaceAll(/[\r\n]+/g, ' '), score: best?.score ?? null }
  }
}
