//! Which of transformers' BERT and RoBERTa models can be had here: from their config.json to a spec.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::bert_config::{ACTIVATION, ACTIVATIONS, POOLER_DROPOUT, activation};
use crate::bert_spec::{Architecture, BertSpec};
use crate::error::{ModelError, Result};
use crate::head_spec::HeadSpec;
use crate::json_file::CONFIG;
use crate::transformer_spec::Activation;

/// Settings that say what the encoder is; a saved config has them from the spec.
const ENCODER: [&str; 14] = [
    "model_type",
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    ACTIVATION,
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
    "pad_token_id",
    "position_embedding_type",
];

/// Settings that say what the head is, in what format weights were, and who wrote the file: never kept.
const REPLACED: [&str; 12] = [
    "architectures",
    "id2label",
    "label2id",
    "num_labels",
    "problem_type",
    "classifier_dropout",
    POOLER_DROPOUT,
    "finetuning_task",
    "torch_dtype",
    "dtype",
    "transformers_version",
    "_name_or_path",
];

/// Settings that change nothing of what is computed from sequences without padding: kept without a word.
const HARMLESS: [&str; 23] = [
    "initializer_range",
    "bos_token_id",
    "eos_token_id",
    "sep_token_id",
    "cls_token_id",
    "mask_token_id",
    "unk_token_id",
    "use_cache",
    "gradient_checkpointing",
    "chunk_size_feed_forward",
    "tie_word_embeddings",
    "tie_encoder_decoder",
    "is_decoder",
    "add_cross_attention",
    "is_encoder_decoder",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "return_dict",
    "pruned_heads",
    "quantization_config",
    "embedding_size",
    "attn_implementation",
];

/// What transformers' classes with another head than a sequence's end in, and what that head's layer is called.
const OTHER_HEADS: [(&str, &str); 3] = [
    ("ForTokenClassification", "classifier."),
    ("ForMultipleChoice", "classifier."),
    ("ForQuestionAnswering", "qa_outputs."),
];

/// A config.json that has been read.
pub struct Settings {
    /// The encoder, without a head.
    pub spec: BertSpec,
    /// Whether it says that the folder holds a sequence classifier; `None` where it does not say what it holds.
    pub classifier: Option<bool>,
    /// What the names begin with of a head that it says the folder holds and that cannot be had here.
    pub other_head: Option<&'static str>,
    /// What belongs to a saved model although it means nothing here, and the word for the activation, of which there are several.
    pub kept: Map<String, Value>,
    config: Map<String, Value>,
}

impl Settings {
    /// The settings of `folder`'s config, which is of that architecture.
    ///
    /// # Errors
    /// `ERR_MODEL` listing every setting that this encoder does not have.
    pub fn read(folder: &Path, config: Map<String, Value>, architecture: Architecture) -> Result<Self> {
        let file = folder.join(CONFIG);
        let reader = Reader { config: &config, architecture };
        let problems = reader.unsupported();
        if !problems.is_empty() {
            let problem =
                format!("describes another model than can be had here:\n  {}", problems.join("\n  "));
            return Err(ModelError::folder(&file, problem));
        }
        let spec = BertSpec::read("config", &reader.spec(), architecture);
        let spec = spec.map_err(|error| ModelError::folder(&file, error.to_string()))?;
        let (classifier, other_head) = (reader.classifier(), reader.other_head());
        let mut kept = config.clone();
        kept.retain(|key, _| {
            key == ACTIVATION || !(ENCODER.contains(&key.as_str()) || REPLACED.contains(&key.as_str()))
        });
        Ok(Self { spec, classifier, other_head, kept, config })
    }

    /// The head that the config describes. Errors: `ERR_MODEL` for one that cannot be had here.
    pub fn head(&self, folder: &Path) -> Result<HeadSpec> {
        let read = crate::bert_head_settings::head(&self.config, &self.spec);
        read.map_err(|problem| ModelError::folder(&folder.join(CONFIG), problem))
    }

    /// Settings that neither this program nor, as far as it knows, the encoder's class has.
    pub fn unknown(&self) -> Vec<String> {
        let known = |key: &str| ENCODER.contains(&key) || HARMLESS.contains(&key);
        self.kept.keys().filter(|key| !known(key)).cloned().collect()
    }
}

