//! What recipes prepare from published archives in miniature: the pieces of the scripts; `golden/recipes/recipes.py` made them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use sagetrain_data::translation::{PrepareOptions, Prepared, Recipe, prepare};
use sagetrain_data::{Dataset, Row};
use serde_json::{Value, json};

use support::published::{Folders, Members, RECIPES, archives, compare, golden};

fn ids(dataset: &Dataset, column: usize) -> Vec<Vec<i32>> {
    let row = |index| match dataset.sample(index).unwrap()[column].1.row(0) {
        Some(Row::Ragged(ids)) => ids.to_vec(),
        other => panic!("{other:?}"),
    };
    (0..dataset.len()).map(row).collect()
}

/// Pieces as `subword-nmt` writes them, from the vocabulary of a `tokenizer.json`, whose last pieces of words end in `</w>`.
fn pieces(tokenizer: &Path) -> Vec<String> {
    let json: Value = serde_json::from_slice(&std::fs::read(tokenizer).unwrap()).unwrap();
    let vocabulary = json["model"]["vocab"].as_object().unwrap();
    let mut pieces = vec![String::new(); vocabulary.len()];
    for (token, id) in vocabulary {
        let piece = token.strip_suffix("</w>").map_or(format!("{token}@@"), str::to_owned);
        pieces[id.as_u64().unwrap() as usize] = piece;
    }
    pieces
}

const END: i32 = 0;
const UNKNOWN: i32 = 1;

/// Compares a part with the lines that the scripts make, as pieces; lines without a partner are left out, and pieces that
/// the training part does not have are not compared. Says how many lines were compared.
fn compare_pieces(dataset: &Path, prepared: &Prepared, [sources, targets]: [Vec<String>; 2]) -> usize {
    let dataset = Dataset::open(dataset).unwrap();
    let there = |(source, target): &(&String, &String)| !source.is_empty() && !target.is_empty();
    let kept: Vec<_> = sources.iter().zip(&targets).filter(there).collect();
    assert_eq!(dataset.len(), kept.len());
    let mut compared = 0;
    for (column, tokenizer) in [&prepared.tokenizer, &prepared.target_tokenizer].into_iter().enumerate() {
        let pieces = pieces(tokenizer);
        for (ids, (source, target)) in ids(&dataset, column).into_iter().zip(&kept) {
            let expected = if column == 0 { source } else { target };
            let (end, ids) = ids.split_last().unwrap();
            assert_eq!(*end, END);
            if !ids.contains(&UNKNOWN) {
                let found: Vec<&str> = ids.iter().map(|id| pieces[*id as usize].as_str()).collect();
                let (found, expected) = (found.join(" ").replace("@@ ", ""), expected.replace("@@ ", ""));
                assert_eq!(found, expected);
                compared += 1;
            }
        }
    }
    compared
}

fn prepared(folders: &Folders, recipe: &str, changes: Value) -> Prepared {
    let mut given = json!({ "recipe": recipe, "data": folders.data.path(), "output": folders.output.path() });
    given.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    prepare(&PrepareOptions::from_json(given).unwrap()).unwrap()
}

#[test]
fn the_prepared_files_of_wmt16_are_taken_where_they_lie_and_put_together() {
    let golden = golden("wmt16-en-de");
    let mut members = Members::new();
    for (part, name) in
        [("train", "train.tok.clean"), ("valid", "newstest2013.tok"), ("test", "newstest2014.tok")]
    {
        for (side, language) in ["en", "de"].into_iter().enumerate() {
            let lines: Vec<String> = serde_json::from_value(golden["subwords"][part][side].clone()).unwrap();
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            members.insert(format!("{name}.bpe.32000.{language}"), text.into_bytes());
        }
    }
    let all = BTreeMap::from([("wmt16_en_de.tar.gz".to_owned(), members)]);
    for folders in [Folders::packed(&all), Folders::unpacked(&all)] {
        compare(&folders.assemble("wmt16-en-de").unwrap(), &golden["prepared"]);
        let options = Recipe::named("wmt16-en-de").unwrap().options(folders.data.path());
        assert_eq!(options.get("maxWords"), None);
        let prepared = prepared(&folders, "wmt16-en-de", json!({}));
        let expected: [Vec<String>; 2] = serde_json::from_value(golden["subwords"]["train"].clone()).unwrap();
        assert_eq!(compare_pieces(&prepared.train, &prepared, expected.clone()), 2 * expected[0].len());
        let steps: Value = serde_json::from_slice(&std::fs::read(&prepared.text).unwrap()).unwrap();
        assert_eq!(steps["tokenization"], "moses", "who translates has plain text");
    }
}

