//! Scores and tests on plain slices and strings: BLEU, chrF, accuracy, paired bootstrap.
//!
//! A corpus score is a function of counts that add up over sentences. [`bleu`] and [`chrf`] give those counts a sentence
//! ([`bleu::Counts`], [`chrf::Counts`]), and [`bootstrap::paired`] resamples them without looking at the text again.
#![forbid(unsafe_code)]

pub mod accuracy;
pub mod bleu;
pub mod bootstrap;
pub mod chrf;
mod error;
mod ngrams;
mod pcg64;
mod signature;
mod statistics;
mod tokenizer_13a;

pub use accuracy::accuracy;
pub use error::MetricsError;
pub use signature::SACREBLEU_VERSION;
pub use statistics::{Statistics, total};
pub use tokenizer_13a::tokenize_13a;
