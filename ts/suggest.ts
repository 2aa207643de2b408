/** The candidate that `name` most likely means, if any is close. */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, edits: edits(name.toLowerCase(), candidate.toLowerCase()) }))
  ranked.sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best !== undefined && best.edits <= Math.max(1, Math.floor(name.length / 3)) ? best.candidate : undefined
}

/** "; did you mean …?" or the list of what there is. */
export function hint(name: string, candidates: readonly string[]): string {
  const meant = suggest(name, candidates)
  return meant === undefined ? `; known: ${candidates.join(', ')}` : `; did you mean "${meant}"?`
}

/** Edits between two words, a swap of neighbours counting as one (optimal string alignment). */
function edits(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const cheapest = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      )
      current.push(cheapest)
    }
    before = above
    above = current
  }
  return above[b.length] ?? 0
}
