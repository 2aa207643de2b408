//! A tokenizer.

use crate::fault::Fault;
use crate::promise::promise;
use crate::slot::Slot;
use napi::bindgen_prelude::{Env, Int32Array, Object, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use sagetrain_data::Tokenizer;
use std::path::PathBuf;
use std::sync::Arc;

/// Texts, or pairs of them, as ids.
#[napi(object, object_from_js = false)]
pub struct EncodedPairs {
    pub ids: Vec<Int32Array>,
    /// 0 for the first text's tokens, 1 for the second's; empty where the model has no types.
    pub types: Vec<Int32Array>,
}

/// Text to ids and back.
#[napi(js_name = "Tokenizer", custom_finalize)]
pub struct NativeTokenizer {
    slot: Slot<Arc<Tokenizer>>,
}

impl NativeTokenizer {
    /// Another owner, for an engine thread.
    pub(crate) fn share(&mut self) -> napi::Result<Arc<Tokenizer>> {
        self.slot.with(|tokenizer| Ok::<_, Fault>(Arc::clone(tokenizer)))
    }
}

#[napi]
impl NativeTokenizer {
    /// Opens a `tokenizer.json`, or the one in a folder.
    #[napi(catch_unwind, ts_return_type = "Promise<Tokenizer>")]
    pub fn load(env: &Env, path: String) -> napi::Result<Object<'_>> {
        let (settle, promise) = promise(env)?;
        settle.spawn(
            move || Tokenizer::open(&PathBuf::from(path)),
            |env, tokenizer| Ok(Self { slot: Slot::new(env, "tokenizer", Arc::new(tokenizer), 0)? }),
        )?;
        Ok(promise)
    }

    /// Tokens, special ones counted.
    #[napi(catch_unwind)]
    pub fn size(&mut self) -> napi::Result<f64> {
        Ok(self.share()?.vocabulary() as f64)
    }

    /// Ids of each text, with the closing `</s>`.
    #[napi(catch_unwind)]
    pub fn encode(&mut self, texts: Vec<String>) -> napi::Result<Vec<Int32Array>> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let rows = self.slot.with(|tokenizer| tokenizer.encode_batch(&texts))?;
        Ok(rows.into_iter().map(Int32Array::from).collect())
    }

    /// Ids and types of each text, or pair of texts, as a pretrained encoder takes them; the longer of a pair is cut first.
    #[napi(catch_unwind)]
    pub fn encode_pairs(
        &mut self,
        texts: Vec<String>,
        pairs: Vec<Option<String>>,
        max_length: f64,
    ) -> napi::Result<EncodedPairs> {
        let encode = |tokenizer: &mut Arc<Tokenizer>| {
            let both = texts.iter().zip(pairs.iter().map(Option::as_deref));
            both.map(|(text, pair)| tokenizer.encode_pair(text, pair, max_length as usize))
                .collect::<Result<Vec<_>, _>>()
        };
        let rows = self.slot.with(encode)?;
        let types = self.share()?.has_types();
        let (ids, kinds): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.ids, row.types)).unzip();
        let arrays = |rows: Vec<Vec<i32>>| rows.into_iter().map(Int32Array::from).collect();
        Ok(EncodedPairs { ids: arrays(ids), types: if types { arrays(kinds) } else { Vec::new() } })
    }

    /// Text of each row of ids, special tokens left out.
    #[napi(catch_unwind)]
    pub fn decode(&mut self, rows: Vec<Int32Array>) -> napi::Result<Vec<String>> {
        self.slot
            .with(|tokenizer| rows.iter().map(|row| tokenizer.decode(row)).collect::<Result<Vec<_>, _>>())
    }

    /// What each token of a text stands for.
    #[napi(catch_unwind)]
    pub fn parts(&mut self, text: String) -> napi::Result<Vec<String>> {
        self.slot.with(|tokenizer| tokenizer.parts(&text))
    }

    /// As `decode`, each `<unk>` replaced by that one of the source's `parts` which `alignments` names.
    #[napi(catch_unwind)]
    pub fn decode_replacing(
        &mut self,
        rows: Vec<Int32Array>,
        alignments: Vec<Uint32Array>,
        parts: Vec<String>,
    ) -> napi::Result<Vec<String>> {
        let decode = |tokenizer: &mut Arc<Tokenizer>| {
            let rows = rows.iter().zip(&alignments);
            rows.map(|(row, alignment)| tokenizer.decode_replacing(row, alignment, &parts)).collect()
        };
        self.slot.with(|tokenizer| decode(tokenizer))
    }

    /// Idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        self.slot.dispose(env)
    }
}

impl ObjectFinalize for NativeTokenizer {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        self.slot.dispose(&env)
    }
}
