//! Shared measuring helpers of the benchmarks.

pub mod machine;
pub mod precision;
pub mod shapes;
pub mod workload;
