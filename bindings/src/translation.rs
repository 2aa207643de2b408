//! What a translation model does beyond training: preparing text, searching, scoring.

use crate::data::Data;
use crate::dataset::NativeDataset;
use crate::fault::Fault;
use crate::model::NativeModel;
use crate::moses::NativeTextSteps;
use crate::promise::promise;
use crate::slot::guarded;
use crate::spec::{parse, write};
use crate::tokenizer::NativeTokenizer;
use napi::bindgen_prelude::{Env, Int32Array, Object, Uint32Array};
use napi_derive::napi;
use sagetrain_data::translation::{PrepareOptions, Watch, prepare_watched};
use sagetrain_trainer::task::translation::{Evaluation, Scores};
use sagetrain_trainer::{Hypothesis, Request, SearchOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One output of a search.
#[napi(object)]
pub struct FoundHypothesis {
    pub ids: Int32Array,
    pub score: f64,
    /// The source token that each id looked at most; empty unless the search's `alignment` asked for it.
    pub alignment: Uint32Array,
}

/// How far a preparation is.
#[napi(object)]
pub struct Progress {
    /// `checksum`, `wait`, `assemble`, `survey`, `tokenizer`, `encode`, `publish`; empty before the first.
    pub stage: String,
    pub lines: f64,
    /// Of the stage that is done, 0 to 1.
    pub share: f64,
}

#[derive(Default)]
struct Watched {
    at: Mutex<(&'static str, u64, f64)>,
    stopped: AtomicBool,
}

impl Watch for Watched {
    fn progress(&self, stage: &'static str, lines: u64, share: f64) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = (stage, lines, share);
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

/// A preparation that can be followed and called off.
#[napi(js_name = "Preparation")]
pub struct NativePreparation {
    options: PrepareOptions,
    watch: Arc<Watched>,
}

#[napi]
impl NativePreparation {
    /// Checks the options, which are JSON.
    #[napi(catch_unwind)]
    pub fn create(options: String) -> napi::Result<Self> {
        guarded(|| {
            let options = PrepareOptions::from_json(parse(&options)?)?;
            Ok::<_, Fault>(Self { options, watch: Arc::default() })
        })
    }

    /// Does the work, or finds it done; resolves with JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn run<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (options, watch, (settle, promise)) =
            (self.options.clone(), Arc::clone(&self.watch), promise(env)?);
        let work = move || write(&prepare_watched(&options, watch.as_ref())?);
        settle.spawn(work, |_, prepared: String| Ok(prepared))?;
        Ok(promise)
    }

    /// How far it is.
    #[napi(catch_unwind)]
    pub fn progress(&self) -> Progress {
        let (stage, lines, share) = *self.watch.at.lock().unwrap_or_else(PoisonError::into_inner);
        Progress { stage: stage.to_owned(), lines: lines as f64, share }
    }

    /// Makes it end with `ERR_ABORTED`; another one with the same options goes on where it was.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.watch.stopped.store(true, Ordering::Release);
    }
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
