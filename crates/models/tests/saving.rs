//! Saving replaces a folder's model as a whole or leaves it, whatever fails and whoever else saves there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sagetrain_models::{Model, ModelError, ModelSpec, create, load};
use serde_json::{Value, json};

fn perceptron(inputs: usize) -> Box<dyn Model> {
    of(json!({ "type": "mlp", "inputs": inputs, "hidden": [8], "classes": 3 }))
}

fn of(spec: Value) -> Box<dyn Model> {
    create(&ModelSpec::read("model", &spec).unwrap(), 1).unwrap()
}

/// One of each kind of folder.
fn models() -> [Box<dyn Model>; 3] {
    let encoder = json!({ "type": "bert", "vocabularySize": 40, "hiddenSize": 16, "layers": 1, "heads": 2, "feedForwardSize": 32 });
    let transformer = json!({
        "type": "transformer", "vocabularySize": 40, "hiddenSize": 16, "encoderLayers": 1, "decoderLayers": 1, "heads": 2,
        "feedForwardSize": 32,
    });
    [perceptron(500), of(encoder), of(transformer)]
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let items =
        std::fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()).filter(|path| path.is_file());
    items
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

fn refusal(model: &dyn Model, folder: &Path) -> ModelError {
    model.save(folder).expect_err("a refusal")
}

const FOLDER: &str = "SAGETRAIN_TEST_FOLDER";

/// Only a process of its own can be forbidden to write long files, which it is told as of a full disk.
#[test]
fn a_disk_without_room_is_an_error_of_input_and_output_and_changes_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        for model in models() {
            let error = refusal(model.as_ref(), folder.as_ref());
            assert_eq!(error.code(), "ERR_IO", "{error}");
            assert!(error.to_string().contains("/model.safetensors: "), "{error}");
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    perceptron(4).save(folder.path()).unwrap();
    let before = files(folder.path());
    assert_eq!(before.keys().collect::<Vec<_>>(), ["config.json", "model.safetensors"]);
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" a_disk_without_room --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&limited.stdout) + String::from_utf8_lossy(&limited.stderr);
    assert!(limited.status.success() && said.contains("1 passed"), "{said}");
    assert!(files(folder.path()) == before, "{:?}", files(folder.path()).keys());
}

#[test]
fn weights_never_lie_under_the_config_of_another_model() {
    for model in models() {
        let folder = tempfile::tempdir().unwrap();
        perceptron(4).save(folder.path()).unwrap();
        let weights = folder.path().join("model.safetensors");
        std::fs::remove_file(&weights).unwrap();
        std::fs::create_dir(&weights).unwrap();
        let error = refusal(model.as_ref(), folder.path());
        assert_eq!(error.code(), "ERR_IO");
        assert!(error.to_string().contains("/model.safetensors: "), "{error}");
        // What a process leaves that is killed in between.
        assert!(files(folder.path()).is_empty(), "{:?}", files(folder.path()).keys());
        std::fs::remove_dir(&weights).unwrap();
        model.save(folder.path()).unwrap();
        assert_eq!(load(folder.path()).unwrap().spec(), model.spec());
        std::fs::remove_file(folder.path().join("config.json")).unwrap();
        assert_eq!(load(folder.path()).err().expect("a refusal").code(), "ERR_IO");
    }
}

#[test]
fn a_config_that_cannot_be_replaced_leaves_the_old_weights() {
    for model in models() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("config.json")).unwrap();
        std::fs::write(folder.path().join("model.safetensors"), "old").unwrap();
        let error = refusal(model.as_ref(), folder.path());
        assert_eq!(error.code(), "ERR_IO");
        assert!(error.to_string().contains("/config.json: "), "{error}");
        assert_eq!(files(folder.path()), BTreeMap::from([("model.safetensors".to_owned(), b"old".to_vec())]));
    }
}

#[test]
fn of_those_that_save_into_one_folder_one_has_its_whole_model_there() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [4, 5, 6];
    std::thread::scope(|scope| {
        for inputs in sizes {
            let folder = folder.path();
            scope.spawn(move || {
                let model = perceptron(inputs);
                (0..30).for_each(|_| model.save(folder).unwrap());
            });
        }
    });
    assert_eq!(files(folder.path()).keys().collect::<Vec<_>>(), ["config.json", "model.safetensors"]);
    let found = load(folder.path()).unwrap();
    assert!(sizes.iter().any(|&inputs| perceptron(inputs).spec() == found.spec()));
}

#[test]
fn files_may_be_read_by_whom_the_folder_s_others_may() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other"), "").unwrap();
    perceptron(4).save(folder.path()).unwrap();
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    assert_eq!(["config.json", "model.safetensors"].map(mode), [mode("other"); 2]);
}
