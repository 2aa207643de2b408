import { Classifier, type Classifiable } from '../task/classification/classifier.js'
import type { Prediction } from '../task/classification/predictions.js'
import { leftAside } from '../task/classification/pretrained-folder.js'
import type { Arguments } from './arguments.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { LABELLED_OPTIONS, readingOf, trainedWith } from './labelled-files.js'
import { atLine } from './lines.js'
import { findModelFolder } from '../model-folder.js'
import { outputOption, writeEach } from './output-file.js'
import { numberOf, PLACE_OPTIONS, placeOptionsOf } from './search-options.js'
import { calledOff, watchInterruption } from './signals.js'
import { recipeColumns } from './text-columns.js'
import { formatOf, readTexts, type Given, type TextsOptions } from './texts.js'

/** Texts that go through the model together. */
const TOGETHER = 32

export const predict: Command = {
  name: 'predict',
  usage: 'sagetrain predict MODEL [FILE|-] [options]',
  about: 'labels the texts of a file or of standard input with a fine-tuned classifier, one line out for each; with --json with probabilities',
  options: {
    model: { type: 'string', value: 'MODEL', about: 'the model, instead of as the first word' },
    jsonl: { type: 'boolean', about: 'lines are JSON, { "text": …, "pair": …, "id": … } (default where the file is called .jsonl); otherwise text, or text TAB pair' },
    ...LABELLED_OPTIONS,
    together: { type: 'string', value: 'N', about: `texts that go through the model together (default: ${TOGETHER}, 1 at a terminal)` },
    ...outputOption('labels'),
    ...PLACE_OPTIONS,
  },
  examples: () => [
    "echo 'A fine film.' | sagetrain predict runs/sentiment",
    'sagetrain predict runs/rte pairs.tsv > labels.txt',
    'sagetrain predict runs/sentiment reviews.csv --columns.text review',
    'sagetrain predict runs/rte/checkpoints/step-00000936 pairs.jsonl.gz --json > predictions.jsonl',
  ],
  run: async ({ positionals, options }, context) => {
    const { model } = options
    const [folder, file = '-', ...surplus] = typeof model === 'string' ? [model, ...positionals] : positionals
    if (folder === undefined) throw new UsageError('predict needs a model: a model folder, a checkpoint or a run')
    if (surplus.length > 0) throw new UsageError(`predict takes one file, got ${[file, ...surplus].join(' ')}`)
    const together = options['together'] === undefined ? (file === '-' && process.stdin.isTTY ? 1 : TOGETHER) : numberOf(options, 'together')
    using interruption = watchInterruption(() => undefined)
    const { signal } = interruption
    // Ended with the command: standard input may stay open, and would keep the process.
    const reading = new AbortController()
    const waiting: Given[] = []
    let done = 0
    const labelled = async function* (found: AsyncIterable<Prediction>): AsyncGenerator<Labelled> {
      for await (const one of found) {
        const id = waiting.shift()?.id
        done += 1
        yield { ...(id !== undefined && { id }), ...one }
      }
    }
    try {
      const found = await findModelFolder(folder)
      using classifier = await Classifier.load(found, placeOptionsOf(options))
      for (const warning of leftAside(found, classifier.model.leftAside)) warn(warning)
      const texts = readTexts({ ...(await formattedAs(folder, file, options)), pair: classifier.pair, signal: AbortSignal.any([signal, reading.signal]), warn })
      const labels = labelled(classifier.predict(noting(texts, waiting), { together, signal }))
      await writeEach(labels, { output: options['output'], lines: (one) => [said(one)], json: options['json'] === true ? (one) => one : undefined }, context)
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, signal)) throw atLine(error, file, (sample) => waiting[sample - done]?.line ?? sample + 1)
      return interruption.exitCode() ?? EXIT.error
    } finally {
      reading.abort()
    }
  },
}

/** A file that says how it is written is read as the run's files were, unless columns are named. */
async function formattedAs(model: string, path: string, options: Arguments['options']): Promise<Pick<TextsOptions, 'path' | 'format' | 'reading' | 'recipe'>> {
  const named = options['columns.text'] !== undefined
  if (!named && options['columns.pair'] !== undefined) throw new UsageError('--columns.pair needs --columns.text beside it')
  const found = options['jsonl'] === true ? 'json' : formatOf(path)
  const format = found === 'plain' && named ? 'tab' : found
  const trained = format === 'plain' ? {} : await trainedWith(model)
  const reading = readingOf(options, trained)
  if (format === 'json' && named && typeof reading.columns.text === 'number') throw new UsageError(`--columns.text ${reading.columns.text}: objects have keys; name the one of the text`)
  return { path, format, reading, recipe: recipeColumns(trained) }
}

function warn(message: string): void {
  process.stderr.write(`sagetrain: warning: ${message}\n`)
}

/** Texts as they are read, each kept in `waiting` until it is labelled. */
async function* noting(texts: AsyncIterable<Given>, waiting: Given[]): AsyncGenerator<Classifiable> {
  for await (const given of texts) {
    waiting.push(given)
    const { text, pair } = given
    yield pair === undefined ? { text } : { text, pair }
  }
}

/** A prediction with what its sample was called. */
type Labelled = Prediction & { readonly id?: unknown }

/** The label, or the number. */
function said(one: Prediction): string {
  return 'label' in one ? one.label : String(one.value)
}
