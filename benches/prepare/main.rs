//! Preparing a corpus of WMT's size: megabytes of text a second against the same work in Python, and anonymous memory.
//!
//!     cargo bench -p sagetrain-benches --bench prepare -- --pairs 4500000
//!     cargo bench -p sagetrain-benches --bench prepare -- --pairs 500000 --python VENV/bin/python [--type subword]
//!
//! `--keep` leaves text and prepared data where they are, below `--folder`, to be trained on. The text is made of real sentences
//! (`corpus.rs`); `SAGETRAIN_DATA` adds more of them. The peer is `benches/peers/prepare.py`. Both use `--threads` threads or processes, 2 unless told otherwise.

#![allow(clippy::print_stdout, reason = "the result is this program's output")]

mod corpus;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sagetrain_data::preparation::Watch;
use sagetrain_data::translation::{
    HeldOut, PrepareOptions, Vocabulary, VocabularyType, prepare, prepare_watched,
};
use sagetrain_data::{Dataset, Loader, LoaderOptions};

struct Arguments {
    pairs: usize,
    threads: usize,
    subword: bool,
    python: Option<PathBuf>,
    folder: PathBuf,
    keep: bool,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let given: Vec<String> = std::env::args().collect();
    let value = |name: &str| given.iter().position(|word| word == name).and_then(|at| given.get(at + 1));
    let number = |name: &str, default: usize| value(name).map_or(Ok(default), |text| text.parse());
    Ok(Arguments {
        pairs: number("--pairs", 500_000)?,
        threads: number("--threads", 2)?,
        subword: value("--type").is_some_and(|name| name == "subword"),
        python: value("--python").map(PathBuf::from),
        folder: value("--folder").map_or_else(std::env::temp_dir, PathBuf::from),
        keep: given.iter().any(|word| word == "--keep"),
    })
}

/// Bytes of this process's memory that are no file's, now.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Runs `work` and says what it took: seconds, and the most anonymous memory beyond what there was, sampled.
fn measured<T>(work: impl FnOnce() -> T) -> (T, f64, u64) {
    let (before, most, done) = (anonymous(), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(anonymous(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (result, seconds, most.load(Ordering::Relaxed).max(anonymous()).saturating_sub(before))
    })
}

/// Notes when each stage was first heard of.
struct Stages(Instant, std::sync::Mutex<Vec<(&'static str, f64)>>);

impl Watch for Stages {
    fn progress(&self, stage: &'static str, _lines: u64, _share: f64) {
        if let Ok(mut stages) = self.1.lock()
            && stages.last().is_none_or(|(last, _)| *last != stage)
        {
            stages.push((stage, self.0.elapsed().as_secs_f64()));
        }
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn options(arguments: &Arguments, folder: &Path) -> PrepareOptions {
    let vocabulary = if arguments.subword {
        Vocabulary { r#type: VocabularyType::Subword, merges: Some(32_000), ..Default::default() }
    } else {
        Vocabulary { size: Some(32_000), ..Default::default() }
    };
    PrepareOptions {
        source: Some(folder.join("source")),
        target: Some(folder.join("target")),
        vocabulary,
        held_out: HeldOut { valid: Some(1000), ..Default::default() },
        min_words: Some(1),
        max_words: Some(175),
        max_ratio: Some(1.5),
        max_length: 1024,
        threads: Some(arguments.threads),
        output: folder.join("prepared"),
        ..Default::default()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let bytes = corpus::write(folder.path(), arguments.pairs)?;
    let options = options(&arguments, folder.path());
    println!(
        "{} pairs, {:.0} MB of text, {} threads",
        arguments.pairs,
        bytes as f64 / 1e6,
        arguments.threads
    );
    let stages = Stages(Instant::now(), std::sync::Mutex::default());
    let (prepared, seconds, memory) = measured(|| prepare_watched(&options, &stages));
    let prepared = prepared?;
    let ours = bytes as f64 / 1e6 / seconds;
    println!("sagetrain: {seconds:.1} s, {ours:.1} MB/s, at most {:.0} MiB of anonymous memory", mib(memory));
    println!("  begun after (s): {:?}", stages.1.lock().map(|stages| stages.clone()).unwrap_or_default());
    println!("  {:?}", prepared.parts["train"]);
    let (_, seconds, _) = measured(|| prepare(&options).map(|prepared| prepared.reused));
    println!("asked for again: {seconds:.3} s");
    loading(&prepared.train)?;
    if let Some(python) = &arguments.python {
        let theirs = peer(python, &arguments, folder.path(), bytes)?;
        println!("Python: {theirs:.1} MB/s; ratio {:.2}", ours / theirs);
    }
    if arguments.keep {
        println!("kept: {}", folder.keep().display());
    }
    Ok(())
}

/// What opening, beginning and a new epoch cost.
fn loading(path: &Path) -> Result<(), Box<dyn Error>> {
    let options = LoaderOptions { max_tokens: Some(4096), prefetch: 0, ..Default::default() };
    let begin = || Loader::new(Arc::new(Dataset::open(path)?), options.clone());
    let (loader, seconds, memory) = measured(begin);
    println!("open and begin: {seconds:.3} s, {:.0} MiB", mib(memory));
    let count = loader?.plan(0).len() as u64;
    let state = sagetrain_data::LoaderState { epoch: 0, batch: count - 5 };
    let options = LoaderOptions { state, ..options };
    let last = || {
        Loader::new(Arc::new(Dataset::open(path)?), options)
            .map(|loader| loader.take(10).filter_map(Result::ok).count())
    };
    let (batches, seconds, memory) = measured(last);
    println!("into the next epoch: {seconds:.3} s, {:.0} MiB, {} batches", mib(memory), batches?);
    Ok(())
}

fn peer(python: &Path, arguments: &Arguments, folder: &Path, bytes: u64) -> Result<f64, Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/prepare.py");
    let kind = if arguments.subword { "subword" } else { "byteLevel" };
    let threads = arguments.threads.to_string();
    let start = Instant::now();
    let mut command = std::process::Command::new(python);
    let status = command.arg(script).arg(folder).args(["--type", kind, "--threads", &threads]).status()?;
    if !status.success() {
        return Err(format!("the peer failed: {status}").into());
    }
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}
