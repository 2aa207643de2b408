//! What stands for an n-gram order without a match (Chen and Cherry, 2014), as sacreBLEU names and computes it.

use serde::Deserialize;

/// sacreBLEU's smoothing methods.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Smoothing {
    /// Nothing: such a corpus scores 0.
    None,
    /// `value` matches.
    Floor {
        /// sacreBLEU's default is 0.1.
        value: f64,
    },
    /// `value` is added to the matches and to the n-grams of every order above 1.
    AddK {
        /// sacreBLEU's default is 1.
        value: f64,
    },
    /// 1 / 2^k matches for the k-th such order (NIST's).
    #[default]
    Exp,
}

impl Smoothing {
    /// Matches and n-grams of `order` with what is added to them.
    pub(crate) fn added(self, order: usize, matched: f64, ngrams: f64) -> (f64, f64) {
        match self {
            Smoothing::AddK { value } if order > 1 => (matched + value, ngrams + value),
            _ => (matched, ngrams),
        }
    }

    /// The percentage of the `nth` order without a match.
    pub(crate) fn unmatched(self, nth: i32, ngrams: f64) -> f64 {
        match self {
            Smoothing::Exp => 100.0 / (2.0_f64.powi(nth) * ngrams),
            Smoothing::Floor { value } => 100.0 * value / ngrams,
            Smoothing::None | Smoothing::AddK { .. } => 0.0,
        }
    }

    pub(crate) fn signature(self) -> String {
        match self {
            Smoothing::None => "none".into(),
            Smoothing::Floor { value } => format!("floor[{value:.2}]"),
            Smoothing::AddK { value } => format!("add-k[{value:.2}]"),
            Smoothing::Exp => "exp".into(),
        }
    }
}
