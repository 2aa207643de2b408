//! What a translation model does beyond training: searching, scoring.

use crate::data::Data;
use crate::dataset::NativeDataset;
use crate::fault::Fault;
use crate::model::NativeModel;
use crate::moses::NativeTextSteps;
use crate::promise::promise;
use crate::slot::guarded;
use crate::spec::parse;
use crate::tokenizer::NativeTokenizer;
use napi::bindgen_prelude::{Env, Int32Array, Object, Uint32Array};
use napi_derive::napi;
use sagetrain_trainer::task::translation::{Evaluation, Scores};
use sagetrain_trainer::{Hypothesis, Request, SearchOptions};
use std::sync::Arc;

/// One output of a search.
#[napi(object)]
pub struct FoundHypothesis {
    pub ids: Int32Array,
    pub score: f64,
    /// The source token that each id looked at most; empty unless the search's `alignment` asked for it.
    pub alignment: Uint32Array,
}

#[napi]
impl NativeModel {
    /// Hypotheses of every source (ids with `</s>`), best first. Outputs begin with `prefixes`, which may be fewer;
    /// `positions` are the sources' among all that are translated; `search` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<FoundHypothesis[][]>")]
    pub fn translate<'env>(
        &mut self,
        env: &'env Env,
        sources: Vec<Int32Array>,
        prefixes: Vec<Int32Array>,
        positions: Vec<f64>,
        search: String,
    ) -> napi::Result<Object<'env>> {
        let search = guarded(|| search_options(&search))?;
        let requests = requests(&sources, &prefixes, &positions);
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        let convert =
            |_: &Env, found: Vec<Vec<Hypothesis>>| Ok(found.into_iter().map(hypotheses).collect::<Vec<_>>());
        handle.translate(requests, search, settle.reply(convert));
        Ok(promise)
    }

    /// Loss, BLEU and chrF over a dataset, of hypotheses as people read them; `search` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
    pub fn evaluate_translation<'env>(
        &mut self,
        env: &'env Env,
        dataset: &mut NativeDataset,
        tokenizer: &mut NativeTokenizer,
        text: &NativeTextSteps,
        references: Vec<String>,
        search: String,
        max_tokens: f64,
    ) -> napi::Result<Object<'env>> {
        let evaluation = Evaluation {
            dataset: dataset.share()?,
            tokenizer: tokenizer.share()?,
            text: text.share_target(),
            references: Arc::new(references),
            search: guarded(|| search_options(&search))?,
            max_tokens: max_tokens as usize,
        };
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        handle.evaluate_translation(evaluation, settle.reply(|_, scores: Scores| Ok(Data(scores))));
        Ok(promise)
    }
}

fn search_options(text: &str) -> Result<SearchOptions, Fault> {
    let options: SearchOptions =
        serde_json::from_value(parse(text)?).map_err(|error| Fault::argument("search", error))?;
    options.validate()?;
    Ok(options)
}

fn requests(sources: &[Int32Array], prefixes: &[Int32Array], positions: &[f64]) -> Vec<Request> {
    let one = |(index, source): (usize, &Int32Array)| Request {
        source: source.to_vec(),
        prefix: prefixes.get(index).map(|prefix| prefix.to_vec()).unwrap_or_default(),
        position: positions.get(index).map_or(index as u64, |&position| position as u64),
    };
    sources.iter().enumerate().map(one).collect()
}

fn hypotheses(found: Vec<Hypothesis>) -> Vec<FoundHypothesis> {
    let one = |Hypothesis { tokens, score, alignment }| FoundHypothesis {
        ids: tokens.into(),
        score,
        alignment: alignment.into(),
    };
    found.into_iter().map(one).collect()
}
