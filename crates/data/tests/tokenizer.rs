//! The tokenizer against Hugging Face's own libraries, and against itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sagetrain_data::{END, PAD, Tokenizer, UNKNOWN};
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn fixture() -> Tokenizer {
    Tokenizer::open(&golden("tokenizer")).unwrap()
}

fn trained() -> Tokenizer {
    Tokenizer::train(support::sentences("test").into_iter(), 600).unwrap()
}

/// Makes the folder that `tokenizer.py` reads.
#[test]
#[ignore = "writes the fixture"]
fn write_the_fixture() {
    trained().save(&golden("tokenizer"), 256).unwrap();
}

#[test]
fn python_gives_the_same_ids_and_the_same_text() {
    let numbers: Value = serde_json::from_slice(&std::fs::read(golden("tokenizer.json")).unwrap()).unwrap();
    let tokenizer = fixture();
    let cases = numbers["cases"].as_array().unwrap();
    assert!(cases.len() > 50);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let ids: Vec<i32> = serde_json::from_value(case["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), ids, "{text:?}");
        assert_eq!(tokenizer.decode(&ids).unwrap(), case["decoded"].as_str().unwrap(), "{text:?}");
    }
}

#[test]
fn training_gives_the_same_file_in_any_process_and_on_any_machine() {
    let file = std::fs::read_to_string(golden("tokenizer/tokenizer.json")).unwrap();
    assert!(trained().to_json().unwrap() == file, "the same sentences gave another tokenizer.json");
    assert_eq!(fixture().to_json().unwrap(), file, "opening and writing changed it");
}

#[test]
fn special_tokens_lie_where_the_marian_format_has_them() {
    let tokenizer = fixture();
    let json: Value = serde_json::from_str(&tokenizer.to_json().unwrap()).unwrap();
    let id = |token: &str| {
        let added = json["added_tokens"].as_array().unwrap();
        added.iter().find(|entry| entry["content"] == token).map(|entry| entry["id"].as_i64().unwrap())
    };
    assert_eq!((id(END), id(UNKNOWN), id(PAD)), (Some(0), Some(1), Some(599)));
    assert_eq!((tokenizer.vocabulary(), tokenizer.end(), tokenizer.pad()), (600, 0, 599));
}

#[test]
fn special_tokens_written_in_a_sentence_are_text() {
    let tokenizer = fixture();
    for text in ["a </s> b", "<pad>", "<unk><unk>", "</s>"] {
        let ids = tokenizer.encode(text).unwrap();
        assert_eq!(ids.iter().filter(|id| [0, 1, 599].contains(*id)).count(), 1, "{text}: {ids:?}");
        assert_eq!(tokenizer.decode(&ids).unwrap(), text);
    }
}

#[test]
fn many_at_once_are_as_one_by_one() {
    let tokenizer = fixture();
    let sentences = support::sentences("valid");
    let texts: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let single: Vec<_> = texts.iter().map(|text| tokenizer.encode(text).unwrap()).collect();
    assert_eq!(tokenizer.encode_batch(&texts).unwrap(), single);
}

#[test]
fn a_text_with_little_to_join_gives_fewer_tokens_and_pad_stays_last() {
    let tokenizer = Tokenizer::train(["ab ab ab".to_owned()].into_iter(), 5000).unwrap();
    assert!(tokenizer.vocabulary() < 270, "{}", tokenizer.vocabulary());
    assert_eq!(tokenizer.pad() as usize, tokenizer.vocabulary() - 1);
}

#[test]
fn ids_outside_the_vocabulary_are_refused_by_number() {
    for id in [-1, 600, i32::MAX] {
        let error = fixture().decode(&[5, id]).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains(&id.to_string())), ("ERR_DATA", true));
    }
}

#[test]
fn a_vocabulary_too_small_for_bytes_is_refused() {
    let error = Tokenizer::train(["a".to_owned()].into_iter(), 258).unwrap_err();
    assert_eq!(error.code(), "ERR_ARGUMENT");
}

