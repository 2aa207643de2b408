//! Labelled files of every format: what is read of them, what is left out, what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/labelled.rs"]
mod labelled;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use labelled::{columns, file, gzipped, labels, named, of_text, options, refusal, report, samples};
use sagetrain_data::Tokenizer;
use sagetrain_data::classification::{
    Columns, Files, Header, HeldOut, Kind, PrepareOptions, Report, prepare,
};
use sagetrain_data::text::Reason;
use serde_json::json;
use support::encoder;

const ROWS: [(&str, &str, &str); 6] = [
    ("The house is \"small\".", "It's a big one, though.", "yes"),
    ("a, b; and c", "line one\nline two", "no"),
    ("Grüße 日本 👩‍👧", "x", "maybe"),
    ("'quotes' \"\"", "\"", "no"),
    ("back\\slash", "#hash", "yes"),
    (" spaces around ", "  ", "no"),
];

#[test]
fn every_format_gives_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    // A TSV holds no line feeds, and a blank second text is none.
    let rows: Vec<_> = ROWS.iter().take(5).map(|(a, b, label)| (*a, b.replace('\n', " "), *label)).collect();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let tsv: String = rows.iter().map(|(a, b, label)| format!("{a}\t{b}\t{label}\n")).collect();
    let csv: String =
        rows.iter().map(|(a, b, label)| format!("{label},{},{}\r\n", quoted(b), quoted(a))).collect();
    let jsonl: String = rows
        .iter()
        .map(|(a, b, label)| format!("{}\n", json!({ "label": label, "other": b, "id": [1], "text": a })))
        .collect();
    let header = format!("label,other,text\n{csv}");
    let files = [
        (file(folder.path(), "a.tsv", &tsv), columns(0, Some(1), 2)),
        (gzipped(folder.path(), "a.tsv.gz", &tsv), columns(0, Some(1), 2)),
        (file(folder.path(), "a.csv", &csv), columns(2, Some(1), 0)),
        (gzipped(folder.path(), "b.csv.gz", &header), named(true)),
        (file(folder.path(), "a.jsonl", &jsonl), named(true)),
        (gzipped(folder.path(), "a.jsonl.gz", &jsonl), named(true)),
    ];
    let made = files.map(|(path, columns)| {
        let prepared = prepare(&PrepareOptions { columns, ..options(folder.path(), &path) }).unwrap();
        assert_eq!(prepared.labels, ["maybe", "no", "yes"]);
        assert!(prepared.pair && prepared.types);
        samples(&prepared, "train")
    });
    assert_eq!(made[0].len(), 5);
    assert!(made.iter().all(|samples| *samples == made[0]));
    let tokenizer = Tokenizer::open(&encoder(folder.path(), "bert")).unwrap();
    for (sample, (first, second, _)) in made[0].iter().zip(&rows) {
        let encoded = tokenizer.encode_pair(first, Some(second), 512).unwrap();
        assert_eq!(sample["tokens"], encoded.ids.iter().map(|id| f64::from(*id)).collect::<Vec<_>>());
        assert_eq!(sample["types"], encoded.types.iter().map(|id| f64::from(*id)).collect::<Vec<_>>());
    }
}

#[test]
fn a_csv_has_line_feeds_within_quotes_and_its_rows_are_known_by_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "text,label\n\"one\ntwo\",a\n\n\"three, \"\"four\"\"\",b\nfive\nsix,a,extra\n\"seven\n\neight\",b\n";
    let given = PrepareOptions { columns: named(false), ..of_text(folder.path(), "x.csv", text) };
    let prepared = prepare(&given).unwrap();
    assert_eq!(labels(&prepared, "train"), [0.0, 1.0, 1.0]);
    let rejected = report(&prepared).head.parts[0].rejected.clone();
    let found: Vec<_> = rejected.iter().map(|one| (one.reason, one.lines.clone())).collect();
    assert_eq!(found, [(Reason::MissingField, vec![[6, 6]]), (Reason::ExtraField, vec![[7, 7]])]);
}

