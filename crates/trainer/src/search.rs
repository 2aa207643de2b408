//! Finding translations: beam search and sampling over any translator.

mod beam;
mod hypothesis;
mod options;
mod request;
mod sampling;
mod searcher;

pub use hypothesis::Hypothesis;
pub use options::{LengthNormalization, Sampling, SearchOptions};
pub use request::Request;
pub use searcher::Searcher;
