import { join } from 'node:path'
import type { ModelSpec } from '../../model-spec.js'
import { Tokenizer } from '../../tokenizer.js'

/** The folder of the target's tokenizer, beside the source's, where the two have a vocabulary each. */
const TARGET = 'target'

/** Where the tokenizers of a model folder can lie. */
export const TOKENIZERS: readonly string[] = ['tokenizer.json', join(TARGET, 'tokenizer.json')]

const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']

/** What makes ids of text and text of ids, beside a model: the text steps, and the tokenizer with what transformers reads of it. */
export const TEXT_FILES: readonly string[] = ['text.json', ...TOKENIZER_FILES]

/** One tokenizer twice, or one for each side. */
export interface Tokenizers {
  readonly source: Tokenizer
  readonly target: Tokenizer
}

/** Opens the tokenizers at two paths, which may be one. */
export async function openTokenizers(source: string, target: string): Promise<Tokenizers> {
  const opened = await Tokenizer.load(source)
  return { source: opened, target: source === target ? opened : await Tokenizer.load(target) }
}

/** Opens those of a model folder. */
export function tokenizersOf(folder: string, spec: ModelSpec): Promise<Tokenizers> {
  return openTokenizers(folder, hasTwoVocabularies(spec) ? join(folder, TARGET) : folder)
}

/** Whether a model has a vocabulary for each side. */
function hasTwoVocabularies(spec: ModelSpec): boolean {
  return 'targetVocabularySize' in spec
}

/** Where the files that make a model's ids can lie in its folder: {@link TEXT_FILES}, and the target's own. */
export function textFilesOf(spec: ModelSpec): readonly string[] {
  return hasTwoVocabularies(spec) ? [...TEXT_FILES, ...TOKENIZER_FILES.map((file) => join(TARGET, file))] : TEXT_FILES
}
