//! Labelled files with flaws that are easily missed: each is counted by its line or refused with the place, the value and
//! the remedy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/labelled.rs"]
mod labelled;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::Write;
use std::path::Path;

use labelled::{columns, file, labels, named, of_text, options, refusal, report, samples};
use sagetrain_data::Tokenizer;
use sagetrain_data::classification::{Files, Header, HeldOut, Kind, PrepareOptions, prepare};
use sagetrain_data::text::Reason;
use serde_json::{Value, json};
use support::encoder;

/// Each line that was left out, with its reason.
fn left_out(prepared: &sagetrain_data::classification::Prepared) -> Vec<(Reason, [u64; 2])> {
    let parts = report(prepared).head.parts;
    let runs = |one: &sagetrain_data::classification::Rejected| {
        one.lines.iter().map(|run| (one.reason, *run)).collect::<Vec<_>>()
    };
    parts[0].rejected.iter().flat_map(runs).collect()
}

/// Says no in a way that names all of it.
fn refused(given: &PrepareOptions, words: &[&str]) {
    let error = refusal(given);
    assert_eq!(error.code(), "ERR_DATA", "{error}");
    let message = error.to_string();
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message}");
}

/// So many sound rows of two classes.
fn good(rows: usize, between: char) -> String {
    (0..rows).map(|row| format!("fine {row}{between}{}\n", row % 2)).collect()
}

#[test]
fn a_mark_of_byte_order_and_carriage_returns_are_no_part_of_any_format() {
    let folder = tempfile::tempdir().unwrap();
    let rows = ["a,0", "b,1", "c,0"];
    let csv = format!("text,label\n{}\n", rows.join("\n"));
    let objects: String = ["a,0", "b,1", "c,0"]
        .iter()
        .map(|row| row.split_once(',').unwrap())
        .map(|(text, label)| format!("{{\"text\":\"{text}\",\"label\":\"{label}\"}}\n"))
        .collect();
    for (name, text) in [("x.csv", csv.clone()), ("x.tsv", csv.replace(',', "\t")), ("x.jsonl", objects)] {
        let plain = PrepareOptions { columns: named(false), ..of_text(folder.path(), name, &text) };
        let expected = prepare(&plain).unwrap();
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let given = PrepareOptions {
            columns: named(false),
            ..of_text(folder.path(), &format!("marked-{name}"), marked)
        };
        let prepared = prepare(&given).unwrap();
        assert_eq!(samples(&prepared, "train"), samples(&expected, "train"), "{name}");
        assert_eq!(prepared.labels, ["0", "1"], "{name}");
        let warned =
            |what: &str| prepared.warnings.iter().any(|one| one.contains(what) && one.contains(name));
        assert!(warned("byte order mark"), "{name}: {:?}", prepared.warnings);
        assert!(name == "x.csv" || warned("end in CR LF"), "{name}: {:?}", prepared.warnings);
    }
}

#[test]
fn labels_are_trimmed_and_blank_ones_are_left_out_by_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}a\t 1\nb\t1 \nc\t\nd\t  \ne\t\u{a0}\n", good(10, '\t'));
    let prepared = prepare(&of_text(folder.path(), "x.tsv", &text)).unwrap();
    assert_eq!(prepared.labels, ["0", "1"]);
    assert_eq!(left_out(&prepared), [(Reason::EmptyLabel, [13, 15])]);
    let scores = PrepareOptions { kind: Some(Kind::Regression), ..of_text(folder.path(), "y.tsv", &text) };
    assert_eq!(left_out(&prepare(&scores).unwrap()), [(Reason::EmptyLabel, [13, 15])]);
    let mostly = of_text(folder.path(), "z.tsv", "a\t0\nb\t\nc\t \n");
    refused(&mostly, &["z.tsv: 2 of 3 rows are bad: no label (2, first in line 2)", "columns"]);
}

#[test]
fn a_quote_that_takes_the_rest_of_a_file_is_refused_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    // A row that was cut is one bad row; a quote that should not be there would take rows without a word.
    let cut = of_text(folder.path(), "cut.csv", format!("{}\"the text of this\nrow was", good(40, ',')));
    assert_eq!(left_out(&prepare(&cut).unwrap()), [(Reason::UnclosedQuote, [41, 41])]);
    for (before, after) in [(3, 40), (200, 30), (2, 3)] {
        let text = format!("{}\"quoted, 1\n{}", good(before, ','), good(after, ','));
        let line = format!("x.csv:{}: a quote in the row that begins here is not closed", before + 1);
        refused(
            &of_text(folder.path(), "x.csv", text),
            &[&line, &format!("so {} lines are one row", after + 1), "close it, or double it"],
        );
    }
}

