//! Adam and Adam-SAGE against PyTorch's AdamW, and against SAGE written eagerly in PyTorch, in one run.
//!
//!     cargo bench -p sagetrain-benches --bench versus_torch -- --python VENV/bin/python [--threads 2] [--rounds 15] [BERT]
//!
//! Each round takes one step of each, in turn, so that a machine that is busy for a while slows all; the slow ones of PyTorch every
//! third round. Ratios are medians over rounds. A word chooses the models it is part of. Without --python nothing is measured. peers/README.md says how to make its environment.

use sagetrain_benches::machine::Machine;
use sagetrain_benches::shapes::{Shape, shapes};
use sagetrain_benches::workload::Workload;
use sagetrain_optim::{NonFinite, Optimizer, OptimizerOptions, OptimizerSpec, Pool, SageSpec};
use serde_json::json;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What each round times: its name, for PyTorch's the word that asks for it, and its bytes a parameter where that is one number.
const OURS: [(&str, f64); 4] =
    [("triad", 12.0), ("AdamW", 28.0), ("Adam-SAGE", 36.0), ("Adam-SAGE, checked", 40.0)];
const FAST: [(&str, &str, f64); 2] = [("torch triad", "triad", 12.0), ("torch AdamW fused", "fused", 28.0)];
const SLOW: [(&str, &str, f64); 3] = [
    ("torch AdamW foreach", "foreach", f64::NAN),
    ("torch AdamW for-loop", "loop", f64::NAN),
    ("torch eager Adam-SAGE", "eager", f64::NAN),
];

struct Options {
    python: Option<String>,
    threads: usize,
    rounds: usize,
    /// Part of a model's name.
    model: String,
}

fn options() -> Outcome<Options> {
    let cores = std::thread::available_parallelism()?.get();
    let mut options = Options { python: None, threads: cores, rounds: 15, model: String::new() };
    let mut unknown = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--python" => options.python = Some(value()?),
            "--threads" => options.threads = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--bench" => {} // Cargo's own.
            model if !model.starts_with('-') => options.model = word,
            _ => unknown = Some(word),
        }
    }
    match unknown {
        // Criterion's options come here too when all benches run, and then there is nothing to do.
        Some(word) if options.python.is_some() => Err(format!("{word} is not an option").into()),
        _ => Ok(options),
    }
}

/// PyTorch in a process of its own, idle until asked for a step.
struct Peer {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &str, sizes: &[usize], threads: usize) -> Outcome<(Self, String)> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/optimizers.py");
        let options = json!({ "sizes": sizes, "threads": threads }).to_string();
        let mut command = Command::new(python);
        command.args([script, options.as_str()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let (Some(ask), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the peer has no pipes".into());
        };
        let mut peer = Self { process, ask, answers: BufReader::new(answers) };
        let conditions = peer.line()?;
        Ok((peer, conditions))
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the peer ended early; what it said is above".into()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    fn step(&mut self, arm: &str) -> Outcome<f64> {
        writeln!(self.ask, "{arm}")?;
        Ok(self.line()?.parse()?)
    }

    fn end(self) -> Outcome<()> {
        let Self { mut process, ask, .. } = self;
        drop(ask);
        process.wait()?;
        Ok(())
    }
}

/// Our own optimizers over one model.
struct Ours {
    workload: Workload<f32>,
    optimizers: Vec<Optimizer>,
    pool: Pool,
}

impl Ours {
    fn new(sizes: &[usize], threads: usize) -> Outcome<Self> {
        let workload = Workload::new(sizes);
        let mut adamw = OptimizerSpec::adamw(1e-3);
        if let OptimizerSpec::AdamW(moments) = &mut adamw {
            moments.weight_decay = 0.01;
        }
        let sage = OptimizerSpec::adam(1e-3).with_sage(SageSpec::default());
        let unchecked = OptimizerOptions { non_finite: NonFinite::Unchecked, ..OptimizerOptions::default() };
        let arms = [(&adamw, &unchecked), (&sage, &unchecked), (&sage, &OptimizerOptions::default())];
        let optimizers = arms.map(|(spec, options)| workload.optimizer(spec, options)).into();
        Ok(Self { workload, optimizers, pool: Pool::new(threads)? })
    }

