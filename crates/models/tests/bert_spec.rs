//! Specs of encoders: presets, heads, and errors that say where and what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use sagetrain_models::{BERT_PRESETS, Bert, FineTune, Initial, ModelSpec, Role, create};
use serde_json::{Value, json};

fn read(value: Value) -> Result<ModelSpec, String> {
    ModelSpec::read("model", &value).map_err(|error| format!("{} {error}", error.code()))
}

#[test]
fn presets_fill_in_and_fields_override() {
    let spec = read(json!({
        "preset": "roberta-large", "vocabularySize": 50_265, "dropout": 0.2,
        "head": { "kind": "classification", "labels": ["no", "yes"] },
    }));
    let expected = json!({
        "type": "roberta", "vocabularySize": 50_265, "hiddenSize": 1024, "layers": 24, "heads": 16,
        "feedForwardSize": 4096, "maxPositions": 512, "typeVocabularySize": 1, "activation": "gelu",
        "layerNormEps": 1e-5, "dropout": 0.2, "attentionDropout": 0.1, "padId": 1,
        "head": {
            "kind": "classification", "classes": 2, "labels": ["no", "yes"], "dropout": 0.2, "poolerDropout": 0.2,
        },
    });
    let spec = spec.unwrap();
    assert_eq!(serde_json::to_value(&spec).unwrap(), expected);
    assert_eq!(read(expected).unwrap(), spec);
    assert_eq!(spec.kind(), "roberta");

    let bert =
        read(json!({ "type": "bert", "vocabularySize": 9, "head": { "kind": "regression" } })).unwrap();
    let bert = serde_json::to_value(&bert).unwrap();
    let head = json!({ "kind": "regression", "classes": 1, "dropout": 0.1, "poolerDropout": 0.0 });
    assert_eq!((&bert["head"], &bert["layers"]), (&head, &json!(12)));
    for preset in BERT_PRESETS {
        read(json!({ "preset": preset, "vocabularySize": 100 })).unwrap();
    }
}

/// What transformers counts in a sequence classifier of two classes with the released vocabularies.
#[test]
fn presets_are_as_large_as_those_of_transformers() {
    let sizes = [
        ("bert-base", 30_522, 109_483_778),
        ("bert-large", 30_522, 335_143_938),
        ("minilm-l6", 30_522, 22_713_986),
        ("roberta-base", 50_265, 124_647_170),
        ("roberta-large", 50_265, 355_361_794),
    ];
    for (preset, vocabulary, expected) in sizes {
        let head = json!({ "kind": "classification", "classes": 2 });
        let spec = read(json!({ "preset": preset, "vocabularySize": vocabulary, "head": head })).unwrap();
        let ModelSpec::Bert(spec) = spec else { panic!("{preset}") };
        let layout = Bert::layout(&spec);
        let elements: i64 = layout.iter().map(|declared| declared.shape.iter().product::<i64>()).sum();
        assert_eq!(elements, expected, "{preset}");
    }
}

#[test]
fn roles_are_those_of_sages_scope() {
    let spec = read(json!({
        "type": "bert", "vocabularySize": 11, "hiddenSize": 8, "heads": 2, "feedForwardSize": 12, "layers": 2,
        "head": { "kind": "classification", "classes": 3 },
    }));
    let model = create(&spec.unwrap(), 1).unwrap();
    let of_role = |role| -> Vec<&str> {
        let those = model.parameters().iter().filter(|parameter| parameter.role == role);
        those.map(|parameter| parameter.name.as_str()).collect()
    };
    let linear = [
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
        "intermediate.dense",
        "output.dense",
    ];
    let expected: Vec<String> = (0..2)
        .flat_map(|layer| linear.map(|name| format!("bert.encoder.layer.{layer}.{name}")))
        .flat_map(|name| ["weight", "bias"].map(|kind| format!("{name}.{kind}")))
        .collect();
    assert_eq!(of_role(Role::EncoderLinear), expected);
    assert_eq!(of_role(Role::HiddenLinear), ["bert.pooler.dense.weight", "bert.pooler.dense.bias"]);
    assert_eq!(of_role(Role::Output), ["classifier.weight", "classifier.bias"]);
    let tables =
        ["word", "position", "token_type"].map(|kind| format!("bert.embeddings.{kind}_embeddings.weight"));
    assert_eq!(of_role(Role::Embedding), tables);
    assert!(of_role(Role::Norm).iter().all(|name| name.contains("LayerNorm")));
    assert_eq!(of_role(Role::Norm).len(), 2 + 4 * 2);
}

