//! The session: one thread that owns every tensor, steps, evaluates, searches and saves.
//!
//! A [`ModelHandle`] is a model on its engine thread; [`Session::create`] takes that thread over to train it. Commands are sent
//! with a reply callback, [`wait`] makes them blocking.
#![forbid(unsafe_code)]

pub mod checkpoint;
mod device;
mod ending;
mod engine;
mod error;
mod evaluate;
mod inputs;
mod label_smoothing;
mod options;
mod parameters;
mod search;
mod session;
mod smoothness;
mod tally;
pub mod task;
mod training;
mod updater;

pub use ending::stop;
pub use error::TrainerError;
pub use evaluate::{BatchSize, Losses};
pub use options::{PrecisionName, RunOptions, SessionOptions};
pub use search::{Hypothesis, LengthNormalization, Request, Sampling, SearchOptions, Searcher};
pub use session::{Array, ModelHandle, Reply, Session, wait};
pub use training::StepReport;
