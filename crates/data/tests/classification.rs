//! From labelled files to datasets: labels, what is held out or drawn, and options.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/labelled.rs"]
mod labelled;
#[path = "support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use labelled::{columns, file, labels, named, of_text, refusal, report, samples};
use sagetrain_data::Tokenizer;
use sagetrain_data::classification::{Files, HeldOut, Kind, PrepareOptions, prepare};
use sagetrain_data::text::Reason;
use serde_json::{Value, json};

#[test]
fn classes_are_sorted_as_numbers_or_text_or_come_in_the_order_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = prepare(&of_text(folder.path(), "n.tsv", "a\t10\nb\t9\nc\t-1\n")).unwrap();
    assert_eq!(
        (numbers.labels.join(" "), labels(&numbers, "train")),
        ("-1 9 10".into(), vec![2.0, 1.0, 0.0])
    );
    let words = of_text(folder.path(), "w.tsv", "a\tneg\nb\tpos\nc\tneg\n");
    assert_eq!(prepare(&words).unwrap().parts["train"].labels, [2, 1]);
    let given = Some(["pos", "neutral", "neg"].map(str::to_owned).to_vec());
    let ordered = prepare(&PrepareOptions { labels: given, ..words.clone() }).unwrap();
    assert_eq!(labels(&ordered, "train"), [2.0, 0.0, 2.0]);
    assert_eq!(ordered.parts["train"].labels, [1, 0, 2]);
    let unknown = Some(["pos", "neutral"].map(str::to_owned).to_vec());
    let message = refusal(&PrepareOptions { labels: unknown, ..words }).to_string();
    assert!(message.contains("w.tsv:1: the label `neg` (2 samples) is none of the 2 classes"), "{message}");
}

#[test]
fn a_label_that_training_has_not_is_an_error_in_validation_and_test() {
    let folder = tempfile::tempdir().unwrap();
    let train = of_text(folder.path(), "train.tsv", "a\t0\nb\t1\n");
    let other = file(folder.path(), "other.tsv", "c\t1\nd\t2\n");
    let held_out = HeldOut::default();
    let valid = PrepareOptions { valid: Some((&*other).into()), held_out: held_out.clone(), ..train.clone() };
    let test = PrepareOptions { test: Some((&*other).into()), ..train.clone() };
    for given in [valid, test] {
        let message = refusal(&given).to_string();
        assert!(message.contains("other.tsv:2: the label `2`"), "{message}");
    }
    let message = refusal(&of_text(folder.path(), "one.tsv", "a\tx\nb\tx\n")).to_string();
    assert!(message.contains("nothing to tell apart"), "{message}");
    let many: String = (0..70_000).map(|row| format!("a\t{row}\n")).collect();
    let message = refusal(&of_text(folder.path(), "many.tsv", many)).to_string();
    assert!(message.contains("more than 65536 different values"), "{message}");
}

#[test]
fn a_regression_has_one_number_a_sample() {
    let folder = tempfile::tempdir().unwrap();
    let text = "a\t0.1\nb\t-3e2\nc\tnan\nd\tinf\ne\t1e400\nf\t four\ng\t5\nh\t 2.5 \n";
    let given = PrepareOptions { kind: Some(Kind::Regression), ..of_text(folder.path(), "x.tsv", text) };
    let prepared = prepare(&given).unwrap();
    let numbers: Vec<_> =
        samples(&prepared, "train").iter().map(|sample| sample["target"][0] as f32).collect();
    assert_eq!(numbers, [0.1, -300.0, 5.0, 2.5]);
    assert!(prepared.labels.is_empty());
    let range = prepared.parts["train"].target.unwrap();
    assert_eq!((range.least, range.greatest), (-300.0, 5.0));
    assert_eq!(prepared.parts["train"].left_out[&Reason::NotANumber], 4);
}

