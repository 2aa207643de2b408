//! Named sizes of the translation Transformer.

use crate::transformer_spec::{Activation, Normalization, TransformerSpec};
use crate::vocabulary::{Embeddings, Vocabulary};

/// The names a spec's `preset` may have.
pub const PRESETS: [&str; 4] =
    ["transformer-small", "transformer-iwslt", "transformer-base", "transformer-big"];

/// The spec a preset stands for, its vocabulary still to be given; `None` for an unknown name.
///
/// `transformer-iwslt`, `transformer-base` and `transformer-big` are fairseq's `transformer_iwslt_de_en`,
/// `transformer_wmt_en_de` and `transformer_vaswani_wmt_en_de_big` with the dropout and the sharing of its recipes (IWSLT'14:
/// `--share-decoder-input-output-embed`, WMT: `--share-all-embeddings`);
/// `transformer-small` is meant for tens of thousands of sentences on a few processor cores.
pub fn preset(name: &str) -> Option<TransformerSpec> {
    use Embeddings::{DecoderShared, Shared};
    let (hidden, feed_forward, heads, layers, dropout, embeddings) = match name {
        "transformer-small" => (256, 1024, 4, 3, 0.1, Shared),
        "transformer-iwslt" => (512, 1024, 4, 6, 0.3, DecoderShared),
        "transformer-base" => (512, 2048, 8, 6, 0.1, Shared),
        "transformer-big" => (1024, 4096, 16, 6, 0.3, Shared),
        _ => return None,
    };
    Some(TransformerSpec {
        vocabulary: Vocabulary::Joint { vocabulary_size: 0 },
        embeddings,
        hidden_size: hidden,
        encoder_layers: layers,
        decoder_layers: layers,
        heads,
        decoder_heads: None,
        feed_forward_size: feed_forward,
        decoder_feed_forward_size: None,
        dropout,
        attention_dropout: 0.0,
        activation_dropout: 0.0,
        encoder_layer_drop: 0.0,
        decoder_layer_drop: 0.0,
        activation: Activation::Relu,
        normalization: Normalization::Post,
        scale_embedding: true,
        max_positions: 1024,
    })
}
