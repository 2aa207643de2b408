//! sacreBLEU's signature strings, by which a score says how it was computed.

use crate::bootstrap;
use crate::randomization;

/// The sacreBLEU release whose definitions (and signature) the scores follow.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// How systems were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// By [`bootstrap::paired`].
    Bootstrap(bootstrap::Options),
    /// By [`randomization::paired`].
    Randomization(randomization::Options),
}

/// `nrefs:N[|bs:N|seed:S]|<settings>|version:V`, keys in sacreBLEU's order.
pub(crate) fn signature(settings: &str, references: usize, test: Option<Test>) -> String {
    format!("nrefs:{references}{}|{settings}|version:{SACREBLEU_VERSION}", test_keys(test))
}

pub(crate) fn test_keys(test: Option<Test>) -> String {
    match test {
        None => String::new(),
        Some(Test::Bootstrap(options)) => format!("|bs:{}|seed:{}", options.resamples, options.seed),
        Some(Test::Randomization(options)) => format!("|ar:{}|seed:{}", options.trials, options.seed),
    }
}
