//! Pretrained encoders get new heads: what is the folder's, what is drawn and how, and what is told of both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/bert.rs"]
mod encoders;
mod support;

use std::path::Path;

use encoders::{batch, config, configure, copy_of, hidden, numbers, rewrite, same_bits, wanted};
use sagetrain_models::{LoadReport, Model, fine_tune, load};
use serde_json::json;
use support::*;

#[test]
fn shards_of_a_pretrained_model_become_a_classifier() {
    let numbers = numbers();
    let head = json!({ "kind": "classification", "classes": 2 });
    let (model, report) = fine_tune(&golden("bert-sharded"), &wanted(json!({ "head": head })), 3).unwrap();
    let case = &numbers["cases"][0];
    let found = hidden(&model, &batch(&numbers["batch"]["bert"], true));
    assert!(difference(&found, &floats(&case["hidden"])) < 1e-5);
    let pretraining = [
        "cls.predictions.bias",
        "cls.predictions.transform.LayerNorm.bias",
        "cls.predictions.transform.LayerNorm.weight",
        "cls.predictions.transform.dense.bias",
        "cls.predictions.transform.dense.weight",
        "cls.seq_relationship.bias",
        "cls.seq_relationship.weight",
    ];
    let expected = LoadReport {
        new: vec!["classifier.weight".into(), "classifier.bias".into()],
        unused: pretraining.map(str::to_owned).to_vec(),
        ..LoadReport::default()
    };
    assert_eq!(report, expected);

    let pooler = |model: &dyn Model| to_vec(&model.parameters().tensor("bert.pooler.dense.weight").unwrap());
    let asked = json!({ "head": head, "pooler": "new", "dropout": 0.0, "attentionDropout": 0.2 });
    let (other, report) = fine_tune(&golden("bert-sharded"), &wanted(asked), 3).unwrap();
    assert_ne!(pooler(&other), pooler(&model));
    let bound = 1.0 / 12f64.sqrt();
    assert!(pooler(&other).iter().all(|value| value.abs() <= bound));
    let new = ["bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"];
    assert_eq!(report.new, new);
    assert!(report.missing.is_empty() && report.unused.contains(&"bert.pooler.dense.weight".to_owned()));
    let spec = serde_json::to_value(other.spec()).unwrap();
    assert_eq!((&spec["dropout"], &spec["attentionDropout"]), (&json!(0.0), &json!(0.2)));
    assert_eq!(spec["head"]["dropout"], 0.0);

    // Opened as it is, it is an encoder.
    let encoder = load(&golden("bert-sharded")).unwrap();
    let found = hidden(encoder.as_ref(), &batch(&numbers["batch"]["bert"], true));
    assert!(difference(&found, &floats(&case["hidden"])) < 1e-5);
    let error = encoder.forward(&batch(&numbers["batch"]["bert"], true), &evaluation()).unwrap_err();
    assert!(error.to_string().starts_with("model.head: null"), "{error}");
}

/// Mean square of values, and the largest magnitude.
fn spread(values: &[f64]) -> (f64, f64) {
    let square = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
    (square, values.iter().fold(0.0, |most, value| value.abs().max(most)))
}

#[test]
fn a_new_head_is_drawn_as_torch_draws_and_one_on_a_pretrained_pooler_as_transformers() {
    let folder = copy_of("bert-sharded");
    configure(folder.path(), json!({ "initializer_range": 0.3 }));
    let drawn = |pooler: &str, name: &str| {
        let head = json!({ "kind": "classification", "classes": 400 });
        let (model, _) =
            fine_tune(folder.path(), &wanted(json!({ "head": head, "pooler": pooler })), 3).unwrap();
        to_vec(&model.parameters().tensor(name).unwrap())
    };
    // torch.nn.Linear's: uniform up to 1 / sqrt(12), mean square a third of the bound's.
    for name in ["classifier.weight", "classifier.bias"] {
        let (square, most) = spread(&drawn("new", name));
        assert!(most <= 1.0 / 12f64.sqrt() && most > 0.27, "{name} {most}");
        assert!((square * 36.0 - 1.0).abs() < 0.15, "{name} {square}");
    }
    let (square, _) = spread(&drawn("pretrained", "classifier.weight"));
    assert!((square.sqrt() - 0.3).abs() < 0.01, "{square}");
    assert!(drawn("pretrained", "classifier.bias").iter().all(|value| *value == 0.0));
}

#[test]
fn a_classifier_gets_another_head_and_keeps_its_pooler() {
    let head = json!({ "kind": "classification", "classes": 4 });
    let tune = |folder: &Path, seed| fine_tune(folder, &wanted(json!({ "head": head })), seed).unwrap();
    let old = load(&golden("roberta-tiny")).unwrap();
    let (model, report) = tune(&golden("roberta-tiny"), 1);
    let dense = |model: &dyn Model| to_vec(&model.parameters().tensor("classifier.dense.weight").unwrap());
    assert_eq!(dense(&model), dense(old.as_ref()));
    assert_eq!(report.unused, ["classifier.out_proj.bias", "classifier.out_proj.weight"]);
    assert_eq!(report.new, ["classifier.out_proj.weight", "classifier.out_proj.bias"]);

    let output =
        |model: &dyn Model| to_vec(&model.parameters().tensor("classifier.out_proj.weight").unwrap());
    assert_eq!(output(&model), output(&tune(&golden("roberta-tiny"), 1).0));
    assert_ne!(output(&model), output(&tune(&golden("roberta-tiny"), 2).0));

    // Without one in the folder it is drawn, and that is said.
    let folder = copy_of("roberta-tiny");
    rewrite(folder.path(), |tensors| tensors.retain(|(name, _)| !name.starts_with("classifier")));
    configure(folder.path(), json!({ "architectures": ["RobertaForMaskedLM"], "something_new": 1 }));
    let (tuned, report) = tune(folder.path(), 1);
    let dense = ["classifier.dense.weight", "classifier.dense.bias"];
    assert_eq!(
        (report.missing.as_slice(), &report.new[..2]),
        (&dense.map(str::to_owned)[..], &dense.map(str::to_owned)[..])
    );
    assert_eq!(report.unknown_settings, ["something_new"]);
    let saved = tempfile::tempdir().unwrap();
    tuned.save(saved.path()).unwrap();
    assert_eq!(config(saved.path())["something_new"], 1);
    same_bits(load(saved.path()).unwrap().as_ref(), &tuned);
}
