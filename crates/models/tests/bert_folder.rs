//! Folders of encoders: what is saved comes back, what is damaged or foreign is refused by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/bert.rs"]
mod encoders;
mod support;

use std::path::Path;

use encoders::{batch, config, configure, copy_of, hidden, numbers, rewrite, same_bits, wanted};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sagetrain_models::{LoadReport, Model, ModelSpec, create, fine_tune, load, load_reporting};
use serde_json::{Value, json};
use support::*;

fn refusal(folder: &Path) -> String {
    let error = load(folder).err().expect("a refusal");
    assert_eq!(error.code(), "ERR_MODEL");
    error.to_string()
}

#[test]
fn what_transformers_saved_is_saved_again_alike() {
    for name in ["bert-tiny", "roberta-tiny"] {
        let (model, folder) = (load(&golden(name)).unwrap(), tempfile::tempdir().unwrap());
        model.save(folder.path()).unwrap();
        let files = [golden(name), folder.path().to_owned()];
        let bytes = files.map(|folder| std::fs::read(folder.join("model.safetensors")).unwrap());
        let [theirs, ours] = bytes.each_ref().map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        assert_eq!(ours.len(), theirs.len());
        for (name, tensor) in theirs.tensors() {
            assert_eq!(ours.tensor(&name).unwrap(), tensor, "{name}");
        }
        same_bits(load(folder.path()).unwrap().as_ref(), model.as_ref());
        // Every setting comes back but who wrote it and what is nothing.
        let (theirs, ours) = (config(&golden(name)), config(folder.path()));
        let same = theirs.as_object().unwrap().iter().filter(|(key, value)| {
            !["transformers_version", "dtype"].contains(&key.as_str()) && !value.is_null()
        });
        for (key, value) in same {
            let equal = ours[key] == *value || (value.is_number() && ours[key].as_f64() == value.as_f64());
            assert!(equal, "{key} is {}, {value} is expected", ours[key]);
        }
    }
}

#[test]
fn every_variant_comes_back_alike() {
    let small = |changes: Value| {
        let mut spec = json!({
            "type": "bert", "vocabularySize": 21, "hiddenSize": 16, "heads": 2, "feedForwardSize": 24, "layers": 1,
            "maxPositions": 12,
        });
        spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        create(&ModelSpec::read("model", &spec).unwrap(), 4).unwrap()
    };
    let head = json!({ "kind": "classification", "classes": 3, "labels": ["a", "b", "c"], "dropout": 0.3 });
    let other_pooler = json!({ "kind": "regression", "dropout": 0.0, "poolerDropout": 0.25 });
    let variants = [
        (json!({}), "bert", "BertModel"),
        (json!({ "type": "roberta", "typeVocabularySize": 2 }), "roberta", "RobertaModel"),
        (json!({ "head": head, "activation": "geluTanh" }), "bert", "BertForSequenceClassification"),
        (
            json!({ "type": "roberta", "head": head, "activation": "swish", "padId": 3 }),
            "roberta",
            "RobertaForSequenceClassification",
        ),
        (json!({ "head": other_pooler, "layerNormEps": 1e-6 }), "bert", "BertForSequenceClassification"),
        (json!({ "type": "roberta", "head": other_pooler }), "roberta", "RobertaForSequenceClassification"),
        // transformers cannot do without types.
        (json!({ "typeVocabularySize": 0, "head": head }), "sagetrain-bert", ""),
        (json!({ "type": "roberta", "typeVocabularySize": 0 }), "sagetrain-roberta", ""),
    ];
    for (changes, kind, class) in variants {
        let (model, folder) = (small(changes), tempfile::tempdir().unwrap());
        model.save(folder.path()).unwrap();
        let config = config(folder.path());
        assert_eq!(config["model_type"], kind);
        assert_eq!(config["architectures"][0].as_str().unwrap_or(""), class);
        same_bits(load(folder.path()).unwrap().as_ref(), model.as_ref());
    }
}

