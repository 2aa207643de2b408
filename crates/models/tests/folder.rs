//! Model folders: what is saved comes back, what is damaged or foreign is refused by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use sagetrain_models::{Model, ModelError, ModelSpec, create, load};
use serde_json::{Value, json};
use support::*;
use tempfile::TempDir;

fn copy_of_golden() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(golden("marian-tiny").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Rewrites the weights of a folder.
fn rewrite(folder: &Path, change: impl Fn(&mut Vec<(String, TensorView)>)) {
    let file = folder.join("model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    let mut tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    change(&mut tensors);
    safetensors::serialize_to_file(tensors, None, &file).unwrap();
}

fn configure(folder: &Path, changes: Value) {
    let file = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    std::fs::write(file, config.to_string()).unwrap();
}

fn refusal(folder: &Path) -> String {
    let error: ModelError = load(folder).err().expect("a refusal");
    assert_eq!(error.code(), "ERR_MODEL");
    error.to_string()
}

#[test]
fn what_transformers_saved_is_saved_again_alike() {
    let (model, folder) = (load(&golden("marian-tiny")).unwrap(), tempfile::tempdir().unwrap());
    model.save(folder.path()).unwrap();
    let files = [golden("marian-tiny"), folder.path().to_owned()];
    let bytes = files.map(|folder| std::fs::read(folder.join("model.safetensors")).unwrap());
    let [theirs, ours] = bytes.each_ref().map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (name, tensor) in theirs.tensors() {
        assert_eq!(ours.tensor(&name).unwrap(), tensor, "{name}");
    }
    let loaded = load(folder.path()).unwrap();
    assert_eq!(loaded.spec(), model.spec());
}

#[test]
fn every_misfit_is_listed_at_once() {
    let folder = copy_of_golden();
    rewrite(folder.path(), |tensors| {
        tensors.retain(|(name, _)| name != "model.encoder.layers.0.fc1.bias");
        for (name, _) in tensors.iter_mut() {
            match name.as_str() {
                "model.encoder.layers.1.fc1.weight" => *name = "model.decoder.layers.1.fc2.bias".into(),
                "model.decoder.layers.1.fc2.bias" => *name = "model.encoder.layers.1.fc1.weight".into(),
                "model.shared.weight" => *name = "model.shred.weight".into(),
                _ => {}
            }
        }
    });
    let message = refusal(folder.path());
    for expected in [
        "model.safetensors: does not fit config.json:",
        "missing: model.shared.weight",
        "unknown: model.shred.weight",
        "missing: model.encoder.layers.0.fc1.bias",
        "mis-shaped: model.encoder.layers.1.fc1.weight is [16], [24, 16] is expected",
        "mis-shaped: model.decoder.layers.1.fc2.bias is [24, 16], [16] is expected",
    ] {
        assert!(message.contains(expected), "{expected}\n{message}");
    }
}

#[test]
fn a_truncated_or_foreign_file_is_refused() {
    let folder = copy_of_golden();
    let file = folder.path().join("model.safetensors");
    let whole = std::fs::read(&file).unwrap();
    for length in [0, 7, 8, 500, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert!(refusal(folder.path()).contains("damaged or truncated"), "{length}");
    }
    std::fs::write(&file, [&(1u64 << 40).to_le_bytes()[..], &whole[8..]].concat()).unwrap();
    assert!(refusal(folder.path()).contains("a header of 1099511627776 bytes"));
    std::fs::write(&file, b"\x80\x02}q\x00(X\x05\x00\x00\x00model").unwrap();
    refusal(folder.path());
}

#[test]
fn configs_of_other_models_are_refused_by_what_differs() {
    let folder = copy_of_golden();
    configure(
        folder.path(),
        json!({
            "normalize_before": true, "add_final_layer_norm": true, "decoder_vocab_size": 40, "eos_token_id": 2,
            "static_position_embeddings": false, "activation_function": "gelu_new", "tie_word_embeddings": false,
        }),
    );
    let message = refusal(folder.path());
    for expected in [
        "normalize_before is true, false is expected",
        "add_final_layer_norm is true, false is expected",
        "decoder_vocab_size is 40, 37 is expected",
        "eos_token_id is 2, 0 is expected",
        "static_position_embeddings is false, true is expected",
        "tie_word_embeddings is false, true is expected",
        "activation_function is \"gelu_new\", \"relu\", \"gelu\", \"swish\" or \"silu\" is expected",
    ] {
        assert!(message.contains(expected), "{expected}\n{message}");
    }

    configure(folder.path(), json!({ "model_type": "bart" }));
    assert!(refusal(folder.path()).contains("model_type is \"bart\""));
}

/// transformers reads the same settings: what they mean is compared with it in tests/interop.rs.
#[test]
fn settings_that_can_be_had_become_fields_of_the_spec() {
    let folder = copy_of_golden();
    configure(
        folder.path(),
        json!({
            "activation_function": "silu", "scale_embedding": false, "encoder_layerdrop": 0.1, "decoder_layerdrop": 0.2,
        }),
    );
    let spec = serde_json::to_value(load(folder.path()).unwrap().spec()).unwrap();
    for (key, expected) in [
        ("activation", json!("swish")),
        ("scaleEmbedding", json!(false)),
        ("encoderLayerDrop", json!(0.1)),
        ("decoderLayerDrop", json!(0.2)),
    ] {
        assert_eq!(spec[key], expected, "{key}");
    }
}

fn small(changes: Value) -> Box<dyn Model> {
    let mut spec = json!({
        "type": "transformer", "hiddenSize": 16, "heads": 2, "feedForwardSize": 24, "encoderLayers": 1,
        "decoderLayers": 2, "maxPositions": 12,
    });
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    create(&ModelSpec::read("model", &spec).unwrap(), 4).unwrap()
}

#[test]
fn every_variant_comes_back_alike_in_the_format_that_holds_it() {
    let two = |embeddings: &str| json!({ "sourceVocabularySize": 21, "targetVocabularySize": 30, "embeddings": embeddings });
    let mut own = two("separate");
    own["normalization"] = json!("pre");
    let variants = [
        (json!({ "vocabularySize": 30, "decoderHeads": 4, "decoderFeedForwardSize": 20 }), "marian"),
        (json!({ "vocabularySize": 30, "embeddings": "separate", "encoderLayerDrop": 0.25 }), "marian"),
        (two("decoderShared"), "marian"),
        (two("separate"), "marian"),
        (
            json!({ "sourceVocabularySize": 30, "targetVocabularySize": 30, "embeddings": "decoderShared" }),
            "marian",
        ),
        (json!({ "vocabularySize": 30, "normalization": "pre", "activation": "swish" }), "pegasus"),
        (own, "sagetrain-transformer"),
    ];
    for (changes, expected) in variants {
        let (model, folder) = (small(changes), tempfile::tempdir().unwrap());
        model.save(folder.path()).unwrap();
        let config: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("config.json")).unwrap()).unwrap();
        assert_eq!(config["model_type"], expected);
        let loaded = load(folder.path()).unwrap();
        assert_eq!(loaded.spec(), model.spec());
        for (ours, theirs) in model.parameters().iter().zip(loaded.parameters().iter()) {
            assert_eq!((&ours.name, to_vec(&ours.tensor)), (&theirs.name, to_vec(&theirs.tensor)));
        }
    }
}