    /// Seconds of the arm of this number in [`OURS`].
    fn step(&mut self, arm: usize) -> f64 {
        let Self { workload, optimizers, pool } = self;
        let started = Instant::now();
        match arm.checked_sub(1) {
            None => workload.triad(pool),
            Some(arm) => workload.step(&mut optimizers[arm], pool),
        }
        started.elapsed().as_secs_f64()
    }
}

/// An arm's times, those of a round that left it out absent.
struct Arm {
    name: &'static str,
    bytes: f64,
    rounds: Vec<Option<f64>>,
}

fn measure((_, sizes): &Shape, options: &Options, python: &str) -> Outcome<(String, Vec<Arm>)> {
    let (mut peer, conditions) = Peer::start(python, sizes, options.threads)?;
    let mut ours = Ours::new(sizes, options.threads)?;
    let mut arms: Vec<Arm> = OURS.iter().map(|(name, bytes)| arm(name, *bytes)).collect();
    arms.extend(FAST.iter().chain(&SLOW).map(|(name, _, bytes)| arm(name, *bytes)));
    // The first round makes states, touches their pages and is not kept.
    for round in 0..=options.rounds {
        for (at, arm) in arms.iter_mut().enumerate() {
            let theirs = at.checked_sub(OURS.len()).and_then(|at| FAST.iter().chain(&SLOW).nth(at));
            let left_out = at >= OURS.len() + FAST.len() && round % 3 != 0;
            let seconds = match theirs {
                _ if left_out => None,
                None => Some(ours.step(at)),
                Some((_, word, _)) => Some(peer.step(word)?),
            };
            if round > 0 {
                arm.rounds.push(seconds);
            }
        }
    }
    peer.end()?;
    Ok((conditions, arms))
}

fn arm(name: &'static str, bytes: f64) -> Arm {
    Arm { name, bytes, rounds: Vec::new() }
}

/// Median of one arm's time over another's in the same round.
fn ratio(arm: &Arm, to: &Arm) -> f64 {
    let pairs = arm.rounds.iter().zip(&to.rounds);
    median(pairs.filter_map(|(arm, to)| Some((*arm)? / (*to)?)).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(model: &str, parameters: usize, conditions: &str, arms: &[Arm]) {
    eprintln!("\n{model}, {parameters} parameters; torch: {conditions}");
    let [name, ms, least, rate, fused, sage, triad] =
        ["optimizer", "ms", "least", "GB/s", "/ fused", "/ Adam-SAGE", "% triad"];
    eprintln!("{name:<24} {ms:>9} {least:>9} {rate:>7} {fused:>8} {sage:>12} {triad:>8}");
    let named = |name: &str| arms.iter().find(|arm| arm.name == name);
    let over = |arm: &Arm, to: &str| named(to).map_or(f64::NAN, |to| ratio(arm, to));
    for arm in arms {
        let times: Vec<f64> = arm.rounds.iter().flatten().copied().collect();
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        let middle = median(times);
        let rate = known(arm.bytes * parameters as f64 / middle / 1e9, 1);
        let share = known(100.0 * arm.bytes / 12.0 / over(arm, "triad"), 0);
        let (fused, sage) = (over(arm, "torch AdamW fused"), over(arm, "Adam-SAGE"));
        let (name, middle, least) = (arm.name, middle * 1e3, least * 1e3);
        eprintln!("{name:<24} {middle:>9.1} {least:>9.1} {rate:>7} {fused:>8.2} {sage:>12.2} {share:>8}");
    }
}

/// A number, or a dash where its bytes are not known.
fn known(value: f64, digits: usize) -> String {
    if value.is_nan() { "–".to_owned() } else { format!("{value:.digits$}") }
}

fn main() -> Outcome<()> {
    let options = options()?;
    let Some(python) = &options.python else {
        eprintln!("versus_torch: nothing to compare with; give --python VENV/bin/python");
        return Ok(());
    };
    eprintln!("{}, {} threads on both sides, float32", Machine::here(), options.threads);
    let chosen = |shape: &Shape| shape.0.contains(&options.model);
    for shape in shapes().into_iter().take(2).filter(chosen) {
        let (conditions, arms) = measure(&shape, &options, python)?;
        print(shape.0, shape.1.iter().sum(), &conditions, &arms);
    }
    Ok(())
}
