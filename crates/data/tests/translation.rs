//! Preparing a corpus: the datasets and the report.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use sagetrain_data::text::{CorpusFiles, Reason};
use sagetrain_data::translation::{
    HeldOut, Languages, PrepareOptions, Prepared, Report, Vocabulary, VocabularyType, prepare,
};
use sagetrain_data::{Column, Dataset, Row, Tokenizer};
use support::{of_text, small};

fn report(prepared: &Prepared) -> Report {
    serde_json::from_slice(&fs::read(&prepared.report).unwrap()).unwrap()
}

/// The dataset's pairs as text.
fn texts(prepared: &Prepared, dataset: &Path) -> Vec<(String, String)> {
    let (tokenizer, dataset) =
        (Tokenizer::open(&prepared.tokenizer).unwrap(), Dataset::open(dataset).unwrap());
    let side = |column: &Column| match column.row(0) {
        Some(Row::Ragged(ids)) => tokenizer.decode(ids).unwrap(),
        other => panic!("{other:?}"),
    };
    let pair = |index| {
        let sample = dataset.sample(index).unwrap();
        (side(&sample[0].1), side(&sample[1].1))
    };
    (0..dataset.len()).map(pair).collect()
}

fn pairs(part: &str) -> Vec<(String, String)> {
    let split = |line: String| line.split_once('\t').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    support::lines(part).into_iter().map(split).collect()
}

#[test]
fn the_embedded_corpus_is_prepared_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let tsv = |part| CorpusFiles { tsv: Some(support::corpus(part)), ..Default::default() };
    let options = PrepareOptions {
        tsv: Some(support::corpus("train")),
        valid: Some(tsv("valid")),
        test: Some(tsv("test")),
        vocabulary: Vocabulary { size: Some(4000), ..Default::default() },
        output: folder.path().join("cache"),
        ..Default::default()
    };
    let prepared = prepare(&options).unwrap();
    assert_eq!(prepared.vocabulary, 4000);
    let samples = |part: &str| prepared.parts[part].samples;
    assert_eq!([samples("train"), samples("valid"), samples("test")], [33_039, 140, 426]);
    assert!(prepared.warnings.is_empty(), "{:?}", prepared.warnings);
    assert!(
        texts(&prepared, prepared.test.as_ref().unwrap()) == pairs("test"),
        "references come back to the byte"
    );
    assert!(texts(&prepared, &prepared.train) == pairs("train"));
    let again = prepare(&options).unwrap();
    assert!(again.reused && !prepared.reused);
    assert_eq!(Prepared { reused: false, ..again }, prepared);
}

#[test]
fn every_line_left_out_is_in_the_report_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = support::lines("test");
    for (line, text) in
        [(4, "no tab here"), (5, "none here"), (9, "nor here"), (20, "a\tb\tc"), (31, "\tx"), (426, "y\t")]
    {
        lines[line - 1] = text.into();
    }
    lines[50] = format!("{}\tlong", "wort ".repeat(3000));
    let prepared = prepare(&of_text(folder.path(), lines.join("\r\n"))).unwrap();
    let report = report(&prepared);
    let part = &report.head.parts[0];
    assert_eq!((part.lines, part.kept, part.bad, part.filtered), (426, 419, 7, 0));
    let lines = |reason| part.rejected.iter().find(|entry| entry.reason == reason).unwrap().lines.clone();
    assert_eq!(lines(Reason::NoTab), [[4, 5], [9, 9]]);
    assert_eq!(lines(Reason::ExtraTab), [[20, 20]]);
    assert_eq!(lines(Reason::EmptySource), [[31, 31]]);
    assert_eq!(lines(Reason::TooManyTokens), [[51, 51]]);
    assert_eq!(lines(Reason::EmptyTarget), [[426, 426]]);
    let shown = &part.rejected.iter().find(|entry| entry.reason == Reason::NoTab).unwrap().examples[1];
    assert_eq!((shown.line, shown.text.as_str()), (5, "none here"));
    assert!(part.files[0].facts.carriage_returns == 425 && report.warnings == prepared.warnings);
    assert!(
        prepared.warnings.iter().any(|warning| warning.contains("7 of 426 lines are left out")),
        "{report:?}"
    );
    assert!(prepared.warnings.iter().any(|warning| warning.contains("CR LF")));
}