#[test]
fn a_model_from_nothing_begins_as_transformers_does() {
    let spec = read(json!({
        "type": "roberta", "vocabularySize": 30, "hiddenSize": 8, "heads": 2, "layers": 1, "maxPositions": 10,
        "head": { "kind": "classification", "classes": 2 },
    }));
    let ModelSpec::Bert(spec) = spec.unwrap() else { panic!("no encoder") };
    for declared in Bert::layout(&spec) {
        let expected = match declared.role {
            Role::Norm if declared.name.ends_with("weight") => Initial::Ones,
            _ if declared.name.ends_with("bias") => Initial::Zeros,
            _ => {
                let zero_row = declared.name.contains("word_embeddings").then_some(1);
                Initial::Normal { deviation: 0.02, zero_row }
            }
        };
        assert_eq!(declared.initial, expected, "{}", declared.name);
        if declared.name.contains("position_embeddings") {
            assert_eq!(declared.shape, [12, 8]);
        }
    }
}

#[test]
fn errors_name_the_path_the_value_and_the_nearest() {
    let bert = |changes: Value| {
        let mut spec = json!({ "type": "bert", "vocabularySize": 9 });
        spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        spec
    };
    let cases = [
        (json!({ "type": "roberta" }), "model.vocabularySize: required, but missing"),
        (
            json!({ "preset": "bert-bas", "vocabularySize": 9 }),
            "(did you mean \"bert-base\"?), found \"bert-bas\"",
        ),
        (
            bert(json!({ "preset": "roberta-base" })),
            "model.preset: one of [\"bert-base\", \"bert-large\", \"minilm-l6\"] is expected",
        ),
        (bert(json!({ "hidenSize": 3 })), "model.hidenSize: unknown key; did you mean \"hiddenSize\"?"),
        (bert(json!({ "heads": 7 })), "model.heads: a divisor of hiddenSize 768 is expected, found 7"),
        (bert(json!({ "padId": 9 })), "model.padId: an id below vocabularySize 9 is expected, found 9"),
        (bert(json!({ "layerNormEps": 0 })), "model.layerNormEps: a number above 0 and below 1 is expected"),
        (bert(json!({ "activation": "gelu_new" })), "model.activation: one of [\"gelu\", \"geluTanh\""),
        (bert(json!({ "head": 3 })), "model.head: an object or null is expected, found 3"),
        (bert(json!({ "head": {} })), "model.head.kind: required, but missing"),
        (bert(json!({ "head": { "kind": "classification" } })), "model.head.classes: required, but missing"),
        (
            bert(json!({ "head": { "kind": "regression", "classes": 2 } })),
            "model.head.classes: a whole number of 1 to 1 is expected, found 2",
        ),
        (
            bert(json!({ "head": { "kind": "classification", "classes": 3, "labels": ["a", "b"] } })),
            "model.head.labels: one for each of 3 classes is expected",
        ),
        (
            bert(json!({ "head": { "kind": "classification", "classes": 2, "labels": ["a", "a"] } })),
            "model.head.labels: a list of texts is expected, no two alike",
        ),
        (bert(json!({ "head": { "kind": "classification", "clases": 2 } })), "model.head."),
    ];
    for (value, expected) in cases {
        let message = read(value).unwrap_err();
        assert!(message.starts_with("ERR_CONFIG ") && message.contains(expected), "{message}\n{expected}");
    }
}

#[test]
fn what_fine_tuning_is_asked_for_is_read_as_strictly() {
    let read = |value: Value| {
        let found = FineTune::read("model", value.as_object().unwrap());
        found.map_err(|error| format!("{} {error}", error.code()))
    };
    read(json!({ "head": { "kind": "regression" }, "pooler": "new", "dropout": 0.0 })).unwrap();
    for (value, expected) in [
        (json!({}), "model.head: required, but missing"),
        (json!({ "head": { "kind": "regression" }, "poler": "new" }), "did you mean \"pooler\"?"),
        (json!({ "head": { "kind": "regression" }, "pooler": "old" }), "one of [\"pretrained\", \"new\"]"),
    ] {
        let message = read(value).unwrap_err();
        assert!(message.starts_with("ERR_CONFIG ") && message.contains(expected), "{message}\n{expected}");
    }
}
