//! Data made ready for training, by a thread of its own.

use crate::fault::Fault;
use crate::promise::promise;
use crate::slot::guarded;
use crate::spec::{parse, write};
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;
use sagetrain_data::preparation::Watch;
use sagetrain_data::{classification, translation};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// What is prepared, and with which options.
#[derive(Clone)]
enum Work {
    Translation(translation::PrepareOptions),
    Classification(classification::PrepareOptions),
}

impl Work {
    /// Does it, or finds it done; what has been made, as JSON.
    fn run(&self, watch: &Watched) -> Result<String, Fault> {
        match self {
            Self::Translation(options) => write(&translation::prepare_watched(options, watch)?),
            Self::Classification(options) => write(&classification::prepare_watched(options, watch)?),
        }
    }
}

/// A preparation that can be followed and called off.
#[napi(js_name = "Preparation")]
pub struct NativePreparation {
    work: Work,
    watch: Arc<Watched>,
}

#[napi]
impl NativePreparation {
    /// Of parallel text. Checks the options, which are JSON.
    #[napi(catch_unwind)]
    pub fn translation(options: String) -> napi::Result<Self> {
        guarded(|| {
            let options = translation::PrepareOptions::from_json(parse(&options)?)?;
            Ok::<_, Fault>(Self { work: Work::Translation(options), watch: Arc::default() })
        })
    }

    /// Of labelled text, likewise.
    #[napi(catch_unwind)]
    pub fn classification(options: String) -> napi::Result<Self> {
        guarded(|| {
            let options = classification::PrepareOptions::from_json(parse(&options)?)?;
            Ok::<_, Fault>(Self { work: Work::Classification(options), watch: Arc::default() })
        })
    }

    /// Does the work, or finds it done; resolves with JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn run<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (work, watch, (settle, promise)) = (self.work.clone(), Arc::clone(&self.watch), promise(env)?);
        settle.spawn(move || work.run(&watch), |_, prepared: String| Ok(prepared))?;
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
