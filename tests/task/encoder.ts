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
