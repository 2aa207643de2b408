import { join } from 'node:path'
import { native } from '../../binding.js'
import { SagetrainError } from '../../errors.js'
import { decode, encode } from '../../json.js'
import { calling } from '../../native-error.js'
import type { Prepared, PrepareOptions } from './prepare.js'

interface Imported extends Pick<Prepared, 'folder' | 'fingerprint' | 'reused' | 'vocabulary' | 'parts' | 'warnings'> {}

/** What goes with a folder of fairseq's. */
const TAKEN: ReadonlySet<keyof PrepareOptions> = new Set(['fairseq', 'maxLength', 'output'])

/** Makes a prepared folder of one that `fairseq-preprocess` has filled. */
export async function importFairseq(options: PrepareOptions): Promise<Prepared> {
  const idle = (Object.keys(options) as (keyof PrepareOptions)[]).find((key) => !TAKEN.has(key))
  if (idle !== undefined) throw new SagetrainError('ERR_CONFIG', `prepare.${idle}: has no effect with prepare.fairseq; leave it out`, { fields: { key: `prepare.${idle}` } })
  const { fairseq, maxLength, output } = options
  const json = encode({ ...fairseq, output, ...(maxLength !== undefined && { maxLength }) }, 'prepare.fairseq')
  const { folder, parts, vocabulary, ...made } = decode<Imported>(await calling(() => native().importFairseq(json)))
  const dataset = (part: string): string | null => (parts[part] === undefined ? null : join(folder, parts[part].file))
  return {
    ...made,
    folder,
    parts,
    text: join(folder, 'text.json'),
    tokenizer: join(folder, 'tokenizer.json'),
    targetTokenizer: join(folder, 'tokenizer.json'),
    vocabulary,
    targetVocabulary: vocabulary,
    report: join(folder, 'imported.json'),
    train: dataset('train') ?? '',
    valid: dataset('valid'),
    test: dataset('test'),
  }
}
