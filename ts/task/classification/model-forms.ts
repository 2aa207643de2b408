import * as v from 'valibot'
import { Model } from '../../model.js'
import { findModelFolder, modelFolderAt } from '../../model-folder.js'
import type { EncoderHeadOptions, EncoderPreset, EncoderShape } from '../../model-spec.js'
import { fraction, object, oneOf, text } from '../../options.js'
import type { MakeModel } from '../training.js'
import { checkClasses, type DataClasses } from './model-classes.js'
import { checkVocabulary, leftAside, requireFolder, type DataTokenizer } from './pretrained-folder.js'

/** A pretrained encoder to fine-tune, with a head for the task's classes. */
export interface PretrainedEncoder {
  /**
   * Its Hugging Face folder; also a checkpoint or a run, whose encoder it then is.
   * @default the one that the data's tokenizer is of
   */
  readonly pretrained?: string
  /**
   * The dense layer over the first token's state: a new one as in the paper's code, or the folder's.
   * @default 'new'
   */
  readonly pooler?: 'new' | 'pretrained'
  /**
   * Before the classifier.
   * @default 0.1
   */
  readonly classifierDropout?: number
  /**
   * Before the pooler.
   * @default 0.1, as in the paper's code
   */
  readonly poolerDropout?: number
  /** Of embeddings and of every block's output. @default what the folder's config.json says */
  readonly dropout?: number
  /** Of attention weights. @default likewise */
  readonly attentionDropout?: number
}

/** A fine-tuned model to train further: its head keeps its weights and its labels' names, and its dropouts are those of its `config.json`. */
export interface FineTunedClassifier {
  /** A model folder, such as a checkpoint's or one of Hugging Face's; a checkpoint; or a run, whose best weights they are. */
  readonly fineTuned: string
}

/** An encoder to train from random weights; the size of its vocabulary and its head are the data's. */
export interface FreshEncoder extends Partial<EncoderShape> {
  readonly type?: 'bert' | 'roberta'
  readonly preset: EncoderPreset
  /** @default 0.1 */
  readonly classifierDropout?: number
  /** @default 0.1 */
  readonly poolerDropout?: number
}

/** A model to be made of a folder; what of it is new, of no use or unknown is told when it is. */
export function pretrained({ pretrained: path, pooler, ...dropouts }: ParsedPretrained & { readonly pretrained: string }, data: DataTokenizer, head: EncoderHeadOptions, seed: number): MakeModel {
  return async () => {
    requireFolder('train.model.pretrained', path)
    const folder = await modelFolderAt(path)
    const doubts = await checkVocabulary('train.model.pretrained', folder, data)
    const { model, new: drawn, ...rest } = await Model.fineTune(folder, { head, pooler, seed, ...dropouts })
    return { model, warnings: [...doubts, ...(drawn.length > 0 ? [`${folder}: drawn anew: ${drawn.join(', ')}`] : []), ...leftAside(folder, rest)] }
  }
}

/** A model with a head, loaded to be trained further. */
export function fineTuned(path: string, data: DataTokenizer, classes: DataClasses): MakeModel {
  return async () => {
    requireFolder('train.model.fineTuned', path)
    const folder = await findModelFolder(path)
    const warnings = await checkVocabulary('train.model.fineTuned', folder, data)
    const model = await Model.load(folder)
    try {
      checkClasses(model.spec, classes, 'train.model.fineTuned')
      return { model, warnings: [...warnings, ...leftAside(folder, model.leftAside)] }
    } catch (error) {
      model[Symbol.dispose]()
      throw error
    }
  }
}

type ParsedPretrained = Omit<v.InferOutput<typeof pretrainedEncoder>, 'classifierDropout' | 'poolerDropout'>

const heads = { classifierDropout: v.optional(fraction, 0.1), poolerDropout: v.optional(fraction, 0.1) }
const pretrainedEncoder = object({
  pretrained: v.exactOptional(text),
  pooler: v.optional(oneOf(['new', 'pretrained']), 'new'),
  dropout: v.exactOptional(fraction),
  attentionDropout: v.exactOptional(fraction),
  ...heads,
})
const fineTunedClassifier = object({ fineTuned: text })
const freshEncoder = v.looseObject({ preset: oneOf(['bert-base', 'bert-large', 'roberta-base', 'roberta-large', 'minilm-l6']), type: v.exactOptional(oneOf(['bert', 'roberta'])), ...heads })

/** What `train.model` may be beside a {@link Model}. */
export const modelForms = [freshEncoder, fineTunedClassifier, pretrainedEncoder] as const
