//! Recipes on published archives in miniature; `golden/recipes/recipes.py` says how they and the outcome came about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sagetrain_data::text::CorpusFiles;
use sagetrain_data::translation::{PrepareOptions, Prepared, Recipe, RecipeCorpora, prepare};
use sagetrain_data::{DataError, Dataset, Result, Row};
use serde_json::{Value, json};

type Members = BTreeMap<String, Vec<u8>>;

fn golden(recipe: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recipes/recipes.json.gz");
    serde_json::from_str::<Value>(&support::gunzip(&path)).unwrap()[recipe].take()
}

fn archives(recipe: &str) -> BTreeMap<String, Members> {
    let archives: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(golden(recipe)["archives"].take()).unwrap();
    let bytes = |(name, text): (String, String)| (name, text.into_bytes());
    archives.into_iter().map(|(name, members)| (name, members.into_iter().map(bytes).collect())).collect()
}

fn pack(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A folder with the published archives, and one to work in.
struct Folders {
    data: tempfile::TempDir,
    output: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), output: tempfile::tempdir().unwrap() }
    }

    fn packed(archives: &BTreeMap<String, Members>) -> Self {
        let folders = Self::new();
        for (name, members) in archives {
            std::fs::write(folders.data.path().join(name), pack(members)).unwrap();
        }
        folders
    }

    fn unpacked(archives: &BTreeMap<String, Members>) -> Self {
        let folders = Self::new();
        for (name, bytes) in archives.values().flatten() {
            let path = folders.data.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folders
    }

    fn assemble(&self, recipe: &str) -> Result<RecipeCorpora> {
        Recipe::named(recipe)?.assemble(self.data.path(), self.output.path(), 2, &())
    }

    fn refusal(&self, recipe: &str) -> String {
        let error = self.assemble(recipe).unwrap_err();
        assert_eq!(error.code(), "ERR_DATA", "{error}");
        let left = std::fs::read_dir(self.output.path()).unwrap();
        let left: Vec<PathBuf> =
            left.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        assert!(left.is_empty(), "{left:?} was left behind");
        error.to_string()
    }
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().split_terminator('\n').map(str::to_owned).collect()
}

fn sides(files: &CorpusFiles) -> [Vec<String>; 2] {
    [&files.source, &files.target].map(|side| lines(side.as_deref().unwrap()))
}

fn compare(corpora: &RecipeCorpora, expected: &Value) {
    let parts =
        [("train", Some(&corpora.train)), ("valid", corpora.valid.as_ref()), ("test", corpora.test.as_ref())];
    for (part, files) in parts {
        let expected: Option<[Vec<String>; 2]> =
            expected.get(part).map(|sides| serde_json::from_value(sides.clone()).unwrap());
        assert_eq!(files.map(sides), expected, "{part}");
    }
}

const RECIPES: [&str; 2] = ["iwslt14-de-en", "wmt16-en-de"];

#[test]
fn archives_become_the_lines_that_the_scripts_make_of_them() {
    for recipe in RECIPES {
        let folders = Folders::packed(&archives(recipe));
        let corpora = folders.assemble(recipe).unwrap();
        assert!(!corpora.reused);
        compare(&corpora, &golden(recipe)["plain"]);
    }
}

#[test]
fn unpacked_archives_give_the_same() {
    for recipe in RECIPES {
        let folders = Folders::unpacked(&archives(recipe));
        compare(&folders.assemble(recipe).unwrap(), &golden(recipe)["plain"]);
    }
}

#[test]
fn what_was_made_is_used_again_until_an_archive_changes() {
    let mut archives = archives("iwslt14-de-en");
    let folders = Folders::packed(&archives);
    let first = folders.assemble("iwslt14-de-en").unwrap();
    let again = folders.assemble("iwslt14-de-en").unwrap();
    assert_eq!((first.train.clone(), true), (again.train, again.reused));
    let members = archives.get_mut("de-en.tgz").unwrap();
    for language in ["de", "en"] {
        members.get_mut(&format!("de-en/train.tags.de-en.{language}")).unwrap().extend(b"One more.\n");
    }
    std::fs::write(folders.data.path().join("de-en.tgz"), pack(members)).unwrap();
    let other = folders.assemble("iwslt14-de-en").unwrap();
    assert!(!other.reused && other.train != first.train);
    assert_eq!(sides(&other.train)[0].len(), sides(&first.train)[0].len() + 1);
}

#[test]
fn a_missing_archive_is_named_with_where_it_is_published() {
    let mut some = archives("wmt16-en-de");
    some.remove("training-parallel-commoncrawl.tgz");
    some.remove("dev.tgz");
    let folders = Folders::packed(&some);
    let message = folders.refusal("wmt16-en-de");
    for word in ["training-parallel-commoncrawl.tgz", "http://www.statmt.org/wmt13/", "dev.tgz"] {
        assert!(message.contains(word), "{message}");
    }
    assert!(
        message.contains(&*folders.data.path().to_string_lossy()) && !message.contains("europarl"),
        "{message}"
    );
}

