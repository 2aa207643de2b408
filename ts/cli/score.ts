import { SagetrainError } from '../errors.js'
import { count, parse, whole } from '../options.js'
import { fixed } from '../report/format.js'
import { metricJson, type BleuTokenizer, type MetricSpec } from '../score/metric.js'
import { pairedBootstrap, pairedRandomization, type Estimate } from '../score/paired.js'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { readAllLines } from './lines.js'
import { calledOff, watchInterruption } from './signals.js'
import { printTable, type TableColumn } from './table.js'
import { printable, type Terminal } from './terminal.js'

type Options = Readonly<Record<string, string | boolean | undefined>>

/** The metrics of `--metrics`, by the names they are asked for and printed with. */
const METRICS: Readonly<Record<string, { readonly label: string; readonly spec: MetricSpec }>> = {
  bleu: { label: 'BLEU', spec: { type: 'bleu' } },
  chrf: { label: 'chrF2', spec: { type: 'chrf' } },
  'chrf++': { label: 'chrF2++', spec: { type: 'chrf', wordOrder: 2 } },
  ter: { label: 'TER', spec: { type: 'ter' } },
  'tokenized-bleu': { label: 'tokenized BLEU', spec: { type: 'tokenizedBleu' } },
  'compound-split-bleu': { label: 'compound-split BLEU', spec: { type: 'tokenizedBleu', splitCompounds: true } },
}

const NAMES = Object.keys(METRICS).join(', ')