#[test]
fn what_is_trained_on_is_what_the_scripts_make() {
    for recipe in RECIPES {
        let folders = Folders::packed(&archives(recipe));
        let prepared = prepared(&folders, recipe, json!({}));
        let golden = golden(recipe);
        let parts = [
            ("train", Some(&prepared.train)),
            ("valid", prepared.valid.as_ref()),
            ("test", prepared.test.as_ref()),
        ];
        for (part, path) in parts {
            let expected: [Vec<String>; 2] =
                serde_json::from_value(golden["subwords"][part].clone()).unwrap();
            let lines = expected[0].len();
            let compared = compare_pieces(path.unwrap(), &prepared, expected);
            assert!(
                compared * 10 >= 2 * lines * if part == "train" { 10 } else { 7 },
                "{part}: {compared} of {lines}"
            );
        }
        let steps: Value = serde_json::from_slice(&std::fs::read(&prepared.text).unwrap()).unwrap();
        assert_eq!(steps["tokenization"], "moses");
        assert_eq!(steps["lowercase"], recipe == "iwslt14-de-en");
    }
}

#[test]
fn training_lines_fall_into_the_same_pieces() {
    for recipe in RECIPES {
        let folders = Folders::packed(&archives(recipe));
        let prepared = prepared(&folders, recipe, json!({}));
        let golden: [Vec<String>; 2] =
            serde_json::from_value(golden(recipe)["subwords"]["train"].take()).unwrap();
        let dataset = Dataset::open(&prepared.train).unwrap();
        for (column, tokenizer) in [&prepared.tokenizer, &prepared.target_tokenizer].into_iter().enumerate() {
            let pieces = pieces(tokenizer);
            for (ids, line) in ids(&dataset, column).iter().zip(&golden[column]) {
                let found: Vec<&str> =
                    ids[..ids.len() - 1].iter().map(|id| pieces[*id as usize].as_str()).collect();
                assert_eq!(found.join(" "), *line, "{recipe}, column {column}");
            }
        }
    }
}

#[test]
fn a_word_of_more_than_a_thousand_characters_is_left_out_as_by_clean_corpus_n() {
    for (recipe, members) in [
        ("iwslt14-de-en", ["train.tags.de-en.de", "train.tags.de-en.en"]),
        ("wmt16-en-de", ["news-commentary-v11.de-en.en", "news-commentary-v11.de-en.de"]),
    ] {
        let samples = |words: &[usize]| {
            let mut archives = archives(recipe);
            for (name, bytes) in archives.values_mut().flatten() {
                if members.iter().any(|member| name.ends_with(member)) {
                    let lines = words.iter().map(|length| format!("{} .\n", "ä".repeat(*length)));
                    bytes.extend(lines.collect::<String>().into_bytes());
                }
            }
            let changes = json!({ "heldOut": { "valid": 0 } });
            let changes = if recipe.starts_with("iwslt") { changes } else { json!({}) };
            prepared(&Folders::packed(&archives), recipe, changes).parts["train"].samples
        };
        let without = samples(&[]);
        assert_eq!((samples(&[1000]), samples(&[1001])), (without + 1, without), "{recipe}");
    }
}

#[test]
fn options_are_laid_over_those_of_the_recipe() {
    let folders = Folders::packed(&archives("iwslt14-de-en"));
    let changes = json!({ "lowercase": false, "heldOut": { "valid": 20 }, "vocabulary": { "merges": 50 }, "maxWords": 20 });
    let options = |changes: Value| {
        let mut given = json!({ "recipe": "iwslt14-de-en", "data": folders.data.path() });
        given.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        PrepareOptions::from_json(given).unwrap()
    };
    let laid = options(changes.clone());
    assert_eq!((laid.lowercase, laid.max_words, laid.max_ratio), (false, Some(20), Some(1.5)));
    assert_eq!((laid.vocabulary.merges, laid.vocabulary.joint), (Some(50), false));
    assert_eq!((laid.held_out.valid, laid.held_out.every), (Some(20), None));
    let other = options(json!({ "vocabulary": { "type": "byteLevel", "size": 500 } }));
    assert_eq!((other.vocabulary.merges, other.vocabulary.joint), (None, true));
    assert_eq!(prepared(&folders, "iwslt14-de-en", changes).parts["valid"].samples, 20);
}

#[test]
fn options_that_contradict_a_recipe_are_refused_by_name() {
    let folders = Folders::packed(&archives("iwslt14-de-en"));
    let given = |changes: Value| {
        let mut given = json!({ "output": folders.output.path() });
        given.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        PrepareOptions::from_json(given).and_then(|options| prepare(&options)).unwrap_err().to_string()
    };
    let data = folders.data.path();
    let cases = [
        (json!({ "recipe": "iwslt14-de-en" }), "option `data`"),
        (json!({ "data": data }), "option `data`"),
        (json!({ "recipe": "iwslt14-de-en", "data": data, "tsv": "x.tsv" }), "option `tsv`"),
        (json!({ "recipe": "iwslt14-de-en", "data": data, "test": { "tsv": "x.tsv" } }), "option `test`"),
        (json!({ "recipe": "iwslt14", "data": data }), "option `recipe`"),
    ];
    for (changes, option) in cases {
        let message = given(changes);
        assert!(message.contains(option), "{message}");
    }
}
