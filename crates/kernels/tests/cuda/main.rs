//! The CUDA text: compiled for every architecture, run as C++ on the CPU, and on a GPU where there is one, against the scalar rules.
#![cfg(all(feature = "cuda", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arrays;
mod compiled;
mod device;
mod emulated;
mod emulator;
mod groups;
mod machine;
mod masks;
mod norms;
mod positions;
mod tools;
