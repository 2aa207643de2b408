//! Handles of an engine thread: the model, and the session that trains it.
//!
//! Every method sends one command and returns at once; `reply` runs on the engine thread when it is done. [`wait`] turns any of
//! them into a blocking call.

use crate::checkpoint::{self, Digest, Extras, Loaded};
use crate::device;
use crate::engine::{Engine, Home, Owned};
use crate::error::TrainerError;
use crate::evaluate::{BatchSize, Losses, Setting, losses};
use crate::inputs::inputs;
use crate::options::{PrecisionName, SessionOptions};
use crate::parameters::infos;
use crate::search::{Hypothesis, Request, SearchOptions};
use crate::task::{classification, spiral, translation};
use crate::training::{StepReport, Training};
use sagetrain_data::{Batch, Dataset};
use sagetrain_models::{Ensemble, FineTune, Forward, LoadReport, Model, ModelSpec, place};
use sagetrain_optim::{ParameterInfo, SensitivityReport};
use sagetrain_torch::{Precision, f32_values};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tch::{Device, Tensor};

/// How a command answers.
pub type Reply<T> = Box<dyn FnOnce(Result<T, TrainerError>) + Send>;

/// Runs a command and waits for its reply. Not for an engine's own thread.
pub fn wait<T: Send + 'static>(command: impl FnOnce(Reply<T>)) -> Result<T, TrainerError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    command(Box::new(move |result| {
        // The receiver outlives the command: it waits below.
        let _gone = sender.send(result);
    }));
    receiver.recv().unwrap_or(Err(TrainerError::Disposed))
}

/// A float32 array that left the engine thread as a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Lengths of the axes.
    pub shape: Vec<i64>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// A model on its engine thread.
#[derive(Clone)]
pub struct ModelHandle {
    engine: Arc<Engine>,
}

impl ModelHandle {
    /// Makes a model with fresh weights; the same spec and seed give the same bits.
    pub fn create(spec: ModelSpec, seed: u64, reply: Reply<Self>) {
        Engine::start(
            move || Ok(sagetrain_models::create(&spec, seed)?),
            move |engine| reply(engine.map(|engine| Self { engine })),
        );
    }

    /// Loads a Hugging Face folder; says what of it the model has no use for.
    pub fn load(folder: PathBuf, reply: Reply<(Self, LoadReport)>) {
        Self::reporting(move || Ok(sagetrain_models::load_reporting(&folder)?), reply);
    }

    /// Puts a new head on the encoder of a Hugging Face folder; says what became of the folder's weights.
    pub fn fine_tune(folder: PathBuf, wanted: FineTune, seed: u64, reply: Reply<(Self, LoadReport)>) {
        let build = move || {
            let (model, report) = sagetrain_models::fine_tune(&folder, &wanted, seed)?;
            let model: Box<dyn Model> = Box::new(model);
            Ok((model, report))
        };
        Self::reporting(build, reply);
    }

    fn reporting(
        build: impl FnOnce() -> Result<(Box<dyn Model>, LoadReport), TrainerError> + Send + 'static,
        reply: Reply<(Self, LoadReport)>,
    ) {
        let told = Arc::new(Mutex::new(LoadReport::default()));
        let telling = Arc::clone(&told);
        let built = move || {
            let (model, report) = build()?;
            *telling.lock().unwrap_or_else(PoisonError::into_inner) = report;
            Ok(model)
        };
        let take = move || std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
        Engine::start(built, move |engine| reply(engine.map(|engine| (Self { engine }, take()))));
    }

    /// Loads Hugging Face folders of translators as one [`Ensemble`].
    pub fn ensemble(folders: Vec<PathBuf>, reply: Reply<Self>) {
        let build = move || {
            let members =
                folders.iter().map(|folder| sagetrain_models::load(folder)).collect::<Result<_, _>>()?;
            let ensemble: Box<dyn Model> = Box::new(Ensemble::new(members)?);
            Ok(ensemble)
        };
        Engine::start(build, move |engine| reply(engine.map(|engine| Self { engine })));
    }

    /// Lays the model on a device by name and gives it a precision, for evaluations and searches outside a session.
    pub fn place(&self, name: String, precision: PrecisionName, reply: Reply<()>) {
        let job = move |owned: &mut Owned| {
            let device = device::resolve(&name, false)?;
            if owned.training.is_none() {
                place(owned.model.as_ref(), device)?;
            }
            owned.home = Home { device, precision: precision.into() };
            Ok(())
        };
        self.engine.send(job, reply);
    }

    /// Names, shapes and roles, in the model's order.
    pub fn parameters(&self, reply: Reply<Vec<ParameterInfo>>) {
        self.engine.send(|owned| Ok(infos(owned.model.as_ref())), reply);
    }

    /// The spec it was made from or its folder's config says.
    pub fn spec(&self, reply: Reply<ModelSpec>) {
        self.engine.send(|owned| Ok(owned.model.spec().clone()), reply);
    }

