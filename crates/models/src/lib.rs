//! Transformer and MLP over the fused operations; weight names are Hugging Face's.
//!
//! A [`ModelSpec`] says what to build, [`create`] and [`load`] give a [`Model`]: parameters, a loss of packed batches,
//! and, for translation, a [`Translator`] that decodes token by token. One engine thread owns a model and its tensors.

#![forbid(unsafe_code)]

mod attention;
mod decoder;
mod embedding;
mod encoder;
mod ensemble;
mod error;
mod feed_forward;
mod fields;
mod format;
mod history;
mod incremental;
mod init;
mod inputs;
mod json_file;
mod layout;
mod linear;
mod marian;
mod marian_config;
mod marian_spec;
mod mlp;
mod mlp_folder;
mod mlp_spec;
mod model;
mod nearest;
mod norm;
mod own_config;
mod parameters;
mod pass;
mod place;
mod presets;
mod ragged;
mod registry;
mod spec;
mod tables;
mod tensors_file;
mod transformer;
mod transformer_spec;
mod translator;
mod vocabulary;

pub use embedding::sinusoids;
pub use ensemble::Ensemble;
pub use error::{ModelError, Result};
pub use history::Cache;
pub use init::Initial;
pub use inputs::{InputColumn, Inputs};
pub use mlp::{FEATURES, LABEL};
pub use mlp_spec::MlpSpec;
pub use model::{Forward, Loss, Model};
pub use parameters::{Parameter, Parameters, Role};
pub use place::place;
pub use presets::{PRESETS, preset};
pub use ragged::Ragged;
pub use registry::{create, load};
pub use spec::ModelSpec;
pub use transformer::{SOURCE, TARGET};
pub use transformer_spec::{Activation, Normalization, TransformerSpec};
pub use translator::{Decoding, Scores, Tokens, Translator};
pub use vocabulary::{Embeddings, Vocabulary};
