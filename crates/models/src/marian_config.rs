//! config.json of transformers' MarianMTModel, and of PegasusForConditionalGeneration, the same in pre-norm.

use serde_json::{Value, json};

use crate::format::Format;
use crate::transformer_spec::{Activation, TransformerSpec};
use crate::vocabulary::{Embeddings, Vocabulary};

/// What transformers needs to rebuild the model.
pub fn config(spec: &TransformerSpec, format: Format) -> Value {
    let start = spec.start_id();
    let mut config = json!({
        "model_type": format.name(),
        "architectures": [format.architecture()],
        "vocab_size": spec.vocabulary.source(),
        "d_model": spec.hidden_size,
        "encoder_layers": spec.encoder_layers,
        "decoder_layers": spec.decoder_layers,
        "num_hidden_layers": spec.encoder_layers,
        "encoder_attention_heads": spec.heads,
        "decoder_attention_heads": spec.decoder_heads(),
        "encoder_ffn_dim": spec.feed_forward_size,
        "decoder_ffn_dim": spec.decoder_feed_forward_size(),
        "activation_function": activation_name(spec.activation),
        "dropout": spec.dropout,
        "attention_dropout": spec.attention_dropout,
        "activation_dropout": spec.activation_dropout,
        "encoder_layerdrop": spec.encoder_layer_drop,
        "decoder_layerdrop": spec.decoder_layer_drop,
        "max_position_embeddings": spec.max_positions,
        "scale_embedding": spec.scale_embedding,
        "tie_word_embeddings": spec.embeddings != Embeddings::Separate,
        "is_encoder_decoder": true,
        "use_cache": true,
        "init_std": (spec.hidden_size as f64).sqrt().recip(),
        "bos_token_id": null,
        "eos_token_id": 0,
        "forced_eos_token_id": 0,
        "pad_token_id": spec.vocabulary.source().min(spec.vocabulary.target()) - 1,
        "decoder_start_token_id": start,
        "torch_dtype": "float32",
    });
    let more = match format {
        // What CTranslate2 asks for.
        Format::Pegasus => {
            json!({ "normalize_before": true, "add_final_layer_norm": true, "normalize_embedding": false })
        }
        _ => json!({
            "decoder_vocab_size": spec.vocabulary.target(),
            "share_encoder_decoder_embeddings": spec.embeddings == Embeddings::Shared,
            "separate_vocabs": matches!(spec.vocabulary, Vocabulary::Two { .. }),
        }),
    };
    if let (Value::Object(config), Value::Object(more)) = (&mut config, more) {
        config.extend(more);
    }
    config
}

/// How transformers' `generate` is to search: a beam of 4, and never the token that decoding starts from.
pub fn generation_config(spec: &TransformerSpec) -> Value {
    let start = spec.start_id();
    json!({
        "bad_words_ids": [[start]],
        "decoder_start_token_id": start,
        "eos_token_id": 0,
        "forced_eos_token_id": 0,
        "max_length": spec.max_positions.min(512),
        "num_beams": 4,
        "pad_token_id": start,
    })
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "relu",
        Activation::Gelu => "gelu",
        Activation::Swish => "swish",
        Activation::GeluTanh => "gelu_new",
    }
}
