//! Moses' text steps against sacremoses; `golden/moses/moses.py` says how the numbers came about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use sagetrain_data::text::moses::{MosesDetokenizer, MosesNormalizer, MosesTokenizer, remove_non_printing};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/moses/moses.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

type Step = Box<dyn Fn(&str) -> String>;

/// The steps by the names that the golden file gives them.
fn steps(language: &str) -> BTreeMap<&'static str, Step> {
    let tokenizer = |hyphens, escape| {
        let tokenizer = match language {
            "de" | "en" => MosesTokenizer::new(language, hyphens).unwrap(),
            _ => MosesTokenizer::with_prefixes(language, hyphens, "").unwrap(),
        };
        tokenizer.escape(escape)
    };
    let tokenize = |hyphens, escape| -> Step {
        let tokenizer = tokenizer(hyphens, escape);
        Box::new(move |line| tokenizer.tokenize(line))
    };
    let detokenizer = MosesDetokenizer::new(language).unwrap();
    let detokenize = move |line: &str| {
        let tokens: Vec<&str> = line.split(python_space).filter(|token| !token.is_empty()).collect();
        detokenizer.detokenize(&tokens)
    };
    let (round, tokens) = (detokenize.clone(), tokenizer(true, true));
    let normalizer = MosesNormalizer::new(language).unwrap();
    let less = normalizer.clone().penn(false).quote_commas(false).numbers(false);
    BTreeMap::from([
        ("tokenized", tokenize(false, true)),
        ("hyphens", tokenize(true, true)),
        ("unescaped", tokenize(false, false)),
        ("hyphensUnescaped", tokenize(true, false)),
        ("detokenized", Box::new(detokenize) as Step),
        ("roundTrip", Box::new(move |line| round(&tokens.tokenize(line)))),
        ("normalized", Box::new(move |line| normalizer.normalize(line))),
        ("normalizedLess", Box::new(move |line| less.normalize(line))),
        ("printing", Box::new(remove_non_printing)),
    ])
}

fn python_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

fn compare_checksums(golden: &Value, of: &str, lines: &[String], languages: &Value) {
    let block = golden["block"].as_u64().unwrap() as usize;
    for (language, expected) in languages.as_object().unwrap() {
        let steps = steps(language);
        for (name, sums) in expected.as_object().unwrap() {
            let sums = sums.as_array().unwrap();
            assert_eq!(sums.len(), lines.len().div_ceil(block));
            for (index, (lines, sum)) in lines.chunks(block).zip(sums).enumerate() {
                let text: Vec<String> = lines.iter().map(|line| steps[name.as_str()](line)).collect();
                let digest = Sha256::digest(text.join("\n"));
                let found: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(
                    found,
                    sum.as_str().unwrap(),
                    "{of} {language} {name}, lines from {}",
                    index * block
                );
            }
        }
    }
}

#[test]
fn hard_lines_come_out_as_sacremoses_has_them() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 200);
    for language in ["de", "en"] {
        let steps = steps(language);
        for case in cases {
            let line = case["line"].as_str().unwrap();
            for (name, expected) in case[language].as_object().unwrap() {
                let found = steps[name.as_str()](line);
                assert_eq!(found, expected.as_str().unwrap(), "{language} {name} of {line:?}");
            }
        }
    }
}

/// The generator of `moses.py`.
fn drawn(alphabet: &[&str], count: usize) -> Vec<String> {
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..count)
        .map(|_| {
            let pieces = 1 + draw(16);
            (0..pieces).map(|_| alphabet[draw(alphabet.len())]).collect()
        })
        .collect()
}

#[test]
fn random_lines_come_out_as_sacremoses_has_them_in_seven_languages() {
    let golden = golden();
    let alphabet: Vec<&str> =
        golden["alphabet"].as_array().unwrap().iter().map(|piece| piece.as_str().unwrap()).collect();
    let lines = drawn(&alphabet, golden["randomLines"].as_u64().unwrap() as usize);
    compare_checksums(&golden, "random", &lines, &golden["random"]);
}

#[test]
fn real_lines_come_out_as_sacremoses_has_them() {
    let golden = golden();
    let corpora = golden["corpora"].as_object().unwrap();
    let folder = std::env::var_os("SAGETRAIN_DATA").map(|folder| Path::new(&folder).join("de-en"));
    for (name, languages) in corpora {
        let path = match (name.as_str(), &folder) {
            ("train", _) => support::corpus("train"),
            (_, Some(folder)) => folder.join(format!("{name}.train.tsv.gz")),
            (_, None) => continue,
        };
        let limit = if name == "train" { usize::MAX } else { 10_000 };
        let text = support::gunzip(&path);
        for (side, language) in ["de", "en"].into_iter().enumerate() {
            let column = |line: &str| line.split('\t').nth(side).unwrap().to_owned();
            let lines: Vec<String> = text.split_terminator('\n').take(limit).map(column).collect();
            let expected = serde_json::json!({ language: languages[language] });
            compare_checksums(&golden, name, &lines, &expected);
        }
    }
}

#[test]
fn languages_are_refused_by_name() {
    let errors = [
        MosesTokenizer::new("cs", true).err(),
        MosesTokenizer::new("ja", true).err(),
        MosesTokenizer::with_prefixes("ja", true, "").err(),
        MosesTokenizer::new("German", true).err(),
        MosesDetokenizer::new("cs").err(),
        MosesNormalizer::new("").err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert_eq!(error.code(), "ERR_ARGUMENT");
        assert!(error.to_string().contains("language"), "{error}");
    }
    assert!(MosesTokenizer::new("da", true).is_ok());
}

#[test]
fn a_list_of_ones_own_keeps_its_periods() {
    let tokenizer =
        MosesTokenizer::with_prefixes("nl", false, "# Dutch\nblz #NUMERIC_ONLY#\nbv\n\n").unwrap();
    assert_eq!(tokenizer.tokenize("Bv. Bv"), "Bv . Bv");
    assert_eq!(
        tokenizer.tokenize("Zie bv. Jan, blz. 5 of blz. Vijf."),
        "Zie bv. Jan , blz. 5 of blz . Vijf ."
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn tokens_stand_one_space_apart_and_hold_every_letter(text in "\\PC{0,60}") {
        for language in ["de", "en"] {
            let tokenized = MosesTokenizer::new(language, false).unwrap().escape(false).tokenize(&text);
            let (spaced, before) = (tokenized.split(' '), text.chars().filter(|c| c.is_alphabetic()));
            prop_assert!(text.trim().is_empty() || spaced.clone().all(|token| !token.is_empty()));
            prop_assert!(before.eq(tokenized.chars().filter(|c| c.is_alphabetic())));
        }
    }
}
