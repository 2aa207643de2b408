//! A model in training.

use crate::batch::NativeBatch;
use crate::data::Data;
use crate::ending;
use crate::fault::Fault;
use crate::model::NativeModel;
use crate::promise::promise;
use crate::slot::{Slot, guarded};
use crate::spec::{parse, write};
use napi::bindgen_prelude::{Env, Object, ObjectFinalize};
use napi_derive::napi;
use sagetrain_trainer::checkpoint::{Extras, Loaded};
use sagetrain_trainer::{Session, SessionOptions, StepReport};
use std::path::PathBuf;

/// What one step did.
#[napi(object)]
pub struct StepData {
    pub step: f64,
    pub updated: bool,
    pub read: bool,
    pub loss: f64,
    pub nll: f64,
    pub smoothness: Option<f64>,
    pub count: f64,
    pub lr: Option<f64>,
    pub gradient_norm: Option<f64>,
    pub skipped: bool,
    pub seconds: f64,
    pub optimizer_seconds: f64,
}

/// What a checkpoint held beside tensors; `run` is JSON.
#[napi(object)]
pub struct LoadedCheckpoint {
    pub run: String,
    pub warnings: Vec<String>,
    pub step: f64,
}

struct Training {
    session: Session,
    options: SessionOptions,
}

/// A handle; everything else is the engine thread's.
#[napi(js_name = "Session", custom_finalize)]
pub struct NativeSession {
    slot: Slot<Training>,
}

#[napi]
impl NativeSession {
    /// Takes the model's thread over; `options` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<Session>")]
    pub fn create<'env>(
        env: &'env Env,
        model: &mut NativeModel,
        options: String,
    ) -> napi::Result<Object<'env>> {
        let options = guarded(|| Ok::<_, Fault>(SessionOptions::from_json(&parse(&options)?)?))?;
        let (handle, (settle, promise)) = (model.handle()?, promise(env)?);
        // Two moments, SAGE's average and that of the weights where there are any, and the gradients.
        let senses = options.optimizer.sage().is_some() || options.optimizer.observe().is_some();
        let states = 3 + usize::from(senses) + usize::from(options.update.average.is_some());
        let bytes = model.slot.with(|model| Ok::<_, Fault>(model.bytes() * states))?;
        let convert = move |env: &Env, (session, options)| {
            Ok(Self { slot: Slot::new(env, "session", Training { session, options }, bytes)? })
        };
        Session::create(&handle, options, settle.reply(convert));
        Ok(promise)
    }

    /// JSON of the options as resolved.
    #[napi(catch_unwind)]
    pub fn options(&mut self) -> napi::Result<String> {
        self.slot.with(|training| write(&training.options))
    }

    /// Forward, backward and, where the batch completes one, an update.
    #[napi(catch_unwind, ts_return_type = "Promise<StepData>")]
    pub fn step<'env>(&mut self, env: &'env Env, batch: &mut NativeBatch) -> napi::Result<Object<'env>> {
        let (session, batch, (settle, promise)) = (self.session()?, batch.share()?, promise(env)?);
        session.step(batch, settle.reply(|_, report| Ok(StepData::from(report))));
        Ok(promise)
    }

    /// The update of the batches since the last one, however few.
    #[napi(catch_unwind, ts_return_type = "Promise<StepData>")]
    pub fn finish<'env>(&mut self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        session.finish(settle.reply(|_, report| Ok(StepData::from(report))));
        Ok(promise)
    }

    /// Multiplies every rate beside the schedule.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn set_rate_factor<'env>(&mut self, env: &'env Env, factor: f64) -> napi::Result<Object<'env>> {
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        session.set_rate_factor(factor, settle.reply(|_, ()| Ok(())));
        Ok(promise)
    }

    /// Lets the model hold its averaged weights, or its own again.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn hold_averages<'env>(&mut self, env: &'env Env, hold: bool) -> napi::Result<Object<'env>> {
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        session.hold_averages(hold, settle.reply(|_, ()| Ok(())));
        Ok(promise)
    }

    /// SHA-256 of everything that continuation depends on; resolves with JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn digests<'env>(&mut self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        session.digests(settle.reply(|_, digests| Ok(write(&digests)?)));
        Ok(promise)
    }

    /// What `observe` saw, handed out once; null where nothing is due.
    #[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
    pub fn sensitivity<'env>(&mut self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        session.sensitivity(settle.reply(|_, report: Option<_>| Ok(report.map(Data))));
        Ok(promise)
    }

    /// Writes a checkpoint and resolves with its path; `run` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn save<'env>(
        &mut self,
        env: &'env Env,
        folder: String,
        run: String,
        attachments: Vec<String>,
    ) -> napi::Result<Object<'env>> {
        let run = guarded(|| parse(&run))?;
        let extras = Extras { run, attachments: attachments.into_iter().map(PathBuf::from).collect() };
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        let reply = settle.reply(|_, path: PathBuf| Ok(path.to_string_lossy().into_owned()));
        session.save(PathBuf::from(folder), extras, reply);
        Ok(promise)
    }

    /// Continues from a checkpoint.
    #[napi(catch_unwind, ts_return_type = "Promise<LoadedCheckpoint>")]
    pub fn load<'env>(&mut self, env: &'env Env, folder: String) -> napi::Result<Object<'env>> {
        let (session, (settle, promise)) = (self.session()?, promise(env)?);
        session.load(PathBuf::from(folder), settle.reply(|_, loaded| LoadedCheckpoint::of(&loaded)));
        Ok(promise)
    }

    /// Ends the session after the commands that are under way; idempotent.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn dispose<'env>(&mut self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (settle, promise) = promise(env)?;
        match self.session() {
            Ok(session) => session.dispose(settle.reply(|_, ()| Ok(()))),
            Err(_) => settle.with(Ok::<_, Fault>(()), |_, ()| Ok(())),
        }
        self.slot.dispose_aside(env)?;
        Ok(promise)
    }
}

impl NativeSession {
    fn session(&mut self) -> napi::Result<Session> {
        self.slot.with(|training| Ok::<_, Fault>(training.session.clone()))
    }
}

impl ObjectFinalize for NativeSession {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        if let Ok(session) = self.session() {
            // Nobody is left to be told.
            session.dispose(Box::new(|_| ()));
        }
        ending::finalize(&mut self.slot, &env)
    }
}

impl From<StepReport> for StepData {
    fn from(report: StepReport) -> Self {
        Self {
            step: report.step as f64,
            updated: report.updated,
            read: report.read,
            loss: report.loss,
            nll: report.nll,
            smoothness: report.smoothness,
            count: report.count as f64,
            lr: report.lr,
            gradient_norm: report.gradient_norm,
            skipped: report.skipped,
            seconds: report.seconds,
            optimizer_seconds: report.optimizer_seconds,
        }
    }
}

impl LoadedCheckpoint {
    fn of(loaded: &Loaded) -> napi::Result<Self> {
        let run = write(&loaded.run)?;
        Ok(Self { run, warnings: loaded.warnings.clone(), step: loaded.step as f64 })
    }
}