export const score: Command = {
  name: 'score',
  usage: 'sagetrain score --reference FILE[,FILE...] SYSTEM [SYSTEM...] [options]',
  about: 'scores translations by sacreBLEU\'s and fairseq\'s metrics, with intervals, and compares systems',
  options: {
    reference: { type: 'string', value: 'FILE', about: 'what each line should be; several files, with commas between them, for several references' },
    metrics: { type: 'string', value: 'LIST', about: `of ${NAMES} (default: bleu,chrf,ter)` },
    tokenizer: { type: 'string', value: 'NAME', about: 'of bleu: 13a, intl, char or none (default: 13a)' },
    lowercase: { type: 'boolean', about: 'case does not count (for ter it never does)' },
    paired: { type: 'boolean', about: 'compares every other system with the first, on the same sentences' },
    test: { type: 'string', value: 'NAME', about: 'of --paired: bootstrap or randomization (default: bootstrap)' },
    resamples: { type: 'string', value: 'N', about: 'of the intervals and of the bootstrap (default: 1000)' },
    trials: { type: 'string', value: 'N', about: 'of the randomization (default: 10000)' },
    seed: { type: 'string', value: 'N', about: 'of all draws (default: 12345, as sacreBLEU)' },
  },
  examples: () => [
    'sagetrain score --reference test.en output.en',
    'sagetrain score --reference test.en baseline.en output.en --paired --metrics bleu,chrf++,ter',
    'sagetrain translate runs/translation test.de | sagetrain score --reference test.en.gz - --json',
  ],
  run: async ({ positionals, options }, context) => {
    const request = requestOf(positionals, options)
    using interruption = watchInterruption(() => undefined)
    try {
      const texts = await readTexts(request, interruption.signal)
      const results: MetricResult[] = []
      for (const metric of request.metrics) {
        interruption.signal.throwIfAborted()
        // oxlint-disable-next-line no-await-in-loop -- each fills the processor
        results.push(await measure(metric, texts, request))
      }
      context.json({ sentences: texts.references[0]?.length ?? 0, references: request.references, metrics: results })
      print(context.terminal, results)
      return EXIT.ok
    } catch (error) {
      if (!calledOff(error, interruption.signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

interface ChosenMetric {
  readonly name: string
  readonly label: string
  readonly spec: MetricSpec
}

interface Request {
  readonly systems: readonly string[]
  readonly references: readonly string[]
  readonly metrics: readonly ChosenMetric[]
  readonly test: 'bootstrap' | 'randomization' | undefined
  readonly resamples: number
  readonly trials: number
  readonly seed: number
}

function requestOf(systems: readonly string[], options: Options): Request {
  const references = listOf(options['reference'])
  if (references.length === 0) throw new UsageError('score needs --reference FILE')
  if (systems.length === 0) throw new UsageError('score needs the output of at least one system: a file, or - for standard input')
  if ([...references, ...systems].filter((path) => path === '-').length > 1) throw new UsageError('standard input can be read once: - is given more than once')
  const paired = options['paired'] === true
  if (paired && systems.length < 2) throw new UsageError('--paired compares systems: give two or more')
  for (const name of ['test', 'trials']) if (options[name] !== undefined && !paired) throw new UsageError(`--${name} is an option of --paired`)
  const test = options['test'] ?? 'bootstrap'
  if (test !== 'bootstrap' && test !== 'randomization') throw new UsageError(`--test ${String(test)}: give bootstrap or randomization`)
  if (options['trials'] !== undefined && test !== 'randomization') throw new UsageError('--trials is an option of --test randomization')
  const number = (name: string, least: typeof count | typeof whole, otherwise: number): number => (options[name] === undefined ? otherwise : parse(least, Number(options[name]), `--${name}`))
  return {
    systems,
    references,
    metrics: metricsOf(options, references.length),
    test: paired ? test : undefined,
    resamples: number('resamples', count, 1000),
    trials: number('trials', count, 10_000),
    seed: number('seed', whole, 12345),
  }
}

function listOf(value: string | boolean | undefined): readonly string[] {
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()).filter((part) => part !== '') : []
}

function metricsOf(options: Options, references: number): readonly ChosenMetric[] {
  const chosen = [...new Set(listOf(options['metrics'] ?? 'bleu,chrf,ter'))].map((name): ChosenMetric => {
    const known = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined
    if (known === undefined) throw new UsageError(`--metrics ${name}: there are ${NAMES}`)
    if (known.spec.type === 'tokenizedBleu' && references > 1) throw new UsageError(`--metrics ${name} is defined for one reference, ${references} are given`)
    return { name, label: known.label, spec: withOptions(known.spec, options) }
  })
  if (chosen.length === 0) throw new UsageError(`--metrics is empty: there are ${NAMES}`)
  if (options['tokenizer'] !== undefined && !chosen.some(({ name }) => name === 'bleu')) throw new UsageError('--tokenizer is an option of bleu, which is not among --metrics')
  return chosen
}

function withOptions(spec: MetricSpec, { tokenizer, lowercase }: Options): MetricSpec {
  const given = {
    ...spec,
    ...(spec.type === 'bleu' && tokenizer !== undefined && { tokenizer: tokenizer as BleuTokenizer }),
    ...(spec.type !== 'ter' && lowercase === true && { lowercase: true }),
  }
  metricJson(given, '--metrics')
  return given
}

interface Texts {
  readonly systems: readonly (readonly string[])[]
  readonly references: readonly (readonly string[])[]
}

async function readTexts(request: Request, signal: AbortSignal): Promise<Texts> {
  const read = (paths: readonly string[]): Promise<readonly (readonly string[])[]> => Promise.all(paths.map((path) => readAllLines(path, signal)))
  const [references, systems] = await Promise.all([read(request.references), read(request.systems)])
  const [first = '', lines = 0] = [request.references[0], references[0]?.length]
  const paths = [...request.references, ...request.systems]
  for (const [index, text] of [...references, ...systems].entries()) {
    const path = paths[index] ?? ''
    if (text.length === 0) throw new SagetrainError('ERR_DATA', `${path} is empty; give one sentence a line`, { fields: { path } })
    if (text.length !== lines) throw new SagetrainError('ERR_DATA', `${path} has ${text.length} lines, ${first} has ${lines}; give one line for each of the reference's`, { fields: { path, lines: text.length, reference: first, referenceLines: lines } })
  }
  return { references, systems }
}

interface SystemResult extends Estimate {
  readonly system: string
  /** Against the first system, with `--paired`. */
  readonly difference?: number
  readonly pValue?: number
}

interface MetricResult {
  readonly metric: string
  readonly label: string
  readonly signature: string
  readonly systems: readonly SystemResult[]
}

async function measure({ name, label, spec }: ChosenMetric, { systems, references }: Texts, request: Request): Promise<MetricResult> {
  const { resamples, trials, seed, test } = request
  const baseline = systems[0] ?? []
  let signature = ''
  const results: SystemResult[] = []
  for (const [index, lines] of systems.entries()) {
    const compared = test !== undefined && index > 0
    // oxlint-disable-next-line no-await-in-loop -- each fills the processor
    const drawn = await pairedBootstrap(compared && test === 'bootstrap' ? baseline : lines, lines, references, { metric: spec, resamples, seed })
    // oxlint-disable-next-line no-await-in-loop -- as above
    const shuffled = compared && test === 'randomization' ? await pairedRandomization(baseline, lines, references, { metric: spec, trials, seed }) : undefined
    signature = shuffled?.signature ?? drawn.signature
    const difference = shuffled?.difference ?? drawn.difference.score
    results.push({ system: request.systems[index] ?? '', ...drawn.system, ...(compared && { difference, pValue: shuffled?.pValue ?? drawn.pValue }) })
  }
  return { metric: name, label, signature, systems: results }
}

function print(terminal: Terminal, results: readonly MetricResult[]): void {
  const paired = results.some(({ systems }) => systems.some(({ pValue }) => pValue !== undefined))
  const columns: readonly TableColumn[] = [
    { label: 'metric', align: 'left' },
    { label: 'system', align: 'left' },
    { label: 'score' },
    { label: 'mean ± 95 %' },
    ...(paired ? [{ label: 'difference' }, { label: 'p' }] : []),
  ]
  const rows = results.flatMap(({ label, systems }) =>
    systems.map(({ system, score: value, mean, halfWidth, difference, pValue }) => [
      label,
      printable(system),
      fixed(value, 2),
      `${fixed(mean, 2)} ± ${fixed(halfWidth, 2)}`,
      ...(paired ? [difference === undefined ? '' : `${difference > 0 ? '+' : ''}${fixed(difference, 2)}`, pValue === undefined ? '' : fixed(pValue, 4)] : []),
    ]),
  )
  printTable(terminal, columns, rows)
  for (const { label, signature } of results) terminal.line(terminal.style('dim', `${label}: ${signature}`))
}
