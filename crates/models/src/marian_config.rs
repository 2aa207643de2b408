//! config.json of transformers' MarianMTModel, and which of them describe a model that can be had here.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{ModelError, Result};
use crate::json_file::CONFIG;
use crate::spec::ModelSpec;
use crate::transformer_spec::{Activation, TransformerSpec};

/// The `model_type` of post-norm models.
pub const MODEL_TYPE: &str = "marian";

/// What transformers needs to rebuild the model.
pub fn config(spec: &TransformerSpec) -> Value {
    let pad = spec.pad_id();
    json!({
        "model_type": MODEL_TYPE,
        "architectures": ["MarianMTModel"],
        "vocab_size": spec.vocabulary_size,
        "decoder_vocab_size": spec.vocabulary_size,
        "d_model": spec.hidden_size,
        "encoder_layers": spec.encoder_layers,
        "decoder_layers": spec.decoder_layers,
        "num_hidden_layers": spec.encoder_layers,
        "encoder_attention_heads": spec.heads,
        "decoder_attention_heads": spec.heads,
        "encoder_ffn_dim": spec.feed_forward_size,
        "decoder_ffn_dim": spec.feed_forward_size,
        "activation_function": activation_name(spec.activation),
        "dropout": spec.dropout,
        "attention_dropout": spec.attention_dropout,
        "activation_dropout": spec.activation_dropout,
        "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0,
        "max_position_embeddings": spec.max_positions,
        "scale_embedding": true,
        "share_encoder_decoder_embeddings": true,
        "tie_word_embeddings": true,
        "is_encoder_decoder": true,
        "use_cache": true,
        "init_std": (spec.hidden_size as f64).sqrt().recip(),
        "bos_token_id": null,
        "eos_token_id": 0,
        "forced_eos_token_id": 0,
        "pad_token_id": pad,
        "decoder_start_token_id": pad,
        "torch_dtype": "float32",
    })
}

/// How transformers' `generate` is to search: a beam of 4, and never the token that decoding starts from.
pub fn generation_config(spec: &TransformerSpec) -> Value {
    let pad = spec.pad_id();
    json!({
        "bad_words_ids": [[pad]],
        "decoder_start_token_id": pad,
        "eos_token_id": 0,
        "forced_eos_token_id": 0,
        "max_length": spec.max_positions.min(512),
        "num_beams": 4,
        "pad_token_id": pad,
    })
}

/// The spec of a Marian config.
///
/// # Errors
/// `ERR_MODEL` listing every setting that this Transformer does not have.
pub fn spec(folder: &Path, config: &Map<String, Value>) -> Result<ModelSpec> {
    let file = folder.join(CONFIG);
    let problems = unsupported(config);
    if !problems.is_empty() {
        let problem = format!("describes another model than can be had here:\n  {}", problems.join("\n  "));
        return Err(ModelError::folder(&file, problem));
    }
    let field = |key| config.get(key).cloned().unwrap_or(Value::Null);
    let spec = json!({
        "type": "transformer",
        "vocabularySize": field("vocab_size"),
        "hiddenSize": field("d_model"),
        "encoderLayers": field("encoder_layers"),
        "decoderLayers": field("decoder_layers"),
        "heads": field("encoder_attention_heads"),
        "feedForwardSize": field("encoder_ffn_dim"),
        "dropout": field("dropout"),
        "attentionDropout": config.get("attention_dropout").cloned().unwrap_or(json!(0.0)),
        "activationDropout": config.get("activation_dropout").cloned().unwrap_or(json!(0.0)),
        "activation": field("activation_function"),
        "normalization": "post",
        "maxPositions": field("max_position_embeddings"),
    });
    ModelSpec::read("config", &spec).map_err(|error| ModelError::folder(&file, error.to_string()))
}

/// Settings whose value would change what the model computes. Absent ones have MarianConfig's default.
fn unsupported(config: &Map<String, Value>) -> Vec<String> {
    let get = |key: &str| config.get(key).cloned().unwrap_or(Value::Null);
    let last = get("vocab_size").as_i64().map_or(Value::Null, |size| json!(size - 1));
    let wanted = [
        ("scale_embedding", json!(true), json!(false)),
        ("share_encoder_decoder_embeddings", json!(true), json!(true)),
        ("tie_word_embeddings", json!(true), json!(true)),
        ("static_position_embeddings", json!(true), json!(true)),
        ("normalize_before", json!(false), json!(false)),
        ("normalize_embedding", json!(false), json!(false)),
        ("add_final_layer_norm", json!(false), json!(false)),
        ("encoder_layerdrop", json!(0.0), json!(0.0)),
        ("decoder_layerdrop", json!(0.0), json!(0.0)),
        ("decoder_vocab_size", get("vocab_size"), get("vocab_size")),
        ("decoder_attention_heads", get("encoder_attention_heads"), json!(16)),
        ("decoder_ffn_dim", get("encoder_ffn_dim"), json!(4096)),
        ("eos_token_id", json!(0), json!(0)),
        ("pad_token_id", last.clone(), json!(58100)),
        ("decoder_start_token_id", last, json!(58100)),
    ];
    let differs = |(key, wanted, default): (&str, Value, Value)| {
        let found = config.get(key).cloned().unwrap_or(default);
        let same = found == wanted || (found.is_number() && found.as_f64() == wanted.as_f64());
        (!same).then(|| format!("{key} is {found}, {wanted} is expected"))
    };
    wanted.into_iter().filter_map(differs).collect()
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "relu",
        Activation::Gelu => "gelu",
    }
}