#[test]
fn a_line_of_a_hundred_megabytes_is_held_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let long = |name: &str, before: &str, between: char, after: &str| {
        let path = folder.path().join(name);
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(before.as_bytes()).unwrap();
        let megabyte = vec![b'a'; 1 << 20];
        (0..100).for_each(|_| file.write_all(&megabyte).unwrap());
        file.write_all(format!("{between}1\n{after}").as_bytes()).unwrap();
        path
    };
    let path = long("x.tsv", &good(9, '\t'), '\t', "last\t0\n");
    let before = peak_memory();
    let prepared = prepare(&options(folder.path(), &path)).unwrap();
    assert_eq!(
        (left_out(&prepared), prepared.parts["train"].samples),
        (vec![(Reason::LineTooLong, [10, 10])], 10)
    );
    let path = long("alone.tsv", "", '\t', "");
    refused(
        &options(folder.path(), &path),
        &["alone.tsv: ", "longer than a line may be (1, first in line 1)"],
    );
    let path = long("x.csv", &good(9, ','), ',', "last,0\n");
    refused(
        &options(folder.path(), &path),
        &["x.csv:10: the row that begins here has more than 1048576 bytes"],
    );
    assert!(peak_memory() < before + 64_000, "from {before} to {} KiB", peak_memory());
}

/// The most that this process has held, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or_default()
}

#[test]
fn a_nul_is_in_no_text_and_no_label() {
    let folder = tempfile::tempdir().unwrap();
    let tsv = of_text(folder.path(), "x.tsv", format!("{}a\0b\t1\nc\t1\0\n", good(10, '\t')));
    assert_eq!(left_out(&prepare(&tsv).unwrap()), [(Reason::ControlCharacter, [11, 12])]);
    let csv = of_text(folder.path(), "x.csv", format!("{}\"a\0\",1\n", good(10, ',')));
    assert_eq!(left_out(&prepare(&csv).unwrap()), [(Reason::ControlCharacter, [11, 11])]);
    let rows: String = (0..6).map(|row| format!("{{\"text\":\"t\",\"label\":{}}}\n", row % 2)).collect();
    let objects = of_text(folder.path(), "x.jsonl", format!("{rows}{{\"text\":\"a\\u0000\",\"label\":0}}\n"));
    let objects = PrepareOptions { columns: named(false), ..objects };
    assert_eq!(left_out(&prepare(&objects).unwrap()), [(Reason::ControlCharacter, [7, 7])]);
    // UTF-16 without a byte order mark.
    let wide: Vec<u8> = good(5, '\t').bytes().flat_map(|byte| [byte, 0]).collect();
    refused(
        &of_text(folder.path(), "wide.tsv", wide),
        &["wide.tsv: ", "a control character", "first in line 1"],
    );
}

#[test]
fn bytes_that_are_no_utf8_are_left_out_by_their_line_and_a_header_of_them_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, between) in [("x.tsv", '\t'), ("x.csv", ',')] {
        let mut text = good(10, between).into_bytes();
        text.extend([&b"caf\xe9"[..], &[between as u8], b"1\nz", &[between as u8], b"0\n"].concat());
        let prepared = prepare(&of_text(folder.path(), name, &text)).unwrap();
        assert_eq!(left_out(&prepared), [(Reason::InvalidUtf8, [11, 11])], "{name}");
        let header = [&b"caf\xe9"[..], &[between as u8], b"label\n", good(5, between).as_bytes()].concat();
        let given = PrepareOptions { columns: named(false), ..of_text(folder.path(), name, header) };
        let place = format!("{name}:1: its first line should name the columns and is not valid UTF-8");
        refused(&given, &[&place, "number the columns"]);
    }
    let latin = "a\u{e9}\t0\nb\t1\n".chars().map(|letter| letter as u8).collect::<Vec<_>>();
    let prepared = prepare(&of_text(folder.path(), "latin.tsv", [&latin[..], b"c\t0\n"].concat())).unwrap();
    assert_eq!(
        (left_out(&prepared), prepared.parts["train"].samples),
        (vec![(Reason::InvalidUtf8, [1, 1])], 2)
    );
}

