//! Subwords against `subword-nmt`, and vocabularies of either side apart.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use sagetrain_data::translation::{HeldOut, PrepareOptions, Prepared, Vocabulary, VocabularyType, prepare};
use sagetrain_data::{Column, ColumnKind, Dataset, Row, Tokenizer};
use serde_json::Value;
use support::of_text;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/subword.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The golden corpus prepared.
fn prepared(folder: &Path, golden: &Value, joint: bool) -> Prepared {
    let pairs: Vec<_> =
        golden["train"].as_array().unwrap().iter().map(|pair| strings(pair).join("\t")).collect();
    let vocabulary =
        Vocabulary { r#type: VocabularyType::Subword, merges: Some(2000), joint, ..Default::default() };
    let held_out = HeldOut { valid: Some(0), ..Default::default() };
    prepare(&PrepareOptions { vocabulary, held_out, max_length: 1000, ..of_text(folder, pairs.join("\n")) })
        .unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn merges_are_those_of_subword_nmt_in_their_order() {
    let (folder, golden) = (tempfile::tempdir().unwrap(), golden());
    let prepared = prepared(folder.path(), &golden, true);
    let merges = json(&prepared.tokenizer)["model"]["merges"].clone();
    let merges: Vec<_> = merges.as_array().unwrap().iter().map(|merge| strings(merge).join(" ")).collect();
    assert_eq!(merges, strings(&golden["merges"]));
}

#[test]
fn text_is_split_as_subword_nmt_splits_it_and_unseen_characters_are_unknown() {
    let (folder, golden) = (tempfile::tempdir().unwrap(), golden());
    let prepared = prepared(folder.path(), &golden, true);
    let tokenizer = Tokenizer::open(&prepared.tokenizer).unwrap();
    let vocabulary = json(&prepared.tokenizer)["model"]["vocab"].clone();
    let id = |token: &String| vocabulary[token].as_i64().map_or(1, |id| id as i32);
    for case in golden["cases"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let ids = tokenizer.encode(text).unwrap();
        let expected: Vec<i32> = strings(&case["tokens"]).iter().map(id).chain([0]).collect();
        assert_eq!(ids, expected, "{text:?}");
        if !ids.contains(&1) {
            assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        }
    }
    assert_eq!((tokenizer.end(), tokenizer.pad() as usize), (0, prepared.vocabulary - 1));
    assert_eq!(tokenizer.decode(&[0]).unwrap(), "");
}

#[test]
fn sides_apart_split_the_training_text_as_the_joint_vocabulary_does_with_fewer_tokens_each() {
    let (folder, golden) = (tempfile::tempdir().unwrap(), golden());
    let [joint, apart] = [true, false].map(|joint| prepared(folder.path(), &golden, joint));
    assert_eq!((joint.vocabulary, &joint.tokenizer), (joint.target_vocabulary, &joint.target_tokenizer));
    assert_eq!(apart.target_tokenizer, apart.folder.join("target/tokenizer.json"));
    assert!(apart.vocabulary < joint.vocabulary && apart.target_vocabulary < joint.vocabulary);
    let dataset = Dataset::open(&apart.train).unwrap();
    let whole = Dataset::open(&joint.train).unwrap();
    let names = |path: &Path| {
        let vocabulary = json(path)["model"]["vocab"].as_object().unwrap().clone();
        let mut names = vec![String::new(); vocabulary.len() + 1];
        vocabulary.into_iter().for_each(|(name, id)| names[id.as_u64().unwrap() as usize] = name);
        names
    };
    let tokenizers =
        [&apart.tokenizer, &apart.target_tokenizer].map(|path| (names(path), Tokenizer::open(path).unwrap()));
    let shared = names(&joint.tokenizer);
    let ids = |column: &Column| match column.row(0) {
        Some(Row::Ragged(ids)) => ids.to_vec(),
        other => panic!("{other:?}"),
    };
    let written =
        |names: &[String], ids: &[i32]| ids.iter().map(|id| names[*id as usize].clone()).collect::<Vec<_>>();
    for sample in 0..dataset.len() {
        let columns = dataset.sample(sample).unwrap().into_iter().zip(whole.sample(sample).unwrap());
        for (((_, own), (_, all)), (names, tokenizer)) in columns.zip(&tokenizers) {
            assert_eq!(written(names, &ids(&own)), written(&shared, &ids(&all)));
            assert!(!tokenizer.decode(&ids(&own)).unwrap().is_empty());
        }
    }
    for (column, size) in dataset.columns().iter().zip([apart.vocabulary, apart.target_vocabulary]) {
        let ColumnKind::Ragged { greatest, .. } = column.kind else { panic!("{column:?}") };
        assert!((greatest as usize) < size);
    }
    let again = Vocabulary { tokenizer: Some(apart.folder.clone()), joint: false, ..Default::default() };
    let other = folder.path().join("other");
    let options = PrepareOptions { vocabulary: again, output: other, ..support::small(folder.path()) };
    let reused = prepare(&options).unwrap();
    assert_eq!(fs::read(reused.target_tokenizer).unwrap(), fs::read(apart.target_tokenizer).unwrap());
}

#[test]
fn byte_level_sides_apart_have_the_vocabularies_of_their_own_text() {
    let folder = tempfile::tempdir().unwrap();
    let vocabulary = Vocabulary { size: Some(400), joint: false, ..Default::default() };
    let apart = prepare(&PrepareOptions { vocabulary, ..support::small(folder.path()) }).unwrap();
    let lines = support::lines("test");
    for (side, path) in [&apart.tokenizer, &apart.target_tokenizer].into_iter().enumerate() {
        let texts: Vec<_> =
            lines.iter().filter_map(|line| line.split('\t').nth(side)).map(str::to_owned).collect();
        let own = Tokenizer::train(texts.into_iter(), 400).unwrap().to_json().unwrap();
        assert!(fs::read_to_string(path).unwrap() == own);
    }
}

/// What `tokenizers` itself learns.
#[test]
fn the_byte_level_vocabulary_is_the_crates_own() {
    use tokenizers::models::TrainerWrapper;
    use tokenizers::models::bpe::{BPE, BpeTrainer};
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    for (part, size) in [("test", 1500), ("valid", 900), ("train", 6000)] {
        let sentences = support::sentences(part);
        let mut reference = tokenizers::Tokenizer::new(BPE::default());
        reference.with_pre_tokenizer(Some(ByteLevel::new(true, false, true)));
        let special = ["</s>", "<unk>"].map(|token| tokenizers::AddedToken::from(token, true)).to_vec();
        let alphabet = ByteLevel::alphabet().into_iter().collect();
        let trainer =
            BpeTrainer::builder().vocab_size(size - 1).show_progress(false).initial_alphabet(alphabet);
        let mut trainer = TrainerWrapper::from(trainer.special_tokens(special).build());
        reference.train(&mut trainer, sentences.iter()).unwrap();
        let reference: Value = serde_json::from_str(&reference.to_string(false).unwrap()).unwrap();
        let ours = Tokenizer::train(sentences.into_iter(), size).unwrap().to_json().unwrap();
        let ours: Value = serde_json::from_str(&ours).unwrap();
        assert!(ours["model"]["merges"] == reference["model"]["merges"], "{part}");
        assert!(ours["model"]["vocab"] == reference["model"]["vocab"], "{part}");
    }
}

#[test]
fn a_character_of_one_side_alone_is_not_in_the_others_vocabulary() {
    let folder = tempfile::tempdir().unwrap();
    let vocabulary =
        Vocabulary { r#type: VocabularyType::Subword, merges: Some(5), joint: false, ..Default::default() };
    let options = PrepareOptions { vocabulary, ..of_text(folder.path(), "groß groß\tbig big\n".repeat(9)) };
    let prepared = prepare(&options).unwrap();
    let tokens = |path: &Path| {
        let vocabulary = json(path)["model"]["vocab"].as_object().unwrap().clone();
        vocabulary.into_iter().map(|(token, _)| token).collect::<HashSet<_>>()
    };
    let [source, target] = [&prepared.tokenizer, &prepared.target_tokenizer].map(|path| tokens(path));
    assert!(source.contains("ß</w>") && !target.contains("ß</w>"), "{target:?}");
    assert!(target.contains("b") && !source.contains("b"), "{source:?}");
}
