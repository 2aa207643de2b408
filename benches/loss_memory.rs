//! Peak memory of the loss, forward and backward: projected cross-entropy in chunks against linear, log-softmax and gather.
//!
//! `cargo run --release -p sagetrain-benches --features torch --bin loss_memory [-- --tokens 4096 --vocabulary 32768 --width 512]`
//!
//! Each form runs in a process of its own. A peak is the most resident memory above what the inputs take; the gradients of hidden
//! states and table, which both forms return, are in it and named beside it. Losses are printed so that both did the same work.
#![allow(clippy::print_stdout, reason = "the result is this program's output")]

use std::error::Error;
use std::process::Command;

use sagetrain_torch::{Philox, Precision, projected_cross_entropy};
use tch::{Kind, Reduction, Tensor};

const SMOOTHING: f64 = 0.1;
const MIB: f64 = 1048576.0;
type Outcome<T> = Result<T, Box<dyn Error>>;

struct Sizes {
    tokens: i64,
    vocabulary: i64,
    width: i64,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sizes = Sizes {
        tokens: option(&arguments, "--tokens", 4096)?,
        vocabulary: option(&arguments, "--vocabulary", 32_768)?,
        width: option(&arguments, "--width", 512)?,
    };
    match arguments.iter().position(|argument| argument == "--measure").map(|at| &arguments[at + 1..]) {
        Some([form, precision, ..]) => measure(&sizes, form == "chunks", precision_of(precision)),
        _ => compare(&arguments, &sizes),
    }
}

fn option(arguments: &[String], name: &str, default: i64) -> Outcome<i64> {
    let value = arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    Ok(value.map_or(Ok(default), |value| value.parse())?)
}

fn precision_of(name: &str) -> Precision {
    if name == "bfloat16" { Precision::Bfloat16 } else { Precision::Float32 }
}

/// Runs both forms in both precisions and prints peaks and ratios.
fn compare(arguments: &[String], sizes: &Sizes) -> Outcome<()> {
    let Sizes { tokens, vocabulary, width } = sizes;
    let table = (vocabulary * width * 4) as f64 / MIB;
    println!(
        "{tokens} tokens, {vocabulary} vocabulary, {width} wide; the table's gradient alone is {table:.0} MiB"
    );
    for precision in ["float32", "bfloat16"] {
        let run = |form: &str| -> Outcome<(f64, f64)> {
            let mut command = Command::new(std::env::current_exe()?);
            let output = command.args(arguments).args(["--measure", form, precision]).output()?;
            let text = String::from_utf8(output.stdout)?;
            let (peak, loss) = text.trim().split_once(' ').ok_or("the measuring process printed nothing")?;
            Ok((peak.parse()?, loss.parse()?))
        };
        let ((plain, plain_loss), (chunks, chunks_loss)) = (run("plain")?, run("chunks")?);
        println!(
            "{precision}: plain {:.0} MiB, chunks {:.0} MiB, ratio {:.2} (losses {plain_loss:.4} {chunks_loss:.4})",
            plain / MIB,
            chunks / MIB,
            plain / chunks
        );
    }
    Ok(())
}

/// Prints the peak above the inputs in bytes, and the mean loss.
fn measure(sizes: &Sizes, chunks: bool, precision: Precision) -> Outcome<()> {
    // Code, threads and their buffers are there before anything counts.
    run(&Sizes { tokens: 64, vocabulary: 512, width: sizes.width }.inputs(precision), chunks, precision)?;
    let inputs = sizes.inputs(precision);
    std::fs::write("/proc/self/clear_refs", "5")?; // the high-water mark begins anew
    let before = status("VmRSS:")?;
    let loss = run(&inputs, chunks, precision)?;
    println!("{} {}", status("VmHWM:")? - before, loss / sizes.tokens as f64);
    Ok(())
}

impl Sizes {
    /// Hidden states, table and targets.
    fn inputs(&self, precision: Precision) -> [Tensor; 3] {
        let hidden = normal([self.tokens, self.width], 1, 1.0).to_kind(precision.kind());
        let table = normal([self.vocabulary, self.width], 2, 0.05);
        let targets = Tensor::arange(self.tokens, (Kind::Int64, tch::Device::Cpu)).remainder(self.vocabulary);
        [hidden.set_requires_grad(true), table.set_requires_grad(true), targets]
    }
}

fn normal(shape: [i64; 2], stream: u32, deviation: f32) -> Tensor {
    let mut values = vec![0f32; (shape[0] * shape[1]) as usize];
    Philox { seed: 1, step: 0, stream }.fill_normal(&mut values);
    values.iter_mut().for_each(|value| *value *= deviation);
    Tensor::from_slice(&values).reshape(shape)
}

/// Forward and backward; the summed loss.
fn run([hidden, table, targets]: &[Tensor; 3], chunks: bool, precision: Precision) -> Outcome<f64> {
    let loss = if chunks {
        projected_cross_entropy(hidden, table, None, targets, SMOOTHING, precision, 1.0)?.loss
    } else {
        plain(hidden, table, targets)?
    };
    loss.f_backward()?;
    Ok(loss.f_double_value(&[])?)
}

/// What a PyTorch loop under autocast does: the product in the precision, log-softmax in float32.
fn plain(hidden: &Tensor, table: &Tensor, targets: &Tensor) -> Outcome<Tensor> {
    let logits = hidden.f_linear(&table.f_to_kind(hidden.kind())?, None::<&Tensor>)?;
    let log_p = logits.f_log_softmax(-1, Kind::Float)?;
    let nll = log_p.f_nll_loss(targets, None::<&Tensor>, Reduction::Sum, -100)?;
    let spread = SMOOTHING / (table.size()[0] - 1) as f64;
    let all = log_p.f_sum(Kind::Float)?.f_neg()?;
    Ok(nll.f_mul_scalar(1.0 - SMOOTHING - spread)?.f_add(&all.f_mul_scalar(spread)?)?)
}

fn status(key: &str) -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line =
        text.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line in /proc/self/status")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0)
}
