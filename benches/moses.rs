//! Moses' text steps against sacremoses, one core each, on the embedded corpus, in one run.
//!
//!     cargo bench -p sagetrain-benches --bench moses -- [--python VENV/bin/python]
//!
//! Megabytes are those of the step's input. Without --python the peer is left out; peers/README.md says how to make its environment.

use sagetrain_data::text::moses::{MosesDetokenizer, MosesNormalizer, MosesTokenizer};
use sagetrain_data::text::{CorpusFiles, Pairs};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;
type Step = Box<dyn Fn(&str) -> usize>;

/// Lines of each language; the peer takes about twenty seconds for them.
const LINES: usize = 10_000;
const ROUNDS: usize = 9;

fn lines() -> Outcome<[Vec<String>; 2]> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ts/task/translation/corpus/train.tsv.gz");
    let pairs = Pairs::open(&CorpusFiles { tsv: Some(corpus), ..Default::default() })?;
    let mut sides = [Vec::new(), Vec::new()];
    for pair in pairs.take(LINES) {
        if let Ok((german, english)) = pair?.content {
            sides[0].push(german);
            sides[1].push(english);
        }
    }
    Ok(sides)
}

fn steps(language: &str) -> Outcome<[(&'static str, Step); 3]> {
    let (tokenizer, normalizer) = (MosesTokenizer::new(language, true)?, MosesNormalizer::new(language)?);
    let detokenizer = MosesDetokenizer::new(language)?;
    Ok([
        ("tokenize", Box::new(move |line| tokenizer.tokenize(line).len())),
        ("normalize", Box::new(move |line| normalizer.normalize(line).len())),
        (
            "detokenize",
            Box::new(move |line| detokenizer.detokenize(&line.split(' ').collect::<Vec<_>>()).len()),
        ),
    ])
}

/// Least seconds of a pass over the lines.
fn measure(step: &Step, lines: &[String]) -> f64 {
    let pass = || {
        let started = Instant::now();
        std::hint::black_box(lines.iter().map(|line| step(line)).sum::<usize>());
        started.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| pass()).fold(f64::INFINITY, f64::min)
}

/// Seconds that sacremoses takes.
fn peer(python: &str, step: &str, language: &str, lines: &[String]) -> Outcome<f64> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/moses.py");
    let mut process = Command::new(python)
        .args([script, step, language])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = process.stdin.take() {
        input.write_all(lines.join("\n").as_bytes())?;
    }
    let output = process.wait_with_output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().collect();
    let python = words.iter().position(|word| word == "--python").and_then(|at| words.get(at + 1));
    let sides = lines()?;
    eprintln!("{:<14} {:>8} {:>16} {:>8}", "step", "MB/s", "sacremoses MB/s", "ratio");
    for (language, lines) in ["de", "en"].into_iter().zip(&sides) {
        let tokenizer = MosesTokenizer::new(language, true)?;
        let tokenized: Vec<String> = lines.iter().map(|line| tokenizer.tokenize(line)).collect();
        for (name, step) in steps(language)? {
            let lines = if name == "detokenize" { &tokenized } else { lines };
            let megabytes = lines.iter().map(String::len).sum::<usize>() as f64 / 1e6;
            let ours = megabytes / measure(&step, lines);
            let theirs = match python {
                Some(python) => megabytes / peer(python, name, language, lines)?,
                None => f64::NAN,
            };
            let ratio = ours / theirs;
            eprintln!("{:<14} {ours:>8.1} {theirs:>16.2} {ratio:>8.0}", format!("{name} {language}"));
        }
    }
    Ok(())
}