#[test]
fn a_test_part_may_be_without_labels() {
    let folder = tempfile::tempdir().unwrap();
    let train = of_text(folder.path(), "train.tsv", "a\t0\nb\t1\n");
    let test = file(folder.path(), "test.tsv", "c\nd\n");
    let prepared = prepare(&PrepareOptions { test: Some((&*test).into()), ..train.clone() }).unwrap();
    let part = &prepared.parts["test"];
    assert!(!part.labelled && part.labels.is_empty() && part.samples == 2);
    assert!(!samples(&prepared, "test")[0].contains_key("label"));
    let valid = PrepareOptions { valid: Some((&*test).into()), held_out: HeldOut::default(), ..train };
    assert!(refusal(&valid).to_string().contains("2 of 2 rows are bad: too few columns"));
    let jsonl = of_text(
        folder.path(),
        "train.jsonl",
        "{\"text\":\"a\",\"label\":true}\n{\"text\":\"b\",\"label\":false}\n",
    );
    let test = file(folder.path(), "test.jsonl", "{\"text\":\"c\"}\n");
    let given = PrepareOptions { columns: named(false), test: Some((&*test).into()), ..jsonl };
    let prepared = prepare(&given).unwrap();
    assert_eq!((prepared.labels.join(" "), prepared.parts["test"].labelled), ("false true".into(), false));
}

#[test]
fn what_may_not_be_meant_of_labels_and_validation_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let of = |text: &str, held_out: HeldOut| {
        let warnings =
            prepare(&PrepareOptions { held_out, ..of_text(folder.path(), "x.tsv", text) }).unwrap().warnings;
        warnings.join("\n")
    };
    let none = || HeldOut { valid: Some(0), ..Default::default() };
    let ratings = of("a\t3.5\nb\t4\nc\t4.5\n", none());
    assert!(ratings.contains("each of 3 different numbers is a class of its own; give kind: regression"));
    assert!(ratings.contains("valid: there is none"), "{ratings}");
    let written = of("a\tGood\nb\tgood\nc\tbad\n", none());
    assert!(written.contains("labels: `Good` and `good` differ by case, spaces or"), "{written}");
    let numbers = of("a\t1\nb\t1.0\nc\t0\nd\t1e0\n", none());
    assert!(
        numbers.contains("labels: `1` and `1.0` and `1e0` differ by case, spaces or how a number"),
        "{numbers}"
    );
    assert!(!of("a\t1\nb\t0\nc\t0\n", none()).contains("labels: "));
    let few: String = (0..40).map(|row| format!("the house number {row}\t{}\n", row % 2)).collect();
    let few = of(&few, HeldOut { valid: Some(5), ..Default::default() });
    assert!(few.contains("valid: the best weights are chosen by 5 samples"), "{few}");
    let many: String = (0..60).map(|row| format!("the house number {row}\t{}\n", row % 2)).collect();
    assert_eq!(of(&many, HeldOut { valid: Some(20), ..Default::default() }), "");
}

#[test]
fn a_part_of_one_class_or_one_number_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let of = |given: &PrepareOptions| prepare(given).unwrap().warnings.join("\n");
    let both = of_text(folder.path(), "both.tsv", "a\t0\nb\t1\nc\t1\n");
    assert!(!of(&both).contains("every sample"));
    let named = Some(vec!["0".to_owned(), "1".to_owned()]);
    let said = PrepareOptions { labels: named, ..of_text(folder.path(), "one.tsv", "a\t1\nb\t1\n") };
    assert!(of(&said).contains("train: every sample has the label `1`, so there is nothing to tell apart"));
    // A limit may leave one class of two.
    let drawn = of(&PrepareOptions { limit: Some(1), ..both });
    assert!(drawn.contains("train: every sample has the label"), "{drawn}");
    let numbers = |name: &str, text: &str| {
        let kind = Some(Kind::Regression);
        of(&PrepareOptions { kind, ..of_text(folder.path(), name, text) })
    };
    let same = numbers("same.tsv", "a\t2.5\nb\t2.50\n");
    assert!(same.contains("train: every sample has the number 2.5, which nothing correlates with"), "{same}");
    assert!(!numbers("scores.tsv", "a\t2.5\nb\t2\n").contains("every sample"));
}

/// A training file of so many samples whose text says their row.
fn numbered(folder: &Path, rows: usize) -> PrepareOptions {
    let text: String =
        (0..rows).map(|row| format!("the house number {row} is small\t{}\n", row % 3)).collect();
    of_text(folder, "numbered.tsv", text)
}