#[test]
fn heads_of_tokens_choices_and_spans_are_left_aside_and_told() {
    let numbers = numbers();
    let cases = [
        ("bert", "BertForTokenClassification", "classifier"),
        ("bert", "BertForMultipleChoice", "classifier"),
        ("bert", "BertForQuestionAnswering", "qa_outputs"),
        ("roberta", "RobertaForTokenClassification", "classifier"),
        ("roberta", "RobertaForQuestionAnswering", "qa_outputs"),
    ];
    for (kind, class, layer) in cases {
        let golden_folder = format!("{kind}-tiny");
        let folder = copy_of(&golden_folder);
        let output = if kind == "bert" { "classifier." } else { "classifier.out_proj." };
        rewrite(folder.path(), |tensors| {
            tensors.retain(|(name, _)| !name.contains("pooler") && !name.starts_with("classifier.dense"));
            for (name, _) in tensors.iter_mut() {
                *name = name.replace(output, &format!("{layer}."));
            }
        });
        configure(folder.path(), json!({ "architectures": [class] }));
        let (model, report) =
            load_reporting(folder.path()).unwrap_or_else(|error| panic!("{class}: {error}"));
        assert_eq!(report.unused, [format!("{layer}.bias"), format!("{layer}.weight")], "{class}");
        let case = numbers["cases"].as_array().unwrap().iter().find(|case| case["folder"] == golden_folder);
        let found = hidden(model.as_ref(), &batch(&numbers["batch"][kind], case.unwrap()["types"] == true));
        assert!(difference(&found, &floats(&case.unwrap()["hidden"])) < 1e-5, "{class}");
        comes_back(model.as_ref());
        // Whoever does not say that it is such a head may have meant it.
        configure(
            folder.path(),
            json!({ "architectures": [class.split_once("For").unwrap().0.to_owned() + "Model"] }),
        );
        assert!(refusal(folder.path()).contains(&format!("unknown: {layer}.bias")), "{class}");
    }
}

/// A config.json has such names even where nobody gave any, so they cannot be told from none.
#[test]
fn classes_that_are_only_numbered_have_no_names_before_a_save_and_after() {
    let labels = json!(["LABEL_0", "LABEL_1", "LABEL_2"]);
    let named = json!({ "kind": "classification", "classes": 3, "labels": labels });
    let number = json!({ "kind": "regression", "labels": ["LABEL_0"] });
    for head in [&named, &number] {
        for types in [0, 2] {
            let spec = json!({
                "type": "bert", "vocabularySize": 21, "hiddenSize": 16, "heads": 2, "feedForwardSize": 24, "layers": 1,
                "maxPositions": 12, "typeVocabularySize": types, "head": head,
            });
            comes_back(create(&ModelSpec::read("model", &spec).unwrap(), 4).unwrap().as_ref());
        }
        let (tuned, _) = fine_tune(&golden("bert-tiny"), &wanted(json!({ "head": head })), 3).unwrap();
        assert_eq!(serde_json::to_value(tuned.spec()).unwrap()["head"]["labels"], Value::Null);
        comes_back(&tuned);
    }
    // Another order of them says something.
    let swapped = json!({ "kind": "classification", "labels": ["LABEL_1", "LABEL_0"] });
    let (tuned, _) = fine_tune(&golden("bert-tiny"), &wanted(json!({ "head": swapped })), 3).unwrap();
    assert_eq!(serde_json::to_value(tuned.spec()).unwrap()["head"]["labels"], swapped["labels"]);
    comes_back(&tuned);
}

fn comes_back(model: &dyn Model) {
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path()).unwrap();
    same_bits(load(folder.path()).unwrap().as_ref(), model);
}

#[test]
fn what_a_loaded_model_has_no_use_for_is_told() {
    let folder = copy_of("bert-sharded");
    configure(folder.path(), json!({ "something_new": 1 }));
    let (model, report) = load_reporting(folder.path()).unwrap();
    let LoadReport { new, unused, missing, unknown_settings } = report;
    assert!(new.is_empty() && missing.is_empty());
    assert_eq!(unknown_settings, ["something_new"]);
    let poolers = ["bert.pooler.dense.bias", "bert.pooler.dense.weight"].map(str::to_owned);
    assert_eq!(unused[..2], poolers);
    assert!(unused.len() == 9 && unused[2..].iter().all(|name| name.starts_with("cls.")), "{unused:?}");
    same_bits(load(folder.path()).unwrap().as_ref(), model.as_ref());
    let (_, report) = load_reporting(&golden("bert-tiny")).unwrap();
    assert_eq!(report, LoadReport::default());
}