#[test]
fn foreign_tokenizers_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let json = std::fs::read_to_string(golden("tokenizer/tokenizer.json")).unwrap();
    let cases = [
        ("empty", String::new()),
        ("not-json", "hello".into()),
        ("other-json", "{}".into()),
        ("cut", json[..json.len() / 2].into()),
        ("no-end", json.replace("\"</s>\"", "\"<eos>\"")),
        ("pad-first", json.replace("\"<pad>\"", "\"<p>\"")),
        ("nested", "[".repeat(10_000)),
    ];
    for (name, text) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = Tokenizer::open(&path).unwrap_err();
        assert_eq!(error.code(), "ERR_DATA", "{name}");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(Tokenizer::open(&folder.path().join("missing")).unwrap_err().code(), "ERR_IO");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_trimmed_text_comes_back(text in "\\PC{0,60}") {
        let tokenizer = fixture();
        let text = text.trim();
        let ids = tokenizer.encode(text).unwrap();
        prop_assert_eq!(ids.last(), Some(&0));
        prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text);
    }
}

/// A tokenizer of words, as vocabularies without bytes are: what it does not know is `<unk>`.
fn words() -> Tokenizer {
    let vocabulary =
        serde_json::json!({ "</s>": 0, "<unk>": 1, "ein": 2, "Haus": 3, "a": 4, "house": 5, "<pad>": 6 });
    let added = [("</s>", 0), ("<unk>", 1), ("<pad>", 6)].map(|(content, id)| {
        serde_json::json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                            "normalized": false, "special": true })
    });
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": { "type": "TemplateProcessing", "single": [{ "Sequence": { "id": "A", "type_id": 0 } },
            { "SpecialToken": { "id": "</s>", "type_id": 0 } }], "pair": [{ "Sequence": { "id": "A", "type_id": 0 } },
            { "Sequence": { "id": "B", "type_id": 0 } }],
            "special_tokens": { "</s>": { "id": "</s>", "ids": [0], "tokens": ["</s>"] } } },
        "decoder": null, "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>" },
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    Tokenizer::open(&path).unwrap()
}

#[test]
fn an_unknown_word_is_replaced_by_what_was_looked_at() {
    let tokenizer = words();
    let source = "ein  Übermorgen Haus 北京";
    assert_eq!(tokenizer.encode(source).unwrap(), [2, 1, 3, 1, 0]);
    let parts = tokenizer.parts(source).unwrap();
    assert_eq!(parts, ["ein", "Übermorgen", "Haus", "北京", ""]);
    let replaced =
        |ids: &[i32], alignment: &[u32]| tokenizer.decode_replacing(ids, alignment, &parts).unwrap();
    assert_eq!(replaced(&[4, 1, 5], &[0, 1, 2]), "a Übermorgen house");
    assert_eq!(replaced(&[1, 4, 1, 0], &[3, 0, 1]), "北京 a Übermorgen");
    assert_eq!(replaced(&[4, 5], &[0, 2]), "a house");
    // The closing </s> and an alignment that there is not have no text to put there.
    assert_eq!(replaced(&[4, 1, 1], &[0, 4, 9]), "a <unk> <unk>");
    assert_eq!(replaced(&[4, 1], &[]), "a <unk>");
    // The parts may be another tokenizer's, with other ids and another number of them.
    let other = trained().parts("Haus XYZ").unwrap();
    let at = other.iter().position(|part| part.starts_with('X')).unwrap();
    let expected = format!("a {}", other[at]);
    assert_eq!(tokenizer.decode_replacing(&[4, 1], &[0, at as u32], &other).unwrap(), expected);
}

#[test]
fn sentence_piece_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("source.spm"), b"\x0a\x0e").unwrap();
    for path in [folder.path().to_owned(), folder.path().join("source.spm")] {
        let error = Tokenizer::open(&path).unwrap_err();
        assert_eq!(error.code(), "ERR_DATA");
        assert!(error.to_string().contains("source.spm"), "{error}");
        assert!(error.to_string().contains("SentencePiece"), "{error}");
    }
}
