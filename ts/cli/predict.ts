import { SagetrainError } from '../errors.js'
import { Classifier, type Classifiable } from '../task/classification/classifier.js'
import type { Prediction } from '../task/classification/predictions.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { atLine, readLines } from './lines.js'
import { findModelFolder } from './model-folder.js'
import { hasNoReader } from './reader.js'
import { numberOf, PLACE_OPTIONS, placeOptionsOf } from './search-options.js'
import { calledOff, watchInterruption } from './signals.js'
import { printable } from './terminal.js'

/** Texts that go through the model together. */
const TOGETHER = 32

export const predict: Command = {
  name: 'predict',
  usage: 'sagetrain predict MODEL [FILE|-] [options]',
  about: 'labels lines of a file or of standard input with a fine-tuned classifier, one line out for one line in; with --json with probabilities',
  options: {
    jsonl: { type: 'boolean', about: 'lines are JSON, { "text": …, "pair": … } (default where the file is called .jsonl); otherwise text, or text TAB pair' },
    together: { type: 'string', value: 'N', about: `texts that go through the model together (default: ${TOGETHER}, 1 at a terminal)` },
    ...PLACE_OPTIONS,
  },
  examples: () => [
    "echo 'A fine film.' | sagetrain predict runs/sentiment",
    'sagetrain predict runs/rte pairs.tsv > labels.txt',
    'sagetrain predict runs/rte/checkpoints/step-00000936 pairs.jsonl.gz --json > predictions.jsonl',
  ],
  run: async ({ positionals, options }, context) => {
    const [folder, file = '-', ...surplus] = positionals
    if (folder === undefined) throw new UsageError('predict needs a model: a model folder, a checkpoint or a run')
    if (surplus.length > 0) throw new UsageError(`predict takes one file, got ${[file, ...surplus].join(' ')}`)
    const together = options['together'] === undefined ? (file === '-' && process.stdin.isTTY ? 1 : TOGETHER) : numberOf(options, 'together')
    const jsonl = options['jsonl'] === true || /\.jsonl(\.gz)?$/.test(file)
    using interruption = watchInterruption(() => undefined)
    const { signal } = interruption
    try {
      using classifier = await Classifier.load(await findModelFolder(folder), placeOptionsOf(options))
      for await (const one of classifier.predict(textsOf(file, jsonl, signal), { together, signal })) {
        if (hasNoReader()) break
        if (options['json'] === true) context.json(one)
        else context.terminal.line(context.terminal.interactive ? printable(said(one)) : said(one))
      }
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, signal)) throw atLine(error, file)
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

/** The label, or the number. */
function said(one: Prediction): string {
  return 'label' in one ? one.label : String(one.value)
}

async function* textsOf(file: string, jsonl: boolean, signal: AbortSignal): AsyncGenerator<Classifiable> {
  let line = 0
  for await (const given of readLines(file, signal)) {
    line += 1
    yield jsonl ? fromJson(given, file, line) : fromTsv(given)
  }
}

function fromTsv(line: string): Classifiable {
  const [text = '', pair] = line.split('\t')
  return pair === undefined ? { text } : { text, pair }
}

function fromJson(line: string, file: string, number: number): Classifiable {
  const found = parsed(line)
  if (typeof found === 'string') return { text: found }
  if (typeof found === 'object' && found !== null && 'text' in found && typeof found.text === 'string') {
    return { text: found.text, ...('pair' in found && typeof found.pair === 'string' && { pair: found.pair }) }
  }
  const path = file === '-' ? 'standard input' : file
  throw new SagetrainError('ERR_DATA', `${path}:${number}: expected a JSON string, or an object with a "text" and perhaps a "pair"`, { fields: { path, line: number } })
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