#[test]
fn bare_names_and_those_from_tensorflow_are_the_same() {
    let numbers = numbers();
    let folder = copy_of("bert-tiny");
    configure(folder.path(), json!({ "architectures": ["BertModel"] }));
    let ids: Vec<u8> = (0i64..16).flat_map(i64::to_le_bytes).collect();
    let ids: &'static [u8] = Vec::leak(ids);
    rewrite(folder.path(), |tensors| {
        tensors.retain(|(name, _)| !name.starts_with("classifier"));
        for (name, _) in tensors.iter_mut() {
            *name = name.trim_start_matches("bert.").replace("LayerNorm.weight", "LayerNorm.gamma");
            *name = name.replace("LayerNorm.bias", "LayerNorm.beta");
        }
        let buffer = TensorView::new(Dtype::I64, vec![1, 16], ids).unwrap();
        tensors.push(("embeddings.position_ids".into(), buffer));
    });
    let inputs = batch(&numbers["batch"]["bert"], true);
    let found = hidden(load(folder.path()).unwrap().as_ref(), &inputs);
    assert!(difference(&found, &floats(&numbers["cases"][0]["hidden"])) < 1e-5);
    let asked = wanted(json!({ "head": { "kind": "regression" } }));
    let (_, report) = fine_tune(folder.path(), &asked, 1).unwrap();
    assert!(report.unused.is_empty() && report.missing.is_empty(), "{report:?}");
}

#[test]
fn half_precision_is_read_and_float32_is_written() {
    let folder = copy_of("bert-tiny");
    configure(folder.path(), json!({ "torch_dtype": "bfloat16", "dtype": "bfloat16" }));
    let file = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    // The upper half of a float32 is a bfloat16.
    let halves = |view: &TensorView| -> Vec<u8> {
        view.data().chunks_exact(4).flat_map(|float| [float[2], float[3]]).collect()
    };
    let data: Vec<Vec<u8>> = tensors.iter().map(|(_, view)| halves(view)).collect();
    let views = tensors.iter().zip(&data).map(|((name, view), data)| {
        (name.clone(), TensorView::new(Dtype::BF16, view.shape().to_vec(), data).unwrap())
    });
    safetensors::serialize_to_file(views, None, &file).unwrap();
    let (model, saved) = (load(folder.path()).unwrap(), tempfile::tempdir().unwrap());
    model.save(saved.path()).unwrap();
    let config = config(saved.path());
    assert_eq!((&config["torch_dtype"], &config["dtype"]), (&json!("float32"), &Value::Null));
    same_bits(load(saved.path()).unwrap().as_ref(), model.as_ref());
    let value = model.parameters().get("classifier.bias").unwrap().tensor.double_value(&[0]) as f32;
    assert_eq!(value.to_bits() & 0xffff, 0);
}

#[test]
fn every_misfit_is_listed_at_once() {
    let folder = copy_of("bert-tiny");
    rewrite(folder.path(), |tensors| {
        tensors.retain(|(name, _)| name != "bert.encoder.layer.0.output.dense.bias");
        for (name, _) in tensors.iter_mut() {
            match name.as_str() {
                "bert.encoder.layer.1.attention.self.query.weight" => {
                    *name = "bert.encoder.layer.1.intermediate.dense.bias".into();
                }
                "bert.encoder.layer.1.intermediate.dense.bias" => {
                    *name = "bert.encoder.layer.1.attention.self.query.weight".into();
                }
                "bert.pooler.dense.weight" => *name = "bert.poler.dense.weight".into(),
                _ => {}
            }
        }
    });
    let encoder = [
        "model.safetensors: does not fit config.json:",
        "missing: bert.encoder.layer.0.output.dense.bias",
        "mis-shaped: bert.encoder.layer.1.attention.self.query.weight is [20], [12, 12] is expected",
        "mis-shaped: bert.encoder.layer.1.intermediate.dense.bias is [12, 12], [20] is expected",
    ];
    let message = refusal(folder.path());
    for expected in
        encoder.into_iter().chain(["missing: bert.pooler.dense.weight", "unknown: bert.poler.dense.weight"])
    {
        assert!(message.contains(expected), "{expected}\n{message}");
    }
    let asked = wanted(json!({ "head": { "kind": "regression" } }));
    let message = fine_tune(folder.path(), &asked, 1).unwrap_err().to_string();
    assert!(encoder.iter().all(|expected| message.contains(expected)), "{message}");
    assert!(!message.contains("pooler"), "{message}");
}