#[test]
fn formats_that_do_not_fit_are_refused_by_what_does_not() {
    let check = |changes: Value, format: &str| {
        let error = small(changes).check_format(format).err()?;
        assert_eq!(error.code(), "ERR_ARGUMENT");
        Some(error.to_string())
    };
    let (post, pre) =
        (json!({ "vocabularySize": 30 }), json!({ "vocabularySize": 30, "normalization": "pre" }));
    let own = json!({ "vocabularySize": 30, "normalization": "pre", "embeddings": "separate" });
    assert_eq!(check(post.clone(), "marian"), None);
    assert_eq!(check(pre.clone(), "pegasus"), None);
    assert_eq!(check(own.clone(), "sagetrain"), None);
    let expected = "format \"marian\": it holds normalization \"post\", the model's is \"pre\"; this model is saved as pegasus";
    assert_eq!(check(pre.clone(), "marian").as_deref(), Some(expected));
    let expected = "format \"pegasus\": it holds embeddings \"shared\", the model's are \"separate\"; this model is saved as sagetrain";
    assert_eq!(check(own, "pegasus").as_deref(), Some(expected));
    assert!(check(pre, "m2m100").unwrap().contains("sinusoids have other frequencies"));
    assert!(check(post, "onnx").unwrap().contains("one of [\"marian\", \"pegasus\", \"sagetrain\"]"));
}

#[test]
fn repeated_tables_must_repeat_exactly() {
    let folder = copy_of_golden();
    rewrite(folder.path(), |tensors| {
        let shared = tensors.iter().find(|(name, _)| name == "model.shared.weight").unwrap().1.clone();
        tensors.push(("lm_head.weight".into(), shared));
    });
    load(folder.path()).unwrap();

    let zeros = vec![0u8; 37 * 16 * 4];
    rewrite(folder.path(), |tensors| {
        tensors.retain(|(name, _)| name != "lm_head.weight");
        let other = TensorView::new(safetensors::Dtype::F32, vec![37, 16], &zeros).unwrap();
        // The view must live as long as the file's bytes; leak a copy of it in this test.
        let other: TensorView<'static> =
            TensorView::new(other.dtype(), vec![37, 16], Vec::leak(zeros.clone())).unwrap();
        tensors.push(("model.decoder.embed_tokens.weight".into(), other));
    });
    assert!(refusal(folder.path()).contains("model.decoder.embed_tokens.weight differs"));
}

#[test]
fn half_precision_files_load_as_float32() {
    let folder = copy_of_golden();
    let file = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    // The upper half of a float32 is a bfloat16.
    let halves = |view: &TensorView| -> Vec<u8> {
        view.data().chunks_exact(4).flat_map(|float| [float[2], float[3]]).collect()
    };
    let data: Vec<Vec<u8>> = tensors.iter().map(|(_, view)| halves(view)).collect();
    let views = tensors.iter().zip(&data).map(|((name, view), data)| {
        (name.clone(), TensorView::new(safetensors::Dtype::BF16, view.shape().to_vec(), data).unwrap())
    });
    safetensors::serialize_to_file(views, None, &file).unwrap();
    let (numbers, model) = (numbers(), load(folder.path()).unwrap());
    let difference =
        difference(&logits(model.as_ref(), &golden_batch(&numbers)), &floats(&numbers["logits"]));
    assert!(difference < 0.5, "{difference}");
}

#[test]
fn a_perceptron_comes_back() {
    let spec: ModelSpec =
        serde_json::from_value(json!({ "type": "mlp", "inputs": 2, "classes": 2 })).unwrap();
    let (model, folder) = (create(&spec, 3).unwrap(), tempfile::tempdir().unwrap());
    model.save(folder.path()).unwrap();
    let loaded = load(folder.path()).unwrap();
    assert_eq!(loaded.spec(), &spec);
    for (ours, theirs) in model.parameters().iter().zip(loaded.parameters().iter()) {
        assert_eq!((&ours.name, to_vec(&ours.tensor)), (&theirs.name, to_vec(&theirs.tensor)));
    }
}
