//! Specs: presets, defaults, and errors that say where and what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use sagetrain_models::{ModelSpec, Role, create};
use serde_json::{Value, json};

fn read(value: Value) -> Result<ModelSpec, String> {
    ModelSpec::read("model", &value).map_err(|error| format!("{} {error}", error.code()))
}

#[test]
fn presets_fill_in_and_fields_override() {
    let spec =
        read(json!({ "preset": "transformer-iwslt", "vocabularySize": 10_000, "dropout": 0.2 })).unwrap();
    let expected = json!({
        "type": "transformer", "vocabularySize": 10_000, "embeddings": "decoderShared", "hiddenSize": 512, "encoderLayers": 6, "decoderLayers": 6,
        "heads": 4, "feedForwardSize": 1024, "dropout": 0.2, "attentionDropout": 0.0, "activationDropout": 0.0,
        "encoderLayerDrop": 0.0, "decoderLayerDrop": 0.0, "activation": "relu", "normalization": "post",
        "scaleEmbedding": true, "maxPositions": 1024,
    });
    assert_eq!(serde_json::to_value(&spec).unwrap(), expected);
    assert_eq!(read(expected).unwrap(), spec);
}

#[test]
fn every_preset_is_a_model() {
    for preset in sagetrain_models::PRESETS {
        read(json!({ "preset": preset, "vocabularySize": 100 })).unwrap();
    }
}

#[test]
fn numbers_of_javascript_are_whole_where_they_are_whole() {
    let spec = read(json!({ "type": "mlp", "inputs": 2.0, "classes": 3.0, "hidden": [4.0] })).unwrap();
    let expected = json!({ "type": "mlp", "inputs": 2, "hidden": [4], "classes": 3, "activation": "relu" });
    assert_eq!(serde_json::to_value(spec).unwrap(), expected);
}

#[test]
fn errors_name_the_path_the_value_and_the_nearest() {
    let cases = [
        (json!({ "type": "transformer" }), "model.vocabularySize: required, but missing"),
        (
            json!({ "type": "trasformer" }),
            "model.type: one of [\"transformer\", \"mlp\", \"bert\", \"roberta\"] is expected, found \"trasformer\" (did you mean \"transformer\"?)",
        ),
        (
            json!({ "vocabularySize": 9 }),
            "model.type: one of [\"transformer\", \"mlp\", \"bert\", \"roberta\"] is expected, found nothing",
        ),
        (json!([]), "model: an object is expected, found []"),
        (
            json!({ "preset": "transformer-bas", "vocabularySize": 9 }),
            "(did you mean \"transformer-base\"?), found \"transformer-bas\"",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "hidenSize": 3 }),
            "model.hidenSize: unknown key; did you mean \"hiddenSize\"?",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "heads": 7 }),
            "model.heads: a divisor of hiddenSize 512 is expected, found 7",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "hiddenSize": 7, "heads": 7 }),
            "model.hiddenSize: an even number is expected",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 3 }),
            "model.vocabularySize: a whole number of 4 to 16777216 is expected, found 3",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "dropout": 1.0 }),
            "model.dropout: a number of 0 up to, not including, 1 is expected, found 1.0",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "activation": "rleu" }),
            "model.activation: one of [\"relu\", \"gelu\", \"swish\"] is expected (did you mean \"relu\"?), found \"rleu\"",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "decoderHeads": 7 }),
            "model.decoderHeads: a divisor of hiddenSize 512 is expected, found 7",
        ),
        (
            json!({ "type": "transformer", "sourceVocabularySize": 9 }),
            "model.targetVocabularySize: required, but missing",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "sourceVocabularySize": 9 }),
            "model.vocabularySize: a joint vocabulary or sourceVocabularySize and targetVocabularySize is expected",
        ),
        (
            json!({
                "type": "transformer", "sourceVocabularySize": 9, "targetVocabularySize": 8, "embeddings": "shared"
            }),
            "model.embeddings: \"decoderShared\" or \"separate\" is expected",
        ),
        (
            json!({ "type": "transformer", "vocabularySize": 9, "scaleEmbedding": 1 }),
            "model.scaleEmbedding: true or false is expected, found 1",
        ),
        (
            json!({ "type": "mlp", "inputs": 2, "classes": 2, "hidden": [100, 0] }),
            "model.hidden: a list of whole numbers of 1 to 1048576 is expected, found [100,0]",
        ),
    ];
    for (value, expected) in cases {
        let message = read(value).unwrap_err();
        assert!(message.starts_with("ERR_CONFIG ") && message.contains(expected), "{message}\n{expected}");
    }
}