#[test]
fn rows_are_held_out_by_the_seed_or_regularly() {
    let folder = tempfile::tempdir().unwrap();
    let held =
        |held_out: HeldOut| prepare(&PrepareOptions { held_out, ..numbered(folder.path(), 400) }).unwrap();
    let unasked = held(HeldOut::default());
    assert_eq!((unasked.parts["train"].samples, unasked.parts["valid"].samples), (380, 20));
    assert!(unasked.warnings.iter().any(|one| one.contains("20 training rows are held out (seed 0)")));
    let both = held(HeldOut { valid: Some(30), test: Some(50), seed: 3, every: None });
    assert_eq!((both.parts["valid"].samples, both.parts["test"].samples), (30, 50));
    let other = held(HeldOut { valid: Some(30), test: Some(50), seed: 4, every: None });
    assert_ne!(report(&both).head.held_out, report(&other).head.held_out);
    let regular = held(HeldOut { every: Some(4), ..Default::default() });
    assert_eq!(regular.parts["valid"].samples, 100);
    assert!(
        labels(&regular, "valid").iter().enumerate().all(|(at, label)| *label == ((4 * at + 3) % 3) as f64)
    );
}

#[test]
fn a_limit_draws_training_samples_by_its_seed_and_keeps_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let base = PrepareOptions {
        held_out: HeldOut { valid: Some(40), ..Default::default() },
        ..numbered(folder.path(), 400)
    };
    let whole = prepare(&base).unwrap();
    let limited = |limit, limit_seed| {
        prepare(&PrepareOptions { limit: Some(limit), limit_seed, ..base.clone() }).unwrap()
    };
    let (first, second) = (limited(100, None), limited(100, Some(1)));
    assert_eq!(limited(100, Some(0)).folder, first.folder, "0 is the default");
    assert_eq!(samples(&first, "valid"), samples(&whole, "valid"), "what is held out stays");
    let train = samples(&whole, "train");
    for prepared in [&first, &second] {
        let drawn = samples(prepared, "train");
        assert_eq!(drawn.len(), 100);
        let mut left = train.iter();
        assert!(drawn.iter().all(|sample| left.any(|other| other == sample)), "a part of it, in its order");
    }
    assert_ne!(samples(&first, "train"), samples(&second, "train"));
    assert_eq!(limited(1000, None).parts["train"].samples, 360);
    let rows: u64 = report(&first).drawn.iter().map(|run| run[1] - run[0] + 1).sum();
    assert_eq!(rows, 100);
}

#[test]
fn samples_are_cut_to_the_length_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let long = "word ".repeat(50);
    let given = of_text(folder.path(), "x.tsv", format!("{long}\t0\nshort\t1\n"));
    let prepared = prepare(&PrepareOptions { max_length: Some(16), ..given.clone() }).unwrap();
    let part = &prepared.parts["train"];
    assert_eq!((part.truncated, part.longest), (1, 16));
    assert!((part.mean_tokens - part.tokens as f64 / 2.0).abs() < 1e-12);
    for (length, code) in [(2, "ERR_ARGUMENT"), (513, "ERR_ARGUMENT")] {
        let error = refusal(&PrepareOptions { max_length: Some(length), ..given.clone() });
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("maxLength"), "{error}");
    }
    assert_eq!(prepare(&given).unwrap().max_length, 512);
    // What a fine-tuned model's folder says of it, so that others cut there too.
    let said = std::fs::read_to_string(prepared.folder.join("tokenizer_config.json")).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["model_max_length"], &said["sagetrain"]), (&json!(16), &json!({ "pair": false })));
    assert_eq!(Tokenizer::open(&prepared.folder).unwrap().longest(), Some(16));
    // There it is the default and not what the model takes, which its config.json says.
    let config = std::fs::read(given.tokenizer.join("config.json")).unwrap();
    std::fs::write(prepared.folder.join("config.json"), config).unwrap();
    let further =
        |max_length| PrepareOptions { tokenizer: prepared.folder.clone(), max_length, ..given.clone() };
    assert_eq!(prepare(&further(None)).unwrap().max_length, 16);
    assert_eq!(prepare(&further(Some(100))).unwrap().max_length, 100);
    let message = refusal(&further(Some(513))).to_string();
    assert!(message.contains("513 are more than the 512 tokens that the model of"), "{message}");
}

#[test]
fn where_a_model_was_fine_tuned_is_where_its_texts_are_cut_and_512_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let given = of_text(folder.path(), "x.tsv", "a\t0\nb\t1\n");
    let model = json!({ "model_type": "bert", "max_position_embeddings": 1024 });
    std::fs::write(given.tokenizer.join("config.json"), model.to_string()).unwrap();
    let length = |said: Value| {
        std::fs::write(given.tokenizer.join("tokenizer_config.json"), said.to_string()).unwrap();
        prepare(&given).unwrap().max_length
    };
    let trained = json!({ "pair": false });
    assert_eq!(length(json!({ "model_max_length": 1024 })), 512);
    assert_eq!(length(json!({ "model_max_length": 1024, "sagetrain": trained })), 1024);
    assert_eq!(length(json!({ "model_max_length": 2048, "sagetrain": trained })), 1024);
    assert_eq!(length(json!({ "model_max_length": 300, "sagetrain": trained })), 300);
    assert_eq!(length(json!({ "sagetrain": trained })), 512);
}

