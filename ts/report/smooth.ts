/** A point of a curve; a null y breaks the line. */
export type Point = readonly [x: number, y: number | null]

/**
 * Weighted mean over both sides, weights halving every `halfLife` points: a finished curve need not lag behind itself, as a
 * one-sided average does. Points without a value carry no weight.
 *
 * @param halfLife in points
 */
export function smooth(points: readonly Point[], halfLife: number): readonly Point[] {
  const decay = 0.5 ** (1 / Math.max(halfLife, 1e-9))
  const before = decayingSums(points, decay)
  const after = decayingSums(points.toReversed(), decay).toReversed()
  return points.map(([x, y], index) => {
    const [own, weight] = y === null ? [0, 0] : [y, 1]
    const total = (before[index]?.sum ?? 0) + (after[index]?.sum ?? 0) - own
    const weights = (before[index]?.weight ?? 0) + (after[index]?.weight ?? 0) - weight
    return [x, weights > 1e-12 ? total / weights : null]
  })
}

function decayingSums(points: readonly Point[], decay: number): readonly { readonly sum: number; readonly weight: number }[] {
  let [sum, weight] = [0, 0]
  return points.map(([, y]) => {
    sum = decay * sum + (y ?? 0)
    weight = decay * weight + (y === null ? 0 : 1)
    return { sum, weight }
  })
}

/** At most `limit` points, evenly spaced by index, first and last kept. */
export function thin<T>(points: readonly T[], limit: number): readonly T[] {
  if (points.length <= limit) return points
  const stride = (points.length - 1) / (limit - 1)
  return Array.from({ length: limit }, (_, index) => points[Math.round(index * stride)] as T)
}
