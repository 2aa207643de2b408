//! The published files of each task, by the names of their columns.

use super::Task;
use crate::classification::Kind::{Classification, Regression};
use crate::preparation::held_out::Part::{self, Test, TestMismatched, Train, Valid, ValidMismatched};

/// One published file.
#[derive(Debug)]
pub(super) struct TaskFile {
    pub(super) part: Part,
    pub(super) name: &'static str,
    pub(super) text: At,
    pub(super) pair: Option<At>,
    /// None: the test server has the labels, and knows the samples by the column `index`.
    pub(super) label: Option<At>,
    pub(super) index: Option<&'static str>,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    /// Of a file without a header, from 0.
    Place(usize),
    Name(&'static str),
}

const BINARY: &[&str] = &["0", "1"];
const ENTAILMENT: &[&str] = &["not_entailment", "entailment"];
/// The label of pairs whose annotators did not agree.
pub(super) const NO_GOLD: &str = "-";

/// All tasks but WNLI, in the order of their names in the paper.
pub static TASKS: [Task; 8] = [
    Task {
        name: "cola",
        about: "CoLA: whether a sentence is acceptable English (Matthews correlation)",
        folder: "CoLA",
        kind: Classification,
        labels: BINARY,
        published: "https://dl.fbaipublicfiles.com/glue/data/CoLA.zip",
        files: &[
            one(Train, "train.tsv", At::Place(3), At::Place(1)),
            one(Valid, "dev.tsv", At::Place(3), At::Place(1)),
            test_one("test.tsv"),
        ],
        handed_in: &[("test", "CoLA.tsv")],
    },
    Task {
        name: "sst-2",
        about: "SST-2: whether a sentence of a film review is positive (accuracy)",
        folder: "SST-2",
        kind: Classification,
        labels: BINARY,
        published: "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
        files: &[
            one(Train, "train.tsv", At::Name("sentence"), At::Name("label")),
            one(Valid, "dev.tsv", At::Name("sentence"), At::Name("label")),
            test_one("test.tsv"),
        ],
        handed_in: &[("test", "SST-2.tsv")],
    },
    Task {
        name: "mrpc",
        about: "MRPC: whether two sentences of the news say the same (accuracy, F1)",
        folder: "MRPC",
        kind: Classification,
        labels: BINARY,
        published: "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_train.txt, msr_paraphrase_test.txt \
                    and https://dl.fbaipublicfiles.com/glue/data/mrpc_dev_ids.tsv",
        files: &[
            two(Train, "train.tsv", MRPC, "Quality"),
            two(Valid, "dev.tsv", MRPC, "Quality"),
            test_two(Test, "test.tsv", MRPC, "index"),
        ],
        handed_in: &[("test", "MRPC.tsv")],
    },
    Task {
        name: "sts-b",
        about: "STS-B: how alike two sentences are, 0 to 5 (Pearson and Spearman correlation)",
        folder: "STS-B",
        kind: Regression,
        labels: &[],
        published: "https://dl.fbaipublicfiles.com/glue/data/STS-B.zip",
        files: &[
            two(Train, "train.tsv", SENTENCES, "score"),
            two(Valid, "dev.tsv", SENTENCES, "score"),
            test_two(Test, "test.tsv", SENTENCES, "index"),
        ],
        handed_in: &[("test", "STS-B.tsv")],
    },
    Task {
        name: "qqp",
        about: "QQP: whether two questions ask the same (accuracy, F1)",
        folder: "QQP",
        kind: Classification,
        labels: BINARY,
        published: "https://dl.fbaipublicfiles.com/glue/data/QQP-clean.zip",
        files: &[
            two(Train, "train.tsv", QUESTIONS, "is_duplicate"),
            two(Valid, "dev.tsv", QUESTIONS, "is_duplicate"),
            test_two(Test, "test.tsv", QUESTIONS, "id"),
        ],
        handed_in: &[("test", "QQP.tsv")],
    },
    Task {
        name: "mnli",
        about: "MNLI: whether a premise contradicts, leaves open or entails a hypothesis (accuracy)",
        folder: "MNLI",
        kind: Classification,
        labels: &["contradiction", "neutral", "entailment"],
        published: "https://dl.fbaipublicfiles.com/glue/data/MNLI.zip",
        files: &[
            two(Train, "train.tsv", SENTENCES, "gold_label"),
            two(Valid, "dev_matched.tsv", SENTENCES, "gold_label"),
            two(ValidMismatched, "dev_mismatched.tsv", SENTENCES, "gold_label"),
            test_two(Test, "test_matched.tsv", SENTENCES, "index"),
            test_two(TestMismatched, "test_mismatched.tsv", SENTENCES, "index"),
        ],
        handed_in: &[("test", "MNLI-m.tsv"), ("testMismatched", "MNLI-mm.tsv")],
    },
    Task {
        name: "qnli",
        about: "QNLI: whether a sentence holds the answer to a question (accuracy)",
        folder: "QNLI",
        kind: Classification,
        labels: ENTAILMENT,
        published: "https://dl.fbaipublicfiles.com/glue/data/QNLIv2.zip",
        files: &[
            two(Train, "train.tsv", ["question", "sentence"], "label"),
            two(Valid, "dev.tsv", ["question", "sentence"], "label"),
            test_two(Test, "test.tsv", ["question", "sentence"], "index"),
        ],
        handed_in: &[("test", "QNLI.tsv")],
    },
    Task {
        name: "rte",
        about: "RTE: whether a text entails a hypothesis (accuracy)",
        folder: "RTE",
        kind: Classification,
        labels: ENTAILMENT,
        published: "https://dl.fbaipublicfiles.com/glue/data/RTE.zip",
        files: &[
            two(Train, "train.tsv", SENTENCES, "label"),
            two(Valid, "dev.tsv", SENTENCES, "label"),
            test_two(Test, "test.tsv", SENTENCES, "index"),
        ],
        handed_in: &[("test", "RTE.tsv")],
    },
];

const SENTENCES: [&str; 2] = ["sentence1", "sentence2"];
const QUESTIONS: [&str; 2] = ["question1", "question2"];
pub(super) const MRPC: [&str; 2] = ["#1 String", "#2 String"];

const fn one(part: Part, name: &'static str, text: At, label: At) -> TaskFile {
    TaskFile { part, name, text, pair: None, label: Some(label), index: None }
}

const fn test_one(name: &'static str) -> TaskFile {
    TaskFile { part: Test, name, text: At::Name("sentence"), pair: None, label: None, index: Some("index") }
}

pub(super) const fn two(
    part: Part,
    name: &'static str,
    texts: [&'static str; 2],
    label: &'static str,
) -> TaskFile {
    let (text, pair) = (At::Name(texts[0]), Some(At::Name(texts[1])));
    TaskFile { part, name, text, pair, label: Some(At::Name(label)), index: None }
}

const fn test_two(part: Part, name: &'static str, texts: [&'static str; 2], index: &'static str) -> TaskFile {
    let (text, pair) = (At::Name(texts[0]), Some(At::Name(texts[1])));
    TaskFile { part, name, text, pair, label: None, index: Some(index) }
}