#[test]
fn examples_are_capped_and_line_numbers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..200)
        .map(|line| if line % 3 == 0 { "bad\n".into() } else { format!("Satz {line}\ts {line}\n") })
        .collect();
    let prepared = prepare(&of_text(folder.path(), text)).unwrap();
    let rejected = &report(&prepared).head.parts[0].rejected[0];
    assert_eq!((rejected.count, rejected.lines.len(), rejected.examples.len()), (67, 67, 5));
}

#[test]
fn a_file_that_is_mostly_bad_is_an_error_with_its_reasons_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let text = ["ein Satz\ta sentence\n".repeat(40), "no tab\n".repeat(50), "\tempty\n".repeat(10)].concat();
    let options = of_text(folder.path(), text);
    let error = prepare(&options).unwrap_err();
    assert_eq!(error.code(), "ERR_DATA");
    let message = error.to_string();
    let expected = "60 of 100 lines are bad: no tab between source and target (50, first in line 41), an empty source (10, first in line 91)";
    assert!(message.contains(expected) && message.contains("corpus.tsv"), "{message}");
    let report: Report =
        serde_json::from_slice(&fs::read(options.output.join("prepare-report.json")).unwrap()).unwrap();
    assert_eq!(report.head.parts[0].rejected[0].lines, [[41, 90]]);
}

#[test]
fn half_bad_is_not_mostly_bad() {
    let folder = tempfile::tempdir().unwrap();
    let text = ["ein Satz\ta sentence\n".repeat(40), "no tab\n".repeat(40)].concat();
    assert_eq!(prepare(&of_text(folder.path(), text)).unwrap().parts["train"].samples, 40);
}

#[test]
fn thousands_of_tokens_in_most_lines_are_an_error_too() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}\tb\n", "wort ".repeat(2000));
    let text = [long.repeat(6), "a\tb\n".repeat(5)].concat();
    let message = prepare(&of_text(folder.path(), text)).unwrap_err().to_string();
    assert!(message.contains("more tokens than maxLength (6, first in line 1)"), "{message}");
}

#[test]
fn max_words_is_a_choice_counted_apart_that_spares_the_other_parts() {
    let folder = tempfile::tempdir().unwrap();
    let options = PrepareOptions {
        test: Some(CorpusFiles { tsv: Some(support::corpus("test")), ..Default::default() }),
        max_words: Some(6),
        ..small(folder.path())
    };
    let prepared = prepare(&options).unwrap();
    let short = pairs("test")
        .iter()
        .filter(|(a, b)| [a, b].iter().all(|side| side.split_whitespace().count() <= 6))
        .count();
    assert_eq!(prepared.parts["train"].samples, short as u64);
    assert_eq!(prepared.parts["test"].samples, 426);
    let report = report(&prepared);
    assert_eq!((report.head.parts[0].bad, report.head.parts[0].filtered), (0, 426 - short as u64));
    assert!(prepared.warnings.iter().any(|warning| warning.contains("maxWords")), "{:?}", prepared.warnings);
    let overlap = report.sources_also_in_train["test"];
    let short = |(a, b): &&(String, String)| [a, b].iter().all(|side| side.split_whitespace().count() <= 6);
    let all = pairs("test");
    let trained: HashSet<_> = all.iter().filter(short).map(|(source, _)| source).collect();
    assert_eq!(overlap, all.iter().filter(|(source, _)| trained.contains(source)).count() as u64);
    assert!(prepared.warnings.iter().any(|warning| warning.contains("training sources too")));
}

#[test]
fn held_out_lines_are_drawn_by_seed_and_line_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let held_out = |seed| HeldOut { valid: Some(30), test: Some(20), seed, every: None };
    let made = |seed| prepare(&PrepareOptions { held_out: held_out(seed), ..small(folder.path()) }).unwrap();
    let first = made(1);
    let samples = |part: &str| first.parts[part].samples;
    assert_eq!([samples("train"), samples("valid"), samples("test")], [376, 30, 20]);
    let written = report(&first);
    assert_eq!(written.head.held_out_seed, Some(1));
    let lines: Vec<u64> =
        written.head.held_out["valid"].iter().flat_map(|[first, last]| *first..=*last).collect();
    let all = pairs("test");
    let expected: Vec<_> = lines.iter().map(|line| all[*line as usize - 1].clone()).collect();
    assert_eq!(texts(&first, first.valid.as_ref().unwrap()), expected);
    let train = texts(&first, &first.train);
    assert!(expected.iter().all(|pair| !train.contains(pair)));
    assert_ne!(report(&made(2)).head.held_out, written.head.held_out);
}