#[test]
fn a_quote_that_is_never_closed_is_a_bad_row_or_refused_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..10).map(|row| format!("text {row},{}\n", row % 2)).collect();
    let given = of_text(folder.path(), "x.csv", format!("{rows}\"open,1\nnever closed,0\n"));
    let prepared = prepare(&given).unwrap();
    assert_eq!(report(&prepared).head.parts[0].rejected[0].lines, [[11, 11]]);
    assert_eq!(prepared.parts["train"].left_out[&Reason::UnclosedQuote], 1);
    let endless = format!("{rows}\"open,1\n{}", "never closed,0\n".repeat(200_000));
    let error = refusal(&of_text(folder.path(), "y.csv", endless));
    assert!(error.to_string().contains("y.csv:11: the row that begins here"), "{error}");
}

#[test]
fn a_row_of_a_csv_with_too_many_columns_is_refused_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let given = of_text(folder.path(), "x.csv", format!("a,0\nb,1\n{}\n", ",".repeat(20_000)));
    let message = refusal(&given).to_string();
    assert!(message.contains("x.csv:3: the row that begins here has more than 16384 columns"), "{message}");
}

#[test]
fn every_bad_line_is_counted_by_its_reason_and_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let good: String = (0..20).map(|row| format!("fine {row}\t{}\n", row % 2)).collect();
    let mut text = good.into_bytes();
    text.extend_from_slice(b"one column\n\nthree\tcolumns\t1\n \t1\nno label\t\n\xff\xfe\t1\n");
    text.extend(std::iter::repeat_n(b'a', 2 << 20));
    text.extend_from_slice(b"\t1\nfine\t0\n");
    let prepared = prepare(&of_text(folder.path(), "x.tsv", &text)).unwrap();
    assert_eq!(prepared.parts["train"].samples, 21);
    let expected = BTreeMap::from([
        (Reason::MissingField, 1),
        (Reason::EmptyLine, 1),
        (Reason::ExtraField, 1),
        (Reason::EmptyText, 1),
        (Reason::EmptyLabel, 1),
        (Reason::InvalidUtf8, 1),
        (Reason::LineTooLong, 1),
    ]);
    assert_eq!(prepared.parts["train"].left_out, expected);
    let part = &report(&prepared).head.parts[0];
    assert_eq!((part.lines, part.kept, part.bad), (28, 21, 7));
    let mut lines: Vec<_> = part.rejected.iter().map(|one| one.lines[0][0]).collect();
    lines.sort_unstable();
    assert_eq!(lines, [21, 22, 23, 24, 25, 26, 27]);
}

#[test]
fn bad_json_lines_are_counted_too() {
    let folder = tempfile::tempdir().unwrap();
    let good: String =
        (0..20).map(|row| format!("{{\"text\":\"t {row}\",\"label\":{}}}\n", row % 2)).collect();
    let bad = "[1]\n{\n\n  \n{\"label\":1}\n{\"text\":5,\"label\":1}\n{\"text\":\"x\",\"label\":null}\n{\"text\":\"x\",\"label\":[1]}\n";
    let given = PrepareOptions {
        columns: named(false),
        ..of_text(folder.path(), "x.jsonl", format!("{good}{bad}{}", "[".repeat(5000)))
    };
    let prepared = prepare(&given).unwrap();
    let expected = BTreeMap::from([
        (Reason::InvalidJson, 3),
        (Reason::EmptyLine, 2),
        (Reason::MissingKey, 1),
        (Reason::NotText, 2),
        (Reason::EmptyLabel, 1),
    ]);
    assert_eq!(prepared.parts["train"].left_out, expected);
}

#[test]
fn a_file_that_is_mostly_bad_is_refused_with_a_report_of_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let given = of_text(folder.path(), "x.tsv", "a\t0\nb\nc\nd\t1\ne\n");
    let error = refusal(&given);
    assert_eq!(error.code(), "ERR_DATA");
    let message = error.to_string();
    assert!(message.contains("3 of 5 rows are bad: too few columns (3, first in line 2)"), "{message}");
    let report: Report =
        serde_json::from_slice(&fs::read(given.output.join("prepare-report.json")).unwrap()).unwrap();
    assert_eq!(report.head.parts[0].rejected[0].lines, [[2, 3], [5, 5]]);
}

