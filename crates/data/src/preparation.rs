//! What every preparation of data does alike: inputs are known by their bytes, stages leave what they have done, every line
//! that is left out is counted, and the outcome appears whole or not at all.

pub(crate) mod block;
pub(crate) mod blocks;
pub(crate) mod cache;
pub(crate) mod folder;
pub(crate) mod held_out;
pub(crate) mod inputs;
pub(crate) mod overlap;
mod report;
mod sums;
pub(crate) mod tally;
pub(crate) mod watch;

pub use held_out::HeldOut;
pub use report::{Example, FileReport, PartReport, Rejected, ReportHead};
pub use watch::Watch;

pub(crate) use folder::write_json;
pub(crate) use report::{file_warnings, said_in_report};
