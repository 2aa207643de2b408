//! The Node-API face of sagetrain: conversion only.
#![deny(unsafe_code)]
// napi-derive registers nothing where `test` is set, so to a lint of all targets every export is unused.
#![cfg_attr(test, allow(dead_code))]

mod batch;
#[allow(unsafe_code, reason = "takes the memory of typed arrays for the length of a call")]
mod borrow;
mod checkpoints;
mod column;
#[allow(unsafe_code, reason = "implements an unsafe method of napi's, safely")]
mod data;
mod dataset;
#[allow(unsafe_code, reason = "ends the process")]
mod ending;
mod fairseq;
mod fault;
mod fields;
mod loader;
mod metrics;
mod model;
mod moses;
mod optimizer;
mod outputs;
mod predictions;
mod preparation;
mod promise;
#[allow(unsafe_code, reason = "calls the C++ half")]
mod runtime;
mod session;
mod slot;
mod spec;
mod spiral;
mod tokenizer;
mod translation;