    /// Copies a parameter out.
    pub fn read(&self, name: String, reply: Reply<Array>) {
        let job = move |owned: &mut Owned| {
            let tensor = &owned.model.parameters().get(&name)?.tensor;
            Ok(Array { shape: tensor.size(), values: f32_values(tensor)?.into_owned() })
        };
        self.engine.send(job, reply);
    }

    /// Replaces a parameter's values; `values` must have as many.
    pub fn write(&self, name: String, values: Vec<f32>, reply: Reply<()>) {
        let job = move |owned: &mut Owned| {
            let _no_grad = tch::no_grad_guard();
            let mut tensor = owned.model.parameters().get(&name)?.tensor.shallow_clone();
            if tensor.numel() != values.len() {
                let message = format!("{name} has {} values, {} given", tensor.numel(), values.len());
                return Err(TrainerError::Option { key: "values", message });
            }
            let values = Tensor::f_from_slice(&values)?.f_view(tensor.size().as_slice())?;
            tensor.f_copy_(&values)?;
            Ok(())
        };
        self.engine.send(job, reply);
    }

    /// The model's output for a batch, without dropout.
    pub fn forward(&self, batch: Arc<Batch>, reply: Reply<Array>) {
        let job = move |owned: &mut Owned| {
            let _no_grad = tch::no_grad_guard();
            let precision = owned.precision();
            let forward = Forward::evaluation(precision);
            let output = owned.model.forward(&inputs(&batch, owned.device())?, &forward)?;
            let output = output.f_to_kind(tch::Kind::Float)?.f_contiguous()?;
            Ok(Array { shape: output.size(), values: f32_values(&output)?.into_owned() })
        };
        self.engine.send(job, reply);
    }

    /// Writes a complete Hugging Face folder, made where it is missing. A `format` that cannot hold the model is refused.
    pub fn save(&self, folder: PathBuf, format: Option<String>, reply: Reply<()>) {
        let job = move |owned: &mut Owned| {
            format.map_or(Ok(()), |format| owned.model.check_format(&format))?;
            std::fs::create_dir_all(&folder).map_err(TrainerError::io(&folder))?;
            owned.model.save(&folder)?;
            checkpoint::sync_folder(&folder)
        };
        self.engine.send(job, reply);
    }

    /// Loss over a data set, and accuracy for classifiers.
    pub fn losses(&self, dataset: Arc<Dataset>, batches: BatchSize, reply: Reply<Losses>) {
        self.engine.send(move |owned| losses(&owned.setting(), &dataset, batches), reply);
    }

    /// Loss, BLEU and chrF over a translation data set.
    pub fn evaluate_translation(
        &self,
        evaluation: translation::Evaluation,
        reply: Reply<translation::Scores>,
    ) {
        self.engine.send(move |owned| translation::evaluate(&owned.setting(), &evaluation), reply);
    }

    /// Hypotheses of every request, best first.
    pub fn translate(
        &self,
        requests: Vec<Request>,
        options: SearchOptions,
        reply: Reply<Vec<Vec<Hypothesis>>>,
    ) {
        let job = move |owned: &mut Owned| {
            let setting = owned.setting();
            translation::translate(setting.model, &requests, &options, setting.precision, setting.cancel)
        };
        self.engine.send(job, reply);
    }

    /// A classifier's or a regression's outputs for a data set, in its order.
    pub fn outputs(&self, dataset: Arc<Dataset>, batch_size: usize, reply: Reply<classification::Outputs>) {
        self.engine.send(move |owned| classification::outputs(&owned.setting(), &dataset, batch_size), reply);
    }

    /// The same with their scores.
    pub fn evaluate_classification(
        &self,
        dataset: Arc<Dataset>,
        batch_size: usize,
        reply: Reply<(classification::Scores, classification::Outputs)>,
    ) {
        self.engine
            .send(move |owned| classification::evaluate(&owned.setting(), &dataset, batch_size), reply);
    }

    /// A classifier's probability of class 1 over a grid of the plane.
    pub fn boundary(&self, grid: spiral::Grid, reply: Reply<Vec<f32>>) {
        self.engine.send(move |owned| spiral::boundary(&owned.setting(), grid), reply);
    }

    /// Makes the evaluation in progress, and queued ones, end with [`TrainerError::Aborted`].
    pub fn cancel(&self) {
        self.engine.cancel();
    }

    /// Ends [`Self::cancel`].
    pub fn resume(&self) {
        self.engine.resume();
    }

    /// Frees the model after the queued commands; idempotent.
    pub fn dispose(&self) {
        self.engine.dispose();
    }
}

/// A model in training.
#[derive(Clone)]
pub struct Session {
    engine: Arc<Engine>,
}