struct Reader<'a> {
    config: &'a Map<String, Value>,
    architecture: Architecture,
}

impl Reader<'_> {
    fn get(&self, key: &str, default: Value) -> Value {
        self.config.get(key).cloned().unwrap_or(default)
    }

    /// Absent settings have the default of transformers' configuration class.
    fn spec(&self) -> Map<String, Value> {
        let pad = self.pad();
        let offset =
            if self.architecture == Architecture::Roberta { pad.as_u64().unwrap_or(0) + 1 } else { 0 };
        let positions = self.get("max_position_embeddings", json!(512));
        let positions = positions.as_u64().map_or(positions, |rows| json!(rows.saturating_sub(offset)));
        let vocabulary = if self.architecture == Architecture::Bert { 30_522 } else { 50_265 };
        let spec = json!({
            "vocabularySize": self.get("vocab_size", json!(vocabulary)),
            "hiddenSize": self.get("hidden_size", json!(768)),
            "layers": self.get("num_hidden_layers", json!(12)),
            "heads": self.get("num_attention_heads", json!(12)),
            "feedForwardSize": self.get("intermediate_size", json!(3072)),
            "maxPositions": positions,
            "typeVocabularySize": self.get("type_vocab_size", json!(2)),
            "activation": self.activation().unwrap_or(Activation::Gelu),
            "layerNormEps": self.get("layer_norm_eps", json!(1e-12)),
            "dropout": self.get("hidden_dropout_prob", json!(0.1)),
            "attentionDropout": self.get("attention_probs_dropout_prob", json!(0.1)),
            "padId": pad,
        });
        spec.as_object().cloned().unwrap_or_default()
    }

    fn pad(&self) -> Value {
        self.get("pad_token_id", json!(if self.architecture == Architecture::Bert { 0 } else { 1 }))
    }

    fn activation(&self) -> Option<Activation> {
        self.config.get(ACTIVATION).map_or(Some("gelu"), Value::as_str).and_then(activation)
    }

    fn classifier(&self) -> Option<bool> {
        self.config.get("architectures")?.as_array()?;
        Some(self.is_class("ForSequenceClassification"))
    }

    fn other_head(&self) -> Option<&'static str> {
        OTHER_HEADS.iter().find(|(class, _)| self.is_class(class)).map(|(_, layer)| *layer)
    }

    fn is_class(&self, end: &str) -> bool {
        let classes = self.config.get("architectures").and_then(Value::as_array);
        let says = |class: &Value| class.as_str().is_some_and(|name| name.ends_with(end));
        classes.is_some_and(|classes| classes.iter().any(says))
    }

    /// Settings whose value would change what the model computes.
    fn unsupported(&self) -> Vec<String> {
        let wanted = [
            ("position_embedding_type", json!("absolute")),
            ("is_decoder", json!(false)),
            ("add_cross_attention", json!(false)),
            ("is_encoder_decoder", json!(false)),
            ("pruned_heads", json!({})),
            ("quantization_config", Value::Null),
            ("embedding_size", self.get("hidden_size", json!(768))),
        ];
        let differs = |(key, wanted): (&str, Value)| {
            let found = self.get(key, Value::Null);
            let same = found.is_null() || found == wanted;
            (!same).then(|| format!("{key} is {found}, {wanted} is expected"))
        };
        let mut problems: Vec<String> = wanted.into_iter().filter_map(differs).collect();
        if self.activation().is_none() {
            let known: Vec<&str> = ACTIVATIONS.iter().map(|(name, _)| *name).collect();
            let found = self.get(ACTIVATION, Value::Null);
            problems.push(format!("{ACTIVATION} is {found}, one of {known:?} is expected"));
        }
        if !self.pad().is_u64() {
            problems.push(format!("pad_token_id is {}, an id is expected", self.pad()));
        }
        if self.get("type_vocab_size", json!(2)) == json!(0) {
            problems.push("type_vocab_size is 0, but transformers looks up type 0 of every token".to_owned());
        }
        problems
    }
}
