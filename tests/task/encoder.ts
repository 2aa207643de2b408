import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Model } from '#ts/index.js'

const ADJECTIVES = { positive: ['good', 'fine', 'lovely', 'clever'], negative: ['bad', 'dull', 'awful', 'silly'] } as const
const NOUNS = ['film', 'book', 'song', 'play', 'cast', 'plot']
export const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'the', 'was', 'is', 'not', ...NOUNS, ...Object.values(ADJECTIVES).flat()]

/** What a line says, and how much it likes it. */
export interface Review {
  readonly text: string
  readonly label: 'positive' | 'negative'
  readonly rating: number
}

/** Sentences whose adjective decides, of many lengths. */
export function reviews(count: number, from = 0): Review[] {
  return Array.from({ length: count }, (_, place) => {
    const index = place + from
    const label = (index * 7) % 3 === 0 ? 'negative' : 'positive'
    const words = ADJECTIVES[label]
    const which = (index * 5) % words.length
    const filler = Array.from({ length: index % 4 }, (__, word) => `the ${NOUNS[(index + word) % NOUNS.length]} is`).join(' ')
    return { text: `${filler} the ${NOUNS[index % NOUNS.length]} was ${words[which]}`.trim(), label, rating: (label === 'positive' ? 1 : -1) * (1 + which) }
  })
}

/** The size of {@link tinyBert}. */
export const TINY = { vocabularySize: VOCABULARY.length, hiddenSize: 32, layers: 2, heads: 4, feedForwardSize: 64, maxPositions: 32, typeVocabularySize: 2 } as const

/** A folder as transformers has it, of a small BERT with random weights and a word-piece vocabulary of {@link reviews}, or one in another order. */
export async function tinyBert(folder: string, vocabulary: readonly string[] = VOCABULARY): Promise<string> {
  await mkdir(folder, { recursive: true })
  writeFileSync(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`)
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'BertTokenizer', do_lower_case: true, model_max_length: 32 }))
  using model = await Model.create({ type: 'bert', ...TINY })
  await model.save(folder)
  return folder
}

/** Pairs of which the second text's adjective decides. */
export function reviewPairs(count: number, from = 0): (Review & { readonly pair: string })[] {
  return reviews(count, from).map(({ text: pair, label, rating }, index) => ({ text: `${'the film was not a book '.repeat(2 * (index % 2))}the song is a play`, pair, label, rating }))
}

/** As tab-separated text under a header: `text`, `pair`, `label`. */
export function pairsTsv(pairs: readonly { readonly text: string; readonly pair: string; readonly label: string }[]): string {
  return ['text\tpair\tlabel', ...pairs.map(({ text, pair, label }) => `${text}\t${pair}\t${label}`)].join('\n') + '\n'
}

/** The printable character that stands for each byte in a byte-level vocabulary (GPT-2's `bytes_to_unicode`). */
function byteCharacters(): readonly string[] {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173)
  let others = 0
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 256 + others++))
}

/** Merges that make every word after a space one token, its letters joined from the left. */
function mergesOf(words: readonly string[]): readonly string[] {
  const merges = words.flatMap((word) => Array.from(word, (letter, index) => `Ġ${word.slice(0, index)} ${letter}`))
  return [...new Set(merges)]
}

/** The same of a small RoBERTa with a byte-level vocabulary in `vocab.json` and `merges.txt`. */
export async function tinyRoberta(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const merges = mergesOf(VOCABULARY.slice(5))
  const tokens = ['<s>', '<pad>', '</s>', '<unk>', ...byteCharacters(), ...merges.map((merge) => merge.replace(' ', '')), '<mask>']
  writeFileSync(join(folder, 'vocab.json'), JSON.stringify(Object.fromEntries(tokens.map((token, id) => [token, id]))))
  writeFileSync(join(folder, 'merges.txt'), `#version: 0.2\n${merges.join('\n')}\n`)
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'RobertaTokenizer', model_max_length: 32 }))
  using model = await Model.create({ type: 'roberta', ...TINY, vocabularySize: tokens.length, typeVocabularySize: 1, padId: 1 })
  await model.save(folder)
  return folder
}