#[test]
fn every_nth_line_that_cleaning_leaves_is_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let options = PrepareOptions {
        held_out: HeldOut { every: Some(23), ..Default::default() },
        min_words: Some(2),
        max_words: Some(20),
        max_ratio: Some(1.5),
        lowercase: true,
        ..small(folder.path())
    };
    let prepared = prepare(&options).unwrap();
    let words = |text: &str| text.split_whitespace().count();
    let fits = |(source, target): &(String, String)| {
        let [source, target] = [words(source), words(target)];
        (2..=20).contains(&source)
            && (2..=20).contains(&target)
            && 2 * source <= 3 * target
            && 2 * target <= 3 * source
    };
    let left: Vec<_> = pairs("test")
        .into_iter()
        .filter(fits)
        .map(|(source, target)| (source.to_lowercase(), target.to_lowercase()))
        .collect();
    let expected = |valid: bool| {
        let own = left.iter().zip(1..).filter(|(_, number)| (number % 23 == 0) == valid);
        own.map(|(pair, _)| pair.clone()).collect::<Vec<_>>()
    };
    assert!(left.len() > 100 && left.len() < 400);
    assert_eq!(texts(&prepared, prepared.valid.as_ref().unwrap()), expected(true));
    assert_eq!(texts(&prepared, &prepared.train), expected(false));
    let report = report(&prepared);
    let count = |reason| {
        let entries = report.head.parts[0].rejected.iter().filter(|entry| entry.reason == reason);
        entries.map(|entry| entry.count).sum::<u64>()
    };
    let reasons = [Reason::TooFewWords, Reason::TooManyWords, Reason::LengthRatio].map(count);
    assert!(reasons[1] > 0 && reasons[2] > 0, "{reasons:?}");
    assert_eq!(reasons.iter().sum::<u64>(), 426 - left.len() as u64);
    assert_eq!(report.head.held_out_every, Some(23));
}

#[test]
fn without_validation_files_one_line_in_twenty_is_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = prepare(&PrepareOptions { held_out: HeldOut::default(), ..small(folder.path()) }).unwrap();
    assert_eq!((prepared.parts["valid"].samples, prepared.parts["train"].samples), (21, 405));
    assert_eq!(prepared.warnings, ["valid: without files, 21 training lines are held out (seed 0)"]);
}

#[test]
fn a_tokenizer_of_ones_own_is_used_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = prepare(&small(folder.path())).unwrap();
    let vocabulary = Vocabulary { tokenizer: Some(first.folder.clone()), ..Default::default() };
    let second = prepare(&PrepareOptions { vocabulary, max_length: 100, ..small(folder.path()) }).unwrap();
    assert_eq!(fs::read(first.tokenizer).unwrap(), fs::read(second.tokenizer).unwrap());
}

#[test]
fn a_part_without_a_line_is_an_error_and_not_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.tsv.gz");
    flate2::write::GzEncoder::new(fs::File::create(&empty).unwrap(), flate2::Compression::fast())
        .finish()
        .unwrap();
    let valid = Some(CorpusFiles { tsv: Some(empty), ..Default::default() });
    let error =
        prepare(&PrepareOptions { valid, held_out: HeldOut::default(), ..small(folder.path()) }).unwrap_err();
    assert!(error.to_string().contains("empty.tsv.gz: there is no line in it"), "{error}");
}

#[test]
fn nothing_left_to_train_on_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        PrepareOptions { max_words: Some(1), ..of_text(folder.path(), "zwei Worte\ttwo words\n".repeat(9)) };
    let error = prepare(&options).unwrap_err();
    assert!(
        error.to_string().contains(
            "no pair is left for train: of 9 lines 0 are bad, 9 have too many, too few or too long words"
        ),
        "{error}"
    );
}