#[test]
fn the_first_line_names_the_columns_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let text = "text\tlabel\na\t0\nb\t1\n";
    let numbered = of_text(folder.path(), "x.tsv", text);
    let prepared = prepare(&numbered).unwrap();
    assert_eq!(prepared.parts["train"].samples, 3);
    let warning = "only its first line has the label `label`; if it names the columns, give header: true";
    assert!(prepared.warnings.iter().any(|one| one.contains(warning)), "{:?}", prepared.warnings);
    let skipped = prepare(&PrepareOptions { header: Header::Yes, ..numbered.clone() }).unwrap();
    let by_name = prepare(&PrepareOptions { columns: named(false), ..numbered.clone() }).unwrap();
    assert_eq!(samples(&skipped, "train"), samples(&by_name, "train"));
    assert_eq!(by_name.parts["train"].samples, 2);
    let other = Some(Columns { text: "texts".into(), pair: None, label: "label".into() });
    let message = refusal(&PrepareOptions { columns: other, ..numbered.clone() }).to_string();
    assert!(
        message.contains("x.tsv:1: no column is named `texts`; its header has `text`, `label`"),
        "{message}"
    );
    let clash = PrepareOptions { columns: named(false), header: Header::No, ..numbered };
    assert!(refusal(&clash).to_string().contains("option `header`"));
}

#[test]
fn several_files_are_read_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let one = file(folder.path(), "one.tsv", "a\t0\nb\n");
    let two = file(folder.path(), "two.csv", "c,1\nd,0\n\"\",1\n");
    let base = options(folder.path(), &one);
    let prepared = prepare(&PrepareOptions { train: Some(Files::Many(vec![one, two])), ..base }).unwrap();
    assert_eq!(labels(&prepared, "train"), [0.0, 1.0, 0.0]);
    let part = &report(&prepared).head.parts[0];
    let found: Vec<_> =
        part.rejected.iter().map(|one| (one.file.ends_with("one.tsv"), one.lines[0])).collect();
    assert_eq!(found, [(true, [2, 2]), (false, [3, 3])]);
    assert_eq!((part.lines, part.files[0].facts.lines, part.files[1].facts.lines), (5, 2, 3));
}

#[test]
fn foreign_and_damaged_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 5] = [
        ("empty.tsv", b"", "the file is empty"),
        ("utf16.tsv", b"\xff\xfea\0\t\0", "it is UTF-16"),
        ("cut.tsv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "truncated or damaged"),
        ("sheet.xlsx", b"PK", "its name does not say how it is written"),
        ("numbered.jsonl", b"{}\n", "objects have keys"),
    ];
    for (name, bytes, message) in cases {
        let error = refusal(&of_text(folder.path(), name, bytes));
        assert_eq!(error.code(), "ERR_DATA", "{name}: {error}");
        assert!(error.to_string().contains(message) && error.to_string().contains(name), "{error}");
    }
    let missing = refusal(&options(folder.path(), Path::new("missing.tsv")));
    assert_eq!(missing.code(), "ERR_IO");
}

/// Labelled text that is not in the repository.
#[test]
#[allow(clippy::print_stdout, reason = "says why nothing was tested")]
fn real_files_are_read_whole() {
    let Some(data) = std::env::var_os("SAGETRAIN_DATA") else {
        println!("skipped: SAGETRAIN_DATA names no folder of data");
        return;
    };
    let data = Path::new(&data).join("sentences");
    let sets = [
        ("languagetool_acceptability", columns(0, None, 1), Kind::Classification, [23_536, 1_123, 2_006]),
        ("vader_movieReviewSnippets", columns(0, None, 1), Kind::Regression, [9_503, 575, 527]),
        ("wic_wordnet", columns(2, Some(3), 4), Kind::Classification, [11_501, 645, 542]),
    ];
    for (name, columns, kind, counts) in sets {
        let folder = tempfile::tempdir().unwrap();
        let part = |part: &str| Some(Files::One(data.join(format!("{name}.{part}.tsv.gz"))));
        let given = PrepareOptions {
            train: part("train"),
            valid: part("valid"),
            test: part("test"),
            columns,
            kind: Some(kind),
            held_out: HeldOut::default(),
            ..options(folder.path(), Path::new(""))
        };
        let prepared = prepare(&given).unwrap();
        let found = ["train", "valid", "test"].map(|part| prepared.parts[part].samples);
        assert_eq!(found, counts, "{name}: {:?}", prepared.warnings);
        let balanced = name == "wic_wordnet";
        let train = &prepared.parts["train"];
        assert!(
            !balanced
                || train.labels.iter().sum::<u64>() == 11_501
                    && train.labels[0].abs_diff(train.labels[1]) < 2
        );
    }
}
