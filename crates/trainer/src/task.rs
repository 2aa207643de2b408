//! What each task evaluates beyond its loss. A task is one file here and one in TypeScript.

pub mod classification;
pub mod spiral;
pub mod translation;