#[test]
fn a_tokenizer_whose_ids_would_be_cut_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(prepare(&small(folder.path())).unwrap().tokenizer).unwrap();
    let path = folder.path().join("tokenizer.json");
    let refusal = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut changed);
        fs::write(&path, changed.to_string()).unwrap();
        let vocabulary = Vocabulary { tokenizer: Some(path.clone()), ..Default::default() };
        let error = prepare(&PrepareOptions { vocabulary, ..small(folder.path()) }).unwrap_err();
        assert_eq!(error.code(), "ERR_DATA", "{error}");
        error.to_string()
    };
    let gap = refusal(&|changed| changed["model"]["vocab"]["Ġt"] = 65_538.into());
    assert!(gap.contains("`Ġt` has id 65538") && gap.contains("number the 500 tokens from 0"), "{gap}");
    let twice = refusal(&|changed| changed["model"]["vocab"]["Ġt"] = changed["model"]["vocab"]["a"].clone());
    assert!(twice.contains("both have id"), "{twice}");
    let end = refusal(&|changed| {
        changed["post_processor"]["special_tokens"]["</s>"]["ids"] = serde_json::json!([65_536]);
    });
    assert!(end.contains("id 65536") && end.contains("ids 0 to 499"), "{end}");
}

#[test]
fn options_that_cannot_be_meant_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let files = || Some(CorpusFiles { tsv: Some(support::corpus("valid")), ..Default::default() });
    let held_out = |valid, test| HeldOut { valid, test, ..Default::default() };
    let good = || PrepareOptions { held_out: HeldOut::default(), ..small(folder.path()) };
    let cases = [
        ("source", PrepareOptions { tsv: None, ..good() }),
        ("target", PrepareOptions { tsv: None, source: Some("x".into()), ..good() }),
        ("tsv", PrepareOptions { target: Some("x".into()), ..good() }),
        ("output", PrepareOptions { output: PathBuf::new(), ..good() }),
        ("maxLength", PrepareOptions { max_length: 1, ..good() }),
        ("maxWords", PrepareOptions { max_words: Some(0), ..good() }),
        (
            "vocabulary.size",
            PrepareOptions { vocabulary: Vocabulary { size: Some(258), ..Default::default() }, ..good() },
        ),
        (
            "vocabulary.size",
            PrepareOptions {
                vocabulary: Vocabulary { size: Some(300), tokenizer: Some("x".into()), ..Default::default() },
                ..good()
            },
        ),
        (
            "heldOut.every",
            PrepareOptions { held_out: HeldOut { every: Some(1), ..Default::default() }, ..good() },
        ),
        ("maxWordLength", PrepareOptions { max_word_length: Some(0), ..good() }),
        ("maxRatio", PrepareOptions { max_ratio: Some(0.9), ..good() }),
        ("minWords", PrepareOptions { min_words: Some(9), max_words: Some(3), ..good() }),
        ("threads", PrepareOptions { threads: Some(0), ..good() }),
        ("shardSamples", PrepareOptions { shard_samples: Some(0), ..good() }),
        ("languages", PrepareOptions { normalize: true, ..good() }),
        (
            "languages",
            PrepareOptions {
                languages: Some(Languages { source: "de".into(), target: "en".into() }),
                ..good()
            },
        ),
        (
            "vocabulary.merges",
            PrepareOptions { vocabulary: Vocabulary { merges: Some(5), ..Default::default() }, ..good() },
        ),
        (
            "vocabulary.size",
            PrepareOptions {
                vocabulary: Vocabulary {
                    r#type: VocabularyType::Subword,
                    size: Some(300),
                    ..Default::default()
                },
                ..good()
            },
        ),
        ("heldOut.valid", PrepareOptions { valid: files(), held_out: held_out(Some(1), None), ..good() }),
        ("heldOut.test", PrepareOptions { test: files(), held_out: held_out(None, Some(1)), ..good() }),
        ("heldOut", PrepareOptions { held_out: held_out(Some(200), Some(14)), ..good() }),
    ];
    for (option, options) in cases {
        let error = prepare(&options).unwrap_err();
        assert_eq!(error.code(), "ERR_ARGUMENT", "{error}");
        assert!(error.to_string().contains(&format!("`{option}`")), "{option}: {error}");
    }
    let unknown = serde_json::from_str::<PrepareOptions>(r#"{ "tsv": "x", "maxTokens": 5 }"#).unwrap_err();
    assert!(unknown.to_string().contains("maxTokens"));
}