#[test]
fn a_first_row_that_cannot_be_read_is_left_out_and_does_not_say_how_many_columns_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let blank = format!("\n\u{20}\n{}", good(10, '\t'));
    let prepared = prepare(&of_text(folder.path(), "x.tsv", &blank)).unwrap();
    assert_eq!(
        (left_out(&prepared), prepared.parts["train"].samples),
        (vec![(Reason::EmptyLine, [1, 2])], 10)
    );
    let test = file(folder.path(), "test.tsv", "\nunseen\t1\n");
    let given =
        PrepareOptions { test: Some((&*test).into()), ..of_text(folder.path(), "y.tsv", good(10, '\t')) };
    assert!(prepare(&given).unwrap().parts["test"].labelled);
    for (name, header) in [("blank.tsv", "\n"), ("spaces.tsv", "  \n")] {
        let given = of_text(folder.path(), name, format!("{header}{}", good(5, '\t')));
        let given = PrepareOptions { header: Header::Yes, ..given };
        refused(&given, &[&format!("{name}:1: its first line should name the columns and is an empty line")]);
    }
    let given = PrepareOptions { columns: named(false), ..of_text(folder.path(), "nothing.csv", "\n\n") };
    refused(&given, &["nothing.csv:1: its first line should name the columns and is not there"]);
}

#[test]
fn two_columns_of_one_name_are_refused_where_the_name_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (name, between) in [("x.tsv", '\t'), ("x.csv", ',')] {
        let rows = "text,label,text,more,more\na,0,x,1,2\nb,1,y,1,2\n".replace(',', &between.to_string());
        let twice = PrepareOptions { columns: named(false), ..of_text(folder.path(), name, &rows) };
        let place = format!("{name}:1: its columns 0 and 2, counted from 0, are both named `text`");
        refused(&twice, &[&place, "rename one of them, or number the columns"]);
        let numbered = PrepareOptions { columns: columns(2, None, 1), header: Header::Yes, ..twice };
        assert_eq!(labels(&prepare(&numbered).unwrap(), "train"), [0.0, 1.0]);
    }
    // Of two keys of one name the last counts, as readers of JSON have it.
    let rows = "{\"text\":\"a\",\"label\":0,\"label\":1}\n{\"text\":\"b\",\"label\":0}\n";
    let given = PrepareOptions { columns: named(false), ..of_text(folder.path(), "x.jsonl", rows) };
    assert_eq!(labels(&prepare(&given).unwrap(), "train"), [1.0, 0.0]);
}

#[test]
fn a_label_that_only_validation_has_is_named_with_its_file_and_line_among_several_files() {
    let folder = tempfile::tempdir().unwrap();
    let train = of_text(folder.path(), "train.tsv", "a\t0\nb\t1\n");
    let one = file(folder.path(), "one.tsv", "c\t1\n");
    let two = file(folder.path(), "two.tsv", "d\t0\ne\tmaybe\nf\tmaybe\n");
    let valid = Some(Files::Many(vec![one, two]));
    let given = PrepareOptions { valid, held_out: HeldOut::default(), ..train };
    refused(
        &given,
        &[
            "two.tsv:2: the label `maybe` (2 samples) is none of the 2 classes `0`, `1`",
            "name all classes in labels",
        ],
    );
}

#[test]
fn an_object_with_a_label_below_one_without_is_refused_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let train = "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":1}\n";
    let tested = |name: &str, label: &str| {
        let rows = "{\"text\":\"c\"}\n".repeat(20_000);
        let test = file(folder.path(), name, format!("{rows}{{\"text\":\"d\",\"label\":{label}}}\n{rows}"));
        let given = of_text(folder.path(), "train.jsonl", train);
        PrepareOptions { columns: named(false), test: Some(Files::One(test)), ..given }
    };
    for label in ["1", "\"1\"", "true", "[1]"] {
        refused(
            &tested("late.jsonl", label),
            &[
                "late.jsonl:20001: ",
                "it has a label and the first row has none",
                "give all of them one, or none",
            ],
        );
    }
    // These say that there is none.
    for label in ["null", "\" \""] {
        let prepared = prepare(&tested("none.jsonl", label)).unwrap();
        assert_eq!((prepared.parts["test"].samples, prepared.parts["test"].labelled), (40_001, false));
    }
}

