//! config.json of transformers' BERT and RoBERTa models: what it says of a spec.

use serde_json::{Map, Value, json};

use crate::bert_spec::{Architecture, BertSpec};
use crate::head_spec::{HeadKind, HeadSpec, standard_label};
use crate::transformer_spec::Activation;

/// What transformers needs to rebuild the model. `settings` are the folder's own that mean nothing here, and its word for the activation.
pub fn config(spec: &BertSpec, settings: &Map<String, Value>) -> Value {
    let mut config = settings.clone();
    let own = json!({
        "model_type": spec.architecture.name(),
        "architectures": [class(spec)],
        "vocab_size": spec.vocabulary_size,
        "hidden_size": spec.hidden_size,
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "intermediate_size": spec.feed_forward_size,
        ACTIVATION: activation_word(spec.activation, settings),
        "hidden_dropout_prob": spec.dropout,
        "attention_probs_dropout_prob": spec.attention_dropout,
        "max_position_embeddings": spec.max_positions + spec.position_offset(),
        "type_vocab_size": spec.type_vocabulary_size,
        "layer_norm_eps": spec.layer_norm_eps,
        "pad_token_id": spec.pad_id,
        "position_embedding_type": "absolute",
        "torch_dtype": "float32",
    });
    extend(&mut config, own);
    if let Some(head) = &spec.head {
        extend(&mut config, head_config(head, spec.architecture));
    }
    Value::Object(config)
}

fn extend(config: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        config.extend(more);
    }
}

fn head_config(head: &HeadSpec, architecture: Architecture) -> Value {
    let name =
        |index: usize| head.labels.as_ref().map_or_else(|| standard_label(index), |all| all[index].clone());
    let id2label: Map<String, Value> =
        (0..head.classes).map(|index| (index.to_string(), json!(name(index)))).collect();
    let label2id: Map<String, Value> = (0..head.classes).map(|index| (name(index), json!(index))).collect();
    let mut config = json!({
        "id2label": id2label,
        "label2id": label2id,
        "problem_type": match head.kind {
            HeadKind::Classification => "single_label_classification",
            HeadKind::Regression => "regression",
        },
        "classifier_dropout": head.dropout,
    });
    // transformers has no such setting: it says what training here does, and nothing about what is computed from weights.
    if head.pooler_dropout != architecture.pooler_dropout(head.dropout) {
        config[POOLER_DROPOUT] = json!(head.pooler_dropout);
    }
    config
}

/// The setting that transformers does not have.
pub const POOLER_DROPOUT: &str = "pooler_dropout";

fn class(spec: &BertSpec) -> &'static str {
    match (spec.architecture, &spec.head) {
        (Architecture::Bert, Some(_)) => "BertForSequenceClassification",
        (Architecture::Bert, None) => "BertModel",
        (Architecture::Roberta, Some(_)) => "RobertaForSequenceClassification",
        (Architecture::Roberta, None) => "RobertaModel",
    }
}

/// The setting that names the activation.
pub const ACTIVATION: &str = "hidden_act";

/// transformers' names of activations and what they are here, the one that is written first.
pub const ACTIVATIONS: [(&str, Activation); 10] = [
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_python_tanh", Activation::GeluTanh),
    ("gelu_fast", Activation::GeluTanh),
    ("gelu_accurate", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("silu", Activation::Swish),
    ("swish", Activation::Swish),
];

/// What transformers' word for an activation means.
pub fn activation(word: &str) -> Option<Activation> {
    ACTIVATIONS.iter().find(|(known, _)| *known == word).map(|(_, activation)| *activation)
}

/// The folder's own word, if that is what it means.
fn activation_word(wanted: Activation, settings: &Map<String, Value>) -> &str {
    let own = settings.get(ACTIVATION).and_then(Value::as_str);
    own.filter(|word| activation(word) == Some(wanted)).unwrap_or_else(|| {
        ACTIVATIONS.iter().find(|(_, known)| *known == wanted).map_or("gelu", |(word, _)| word)
    })
}
