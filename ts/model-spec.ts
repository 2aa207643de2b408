/** Named sizes of the translation Transformer; `-iwslt`, `-base` and `-big` are fairseq's. */
export type TransformerPreset = 'transformer-small' | 'transformer-iwslt' | 'transformer-base' | 'transformer-big'

/** One vocabulary for source and target. In each `</s>` is 0, `<unk>` 1, `<pad>`, from which decoding starts, the last. */
export interface JointVocabulary {
  /** Tokens of the joint vocabulary. */
  readonly vocabularySize: number
}

/** A vocabulary each, as fairseq has without `--joined-dictionary`. */
export interface TwoVocabularies {
  /** Tokens of the source's. */
  readonly sourceVocabularySize: number
  /** Tokens of the target's. */
  readonly targetVocabularySize: number
}

/** Shape and dropout of an encoder-decoder, whatever its vocabularies. */
export interface TransformerShape {
  /**
   * Which of source embedding, target embedding and output projection are one table: all (fairseq's `--share-all-embeddings`), the latter
   * two (`--share-decoder-input-output-embed`), or none. Two vocabularies cannot be `shared`.
   */
  readonly embeddings: 'shared' | 'decoderShared' | 'separate'
  /** Width of the residual stream, even. */
  readonly hiddenSize: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  /** Attention heads, a divisor of `hiddenSize`. */
  readonly heads: number
  /** Those of the decoder, where it has another number. */
  readonly decoderHeads?: number
  /** Width inside the feed-forward blocks. */
  readonly feedForwardSize: number
  /** That of the decoder, where it has another. */
  readonly decoderFeedForwardSize?: number
  /** Of embeddings and of every block's output. */
  readonly dropout: number
  /** Of attention weights. */
  readonly attentionDropout: number
  /** Inside the feed-forward blocks. */
  readonly activationDropout: number
  /** LayerDrop: the probability that a training pass skips an encoder layer (Fan et al., arXiv 1909.11556); nothing is rescaled. */
  readonly encoderLayerDrop: number
  /** The same of a decoder layer. */
  readonly decoderLayerDrop: number
  readonly activation: 'relu' | 'gelu' | 'swish'
  /** Where layer normalisation stands: after each block, as in the paper, or before. */
  readonly normalization: 'post' | 'pre'
  /** Whether embeddings are multiplied by √`hiddenSize`. */
  readonly scaleEmbedding: boolean
  /** The longest source or target, in tokens. */
  readonly maxPositions: number
}

/** An encoder-decoder for translation (Vaswani et al., 2017). */
export type TransformerSpec = { readonly type: 'transformer' } & TransformerShape & (JointVocabulary | TwoVocabularies)

/** What may be said of a Transformer beside its vocabularies: a preset (`transformer-base` where none is named), and fields that override its. */
export interface TransformerShapeOptions extends Partial<TransformerShape> {
  readonly type?: 'transformer'
  readonly preset?: TransformerPreset
}

/** A {@link TransformerSpec} to be. */
export type TransformerOptions = TransformerShapeOptions & (JointVocabulary | TwoVocabularies)

/** A perceptron that classifies dense features. */
export interface MlpSpec {
  readonly type: 'mlp'
  /** Features of a sample. */
  readonly inputs: number
  /** Width of each hidden layer. */
  readonly hidden: readonly number[]
  /** Classes to tell apart. */
  readonly classes: number
  readonly activation: 'relu' | 'gelu'
}

/** An {@link MlpSpec} to be. */
export interface MlpOptions {
  readonly type: 'mlp'
  readonly inputs: number
  readonly classes: number
  /**
   * Width of each hidden layer.
   * @default [100, 100, 100]
   */
  readonly hidden?: readonly number[]
  /** @default 'relu' */
  readonly activation?: 'relu' | 'gelu'
}

/** Named sizes of encoders. */
export type EncoderPreset = 'bert-base' | 'bert-large' | 'roberta-base' | 'roberta-large' | 'minilm-l6'

/** What stands on an encoder: the first token's last state → dropout → dense → tanh → dropout → linear. */
export interface EncoderHead {
  /** One of several classes (softmax, cross-entropy), or a number (squared error). */
  readonly kind: 'classification' | 'regression'
  /** Classes, or 1 for a regression. */
  readonly classes: number
  /** What the classes are called. */
  readonly labels?: readonly string[]
  /** Before the last layer. */
  readonly dropout: number
  /** Before the dense layer. */
  readonly poolerDropout: number
}

/** An {@link EncoderHead} to be. */
export interface EncoderHeadOptions {
  readonly kind: 'classification' | 'regression'
  /** @default as many as `labels`; 1 for a regression */
  readonly classes?: number
  readonly labels?: readonly string[]
  /** @default the encoder's */
  readonly dropout?: number
  /** @default what transformers has there: none on BERT, `dropout` on RoBERTa */
  readonly poolerDropout?: number
}

/** Shape and dropout of an encoder. */
export interface EncoderShape {
  /** Width of the residual stream. */
  readonly hiddenSize: number
  readonly layers: number
  /** Attention heads, a divisor of `hiddenSize`. */
  readonly heads: number
  /** Width inside the feed-forward blocks. */
  readonly feedForwardSize: number
  /** The longest sequence, in tokens. */
  readonly maxPositions: number
  /** Types of tokens: of the first text and of the second. */
  readonly typeVocabularySize: number
  readonly activation: 'gelu' | 'geluTanh' | 'relu' | 'swish'
  /** What layer norms add to the variance. */
  readonly layerNormEps: number
  /** Of embeddings and of every block's output. */
  readonly dropout: number
  /** Of attention weights. */
  readonly attentionDropout: number
  /** The id of padding, which no sequence holds; RoBERTa's positions are counted from behind it. */
  readonly padId: number
}

/** A BERT (Devlin et al., 2019) or RoBERTa (Liu et al., 2019) encoder, with a head or without. */
export type EncoderSpec = { readonly type: 'bert' | 'roberta'; readonly vocabularySize: number; readonly head: EncoderHead | null } & EncoderShape

/** An {@link EncoderSpec} to be: a preset (`bert-base` or `roberta-base` where none is named), and fields that override its. */
export interface EncoderOptions extends Partial<EncoderShape> {
  readonly type: 'bert' | 'roberta'
  readonly preset?: EncoderPreset
  readonly vocabularySize: number
  readonly head?: EncoderHeadOptions
}

/** A model as plain JSON, its kind in `type`, defaults and presets filled in. */
export type ModelSpec = TransformerSpec | MlpSpec | EncoderSpec

/** What `Model.create` takes. A Transformer says so by `type` or by a preset. */
export type ModelOptions = ((TransformerOptions & { readonly type: 'transformer' }) | (TransformerOptions & { readonly preset: TransformerPreset })) | MlpOptions | EncoderOptions
