import { clock, fixed, powerOfTen, significant } from './format.js'

export interface Tick {
  readonly value: number
  readonly label: string
}

/** A map from data to pixels, with the ticks that a reader would have chosen. */
export interface Scale {
  readonly kind: 'linear' | 'log'
  readonly domain: readonly [number, number]
  readonly range: readonly [number, number]
  readonly ticks: readonly Tick[]
}

export type TickFormat = 'number' | 'duration'

const SECOND_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400]

/** The pixel of a value; undefined where a logarithm has none. */
export function place(scale: Scale, value: number): number | undefined {
  const transform = scale.kind === 'log' ? Math.log10 : Number
  if (!Number.isFinite(value) || (scale.kind === 'log' && value <= 0)) return undefined
  const [low, high] = [transform(scale.domain[0]), transform(scale.domain[1])]
  return scale.range[0] + ((transform(value) - low) / (high - low)) * (scale.range[1] - scale.range[0])
}

function extent(values: Iterable<number>): [number, number] | undefined {
  let low = Infinity
  let high = -Infinity
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : undefined
}

function niceStep(span: number, count: number): number {
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  return (([1, 2, 5].find((multiple) => multiple * power >= rough * 0.999_999) ?? 10) as number) * power
}

function secondStep(span: number, count: number): number {
  return SECOND_STEPS.find((step) => step >= span / count) ?? niceStep(span, count)
}

function linearLabel(value: number, step: number, format: TickFormat): string {
  if (format === 'duration') return clock(value)
  if (step < 1e-4 || step >= 1e7) return significant(value)
  return fixed(value, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
}

/** Something to draw an axis of, not above what the quantity can be: one value alone has a tenth of it above, or as much as there can be. */
function widened([low, rawHigh]: [number, number], most: number): [number, number] {
  const high = Math.min(rawHigh, most)
  if (high > low) return [low, high]
  const span = Math.abs(high) * 0.1 || 1
  return high + span > most ? [most - span, most] : [high, high + span]
}

/** A linear scale whose ends are ticks' multiples (`snap`) or exactly the data; `most` is the largest value that the quantity can have. */
export function linearScale(
  values: Iterable<number>,
  range: readonly [number, number],
  { count = 5, format = 'number', snap = true, most = Infinity }: { count?: number; format?: TickFormat; snap?: boolean; most?: number } = {},
): Scale {
  const [low, high] = widened(extent(values) ?? [0, 1], most)
  const step = format === 'duration' ? secondStep(high - low, count) : niceStep(high - low, count)
  const [first, last] = [Math.floor(low / step + 1e-9), Math.min(Math.ceil(high / step - 1e-9), Math.floor(most / step + 1e-9))]
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
    .filter((value) => snap || (value >= low - step * 1e-9 && value <= high + step * 1e-9))
    .map((value) => ({ value, label: linearLabel(value, step, format) }))
  return { kind: 'linear', domain: snap ? [first * step, last * step] : [low, high], range, ticks }
}

/** 1-2-5 marks of a decade: the positions a logarithmic axis can begin and end at. */
function logMark(index: number): { readonly value: number; readonly label: string } {
  const exponent = Math.floor(index / 3)
  const multiple = [1, 2, 5][index - 3 * exponent] ?? 1
  const power = powerOfTen(exponent)
  return { value: Number(`${multiple}e${exponent}`), label: multiple === 1 ? power : `${multiple}·${power}` }
}

/** A logarithmic scale with ticks at 1, 2, 5 over a few decades, else at powers of ten; what has no logarithm is left out of its domain. */
export function logScale(values: Iterable<number>, range: readonly [number, number], { count = 6 }: { count?: number } = {}): Scale {
  const [low, high] = extent([...values].filter((value) => value > 0)) ?? [0.1, 1]
  let first = 3 * Math.floor(Math.log10(low)) - 1
  while (logMark(first + 1).value <= low) first += 1
  let last = Math.max(first + 1, 3 * Math.floor(Math.log10(high)))
  while (logMark(last).value < high) last += 1
  const fine = last - first <= count
  const stride = fine ? 1 : 3 * Math.ceil((last - first) / 3 / count)
  const ticks: Tick[] = []
  for (let index = fine ? first : 3 * Math.ceil(first / 3); index <= last; index += stride) ticks.push(logMark(index))
  return { kind: 'log', domain: [logMark(first).value, logMark(last).value], range, ticks }
}
