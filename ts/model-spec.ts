/** Named sizes of the translation Transformer; `-iwslt`, `-base` and `-big` are fairseq's. */
export type TransformerPreset = 'transformer-small' | 'transformer-iwslt' | 'transformer-base' | 'transformer-big'

/** An encoder-decoder with one embedding shared by source, target and output (Vaswani et al., 2017), in Marian's format. */
export interface TransformerSpec {
  readonly type: 'transformer'
  /** Tokens of the joint vocabulary; `</s>` is 0, `<unk>` 1, `<pad>` the last. */
  readonly vocabularySize: number
  /** Width of the residual stream, even. */
  readonly hiddenSize: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  /** Attention heads, a divisor of `hiddenSize`. */
  readonly heads: number
  /** Width inside the feed-forward blocks. */
  readonly feedForwardSize: number
  /** Of embeddings and of every block's output. */
  readonly dropout: number
  /** Of attention weights. */
  readonly attentionDropout: number
  /** Inside the feed-forward blocks. */
  readonly activationDropout: number
  readonly activation: 'relu' | 'gelu'
  /** Where layer normalisation stands; `post` is the paper's and the only one Marian's format holds. */
  readonly normalization: 'post' | 'pre'
  /** The longest source or target, in tokens. */
  readonly maxPositions: number
}

/** A {@link TransformerSpec} to be: a preset's fields (`transformer-base` where none is named), overridden by those given. */
export interface TransformerOptions extends Partial<Omit<TransformerSpec, 'vocabularySize'>> {
  readonly preset?: TransformerPreset
  readonly vocabularySize: number
}

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

/** A model as plain JSON, its kind in `type`, defaults and presets filled in. */
export type ModelSpec = TransformerSpec | MlpSpec

/** What `Model.create` takes. A Transformer says so by `type` or by a preset. */
export type ModelOptions = ((TransformerOptions & { readonly type: 'transformer' }) | (TransformerOptions & { readonly preset: TransformerPreset })) | MlpOptions
