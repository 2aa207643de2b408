import type { ArmReport, ComparisonReport, EvaluationPoint, SensitivityPoint, StepPoint } from '#ts/report/report-data.js'
import type { Boundary } from '#ts/report/boundary.js'

/** Mulberry32: the fixture must be the same on every machine. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Shape {
  readonly arm: string
  readonly label: string
  readonly seed: number
  readonly end: number
  readonly pace: number
  readonly secondsPerStep: number
  readonly bleu: number
}

const STEPS = 1500

function stepsOf({ end, pace, secondsPerStep, seed }: Shape): readonly StepPoint[] {
  const random = generator(seed * 7919 + pace)
  return Array.from({ length: STEPS / 2 }, (_, index) => {
    const step = 2 * (index + 1)
    return { step, seconds: step * secondsPerStep, loss: end + (9.1 - end) * Math.exp(-step / pace) + (random() - 0.5) * 0.36 }
  })
}

function evaluationsOf({ end, pace, bleu, secondsPerStep }: Shape): readonly EvaluationPoint[] {
  return Array.from({ length: 10 }, (_, index) => {
    const step = 150 * (index + 1)
    const loss = end - 0.9 + 7.2 * Math.exp(-step / pace)
    const learnt = 1 - Math.exp(-((step / 620) ** 1.7))
    return { step, seconds: step * secondsPerStep + index * 3, metrics: { loss, perplexity: Math.exp(loss), bleu: bleu * learnt, chrf: 8 + (bleu + 20) * learnt } }
  })
}

function sensitivityOf({ pace, secondsPerStep, seed }: Shape): readonly SensitivityPoint[] {
  const random = generator(seed + pace)
  return Array.from({ length: 60 }, (_, index) => {
    const step = 25 * (index + 1)
    const sensitivity = 3e-7 * Math.exp(-step / 900) * (1 + 0.3 * random())
    const centre = -0.35 + 0.25 * Math.exp(-step / pace)
    const counts = Array.from({ length: 40 }, (_bin, bin) => Math.round(4e5 * Math.exp(-(((-5 + (bin + 0.5) * 0.15 - centre) / (bin * 0.15 - 5 < centre ? 0.9 : 0.22)) ** 2))))
    return { step, seconds: step * secondsPerStep, sensitivity, average: sensitivity * 0.97, variation: sensitivity * 0.7, modulation: 0.62 + 0.2 * Math.exp(-step / 300) + 0.02 * random(), modulationHistogram: { log10Min: -5, log10Max: 1, counts } }
  })
}

function armOf(shape: Shape): ArmReport {
  const evaluations = evaluationsOf(shape)
  const last = evaluations.at(-1)
  const bleu = shape.bleu - 0.3
  return {
    name: shape.arm,
    arm: shape.arm,
    label: shape.label,
    seed: shape.seed,
    steps: stepsOf(shape),
    evaluations,
    sensitivity: sensitivityOf(shape),
    result: {
      steps: STEPS,
      bestStep: 1500,
      seconds: STEPS * shape.secondsPerStep,
      metrics: { bleu, chrf: shape.bleu + 27.4, loss: last?.metrics['loss'] ?? null, perplexity: last?.metrics['perplexity'] ?? null, tokensPerSecond: 3100 / shape.secondsPerStep / 1.3, optimizerShare: shape.arm === 'adam' ? 0.021 : 0.027, peakMemory: 1.31e9 },
      intervals: { bleu: [bleu - 1.6, bleu + 1.7] },
      signatures: { bleu: 'nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.5.1', chrf: 'nrefs:1|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.5.1' },
    },
    train: { optimizer: { type: 'adam', lr: 2e-3, betas: [0.9, 0.98] }, batch: { maxTokens: 2000 }, seed: shape.seed },
  }
}

const SENTENCES: readonly (readonly [string, string, string, string])[] = [
  ['Klicken Sie auf das Symbol Drucken.', 'Click the Print icon.', 'Click the Print icon.', 'Click the Print icon.'],
  ['Zeigt den Dialog Optionen an, in dem Sie <b>weitere</b> Einstellungen vornehmen können.', 'Displays the options dialog, where you can set the settings.', 'Opens the Options dialog, where you can specify additional settings.', 'Opens the Options dialog where you can choose <b>further</b> settings.'],
  ['Die Formel =SUMME(A1:A10) berechnet die Summe & den Rest.', 'The formula =SUM(A1:A10) calculates the sum of the rest.', 'The formula =SUM(A1:A10) calculates the sum and the remainder.', 'The formula =SUM(A1:A10) calculates the sum & the remainder.'],
  ['Geben Sie hier den Namen der Datenbank ein.', 'Enter the name of the database.', 'Enter the name of the database here.', 'Type the name of the database here.'],
  ['Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung', 'Specifies the area of the area.', 'Defines the association of the page.', 'Regulation on the badge of a Danube steamship company captain’s cap'],
]

/** A report as the quickstart makes it, with made-up but plausible figures, and text that would break a page which forgot to escape. */
export function comparison(overrides: Partial<ComparisonReport> = {}): ComparisonReport {
  return {
    schema: 1,
    name: 'quickstart',
    task: 'translation',
    title: 'German to English: Adam and Adam-SAGE side by side',
    created: '2026-03-01T12:00:00.000Z',
    status: 'complete',
    command: 'npm start',
    measuredOn: '426 held-out sentences, beam 5',
    headline: 'bleu',
    columns: [
      { key: 'bleu', label: 'BLEU', digits: 1, better: 'higher' },
      { key: 'chrf', label: 'chrF', digits: 1, better: 'higher' },
      { key: 'loss', label: 'loss', digits: 3, better: 'lower' },
      { key: 'perplexity', label: 'perplexity', digits: 2, better: 'lower' },
      { key: 'tokensPerSecond', label: 'tokens/s', digits: 0, better: 'higher' },
      { key: 'optimizerShare', label: 'optimizer’s share', digits: 1, format: 'percent' },
      { key: 'peakMemory', label: 'peak memory', digits: 0, format: 'bytes' },
    ],
    arms: [
      armOf({ arm: 'adam', label: 'Adam', seed: 1, end: 2.9, pace: 330, secondsPerStep: 0.41, bleu: 24.6 }),
      armOf({ arm: 'adam-sage', label: 'Adam-SAGE', seed: 1, end: 2.72, pace: 300, secondsPerStep: 0.425, bleu: 27.3 }),
    ],
    comparisons: [{ metric: 'bleu', baseline: 'adam', arm: 'adam-sage', difference: 2.7, interval: [1.1, 4.2], pValue: 0.002, samples: 426, resamples: 1000 }],
    samples: SENTENCES.map(([source, adam, sage, reference]) => ({ source, reference, outputs: { adam, 'adam-sage': sage } })),
    boundaries: [],
    rates: {
      description: 'The same search for both arms: 700 steps at each rate, the best by BLEU on the 140 validation sentences.',
      command: 'npm run search-rates',
      metric: 'validation BLEU',
      trials: [
        { arm: 'adam', setting: 'lr 0.001', value: 16, chosen: false },
        { arm: 'adam', setting: 'lr 0.002', value: 18.8, chosen: true },
        { arm: 'adam-sage', setting: 'lr 0.004, beta0 0.8', value: 20.2, chosen: true },
        { arm: 'adam-sage', setting: 'lr 0.008, beta0 0.8', value: null, chosen: false },
      ],
    },
    data: [
      { label: 'corpus', value: 'LibreOffice Help 7.4, German-English, MPL-2.0' },
      { label: 'sentences', value: '33,039 training, 140 validation, 426 held out' },
    ],
    machine: [
      { label: 'processor', value: 'AMD EPYC, 2 cores, AVX512' },
      { label: 'versions', value: 'sagetrain 0.1.0, libtorch 2.13.0, Node 20.20.2' },
    ],
    config: { task: 'translation', prepare: {}, train: { epochs: 5 }, note: '</script><script>alert(1)</script>' },
    ...overrides,
  }
}

/** A spiral learnt well (`sharpness` high) or badly, as a grid of probabilities with its points. */
export function boundary(title: string, sharpness: number): Boundary {
  const size = 81
  const random = generator(sharpness)
  const probabilities = Array.from({ length: size * size }, (_, index) => {
    const [x, y] = [((index % size) / (size - 1)) * 2 - 1, (Math.floor(index / size) / (size - 1)) * 2 - 1]
    return 1 / (1 + Math.exp(-sharpness * Math.sin(Math.atan2(y, x) - 9 * Math.hypot(x, y))))
  })
  const points = Array.from({ length: 240 }, (_, index) => {
    const label = (index % 2) as 0 | 1
    const radius = 0.1 + 0.85 * random()
    const angle = 9 * radius + (label === 1 ? Math.PI / 2 : -Math.PI / 2) + (random() - 0.5) * 0.5
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), label }
  })
  return { title, caption: 'test accuracy 98.5 %', size, x: [-1, 1], y: [-1, 1], probabilities, points }
}
