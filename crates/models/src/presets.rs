//! Named sizes of the translation Transformer.

use crate::transformer_spec::TransformerSpec;
use crate::transformer_spec::{Activation, Normalization};

/// The names a spec's `preset` may have.
pub const PRESETS: [&str; 4] =
    ["transformer-small", "transformer-iwslt", "transformer-base", "transformer-big"];

/// The spec a preset stands for, its vocabulary still to be given; `None` for an unknown name.
///
/// `transformer-iwslt`, `transformer-base` and `transformer-big` are fairseq's `transformer_iwslt_de_en`,
/// `transformer_wmt_en_de` and `transformer_vaswani_wmt_en_de_big` with the dropout of its recipes;
/// `transformer-small` is meant for tens of thousands of sentences on a few processor cores.
pub fn preset(name: &str) -> Option<TransformerSpec> {
    let (hidden, feed_forward, heads, layers, dropout) = match name {
        "transformer-small" => (256, 1024, 4, 3, 0.1),
        "transformer-iwslt" => (512, 1024, 4, 6, 0.3),
        "transformer-base" => (512, 2048, 8, 6, 0.1),
        "transformer-big" => (1024, 4096, 16, 6, 0.3),
        _ => return None,
    };
    Some(TransformerSpec {
        vocabulary_size: 0,
        hidden_size: hidden,
        encoder_layers: layers,
        decoder_layers: layers,
        heads,
        feed_forward_size: feed_forward,
        dropout,
        attention_dropout: 0.0,
        activation_dropout: 0.0,
        activation: Activation::Relu,
        normalization: Normalization::Post,
        max_positions: 1024,
    })
}
