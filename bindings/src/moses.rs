//! Moses' text steps, and those that go with a model.

use crate::fault::Fault;
use crate::slot::guarded;
use napi_derive::napi;
use sagetrain_data::text::moses::{MosesDetokenizer, MosesNormalizer, MosesTokenizer};
use sagetrain_data::translation::{SideSteps, TextSteps};
use std::path::Path;
use std::sync::Arc;

/// Normaliser, tokenizer and detokenizer of one language.
#[napi(js_name = "Moses")]
pub struct NativeMoses {
    normalizer: MosesNormalizer,
    tokenizer: MosesTokenizer,
    detokenizer: MosesDetokenizer,
}

#[napi]
impl NativeMoses {
    /// For a language by its code.
    #[napi(catch_unwind)]
    pub fn create(language: String, aggressive_hyphens: bool, escape: bool) -> napi::Result<Self> {
        guarded(|| {
            Ok::<_, Fault>(Self {
                normalizer: MosesNormalizer::new(&language)?,
                tokenizer: MosesTokenizer::new(&language, aggressive_hyphens)?.escape(escape),
                detokenizer: MosesDetokenizer::new(&language)?,
            })
        })
    }

    /// Lines with their punctuation made alike.
    #[napi(catch_unwind)]
    pub fn normalize(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| self.normalizer.normalize(line)).collect()
    }

    /// Lines with one space between tokens.
    #[napi(catch_unwind)]
    pub fn tokenize(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| self.tokenizer.tokenize(line)).collect()
    }

    /// Lines of tokens as text.
    #[napi(catch_unwind)]
    pub fn detokenize(&self, lines: Vec<String>) -> Vec<String> {
        let text = |line: &String| self.detokenizer.detokenize(&line.split_whitespace().collect::<Vec<_>>());
        lines.iter().map(text).collect()
    }
}

/// What sentences go through before they become tokens: `text.json`.
#[napi(js_name = "TextSteps")]
pub struct NativeTextSteps {
    source: SideSteps,
    target: Arc<SideSteps>,
}

impl NativeTextSteps {
    /// Another owner of the target's, for an engine thread.
    pub(crate) fn share_target(&self) -> Arc<SideSteps> {
        Arc::clone(&self.target)
    }
}

#[napi]
impl NativeTextSteps {
    /// Those of a folder; none where it has no `text.json`.
    #[napi(catch_unwind)]
    pub fn open(folder: String) -> napi::Result<Self> {
        guarded(|| {
            let steps = TextSteps::open(Path::new(&folder))?;
            Ok::<_, Fault>(Self { source: steps.source()?, target: Arc::new(steps.target()?) })
        })
    }

    /// Source sentences as the tokenizer is given them.
    #[napi(catch_unwind)]
    pub fn process_sources(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| self.source.process(line)).collect()
    }

    /// Target sentences as the tokenizer is given them.
    #[napi(catch_unwind)]
    pub fn process_targets(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| self.target.process(line)).collect()
    }

    /// Source sentences as people read them.
    #[napi(catch_unwind)]
    pub fn restore_sources(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| self.source.restore(line)).collect()
    }

    /// Target sentences as people read them.
    #[napi(catch_unwind)]
    pub fn restore_targets(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| self.target.restore(line)).collect()
    }
}