#[test]
fn parameters_are_counted_once_named_and_have_roles() {
    let spec = read(json!({
        "type": "transformer", "vocabularySize": 11, "hiddenSize": 8, "heads": 2, "feedForwardSize": 12,
        "encoderLayers": 1, "decoderLayers": 1,
    }));
    let model = create(&spec.unwrap(), 1).unwrap();
    let attention = 4 * (8 * 8 + 8);
    let feed_forward = 2 * 8 * 12 + 12 + 8;
    let norm = 16;
    let expected = 11 * 8 + (attention + feed_forward + 2 * norm) + (2 * attention + feed_forward + 3 * norm);
    assert_eq!(model.parameters().elements(), expected);

    let encoder_linear: Vec<&str> = model
        .parameters()
        .iter()
        .filter(|parameter| parameter.role == Role::EncoderLinear)
        .map(|parameter| parameter.name.trim_start_matches("model.encoder.layers.0."))
        .collect();
    let attention = ["k", "v", "q", "out"].map(|name| format!("self_attn.{name}_proj"));
    let layers = [&attention[..], &["fc1".to_owned(), "fc2".to_owned()]].concat();
    let expected: Vec<String> =
        layers.iter().flat_map(|name| ["weight", "bias"].map(|kind| format!("{name}.{kind}"))).collect();
    assert_eq!(encoder_linear, expected);

    let error = model.parameters().get("model.shred.weight").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no parameter is named \"model.shred.weight\"; did you mean \"model.shared.weight\"?"
    );
}

#[test]
fn two_vocabularies_and_a_decoder_of_its_own_come_back_as_written() {
    let spec = read(json!({
        "type": "transformer", "sourceVocabularySize": 30, "targetVocabularySize": 20, "hiddenSize": 8, "heads": 2,
        "decoderHeads": 4, "feedForwardSize": 12, "decoderFeedForwardSize": 12,
    }));
    let written = serde_json::to_value(spec.unwrap()).unwrap();
    assert_eq!(written["sourceVocabularySize"], 30);
    // A preset's shared table cannot be had for two vocabularies.
    assert_eq!(written["embeddings"], "decoderShared");
    assert_eq!((&written["decoderHeads"], written.get("decoderFeedForwardSize")), (&json!(4), None));
    assert!(written.get("vocabularySize").is_none());
    assert_eq!(serde_json::to_value(read(written.clone()).unwrap()).unwrap(), written);
}

fn parameters(spec: Value) -> usize {
    create(&read(spec).unwrap(), 1).unwrap().parameters().elements()
}

/// The sizes of fairseq's architectures with the dictionaries of IWSLT'14 German-English (8,848 and 6,632 types) and WMT's joined one
/// of 32,768, counted by tests/golden/fairseq_sizes.py.
#[test]
fn presets_are_as_large_as_those_of_fairseq() {
    let iwslt = |embeddings: &str| {
        json!({
            "preset": "transformer-iwslt", "sourceVocabularySize": 8848, "targetVocabularySize": 6632,
            "embeddings": embeddings,
        })
    };
    assert_eq!(parameters(iwslt("decoderShared")), 39_469_056);
    assert_eq!(parameters(iwslt("separate")), 42_864_640);
    let joined = |preset: &str| json!({ "preset": preset, "vocabularySize": 32_768 });
    assert_eq!(parameters(joined("transformer-base")), 60_915_712);
    assert_eq!(parameters(joined("transformer-big")), 209_911_808);
}
