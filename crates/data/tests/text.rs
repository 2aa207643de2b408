//! Reading parallel text: what is sound comes through, what is not is listed with its line, and nothing gets lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use sagetrain_data::DataError;
use sagetrain_data::text::{CorpusFiles, LONGEST_LINE, Pair, Pairs, Reason};

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn tsv(path: PathBuf) -> CorpusFiles {
    CorpusFiles { tsv: Some(path), ..Default::default() }
}

fn read(files: &CorpusFiles) -> Result<Vec<Pair>, DataError> {
    Pairs::open(files)?.collect()
}

/// Reads bytes as one TSV.
fn of_bytes(bytes: impl AsRef<[u8]>) -> Result<Vec<Pair>, DataError> {
    let folder = tempfile::tempdir().unwrap();
    read(&tsv(write(folder.path(), "corpus.tsv", bytes)))
}

/// The rejections as (line, file, reason).
fn rejected(pairs: &[Pair]) -> Vec<(u64, usize, Reason)> {
    let rejected = pairs.iter().filter_map(|pair| pair.content.as_ref().err().map(|why| (pair.line, why)));
    rejected.map(|(line, why)| (line, why.file, why.reason)).collect()
}

fn sound(pairs: &[Pair]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .filter_map(|pair| pair.content.as_ref().ok())
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect()
}

#[test]
fn each_flaw_of_a_line_is_named_and_the_lines_around_it_are_kept() {
    use Reason::{
        ControlCharacter, EmptyLine, EmptySource, EmptyTarget, ExtraTab, InvalidUtf8, LineTooLong, NoTab,
    };
    let long = ["a\t", "b".repeat(LONGEST_LINE).as_str()].concat().into_bytes();
    let cases: Vec<(&str, Vec<u8>, Reason)> = vec![
        ("no tab", b"only one side".to_vec(), NoTab),
        ("spaces for a tab", b"eins    one".to_vec(), NoTab),
        ("comma for a tab", b"eins,one".to_vec(), NoTab),
        ("two tabs", b"eins\tone\tune".to_vec(), ExtraTab),
        ("a tab at the end", b"eins\tone\t".to_vec(), ExtraTab),
        ("only tabs", b"\t\t\t".to_vec(), ExtraTab),
        ("nothing", b"".to_vec(), EmptyLine),
        ("white space", b"   ".to_vec(), EmptyLine),
        ("a lone tab", b"\t".to_vec(), EmptyLine),
        ("a lone tab between no-break spaces", "\u{a0}\t\u{2003}".into(), EmptyLine),
        ("no source", b"\tone".to_vec(), EmptySource),
        ("a blank source", b"  \tone".to_vec(), EmptySource),
        ("no target", b"eins\t".to_vec(), EmptyTarget),
        ("a blank target", "eins\t\u{3000}".into(), EmptyTarget),
        ("NUL", b"ei\0ns\tone".to_vec(), ControlCharacter),
        ("an escape sequence", b"eins\t\x1b[31mone\x1b[0m".to_vec(), ControlCharacter),
        ("a carriage return inside", b"eins\ron\tone".to_vec(), ControlCharacter),
        ("a vertical tab", b"eins\to\x0bne".to_vec(), ControlCharacter),
        ("DEL", b"eins\to\x7fne".to_vec(), ControlCharacter),
        ("a C1 control", "eins\to\u{85}ne".into(), ControlCharacter),
        ("Latin-1", b"Gr\xf6\xdfe\tsize".to_vec(), InvalidUtf8),
        ("a cut character", b"eins\tone \xe2\x82".to_vec(), InvalidUtf8),
        ("an overlong slash", b"eins\t\xc0\xaf".to_vec(), InvalidUtf8),
        ("a surrogate", b"eins\t\xed\xa0\x80".to_vec(), InvalidUtf8),
        ("past U+10FFFF", b"eins\t\xf4\x90\x80\x80".to_vec(), InvalidUtf8),
        ("too many bytes", long, LineTooLong),
    ];
    assert!(cases.len() >= 20);
    for (name, line, reason) in cases {
        let bytes = [b"vor\tbefore\n".as_slice(), &line, b"\nnach\tafter\n"].concat();
        let pairs = of_bytes(bytes).unwrap();
        assert_eq!(rejected(&pairs), [(2, 0, reason)], "{name}");
        assert_eq!(sound(&pairs), [("vor", "before"), ("nach", "after")], "{name}");
    }
}

#[test]
fn files_that_cannot_be_a_corpus_are_errors_that_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = gzip(vec![b'a'; 80 << 20]);
    let lines = gzip(format!("{}\n", "a".repeat(1000)).repeat(80 << 10));
    let whole = gzip("eins\tone\n".repeat(1000));
    let damaged: Vec<u8> =
        whole.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at > whole.len() - 6)).collect();
    let utf16: Vec<u8> = "\u{feff}eins\tone\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases = [
        ("empty.tsv", vec![], "the file is empty"),
        ("cut.tsv.gz", whole[..whole.len() / 2].to_vec(), "truncated or damaged"),
        ("cut-late.tsv.gz", whole[..whole.len() - 1].to_vec(), "truncated or damaged"),
        ("checksum.tsv.gz", damaged, "truncated or damaged"),
        ("only-magic.gz", vec![0x1f, 0x8b], "truncated or damaged"),
        ("trailing.gz", [whole, b"garbage".to_vec()].concat(), "truncated or damaged"),
        ("bomb.gz", bomb, "grows more than 200 times"),
        ("bomb-of-lines.gz", lines, "grows more than 200 times"),
        ("utf16.tsv", utf16, "UTF-16"),
    ];
    for (name, bytes, message) in cases {
        let read = read(&tsv(write(folder.path(), name, bytes))).map(|pairs| pairs.len());
        let error = read.expect_err(name);
        assert_eq!(error.code(), "ERR_DATA", "{name}");
        assert!(error.to_string().contains(name) && error.to_string().contains(message), "{error}");
    }
    for path in [folder.path().to_owned(), "/dev/null".into()] {
        let error = read(&tsv(path)).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
    assert_eq!(read(&tsv(folder.path().join("missing"))).unwrap_err().code(), "ERR_IO");
}

