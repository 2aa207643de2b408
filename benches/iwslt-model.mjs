// The IWSLT model with fresh weights over the embedded corpus's vocabulary: what a decoding step costs does not depend on its weights.
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Model, Translation, Translator } from 'sagetrain'

/** Saves the model with its tokenizer below `folder`; resolves to its folder and `count` sentences of exactly `tokens` tokens, `</s>` counted. */
export async function save(folder, tokens, count) {
  const task = await Translation.prepare({ vocabulary: { size: 10_000 } })
  const model = await Model.create({ preset: 'transformer-iwslt', vocabularySize: task.tokenizer.size }, { seed: 1 })
  const saved = join(folder, 'model')
  await model.save(saved)
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']) await copyFile(join(task.prepared.folder, file), join(saved, file))
  const dataset = task.dataset('train')
  const { values: ids, offsets } = dataset.batch(Array.from({ length: dataset.length }, (_, index) => index)).read('source')
  const rows = Array.from({ length: dataset.length }, (_, row) => ids.slice(offsets[row], offsets[row + 1])).filter((row) => row.length === tokens)
  const sources = task.tokenizer.decode(rows).filter((text, row) => task.tokenizer.encode([text])[0].length === rows[row].length)
  if (sources.length < count) throw new Error(`the corpus has ${sources.length} sentences of ${tokens} tokens, ${count} are asked for`)
  return { saved, sources: sources.slice(0, count) }
}

/** A translator with that model, and sentences for it; `dispose` frees both. */
export async function loaded(tokens, count) {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-decoding-'))
  const { saved, sources } = await save(folder, tokens, count)
  const translator = await Translator.load(saved)
  const dispose = async () => {
    translator[Symbol.dispose]()
    await rm(folder, { recursive: true, force: true })
  }
  return { translator, sources, dispose }
}
