import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CorpusFiles } from '#ts/index.js'

const words: readonly (readonly [german: string, english: string])[] = [
  ['rotes', 'red'],
  ['grünes', 'green'],
  ['kleines', 'small'],
  ['großes', 'large'],
  ['altes', 'old'],
]
const things: readonly (readonly [german: string, english: string])[] = [
  ['Haus', 'house'],
  ['Boot', 'boat'],
  ['Buch', 'book'],
  ['Pferd', 'horse'],
  ['Schloss', 'castle'],
  ['Bild', 'picture'],
]

/** Sentences that a model can learn in seconds, German TAB English; `from` begins elsewhere in the same language. */
export function lines(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const [one = ['', ''], two = ['', ''], thing = ['', '']] = [words[(index + from) % 5], words[(index * 3 + from + 1) % 5], things[(index * 5 + from) % 6]]
    return `ein ${one[0]} ${two[0]} ${thing[0]}\ta ${one[1]} ${two[1]} ${thing[1]}`
  })
}

/** The same as a file. */
export function corpus(folder: string, count: number, name = 'train.tsv'): CorpusFiles {
  const tsv = join(folder, name)
  writeFileSync(tsv, lines(count).map((line) => `${line}\n`).join(''))
  return { tsv }
}
