import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lines } from './corpus.js'

const TESTS = ['TED.dev2010', 'TEDX.dev2012', 'TED.tst2010', 'TED.tst2011', 'TED.tst2012']

/** IWSLT's files, unpacked, with sentences of a tiny language that end in what Moses parts from words. */
export function publishedIwslt(folder: string): string {
  const data = join(folder, 'data')
  mkdirSync(join(data, 'de-en'), { recursive: true })
  for (const [side, language] of ['de', 'en'].entries()) {
    const sentence = (line: string): string => `${line.split('\t')[side]?.replace(/^./u, (first) => first.toUpperCase())}'s, "ja".`
    const train = ['<url>x</url>', '<talkid>1</talkid>', '<keywords>k</keywords>', ...lines(230).map(sentence)]
    writeFileSync(join(data, 'de-en', `train.tags.de-en.${language}`), train.map((line) => `${line}\n`).join(''))
    for (const name of TESTS) {
      const segments = lines(2, 4).map((line, index) => `<seg id="${index + 1}"> ${sentence(line)} </seg>\n`)
      writeFileSync(join(data, 'de-en', `IWSLT14.${name}.de-en.${language}.xml`), `<mteval>\n${segments.join('')}</mteval>\n`)
    }
  }
  return data
}

/** WMT's files as they are published ready: Moses tokens split by 32,000 merges. */
export function publishedWmt(folder: string): string {
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  for (const [name, count] of [['train.tok.clean', 220], ['newstest2013.tok', 10], ['newstest2014.tok', 10]] as const)
    for (const [side, language] of ['de', 'en'].entries()) {
      const text = lines(count, count).map((line) => `${line.split('\t')[side] ?? ''} well @-@ kn@@ own .\n`)
      writeFileSync(join(data, `${name}.bpe.32000.${language}`), text.join(''))
    }
  return data
}
