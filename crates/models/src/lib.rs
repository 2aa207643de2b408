//! Transformer, BERT, RoBERTa and MLP over the fused operations; weight names are Hugging Face's.
//!
//! A [`ModelSpec`] says what to build, [`create`] and [`load`] give a [`Model`]: parameters, a loss of packed batches,
//! for translation a [`Translator`] that decodes token by token, for encoders hidden states ([`SequenceEncoder`]). [`fine_tune`] puts a new
//! head on a pretrained encoder. One engine thread owns a model and its tensors.

#![forbid(unsafe_code)]

mod attention;
mod bert;
mod bert_config;
mod bert_encoder;
mod bert_folder;
mod bert_head;
mod bert_head_settings;
mod bert_presets;
mod bert_settings;
mod bert_spec;
mod bert_weights;
mod classification;
mod decoder;
mod embedding;
mod encoder;
mod ensemble;
mod error;
mod feed_forward;
mod fields;
mod fine_tune;
mod format;
mod head_spec;
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
mod sequence_encoder;
mod shards;
mod smoothness;
mod spec;
mod tables;
mod tensors_file;
mod transformer;
mod transformer_spec;
mod translator;
mod unfinished;
mod vocabulary;
mod weights;

pub use bert::{Bert, NUMBER, TOKENS, TYPES};
pub use bert_presets::{BERT_PRESETS, bert_preset};
pub use bert_spec::{Architecture, BertSpec};
pub use embedding::sinusoids;
pub use ensemble::Ensemble;
pub use error::{ModelError, Result};
pub use fine_tune::{FineTune, LoadReport, Pooler, fine_tune};
pub use head_spec::{HeadKind, HeadOptions, HeadSpec};
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
pub use registry::{create, load, load_reporting};
pub use sequence_encoder::SequenceEncoder;
pub use smoothness::{PerturbationNorm, Smoothness, SmoothnessTerm};
pub use spec::ModelSpec;
pub use transformer::{SOURCE, TARGET};
pub use transformer_spec::{Activation, Normalization, TransformerSpec};
pub use translator::{Decoding, Scores, Tokens, Translator};
pub use vocabulary::{Embeddings, Vocabulary};
