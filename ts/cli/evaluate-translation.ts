import { Dataset } from '../dataset.js'
import { SagetrainError } from '../errors.js'
import type { Model } from '../model.js'
import { fixed } from '../report/format.js'
import { pairedBootstrap } from '../score/paired.js'
import { embeddedCorpus } from '../task/translation/prepare.js'
import { evaluateTranslation } from '../task/translation/evaluate.js'
import { searchOptions } from '../task/translation/search.js'
import { Translator } from '../task/translation/translator.js'
import { parse } from '../options.js'
import type { Arguments, OptionSpec } from './arguments.js'
import type { Context } from './command.js'
import { UsageError } from './exit-codes.js'
import { atLine, readPairs } from './lines.js'
import { printFacts } from './table.js'
import { placeOptionsOf, SEARCH_OPTIONS, searchOptionsOf } from './search-options.js'

/** The options that have their say of translators alone. */
export const TRANSLATION_OPTIONS = {
  source: { type: 'string', value: 'FILE', about: 'sentences to translate, one a line (default: the embedded held-out part)' },
  target: { type: 'string', value: 'FILE', about: 'their references, line by line' },
  tsv: { type: 'string', value: 'FILE', about: 'both in one file, with a tab between them' },
  ...SEARCH_OPTIONS,
} as const satisfies Record<string, OptionSpec>

/** Scores the translator of a model folder. */
export async function evaluateTranslator(folder: string, options: Arguments['options'], context: Context, signal: AbortSignal): Promise<void> {
  const files = filesOf(options)
  const search = parse(searchOptions, searchOptionsOf(options), 'evaluate')
  const { sources, references } = await readPairs(files, signal)
  if (sources.length === 0) throw new SagetrainError('ERR_DATA', `${'tsv' in files ? files.tsv : files.source}: holds no lines; there is nothing to score`)
  using translator = await Translator.load(folder, placeOptionsOf(options))
  const { tokenizer, targetTokenizer, text } = translator
  const targets = text.process('target', references)
  const [sourceIds, targetIds] = [tokenizer.encode(text.process('source', sources)), targetTokenizer.encode(targets)]
  checkLengths(translator.model, files, { source: sourceIds, target: targetIds })
  // Hypotheses have gone through the steps and back, in lower case where the model is: references are compared likewise.
  const compared = text.restore('target', targets)
  using dataset = await Dataset.from(sourceIds.map((source, index) => ({ source, target: targetIds[index] ?? new Int32Array() })))
  const part = { dataset, sources, references: compared, spoken: targets }
  const scores = await evaluateTranslation(translator.model, part, { tokenizer: targetTokenizer, text }, { search, maxTokens: 8192, signal }).catch((error: unknown) => {
    throw atLine(error, 'tsv' in files ? files.tsv : files.source)
  })
  const intervals = await intervalsOf(scores.hypotheses, compared)
  const { loss: _training, ...metrics } = scores.metrics // without a session there is no smoothing: it is the nll once more
  context.json({ metrics, intervals, signatures: scores.signatures, sentences: sources.length, searchSeconds: scores.searchSeconds })
  printFacts(context.terminal, [
    { label: 'sentences', value: fixed(sources.length) },
    { label: 'NLL (nats/token)', value: fixed(metrics.nll, 4) },
    { label: 'bits/token', value: fixed(metrics.bits, 4) },
    { label: 'perplexity', value: fixed(metrics.perplexity, 3) },
    { label: 'BLEU', value: `${fixed(metrics.bleu, 2)} [${fixed(intervals.bleu[0], 2)}, ${fixed(intervals.bleu[1], 2)}]  ${scores.signatures.bleu}` },
    { label: 'chrF', value: `${fixed(metrics.chrf, 2)} [${fixed(intervals.chrf[0], 2)}, ${fixed(intervals.chrf[1], 2)}]  ${scores.signatures.chrf}` },
    { label: 'search', value: `${fixed(scores.searchSeconds, 1)} s, beam ${search.beam}` },
  ])
}

type Files = { readonly tsv: string } | { readonly source: string; readonly target: string }

function filesOf({ source, target, tsv }: Arguments['options']): Files {
  if (typeof tsv === 'string' && source === undefined && target === undefined) return { tsv }
  if (typeof source === 'string' && typeof target === 'string' && tsv === undefined) return { source, target }
  if (source !== undefined || target !== undefined || tsv !== undefined) throw new UsageError('evaluate needs --source and --target together, or --tsv alone')
  return { tsv: embeddedCorpus('test').tsv ?? '' }
}

/** Before anything is computed. */
function checkLengths(model: Model, files: Files, sides: Readonly<Record<'source' | 'target', readonly Int32Array[]>>): void {
  const { maxPositions: longest } = model.spec as { readonly maxPositions?: number }
  for (const side of ['source', 'target'] as const) {
    const index = sides[side].findIndex(({ length }) => longest !== undefined && length > longest)
    if (index < 0) continue
    const [path, line, tokens] = ['tsv' in files ? files.tsv : files[side], index + 1, sides[side][index]?.length]
    const message = `${path}:${line}: the ${side} has ${tokens} tokens with its </s>, but the model holds ${longest} (maxPositions); split it into sentences, or leave the pair out`
    throw new SagetrainError('ERR_DATA', message, { fields: { path, line, side, tokens } })
  }
}

type Interval = readonly [low: number, high: number]

/** 95 % bootstrap intervals of one system. */
async function intervalsOf(hypotheses: readonly string[], references: readonly string[]): Promise<Readonly<Record<'bleu' | 'chrf', Interval>>> {
  const [bleu, chrf] = await Promise.all((['bleu', 'chrf'] as const).map(async (metric): Promise<Interval> => {
    const { system } = await pairedBootstrap(hypotheses, hypotheses, references, { metric })
    return [system.lower, system.upper]
  }))
  return { bleu: bleu ?? [Number.NaN, Number.NaN], chrf: chrf ?? [Number.NaN, Number.NaN] }
}