#[test]
fn a_pair_of_files_says_which_file_is_to_blame() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "a.de", b"eins\n\nGr\xf6\xdfe\nvier\nfuenf\nsechs\t6\n");
    let target = write(folder.path(), "a.en", b"one\ntwo\nsize\n\nfi\0ve\nsix\nseven\neight");
    let files = CorpusFiles { source: Some(source), target: Some(target), tsv: None };
    let pairs = read(&files).unwrap();
    assert_eq!(sound(&pairs), [("eins", "one")]);
    let expected = [
        (2, 0, Reason::EmptySource),
        (3, 0, Reason::InvalidUtf8),
        (4, 1, Reason::EmptyTarget),
        (5, 1, Reason::ControlCharacter),
        (6, 0, Reason::ControlCharacter),
        (7, 1, Reason::MissingPartner),
        (8, 1, Reason::MissingPartner),
    ];
    assert_eq!(rejected(&pairs), expected);
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_taken_off_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "dos.tsv", "\u{feff}eins\tone\r\nzwei\ttwo\r\ndrei\tthree\n");
    let mut pairs = Pairs::open(&tsv(path)).unwrap();
    let read: Vec<_> = pairs.by_ref().map(Result::unwrap).collect();
    assert_eq!(sound(&read), [("eins", "one"), ("zwei", "two"), ("drei", "three")]);
    let facts = &pairs.facts()[0];
    assert_eq!((facts.lines, facts.byte_order_mark, facts.carriage_returns, facts.gzip), (3, true, 2, false));
}

#[test]
fn gzip_is_known_by_its_bytes_and_may_have_several_members() {
    let folder = tempfile::tempdir().unwrap();
    let members = [gzip("eins\tone\nzw"), gzip("ei\ttwo")].concat();
    let pairs = read(&tsv(write(folder.path(), "no-ending", members))).unwrap();
    assert_eq!(sound(&pairs), [("eins", "one"), ("zwei", "two")]);
    let plain = read(&tsv(write(folder.path(), "plain.gz", "eins\tone\n"))).unwrap();
    assert_eq!(sound(&plain), [("eins", "one")]);
}

#[test]
fn highly_repetitive_text_is_no_bomb() {
    let bytes = gzip("Siehe auch\tSee also\n".repeat(200_000));
    assert_eq!(of_bytes(bytes).unwrap().len(), 200_000);
}

#[test]
fn outer_white_space_is_no_part_of_a_sentence_and_inner_is() {
    assert_eq!(
        sound(&of_bytes("  ein  Satz \t a  sentence\u{a0}\n").unwrap()),
        [("ein  Satz", "a  sentence")]
    );
}

#[test]
fn which_files_make_a_corpus_is_said() {
    let path = || Some(PathBuf::from("x"));
    let cases = [
        ("source", None, None, None),
        ("source", None, path(), None),
        ("target", path(), None, None),
        ("tsv", path(), None, path()),
        ("tsv", path(), path(), path()),
    ];
    for (option, source, target, tsv) in cases {
        let error = CorpusFiles { source, target, tsv }.paths().unwrap_err();
        assert_eq!(error.code(), "ERR_ARGUMENT");
        assert!(error.to_string().contains(&format!("`{option}`")), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever the bytes, each line is either a pair or listed, and reading never panics.
    #[test]
    fn no_line_gets_lost(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..30), packed: bool) {
        let lines: Vec<Vec<u8>> =
            lines.into_iter().map(|line| line.into_iter().map(|byte| if byte == b'\n' { b'\t' } else { byte }).collect()).collect();
        let bytes = [lines.join(&b'\n'), b"\n".to_vec()].concat();
        // A file that happens to begin with another format's mark is refused as a whole.
        prop_assume!(!bytes.starts_with(&[0x1f, 0x8b]) && !bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xfe, 0xff]));
        let pairs = of_bytes(if packed { gzip(&bytes) } else { bytes }).unwrap();
        prop_assert_eq!(pairs.len(), lines.len());
        prop_assert!(pairs.iter().zip(1..).all(|(pair, line)| pair.line == line));
    }

    /// Sound pairs come through as they are, from one file or two.
    #[test]
    fn sound_pairs_come_through(pairs in prop::collection::vec(("[^\\pC\\pZ][^\\pC]{0,20}[^\\pC\\pZ]", "[^\\pC\\pZ]{1,20}"), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let text = |pick: &dyn Fn(&(String, String)) -> String| pairs.iter().map(|pair| pick(pair) + "\n").collect::<String>();
        let one = tsv(write(folder.path(), "a.tsv", text(&|(a, b)| format!("{a}\t{b}"))));
        let source = Some(write(folder.path(), "a.x", text(&|(a, _)| a.clone())));
        let target = Some(write(folder.path(), "a.y", gzip(text(&|(_, b)| b.clone()))));
        let expected: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let (one, two) = (read(&one).unwrap(), read(&CorpusFiles { source, target, tsv: None }).unwrap());
        prop_assert_eq!(sound(&one), expected.clone());
        prop_assert_eq!(sound(&two), expected);
    }
}