#[test]
fn of_several_files_the_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let fine = file(folder.path(), "fine.tsv", good(10, '\t'));
    let bad = file(folder.path(), "bad.tsv", format!("x\t1\n{}", "no column\n".repeat(12)));
    let base = options(folder.path(), &fine);
    let both = |files: Vec<_>| PrepareOptions { train: Some(Files::Many(files)), ..base.clone() };
    let more = file(folder.path(), "more.tsv", good(20, '\t').replace("fine", "more"));
    // However many good ones are beside it.
    for files in [vec![fine.clone(), bad.clone()], vec![fine.clone(), more, bad.clone()]] {
        let found = "12 of 13 rows are bad: too few columns (12, first in line 2)";
        refused(&both(files), &[&format!("{}: {found}", bad.display())]);
    }
    let half = file(folder.path(), "half.tsv", format!("{}{}", good(5, '\t'), "no column\n".repeat(5)));
    let warned = prepare(&both(vec![fine, half.clone()])).unwrap().warnings;
    let found = format!("too few columns (5, first in {}:6)", half.display());
    assert!(warned.contains(&format!("train: 5 of 20 rows are left out: {found}")), "{warned:?}");
}

#[test]
fn a_padding_token_that_a_text_spells_out_is_that_token_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (name, pad) in [("bert", "[PAD]"), ("roberta", "<pad>")] {
        let text = format!("the house {pad} is small\t0\nthe house\t1\n");
        let given = PrepareOptions {
            tokenizer: encoder(folder.path(), name),
            ..of_text(folder.path(), &format!("{name}.tsv"), text)
        };
        let prepared = prepare(&given).unwrap();
        let tokenizer = Tokenizer::open(&given.tokenizer).unwrap();
        let encoded = tokenizer.encode_pair(&format!("the house {pad} is small"), None, 512).unwrap();
        assert_eq!(encoded.ids.iter().filter(|id| **id == tokenizer.pad()).count(), 1, "{name}");
        let expected: Vec<f64> = encoded.ids.iter().map(|id| f64::from(*id)).collect();
        assert_eq!(samples(&prepared, "train")[0]["tokens"], expected, "{name}");
        let warning = format!("train: 1 of 2 samples spell out the padding token `{pad}`");
        assert!(prepared.warnings.iter().any(|one| one.starts_with(&warning)), "{:?}", prepared.warnings);
    }
}

/// A folder of a tokenizer whose `tokenizer.json` has been changed.
fn changed(folder: &Path, name: &str, change: impl Fn(&mut Value)) -> PrepareOptions {
    let tokenizer = encoder(folder, name);
    let path = tokenizer.join("tokenizer.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    fs::write(&path, json.to_string()).unwrap();
    PrepareOptions { tokenizer, ..of_text(folder, "x.tsv", good(10, '\t')) }
}

#[test]
fn ids_outside_the_vocabulary_and_a_padding_token_that_is_not_in_it_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let far = changed(folder.path(), "fast", |json| {
        json["post_processor"]["special_tokens"]["[SEP]"]["ids"] = json!([70_000]);
    });
    refused(&far, &["it makes id 70000", "its tokens have ids 0 to", "post-processor"]);
    refused(&far, &["fast: it makes id 70000", "x.tsv:1)"]);
    let unpadded = changed(folder.path(), "fast", |json| {
        json["added_tokens"].as_array_mut().unwrap().retain(|token| token["content"] != "[PAD]");
        json["model"]["vocab"].as_object_mut().unwrap().remove("[PAD]");
    });
    refused(
        &unpadded,
        &[
            "fast/tokenizer.json: ",
            "no encoder's: it has no tokens that begin, part and fill",
            "[PAD]",
            "give a",
        ],
    );
}

#[test]
fn a_text_that_the_tokenizer_cannot_encode_is_named_with_the_tokenizer_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let lacking = changed(folder.path(), "bert-json", |json| {
        json["added_tokens"].as_array_mut().unwrap().retain(|token| token["content"] != "[UNK]");
        json["model"]["vocab"].as_object_mut().unwrap().remove("[UNK]");
    });
    let first = file(folder.path(), "first.csv", "text,label\nthe,0\n\"the\nhouse\",1\n");
    let second = file(folder.path(), "second.csv", "label,text\n0,\"the\nhouse\"\n1,\u{10348}\n");
    let given =
        PrepareOptions { train: Some(Files::Many(vec![first, second])), columns: named(false), ..lacking };
    refused(&given, &["bert-json: ", "[UNK]", "second.csv:4)", "have a token for what is unknown"]);
}
