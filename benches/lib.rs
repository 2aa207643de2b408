//! Shared measuring helpers of the benchmarks.
