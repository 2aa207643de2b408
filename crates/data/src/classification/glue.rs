//! The tasks of GLUE (<https://gluebenchmark.com>): how their published files are read, and how predictions are handed in.
//!
//! Files are those of the official archives. Quotes are text, columns lie between tabs, and a line with too few columns is
//! left out, of QQP a few dozen. CoLA's `train.tsv` and `dev.tsv` have no header, MRPC's files begin with a byte order mark,
//! and MNLI's have label columns of which only `gold_label` counts.
//!
//! Ids of classes are those of SAGE's reference code and MT-DNN: MNLI has contradiction 0, neutral 1, entailment 2, and QNLI
//! and RTE have not_entailment 0, entailment 1. Hugging Face's data sets have entailment 0, neutral 1, contradiction 2, and
//! entailment 0, not_entailment 1: a model that was fine-tuned on those says so in its `config.json`. STS-B's scores, 0 to
//! 5, are learnt as they are.
//!
//! # Handing in
//! The test server takes a zip of one file a task, [`ARCHIVE`], each a TSV with the header [`HEADER`] and a line a sample of
//! the test file: its index and the class by its name, or for STS-B the score, from 0 to 5, with three decimals. Tasks that
//! are not taken part in need a file all the same: AX (the diagnostic set, classes of MNLI) and WNLI (0 or 1).

mod files;
mod mrpc;
mod tasks;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::tasks::TASKS;
use self::tasks::TaskFile;
use super::Kind;
use crate::{DataError, Result};

/// The first line of every file that is handed in.
pub const HEADER: &str = "index\tprediction";
/// Decimals of a score that is handed in.
pub const DECIMALS: u8 = 3;
/// The files of an archive that is handed in.
pub const ARCHIVE: [&str; 11] = [
    "AX.tsv",
    "CoLA.tsv",
    "MNLI-m.tsv",
    "MNLI-mm.tsv",
    "MRPC.tsv",
    "QNLI.tsv",
    "QQP.tsv",
    "RTE.tsv",
    "SST-2.tsv",
    "STS-B.tsv",
    "WNLI.tsv",
];

/// One task.
#[derive(Debug)]
pub struct Task {
    /// E.g. `sst-2`, the recipe's name.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Its folder among those of all tasks.
    pub folder: &'static str,
    /// What a label is.
    pub kind: Kind,
    /// The classes in the order of their ids, as the files and the test server spell them.
    pub labels: &'static [&'static str],
    /// Where its files are to be had.
    pub published: &'static str,
    files: &'static [TaskFile],
    /// The files that are handed in, by the part that is predicted.
    pub handed_in: &'static [(&'static str, &'static str)],
}

/// How predictions of a task's test parts are handed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// The name of each test part's file in the archive.
    pub files: BTreeMap<String, String>,
    /// The first line of each.
    pub header: String,
    /// The names of the classes, in the order of their ids; none of a score.
    pub labels: Vec<String>,
    /// Of a score: the decimals that are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Of a score: the least and the greatest; what is predicted beyond is written as these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
}

impl Task {
    /// The one of this name.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        TASKS.iter().find(|task| task.name == name).ok_or_else(|| {
            let names: Vec<_> = TASKS.iter().map(|task| task.name).collect();
            let remedy = format!("give one of {}", names.join(", "));
            DataError::argument("recipe", format!("there is no recipe {name:?}"), remedy)
        })
    }

    /// How its predictions are handed in.
    pub fn submission(&self) -> Submission {
        let owned = |(part, file): &(&str, &str)| ((*part).to_owned(), (*file).to_owned());
        let score = self.kind == Kind::Regression;
        Submission {
            files: self.handed_in.iter().map(owned).collect(),
            header: HEADER.to_owned(),
            labels: self.labels.iter().map(|label| (*label).to_owned()).collect(),
            decimals: score.then_some(DECIMALS),
            range: score.then_some([0.0, 5.0]),
        }
    }
}
