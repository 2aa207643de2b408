//! Tokenizers of pretrained encoders against transformers' own; `golden/pretrained.py` says how the numbers came about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use sagetrain_data::translation::{PrepareOptions, Vocabulary, prepare};
use sagetrain_data::{Encoded, TOKENIZER_FILES, Tokenizer};
use serde_json::{Map, Value, json};
use support::{encoder, golden, small};

fn opened(folder: &Path, name: &str) -> Tokenizer {
    Tokenizer::open(&encoder(folder, name)).unwrap()
}

/// The ids and types that transformers gives in a case.
fn expected(case: &Value) -> (Vec<i32>, Vec<i32>) {
    let types: Option<Vec<i32>> = serde_json::from_value(case["types"].clone()).unwrap();
    (serde_json::from_value(case["ids"].clone()).unwrap(), types.unwrap_or_default())
}

fn compare(tokenizer: &Tokenizer, cases: &[Value], name: &str) {
    for case in cases {
        let (first, second) = (case["first"].as_str().unwrap(), case["second"].as_str());
        let length = case["length"].as_u64().unwrap() as usize;
        let Encoded { ids, types, truncated } = tokenizer.encode_pair(first, second, length).unwrap();
        let (expected, kinds) = expected(case);
        assert_eq!(ids, expected, "{name}: {first:?}, {second:?}, {length}");
        assert!(
            types == kinds || takes_types_here_alone(name),
            "{name}: {first:?}, {second:?}, {length}: {types:?}, expected {kinds:?}"
        );
        let whole = tokenizer.encode_pair(first, second, 1 << 20).unwrap().ids.len();
        assert_eq!(truncated, whole > length, "{name}: {first:?}, {second:?}, {length}");
    }
}

/// transformers 5 has no types for a class that does not say so, transformers 4 does; DistilBERT's says that it has none, and
/// no model of that kind is trained here.
fn takes_types_here_alone(name: &str) -> bool {
    name == "fast" || name == "bert-as-DistilBert"
}

#[test]
fn transformers_gives_the_same_ids_and_types_for_every_kind_of_folder() {
    let folder = tempfile::tempdir().unwrap();
    let golden = golden("pretrained");
    let folders = golden["folders"].as_object().unwrap();
    assert!(folders.len() >= 31);
    for (name, found) in folders {
        let tokenizer = opened(folder.path(), name);
        let special = &found["special"];
        assert_eq!(
            (tokenizer.end(), tokenizer.pad()),
            (number(&special["end"]), number(&special["pad"])),
            "{name}"
        );
        assert_eq!(tokenizer.vocabulary() as i32, number(&special["size"]), "{name}");
        assert!(tokenizer.is_encoder());
        assert_eq!(tokenizer.has_types(), found["types"] == true || takes_types_here_alone(name), "{name}");
        assert_eq!(tokenizer.longest(), Some(512), "{name}");
        compare(&tokenizer, found["cases"].as_array().unwrap(), name);
    }
}

#[test]
fn a_copy_without_a_configuration_says_that_tails_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (name, side) in [("bert-json-left", json!("left")), ("bert-bare", Value::Null)] {
        let (from, to) = (encoder(folder.path(), name), folder.path().join(format!("{name}-copy")));
        fs::create_dir(&to).unwrap();
        Tokenizer::open(&from).unwrap().copy_files(&from, &to, &Map::new()).unwrap();
        let said: Value =
            serde_json::from_slice(&fs::read(to.join("tokenizer_config.json")).unwrap()).unwrap();
        assert_eq!(said["truncation_side"], side, "{name}");
    }
}

#[test]
fn a_side_that_is_neither_left_nor_right_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = encoder(folder.path(), "bert-bare");
    for (side, said) in [(json!("Left"), "`\"Left\"`"), (Value::Null, "`null`"), (json!(1), "`1`")] {
        fs::write(path.join("tokenizer_config.json"), json!({ "truncation_side": side }).to_string())
            .unwrap();
        refused(&path, &["tokenizer_config.json", "truncation_side", said, "`left` or `right`"]);
    }
}

#[test]
fn a_vocabulary_of_a_class_that_splits_otherwise_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = "tokenizer_config.json";
    for name in ["bert", "roberta"] {
        let path = encoder(folder.path(), name);
        for class in ["BertJapaneseTokenizer", "GPT2Tokenizer", "PreTrainedTokenizerFast"] {
            fs::write(path.join(file), json!({ "tokenizer_class": class }).to_string()).unwrap();
            refused(&path, &[file, &format!("`{class}`"), "BERT's and RoBERTa's kind", "tokenizer.json"]);
        }
    }
    // Where the model's configuration alone names the class, as that of Japanese BERT's does.
    let path = encoder(folder.path(), "bert-bare");
    let model = |class: &str| {
        let model = json!({ "model_type": "bert", "tokenizer_class": class });
        fs::write(path.join("config.json"), model.to_string()).unwrap();
    };
    model("BertJapaneseTokenizer");
    refused(&path, &["/config.json", "`BertJapaneseTokenizer`"]);
    model("ElectraTokenizerFast");
    assert!(Tokenizer::open(&path).is_ok());
    // With a tokenizer.json there is nothing to guess.
    let path = encoder(folder.path(), "fast");
    let config = json!({ "tokenizer_class": "BertJapaneseTokenizer" });
    fs::write(path.join(file), config.to_string()).unwrap();
    assert!(Tokenizer::open(&path).is_ok());
}