#[test]
fn damaged_shards_are_refused_by_name() {
    let index = "model.safetensors.index.json";
    let shards = |folder: &Path| {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".safetensors"))
            .collect();
        names.sort();
        names
    };
    let folder = copy_of("bert-sharded");
    let names = shards(folder.path());
    assert!(names.len() > 2);
    let whole = std::fs::read(folder.path().join(&names[1])).unwrap();
    for length in [0, 7, 8, 100, whole.len() - 1] {
        std::fs::write(folder.path().join(&names[1]), &whole[..length]).unwrap();
        let message = refusal(folder.path());
        assert!(message.contains(&names[1]) && message.contains("damaged or truncated"), "{message}");
    }
    std::fs::write(folder.path().join(&names[1]), [&(1u64 << 40).to_le_bytes()[..], &whole[8..]].concat())
        .unwrap();
    assert!(refusal(folder.path()).contains("a header of 1099511627776 bytes"));

    for name in &names[..2] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let message = refusal(folder.path());
    assert!(
        message.contains("shards are missing") && names[..2].iter().all(|name| message.contains(name)),
        "{message}"
    );

    let folder = copy_of("bert-sharded");
    let path = folder.path().join(index);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("bert.pooler.dense.bias", "bert.poler.dense.bias")).unwrap();
    let message = refusal(folder.path());
    assert!(message.contains(index) && message.contains("bert.poler.dense.bias is not in "), "{message}");
    std::fs::write(&path, text.replace(&names[0], &format!("../{}", names[0]))).unwrap();
    assert!(refusal(folder.path()).contains("is no name of a file of this folder"));
    std::fs::write(&path, "{}").unwrap();
    assert!(refusal(folder.path()).contains("no index of shards"));
    std::fs::remove_file(&path).unwrap();
    assert!(refusal(folder.path()).contains("model.safetensors: is missing, and so is"));
    std::fs::write(folder.path().join("pytorch_model.bin"), "").unwrap();
    assert!(refusal(folder.path()).contains("pytorch_model.bin is a pickle"));
}

#[test]
fn configs_of_other_models_are_refused_by_what_differs() {
    let folder = copy_of("bert-tiny");
    configure(
        folder.path(),
        json!({
            "position_embedding_type": "relative_key", "is_decoder": true, "add_cross_attention": true,
            "hidden_act": "quick_gelu", "pruned_heads": { "0": [1] }, "type_vocab_size": 0,
        }),
    );
    let message = refusal(folder.path());
    for expected in [
        "config.json: describes another model than can be had here:",
        "position_embedding_type is \"relative_key\", \"absolute\" is expected",
        "is_decoder is true, false is expected",
        "add_cross_attention is true, false is expected",
        "hidden_act is \"quick_gelu\", one of [\"gelu\",",
        "pruned_heads is {\"0\":[1]}, {} is expected",
        "type_vocab_size is 0, but transformers looks up type 0 of every token",
    ] {
        assert!(message.contains(expected), "{expected}\n{message}");
    }

    let changed = |changes: Value| {
        let folder = copy_of("bert-tiny");
        configure(folder.path(), changes);
        refusal(folder.path())
    };
    assert!(
        changed(json!({ "model_type": "distilbert" })).contains("model_type is \"distilbert\", one of [")
    );
    assert!(
        changed(json!({ "problem_type": "multi_label_classification" }))
            .contains("problem_type \"multi_label_classification\" with 3 labels")
    );
    assert!(
        changed(json!({ "id2label": { "0": "a", "2": "b" } }))
            .contains("a name for each of the numbers from 0 on")
    );
    assert!(changed(json!({ "layer_norm_eps": "small" })).contains("config.layerNormEps: a number above 0"));

    let folder = copy_of("bert-tiny");
    configure(folder.path(), json!({ "model_type": "albert" }));
    let asked = wanted(json!({ "head": { "kind": "regression" } }));
    let message = fine_tune(folder.path(), &asked, 1).unwrap_err().to_string();
    assert!(
        message.contains("model_type is \"albert\", one of [\"bert\", \"roberta\"] is expected"),
        "{message}"
    );
}
