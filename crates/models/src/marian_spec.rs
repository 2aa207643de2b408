//! Which of transformers' Marian and Pegasus models can be had here: from their config.json to a spec.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{ModelError, Result};
use crate::format::Format;
use crate::json_file::CONFIG;
use crate::spec::ModelSpec;

/// The spec of a config. Absent settings have the default of transformers' configuration class.
///
/// # Errors
/// `ERR_MODEL` listing every setting that this Transformer does not have.
pub fn spec(folder: &Path, config: &Map<String, Value>, format: Format) -> Result<ModelSpec> {
    let file = folder.join(CONFIG);
    let config = Config(config);
    let problems = config.unsupported(format);
    if !problems.is_empty() {
        let problem = format!("describes another model than can be had here:\n  {}", problems.join("\n  "));
        return Err(ModelError::folder(&file, problem));
    }
    let mut spec = json!({
        "type": "transformer",
        "embeddings": config.embeddings(),
        "hiddenSize": config.get("d_model", Value::Null),
        "encoderLayers": config.get("encoder_layers", Value::Null),
        "decoderLayers": config.get("decoder_layers", Value::Null),
        "heads": config.get("encoder_attention_heads", Value::Null),
        "decoderHeads": config.get("decoder_attention_heads", Value::Null),
        "feedForwardSize": config.get("encoder_ffn_dim", Value::Null),
        "decoderFeedForwardSize": config.get("decoder_ffn_dim", Value::Null),
        "dropout": config.get("dropout", json!(0.1)),
        "attentionDropout": config.get("attention_dropout", json!(0.0)),
        "activationDropout": config.get("activation_dropout", json!(0.0)),
        "encoderLayerDrop": config.get("encoder_layerdrop", json!(0.0)),
        "decoderLayerDrop": config.get("decoder_layerdrop", json!(0.0)),
        "activation": config.activation(),
        "normalization": if format == Format::Pegasus { "pre" } else { "post" },
        "scaleEmbedding": config.get("scale_embedding", json!(false)),
        "maxPositions": config.get("max_position_embeddings", Value::Null),
    });
    if let Value::Object(spec) = &mut spec {
        spec.extend(config.vocabulary());
    }
    ModelSpec::read("config", &spec).map_err(|error| ModelError::folder(&file, error.to_string()))
}

/// A config with the meaning of what is absent.
struct Config<'a>(&'a Map<String, Value>);

impl Config<'_> {
    fn get(&self, key: &str, default: Value) -> Value {
        self.0.get(key).filter(|value| !value.is_null()).cloned().unwrap_or(default)
    }

    fn holds(&self, key: &str, default: bool) -> bool {
        self.get(key, json!(default)) == json!(true)
    }

    fn embeddings(&self) -> &'static str {
        let (shared, tied) =
            (self.holds("share_encoder_decoder_embeddings", true), self.holds("tie_word_embeddings", true));
        match (shared, tied) {
            (true, _) => "shared",
            (false, true) => "decoderShared",
            (false, false) => "separate",
        }
    }

    /// `swish` has two names.
    fn activation(&self) -> Value {
        let found = self.get("activation_function", json!("gelu"));
        if found == json!("silu") { json!("swish") } else { found }
    }

    fn source_size(&self) -> Value {
        self.get("vocab_size", Value::Null)
    }

    fn target_size(&self) -> Value {
        self.get("decoder_vocab_size", self.source_size())
    }

    fn has_two_vocabularies(&self) -> bool {
        self.source_size() != self.target_size() || self.holds("separate_vocabs", false)
    }

    fn vocabulary(&self) -> Map<String, Value> {
        let entry = |key: &str, size| (key.to_owned(), size);
        if self.has_two_vocabularies() {
            let (source, target) = (self.source_size(), self.target_size());
            Map::from_iter([entry("sourceVocabularySize", source), entry("targetVocabularySize", target)])
        } else {
            Map::from_iter([entry("vocabularySize", self.source_size())])
        }
    }

    /// Settings whose value would change what the model computes.
    fn unsupported(&self, format: Format) -> Vec<String> {
        let pre = format == Format::Pegasus;
        let last = self.target_size().as_i64().map_or(Value::Null, |size| json!(size - 1));
        let (no, yes) = (json!(false), json!(true));
        let (pad, end) = if pre { (json!(0), json!(1)) } else { (json!(58_100), json!(0)) };
        let mut wanted = vec![
            ("static_position_embeddings", yes.clone(), yes.clone()),
            ("normalize_before", json!(pre), json!(pre)),
            ("normalize_embedding", no.clone(), no),
            ("add_final_layer_norm", json!(pre), json!(pre)),
            ("eos_token_id", json!(0), end),
            ("decoder_start_token_id", last.clone(), pad.clone()),
        ];
        let shared = self.holds("share_encoder_decoder_embeddings", true);
        if shared {
            wanted.push(("tie_word_embeddings", yes.clone(), yes));
            wanted.push(("decoder_vocab_size", self.source_size(), self.source_size()));
        }
        // With two vocabularies it names no row: where padding goes, a mask says.
        if !self.has_two_vocabularies() {
            wanted.push(("pad_token_id", last, pad));
        }
        let mut problems: Vec<String> =
            wanted.into_iter().filter_map(|wanted| self.differs(wanted)).collect();
        let activation = self.activation();
        if !["relu", "gelu", "swish"].iter().any(|known| activation == json!(known)) {
            problems.push(format!(
                "activation_function is {activation}, \"relu\", \"gelu\", \"swish\" or \"silu\" is expected"
            ));
        }
        problems
    }

    fn differs(&self, (key, wanted, default): (&str, Value, Value)) -> Option<String> {
        let found = self.get(key, default);
        let same = found == wanted || (found.is_number() && found.as_f64() == wanted.as_f64());
        (!same).then(|| format!("{key} is {found}, {wanted} is expected"))
    }
}