#[test]
fn texts_that_are_training_texts_too_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let train = of_text(folder.path(), "train.tsv", "a\t0\nb\t1\nc\t1\n");
    let test = file(folder.path(), "test.tsv", "b\t1\nx\t0\nc\t0\n");
    let prepared = prepare(&PrepareOptions { test: Some((&*test).into()), ..train }).unwrap();
    assert_eq!(report(&prepared).texts_also_in_train["test"], 2);
    assert!(prepared.warnings.iter().any(|one| one.contains("test: 2 of 3 samples have the texts")));
}

#[test]
fn options_that_cannot_be_meant_are_refused_by_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let base = of_text(folder.path(), "x.tsv", "a\t0\nb\t1\n");
    let duplicate = columns(1, None, 1);
    let same = Some(vec!["a".to_owned(), "a".to_owned()]);
    let two = Some(vec!["a".to_owned(), "b".to_owned()]);
    let cases = [
        ("output", PrepareOptions { output: PathBuf::new(), ..base.clone() }),
        ("tokenizer", PrepareOptions { tokenizer: PathBuf::new(), ..base.clone() }),
        ("train", PrepareOptions { train: None, ..base.clone() }),
        ("train", PrepareOptions { train: Some(Files::Many(vec![])), ..base.clone() }),
        ("columns", PrepareOptions { columns: None, ..base.clone() }),
        ("columns", PrepareOptions { columns: duplicate, ..base.clone() }),
        ("data", PrepareOptions { data: Some("x".into()), ..base.clone() }),
        ("data", PrepareOptions { recipe: Some("rte".into()), train: None, columns: None, ..base.clone() }),
        ("train", PrepareOptions { recipe: Some("rte".into()), data: Some("x".into()), ..base.clone() }),
        ("labels", PrepareOptions { labels: same, ..base.clone() }),
        ("labels", PrepareOptions { labels: two, kind: Some(Kind::Regression), ..base.clone() }),
        ("limit", PrepareOptions { limit: Some(0), ..base.clone() }),
        ("limitSeed", PrepareOptions { limit_seed: Some(1), ..base.clone() }),
        ("threads", PrepareOptions { threads: Some(0), ..base.clone() }),
        (
            "heldOut",
            PrepareOptions { held_out: HeldOut { valid: Some(2), ..Default::default() }, ..base.clone() },
        ),
    ];
    for (option, given) in cases {
        let error = refusal(&given);
        assert_eq!(error.code(), "ERR_ARGUMENT", "{option}: {error}");
        assert!(error.to_string().contains(&format!("option `{option}`")), "{option}: {error}");
    }
    let translator = support::corpus("train").with_file_name("tokenizer");
    assert!(prepare(&PrepareOptions { tokenizer: translator, ..base.clone() }).is_err());
    let marian = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer");
    let error = refusal(&PrepareOptions { tokenizer: marian, ..base });
    assert!(error.to_string().contains("it is a translator's"), "{error}");
}

#[test]
fn options_come_from_json_and_go_into_it() {
    let given = json!({
        "train": ["a.tsv", "b.csv.gz"], "valid": "c.jsonl", "columns": { "text": "sentence", "pair": 2, "label": 0 },
        "header": "auto", "kind": "regression", "heldOut": { "test": 5 }, "limit": 3000, "limitSeed": 1,
        "tokenizer": "bert", "maxLength": 128, "output": "cache",
    });
    let options = PrepareOptions::from_json(given.clone()).unwrap();
    assert_eq!(options.kind, Some(Kind::Regression));
    let written: Value = serde_json::to_value(&options).unwrap();
    for (key, value) in given.as_object().unwrap().iter().filter(|(key, _)| *key != "heldOut") {
        assert_eq!(written[key], *value, "{key}");
    }
    assert_eq!(PrepareOptions::from_json(written).unwrap(), options);
    for bad in [json!({ "header": 1 }), json!({ "trian": "x" }), json!({ "columns": { "text": 0 } })] {
        assert_eq!(PrepareOptions::from_json(bad).unwrap_err().code(), "ERR_ARGUMENT");
    }
}
