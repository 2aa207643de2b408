//! Scores and tests on plain slices and strings: BLEU, chrF, TER, BLEU of tokenized text; accuracy, F1, Matthews' correlation, the
//! confusion matrix; Pearson's and Spearman's correlation; paired tests, Student's t.
//!
//! A corpus score ([`Metric`]) is a function of counts that add up over sentences ([`Statistics`]), which
//! [`bootstrap::paired`] resamples and [`randomization::paired`] shuffles without looking at the text again.
#![forbid(unsafe_code)]

pub mod accuracy;
pub mod bleu;
pub mod bootstrap;
pub mod chrf;
mod classes;
mod compounds;
pub mod confusion;
mod error;
pub mod f1;
mod matthews;
mod metric;
mod ngrams;
mod pcg64;
mod pearson;
pub mod randomization;
mod signature;
mod smoothing;
mod spearman;
mod statistics;
pub mod t_test;
mod ter;
mod tokenized_bleu;
mod tokenizer;
mod white_space;

pub use accuracy::accuracy;
pub use bleu::Bleu;
pub use chrf::Chrf;
pub use compounds::split_compounds;
pub use confusion::{ConfusionMatrix, confusion_matrix};
pub use error::MetricsError;
pub use matthews::matthews;
pub use metric::{Metric, MetricSpec, Score, corpus_score, sentence_scores};
pub use pearson::pearson;
pub use signature::{SACREBLEU_VERSION, Test};
pub use smoothing::Smoothing;
pub use spearman::spearman;
pub use statistics::Statistics;
pub use ter::{Ter, TerScore};
pub use tokenized_bleu::{TokenizedBleu, TokenizedBleuScore};
pub use tokenizer::{Tokenizer, tokenize_13a};