impl Session {
    /// Takes the model's thread over; the model's handle stays valid. One session a model at a time.
    pub fn create(model: &ModelHandle, options: SessionOptions, reply: Reply<(Self, SessionOptions)>) {
        let engine = Arc::clone(&model.engine);
        let session = Self { engine: Arc::clone(&engine) };
        let job = move |owned: &mut Owned| {
            if owned.training.is_some() {
                let message = "this model is in a session already; dispose that one first".into();
                return Err(TrainerError::State { message });
            }
            let options = options.resolve()?;
            let device = options.device()?;
            if options.run.composed {
                sagetrain_torch::set_composed(true);
            }
            let model = owned.model.as_ref();
            let training = place(model, device).map_err(TrainerError::from);
            match training.and_then(|()| Training::new(model, device, options.clone())) {
                Ok(training) => owned.training = Some(training),
                Err(error) => {
                    place(model, owned.home.device)?;
                    return Err(error);
                }
            }
            Ok((session, options))
        };
        engine.send(job, reply);
    }

    /// Forward and backward of one batch, and an update where it completes one.
    pub fn step(&self, batch: Arc<Batch>, reply: Reply<StepReport>) {
        let job = move |owned: &mut Owned| {
            let (model, training) = owned.training()?;
            training.step(model, &batch)
        };
        self.engine.send(job, reply);
    }

    /// The update of the batches since the last one, however few: an epoch's last accumulation.
    pub fn finish(&self, reply: Reply<StepReport>) {
        let job = |owned: &mut Owned| {
            let (model, training) = owned.training()?;
            training.finish(model)
        };
        self.engine.send(job, reply);
    }

    /// Multiplies every rate with `factor` from the next update on, beside the schedule; saved and loaded.
    pub fn set_rate_factor(&self, factor: f64, reply: Reply<()>) {
        let job = move |owned: &mut Owned| {
            if !(factor.is_finite() && factor > 0.0) {
                let message = format!("{factor} is out of range; give a finite number above 0");
                return Err(TrainerError::Option { key: "rateFactor", message });
            }
            owned.training()?.1.rate_factor = factor;
            Ok(())
        };
        self.engine.send(job, reply);
    }

    /// Lets the model hold its averaged weights, where the optimizer averages, until it is called with `false`. Steps, saving and loading
    /// are refused meanwhile.
    pub fn hold_averages(&self, hold: bool, reply: Reply<()>) {
        let job = move |owned: &mut Owned| {
            let (model, training) = owned.training()?;
            if training.averages() && training.swapped != hold {
                training.swap_averages(model)?;
            }
            Ok(())
        };
        self.engine.send(job, reply);
    }

    /// SHA-256 of everything that continuation depends on, array by array.
    pub fn digests(&self, reply: Reply<Vec<Digest>>) {
        let job = |owned: &mut Owned| {
            let (model, training) = owned.training()?;
            checkpoint::digests(model, training)
        };
        self.engine.send(job, reply);
    }

    /// Statistics of the last observed update, where the optimizer observes.
    pub fn sensitivity(&self, reply: Reply<Option<SensitivityReport>>) {
        self.engine.send(|owned| Ok(owned.training()?.1.sensitivity.take()), reply);
    }

    /// Writes `<folder>/step-<n>`, whole or not at all, and returns its path.
    pub fn save(&self, folder: PathBuf, extras: Extras, reply: Reply<PathBuf>) {
        let job = move |owned: &mut Owned| {
            let (model, training) = owned.training()?;
            checkpoint::save(&folder, model, training, &extras)
        };
        self.engine.send(job, reply);
    }

    /// Continues from a checkpoint: parameters, optimizer, counters.
    pub fn load(&self, folder: PathBuf, reply: Reply<Loaded>) {
        let job = move |owned: &mut Owned| {
            let (model, training) = owned.training()?;
            checkpoint::load(&folder, model, training)
        };
        self.engine.send(job, reply);
    }

    /// Ends the session; the model stays on its thread. Idempotent.
    pub fn dispose(&self, reply: Reply<()>) {
        let job = |owned: &mut Owned| {
            if let Ok((model, training)) = owned.training()
                && training.swapped
            {
                training.swap_averages(model)?;
            }
            owned.training = None;
            place(owned.model.as_ref(), owned.home.device)?;
            Ok(sagetrain_torch::release_memory()?)
        };
        self.engine.send(job, reply);
    }
}

impl Owned {
    fn device(&self) -> Device {
        self.training.as_ref().map_or(self.home.device, |training| training.device)
    }

    fn precision(&self) -> Precision {
        self.training.as_ref().map_or(self.home.precision, |training| training.options.products())
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            model: self.model.as_ref(),
            device: self.device(),
            precision: self.precision(),
            label_smoothing: self
                .training
                .as_ref()
                .map_or(0.0, |training| training.options.run.label_smoothing),
            cancel: &self.cancel,
        }
    }
}