#[test]
fn a_missing_member_is_named() {
    let mut all = archives("iwslt14-de-en");
    all.get_mut("de-en.tgz").unwrap().remove("de-en/IWSLT14.TED.tst2011.de-en.en.xml");
    for folders in [Folders::packed(&all), Folders::unpacked(&all)] {
        let message = folders.refusal("iwslt14-de-en");
        assert!(
            message.contains("IWSLT14.TED.tst2011.de-en.en.xml") && message.contains("fbaipublicfiles"),
            "{message}"
        );
    }
}

#[test]
fn an_archive_that_is_cut_off_or_no_archive_is_refused() {
    let whole = pack(&archives("iwslt14-de-en")["de-en.tgz"]);
    let damaged = [&whole[..whole.len() / 2], &whole[..40], b"<html>404</html>", b""];
    for bytes in damaged {
        let folders = Folders::new();
        std::fs::write(folders.data.path().join("de-en.tgz"), bytes).unwrap();
        let message = folders.refusal("iwslt14-de-en");
        assert!(message.contains("de-en.tgz") && message.contains("fetch it again"), "{message}");
    }
}

#[test]
fn damage_within_a_member_is_named_by_member_and_line() {
    let mut all = archives("iwslt14-de-en");
    let text = all.get_mut("de-en.tgz").unwrap().get_mut("de-en/train.tags.de-en.en").unwrap();
    let third = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    text[third + 2] = 0xff;
    let message = Folders::packed(&all).refusal("iwslt14-de-en");
    assert!(message.contains("train.tags.de-en.en:3: byte 3 of the line is not UTF-8"), "{message}");
    let message = Folders::unpacked(&all).refusal("iwslt14-de-en");
    assert!(message.contains("train.tags.de-en.en:3: byte 3 of the line is not UTF-8"), "{message}");
}

#[test]
fn sides_of_unequal_length_are_refused_with_both_numbers() {
    let mut all = archives("wmt16-en-de");
    let members = all.get_mut("training-parallel-nc-v11.tgz").unwrap();
    members
        .get_mut("training-parallel-nc-v11/news-commentary-v11.de-en.de")
        .unwrap()
        .extend(b"Noch einer.\n");
    let message = Folders::packed(&all).refusal("wmt16-en-de");
    assert!(message.contains("news-commentary-v11.de-en.en has 60 sentences"), "{message}");
    assert!(message.contains("news-commentary-v11.de-en.de 61"), "{message}");
}

#[test]
fn a_segment_that_is_never_closed_is_refused() {
    let mut all = archives("wmt16-en-de");
    let member = "dev/newstest2014-deen-src.de.sgm";
    all.get_mut("dev.tgz").unwrap().insert(member.into(), b"<doc>\n<seg id=\"1\">\nOffen\n".to_vec());
    let message = Folders::packed(&all).refusal("wmt16-en-de");
    assert!(message.contains("newstest2014-deen-src.de.sgm:3: it ends within a <seg>"), "{message}");
}

#[test]
fn newstests_are_found_in_their_other_places() {
    let mut all = archives("wmt16-en-de");
    let folders = Folders::packed(&all);
    let expected = folders.assemble("wmt16-en-de").unwrap();
    let expected = (sides(&expected.valid.unwrap()), sides(&expected.test.unwrap()));
    let dev = all.get_mut("dev.tgz").unwrap();
    let mut full = Members::new();
    for (from, to) in [("ref.en", "src.en"), ("src.de", "ref.de")] {
        let bytes = dev.remove(&format!("dev/newstest2014-deen-{from}.sgm")).unwrap();
        full.insert(format!("test-full/newstest2014-deen-{to}.sgm"), bytes);
    }
    for (from, to) in [("en", "src.en"), ("de", "ref.de")] {
        let text = String::from_utf8(dev.remove(&format!("dev/newstest2013.{from}")).unwrap()).unwrap();
        let segments = text.lines().map(|line| format!("<seg id=\"1\">{line}</seg>\n")).collect::<String>();
        dev.insert(format!("dev/newstest2013-{to}.sgm"), segments.into_bytes());
    }
    let message = Folders::packed(&all).refusal("wmt16-en-de");
    assert!(message.contains("newstest2014-deen-ref.en.sgm"), "{message}");
    all.insert("test-full.tgz".into(), full);
    let folders = Folders::packed(&all);
    let found = folders.assemble("wmt16-en-de").unwrap();
    let squeezed =
        |sides: [Vec<String>; 2]| sides.map(|side| side.iter().map(|line| words(line)).collect::<Vec<_>>());
    assert_eq!(sides(&found.test.unwrap()), expected.1);
    assert_eq!(sides(&found.valid.unwrap()), squeezed(expected.0));
}

fn words(line: &str) -> String {
    line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
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
fn recipes_and_folders_are_refused_by_name() {
    let error = Recipe::named("wmt15").unwrap_err();
    assert!(matches!(error, DataError::Argument { option: "recipe", .. }));
    assert!(error.to_string().contains("iwslt14-de-en, wmt16-en-de"), "{error}");
    let folders = Folders::new();
    let missing = folders.data.path().join("missing");
    let error = Recipe::all()[0].assemble(&missing, folders.output.path(), 2, &()).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("missing")), ("ERR_DATA", true));
}

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