fn refused(path: &Path, words: &[&str]) {
    let error = Tokenizer::open(path).unwrap_err();
    assert_eq!(error.code(), "ERR_DATA", "{error}");
    let message = error.to_string();
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message}");
}

fn number(value: &Value) -> i32 {
    value.as_i64().unwrap() as i32
}

#[test]
fn a_copy_of_its_files_gives_the_same_ids_and_has_a_tokenizer_json() {
    let folder = tempfile::tempdir().unwrap();
    let golden = golden("pretrained");
    for (name, found) in golden["folders"].as_object().unwrap() {
        let from = encoder(folder.path(), name);
        let to = folder.path().join(format!("{name}-copy"));
        fs::create_dir(&to).unwrap();
        let tokenizer = Tokenizer::open(&from).unwrap();
        let copied = tokenizer.copy_files(&from, &to, &Map::new()).unwrap();
        assert!(copied.contains(&"tokenizer.json") && copied.contains(&"tokenizer_config.json"), "{name}");
        let same = |file: &&&str| {
            from.join(file).exists() && !(name == "bert-classless" && **file == "tokenizer_config.json")
        };
        for file in TOKENIZER_FILES.iter().filter(same) {
            assert!(fs::read(from.join(file)).unwrap() == fs::read(to.join(file)).unwrap(), "{name}/{file}");
        }
        // A model's folder has the model's configuration beside them; without it they say as much.
        compare(&Tokenizer::open(&to).unwrap(), found["cases"].as_array().unwrap(), name);
        assert_eq!(
            Tokenizer::open(&to).unwrap().fingerprint().unwrap(),
            tokenizer.fingerprint().unwrap(),
            "{name}"
        );
    }
}

#[test]
fn one_text_alone_many_at_once_and_back() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["bert", "roberta"] {
        let tokenizer = opened(folder.path(), name);
        let texts = ["the house", "", "is small."];
        let many = tokenizer.encode_batch(&texts).unwrap();
        for (text, ids) in texts.iter().zip(&many) {
            assert_eq!(*ids, tokenizer.encode_pair(text, None, 512).unwrap().ids);
            assert_eq!(tokenizer.decode(ids).unwrap().replace(' ', ""), text.replace(' ', ""), "{name}");
        }
    }
}

#[test]
fn two_texts_of_a_million_words_are_cut_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = opened(folder.path(), "bert");
    let long = "a b ".repeat(200_000);
    let encoded = tokenizer.encode_pair(&long, Some(&long), 512).unwrap();
    assert_eq!((encoded.ids.len(), encoded.truncated), (512, true));
    assert_eq!(encoded.types.iter().sum::<i32>(), 256);
}

#[test]
fn a_length_without_room_for_the_special_tokens_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = opened(folder.path(), "roberta");
    assert_eq!((tokenizer.special_tokens(false), tokenizer.special_tokens(true)), (2, 4));
    assert_eq!(tokenizer.encode_pair("a", Some("b"), 4).unwrap().ids, [0, 2, 2, 2]);
    assert_eq!(tokenizer.encode_pair("a", Some("b"), 3).unwrap_err().code(), "ERR_ARGUMENT");
}

#[test]
fn damaged_folders_are_refused_by_the_name_of_the_file() {
    let damages: [(&str, &str, Option<&str>); 7] = [
        ("roberta", "merges.txt", None),
        ("roberta", "merges.txt", Some("not a merge at all\n")),
        ("roberta", "vocab.json", Some("{")),
        ("bert", "vocab.txt", Some("a\nb\n")),
        ("bert", "tokenizer_config.json", Some("[]")),
        ("bert", "config.json", Some("{")),
        ("bert-json", "tokenizer.json", Some("{}")),
    ];
    for (name, file, text) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = encoder(folder.path(), name);
        match text {
            Some(text) => fs::write(path.join(file), text).unwrap(),
            None => fs::remove_file(path.join(file)).unwrap(),
        }
        let error = Tokenizer::open(&path).unwrap_err();
        let named = if file == "merges.txt" && text.is_some() { "vocab.json" } else { file };
        assert!(error.to_string().contains(named), "{file}: {error}");
        assert_eq!(error.code(), if text.is_some() { "ERR_DATA" } else { "ERR_IO" }, "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Tokenizer::open(empty.path()).unwrap_err().code(), "ERR_IO");
}

#[test]
fn a_tokenizer_json_alone_is_opened_by_its_usual_tokens_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let golden = golden("pretrained");
    let json = golden["folders"]["fast"]["files"]["tokenizer.json"].as_str().unwrap();
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, json).unwrap();
    compare(&Tokenizer::open(&path).unwrap(), golden["folders"]["fast"]["cases"].as_array().unwrap(), "fast");
    fs::write(&path, json.replace("[CLS]", "[BEGIN]")).unwrap();
    let error = Tokenizer::open(&path).unwrap_err();
    assert!(error.to_string().contains("such as [CLS]"), "{error}");
}

#[test]
fn a_translator_is_not_prepared_with_an_encoders_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = Some(encoder(folder.path(), "bert-json"));
    let options =
        PrepareOptions { vocabulary: Vocabulary { tokenizer, ..Default::default() }, ..small(folder.path()) };
    let error = prepare(&options).unwrap_err();
    assert_eq!(error.code(), "ERR_DATA");
    assert!(error.to_string().contains("pretrained encoder"), "{error}");
}
