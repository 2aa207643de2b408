//! The one thread that owns every tensor of a model and its session.
//!
//! Callers on any thread send closures and receive their results through a callback. A panic inside a closure is caught,
//! reported, and poisons the engine: what it left half-written is never used again.

use crate::ending::{Inside, sleep_forever, stopped};
use crate::error::TrainerError;
use crate::options::available_threads;
use crate::training::Training;
use sagetrain_models::Model;
use sagetrain_torch::Precision;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tch::Device;

/// Device and precision of a model outside a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    pub(crate) device: Device,
    pub(crate) precision: Precision,
}

impl Default for Home {
    fn default() -> Self {
        Self { device: Device::Cpu, precision: Precision::Float32 }
    }
}

/// What lives on an engine thread. Tensors never leave it; copies do.
pub(crate) struct Owned {
    pub(crate) model: Box<dyn Model>,
    pub(crate) training: Option<Training>,
    /// Where the model lies and what it multiplies in while nobody trains it.
    pub(crate) home: Home,
    pub(crate) cancel: Arc<AtomicBool>,
}

impl Owned {
    /// The session's state, or the error that says there is none.
    pub(crate) fn training(&mut self) -> Result<(&dyn Model, &mut Training), TrainerError> {
        match &mut self.training {
            Some(training) => Ok((self.model.as_ref(), training)),
            None => Err(TrainerError::State {
                message: "this model is in no session; create one with Session.create({ model, … })".into(),
            }),
        }
    }

    /// Errs where the caller has withdrawn the work; long commands ask between batches.
    pub(crate) fn check_cancelled(cancel: &AtomicBool) -> Result<(), TrainerError> {
        if cancel.load(Ordering::Acquire) || stopped() { Err(TrainerError::Aborted) } else { Ok(()) }
    }
}

type Job = Box<dyn FnOnce(&mut Owned) + Send>;

/// Handle of an engine thread; the last one dropped ends the thread.
pub(crate) struct Engine {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    cancel: Arc<AtomicBool>,
    fault: Arc<Mutex<Option<String>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Set by whichever comes first: the thread that is about to end, or the last handle that waits for it no longer.
    settled: Arc<AtomicBool>,
}

impl Engine {
    /// Starts the thread and builds the model on it.
    pub(crate) fn start(
        build: impl FnOnce() -> Result<Box<dyn Model>, TrainerError> + Send + 'static,
        ready: impl FnOnce(Result<Arc<Self>, TrainerError>) + Send + 'static,
    ) {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let cancel = Arc::new(AtomicBool::new(false));
        let settled = Arc::new(AtomicBool::new(false));
        let engine = Arc::new(Self {
            jobs: Mutex::new(Some(jobs)),
            cancel: Arc::clone(&cancel),
            fault: Arc::default(),
            thread: Mutex::new(None),
            settled: Arc::clone(&settled),
        });
        let handle = Arc::clone(&engine);
        let ready = Arc::new(Mutex::new(Some(ready)));
        let on_thread = Arc::clone(&ready);
        let body = move || {
            let Some(inside) = Inside::enter() else { sleep_forever() };
            let prepared = || {
                sagetrain_torch::cache_memory()?;
                // Else it would be what the session before, of whatever model, has set.
                sagetrain_torch::set_threads(available_threads())?;
                build()
            };
            let built = catch_unwind(AssertUnwindSafe(prepared))
                .unwrap_or_else(|panic| Err(TrainerError::Poisoned { message: panic_message(&panic) }));
            let model = match built {
                Ok(model) => model,
                Err(error) => return answer(&on_thread, Err(error)),
            };
            let mut owned = Owned { model, training: None, home: Home::default(), cancel };
            drop(inside);
            answer(&on_thread, Ok(handle));
            while let Ok(job) = inbox.recv() {
                let Some(_inside) = Inside::enter() else { sleep_forever() };
                job(&mut owned);
            }
            let Some(inside) = Inside::enter() else { sleep_forever() };
            drop(owned);
            // It cannot fail without a panic inside libtorch; then the memory stays where it is.
            let _released = sagetrain_torch::release_memory();
            drop(inside);
            if settled.swap(true, Ordering::SeqCst) {
                sleep_forever()
            }
        };
        match std::thread::Builder::new().name("sagetrain-engine".into()).spawn(body) {
            Ok(thread) => *lock(&engine.thread) = Some(thread),
            Err(source) => answer(&ready, Err(TrainerError::Io { path: "engine thread".into(), source })),
        }
    }

