//! Data that fairseq has binarized: a folder of `fairseq-preprocess` becomes what a translator is trained on here.

mod dictionary;
mod import;
mod indexed;
mod vocabulary;

pub use import::{FairseqOptions, Imported, import_translation};
