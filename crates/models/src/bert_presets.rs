//! Named sizes of BERT and RoBERTa.

use serde_json::{Map, Value};

use crate::bert_spec::{Architecture, BertSpec};
use crate::error::Result;
use crate::fields::Fields;
use crate::nearest::nearest;
use crate::transformer_spec::Activation;

/// The names a spec's `preset` may have, and whose encoder each is.
pub const BERT_PRESETS: [&str; 5] = ["bert-base", "bert-large", "minilm-l6", "roberta-base", "roberta-large"];

/// The spec a preset stands for, without a head and its vocabulary still to be given; `None` for an unknown name.
///
/// The sizes are those of the released models: BERT's `uncased_L-12_H-768_A-12` and `L-24_H-1024_A-16`, RoBERTa's `base` and `large`, and
/// the six layers of 384 that MiniLM (Wang et al., arXiv 2002.10957) distils BERT into.
pub fn bert_preset(name: &str) -> Option<BertSpec> {
    use Architecture::{Bert, Roberta};
    let (architecture, hidden, layers, heads) = match name {
        "bert-base" => (Bert, 768, 12, 12),
        "bert-large" => (Bert, 1024, 24, 16),
        "minilm-l6" => (Bert, 384, 6, 12),
        "roberta-base" => (Roberta, 768, 12, 12),
        "roberta-large" => (Roberta, 1024, 24, 16),
        _ => return None,
    };
    let (type_vocabulary_size, layer_norm_eps, pad_id) = match architecture {
        Bert => (2, 1e-12, 0),
        Roberta => (1, 1e-5, 1),
    };
    Some(BertSpec {
        architecture,
        vocabulary_size: 0,
        hidden_size: hidden,
        layers,
        heads,
        feed_forward_size: 4 * hidden,
        max_positions: 512,
        type_vocabulary_size,
        activation: Activation::Gelu,
        layer_norm_eps,
        dropout: 0.1,
        attention_dropout: 0.1,
        pad_id,
        head: None,
    })
}

/// The preset that a spec of that architecture names, or the architecture's base.
pub fn base(fields: &Fields, object: &Map<String, Value>, architecture: Architecture) -> Result<BertSpec> {
    fields.known("preset");
    let standard = match architecture {
        Architecture::Bert => "bert-base",
        Architecture::Roberta => "roberta-base",
    };
    let name = object.get("preset").map_or(Some(standard), Value::as_str);
    let found = name.and_then(bert_preset).filter(|preset| preset.architecture == architecture);
    found.ok_or_else(|| {
        let fits = |name: &str| bert_preset(name).is_some_and(|preset| preset.architecture == architecture);
        let names: Vec<&str> = BERT_PRESETS.into_iter().filter(|name| fits(name)).collect();
        let hint = name.and_then(|name| nearest(name, names.iter().copied()));
        let hint = hint.map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"));
        fields.error("preset", format!("one of {names:?} is expected{hint}"))
    })
}