    /// Sends `job`; `reply` runs on the engine thread with its result, in the order of sending.
    pub(crate) fn send<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Owned) -> Result<T, TrainerError> + Send + 'static,
        reply: impl FnOnce(Result<T, TrainerError>) + Send + 'static,
    ) {
        let fault = Arc::clone(&self.fault);
        let reply = Arc::new(Mutex::new(Some(reply)));
        let on_thread = Arc::clone(&reply);
        let wrapped: Job = Box::new(move |owned| {
            let result = guarded(&fault, owned, job);
            answer(&on_thread, result);
        });
        let sent = lock(&self.jobs).as_ref().is_some_and(|jobs| jobs.send(wrapped).is_ok());
        if !sent {
            answer(&reply, Err(TrainerError::Disposed));
        }
    }

    /// Asks the command in progress, and those queued behind it, to stop at their next safe point.
    pub(crate) fn cancel(&self) {
        self.cancel.store(true, Ordering::Release);
    }

    /// Lets commands run again after [`Self::cancel`].
    pub(crate) fn resume(&self) {
        self.cancel.store(false, Ordering::Release);
    }

    /// Ends the thread after the queued commands; later calls get [`TrainerError::Disposed`].
    pub(crate) fn dispose(&self) {
        lock(&self.jobs).take();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.dispose();
        // Waited for also as a time inside: a thread that ends still runs destructors of libtorch's.
        if let Some(_inside) = Inside::enter()
            && let Some(thread) = lock(&self.thread).take()
            && thread.thread().id() != std::thread::current().id()
        {
            while !thread.is_finished() {
                // The process ends: a thread that has not come to its own end by now never will.
                if stopped() && !self.settled.swap(true, Ordering::SeqCst) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            // A panic outside a job has nobody left to be told to.
            let _ended = thread.join();
        }
    }
}

fn guarded<T>(
    fault: &Mutex<Option<String>>,
    owned: &mut Owned,
    job: impl FnOnce(&mut Owned) -> Result<T, TrainerError>,
) -> Result<T, TrainerError> {
    if let Some(message) = lock(fault).clone() {
        return Err(TrainerError::Poisoned { message });
    }
    catch_unwind(AssertUnwindSafe(|| job(owned))).unwrap_or_else(|panic| {
        let message = panic_message(&panic);
        *lock(fault) = Some(message.clone());
        Err(TrainerError::Poisoned { message })
    })
}

/// Calls back at most once, whichever side gets there first.
fn answer<T>(slot: &Mutex<Option<impl FnOnce(T)>>, value: T) {
    let callback = lock(slot).take();
    if let Some(callback) = callback {
        callback(value);
    }
}

fn panic_message(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".into())
}

/// A poisoned mutex here only means that a callback panicked: the data behind it is a plain option.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::wait;
    use serde_json::json;

    fn engine() -> Arc<Engine> {
        let spec = json!({ "type": "mlp", "inputs": 2, "hidden": [4], "classes": 2 });
        let spec = sagetrain_models::ModelSpec::read("model", &spec).unwrap();
        wait(|reply| Engine::start(move || Ok(sagetrain_models::create(&spec, 1)?), reply)).unwrap()
    }

    #[test]
    fn a_panic_poisons_the_engine_and_says_so_ever_after() {
        let engine = engine();
        let error = wait::<()>(|reply| engine.send(|_| panic!("the roof fell in"), reply)).unwrap_err();
        assert_eq!(error.code(), "ERR_POISONED");
        assert!(error.to_string().contains("the roof fell in"), "{error}");
        let later = wait(|reply| engine.send(|owned| Ok(owned.model.parameters().len()), reply)).unwrap_err();
        assert_eq!(later.code(), "ERR_POISONED");
    }

    #[test]
    fn a_failed_build_is_the_error_and_a_panicking_one_too() {
        let failed = wait(|reply| Engine::start(|| Err(TrainerError::Aborted), reply)).err().unwrap();
        assert_eq!(failed.code(), "ERR_ABORTED");
        let panicked = wait(|reply| Engine::start(|| panic!("no ground"), reply)).err().unwrap();
        assert!(panicked.to_string().contains("no ground"), "{panicked}");
    }

    #[test]
    fn replies_come_in_the_order_of_the_commands() {
        let engine = engine();
        let (sender, receiver) = std::sync::mpsc::channel();
        for index in 0..100 {
            let sender = sender.clone();
            engine.send(move |_| Ok(index), move |result| sender.send(result.unwrap()).unwrap());
        }
        assert_eq!(receiver.iter().take(100).collect::<Vec<i32>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn another_threads_setting_is_not_taken_over() {
        let available = available_threads();
        let set = move || sagetrain_torch::set_threads(available + 3).unwrap();
        std::thread::spawn(set).join().unwrap();
        let engine = engine();
        let found = wait(|reply| engine.send(|_| Ok(sagetrain_torch::threads()?), reply)).unwrap();
        assert_eq!(found, available);
    }

    #[test]
    fn the_thread_ends_with_its_last_handle() {
        let engine = engine();
        let thread = std::thread::spawn(move || drop(engine));
        thread.join().unwrap();
    }
}
