/** A word for a shell. */
export function quoted(word: string): string {
  return /^[\w./@:,=+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
