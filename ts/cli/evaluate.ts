import { classifies } from '../task/classification/classifier-folder.js'
import type { Arguments } from './arguments.js'
import type { Command } from './command.js'
import { CLASSIFICATION_OPTIONS, evaluateClassifier } from './evaluate-classification.js'
import { evaluateTranslator, TRANSLATION_OPTIONS } from './evaluate-translation.js'
import { EXIT, UsageError } from './exit-codes.js'
import { findModelFolder } from '../model-folder.js'
import { PLACE_OPTIONS } from './search-options.js'
import { calledOff, watchInterruption } from './signals.js'

export const evaluate: Command = {
  name: 'evaluate',
  usage: 'sagetrain evaluate MODEL [--source FILE --target FILE | --tsv FILE | --test FILE] [options]',
  about: 'scores a model: a translator’s negative log-likelihood (NLL), perplexity, BLEU and chrF with their intervals, as sacreBLEU computes them; a classifier’s accuracy, F1 and Matthews’ correlation, or correlations of its numbers',
  options: { ...TRANSLATION_OPTIONS, ...CLASSIFICATION_OPTIONS, ...PLACE_OPTIONS },
  examples: () => [
    'sagetrain evaluate runs/quickstart/adam-sage',
    'sagetrain evaluate runs/translation --source test.de --target test.en --beam 8',
    'sagetrain evaluate runs/translation --tsv test.tsv.gz --json',
    'sagetrain evaluate runs/classification --test test.csv --columns.text review --columns.label verdict',
  ],
  run: async ({ positionals, options }, context) => {
    const [given, ...surplus] = positionals
    if (given === undefined || surplus.length > 0) throw new UsageError('evaluate takes one model: a model folder, a checkpoint or a run')
    const folder = await findModelFolder(given)
    const classifier = await classifies(folder)
    refuseForeign(options, given, classifier)
    using interruption = watchInterruption(() => undefined)
    const { signal } = interruption
    try {
      await (classifier ? evaluateClassifier({ given, folder }, options, context, signal) : evaluateTranslator(folder, options, context, signal))
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

/** Options of the other kind of model would be without effect. */
function refuseForeign(options: Arguments['options'], model: string, classifier: boolean): void {
  const [foreign, own] = classifier ? [TRANSLATION_OPTIONS, CLASSIFICATION_OPTIONS] : [CLASSIFICATION_OPTIONS, TRANSLATION_OPTIONS]
  const name = Object.keys(foreign).find((one) => options[one] !== undefined)
  if (name === undefined) return
  const there = Object.keys(own).map((one) => `--${one}`).join(', ')
  throw new UsageError(`--${name} has no effect on ${model}, which is a ${classifier ? 'classifier' : 'translator'}; there are: ${there}`)
}
