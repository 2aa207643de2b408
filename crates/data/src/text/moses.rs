//! Moses' text steps: punctuation normalisation, tokenisation, detokenisation. Output equals that of the Python package
//! sacremoses.
//!
//! ```
//! use sagetrain_data::text::moses::{MosesDetokenizer, MosesTokenizer};
//!
//! let tokenized = MosesTokenizer::new("en", true)?.tokenize("It's a well-known fact.");
//! assert_eq!(tokenized, "It &apos;s a well @-@ known fact .");
//! let tokens: Vec<&str> = tokenized.split(' ').collect();
//! assert_eq!(MosesDetokenizer::new("en")?.detokenize(&tokens), "It's a well-known fact.");
//! # Ok::<(), sagetrain_data::DataError>(())
//! ```

mod apostrophes;
mod classes;
mod detokenizer;
mod entities;
mod normalizer;
mod prefixes;
mod tokenizer;

pub use detokenizer::MosesDetokenizer;
pub use normalizer::{MosesNormalizer, remove_non_printing};
pub use tokenizer::MosesTokenizer;

use crate::{DataError, Result};

/// Refuses what is no language code, and a language whose rules are not here.
fn known_language(language: &str, without: &[&str]) -> Result<()> {
    let code = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    if code && !without.contains(&language) {
        return Ok(());
    }
    let reason = match code {
        true => format!("{language:?} has rules of its own, which are not here"),
        false => format!("{language:?} is no language code"),
    };
    Err(DataError::argument("language", reason, "give a code such as de or en"))
}
