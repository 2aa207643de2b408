//! The data path on the embedded corpus: reading, tokenising, ordering and gathering batches.
//!
//!     cargo bench -p sagetrain-benches --bench data
//!
//! Throughput is in bytes of UTF-8 text for reading and tokenising, and in target tokens for batches. `plan` is what
//! one epoch's order costs, and at most what a resumption costs.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use sagetrain_data::text::{CorpusFiles, Pairs};
use sagetrain_data::translation::{PrepareOptions, Vocabulary, prepare};
use sagetrain_data::{Dataset, Loader, LoaderOptions, Tokenizer};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ts/task/translation/corpus/train.tsv.gz")
}

fn read() -> Result<Vec<String>, Box<dyn Error>> {
    let mut sentences = Vec::new();
    for pair in Pairs::open(&CorpusFiles { tsv: Some(corpus()), ..Default::default() })? {
        if let Ok((source, target)) = pair?.content {
            sentences.extend([source, target]);
        }
    }
    Ok(sentences)
}

fn text(criterion: &mut Criterion, tokenizer: &Tokenizer) -> Result<(), Box<dyn Error>> {
    let sentences = read()?;
    let texts: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let bytes = texts.iter().map(|text| text.len() as u64).sum();
    let mut group = criterion.benchmark_group("text");
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("read and check, gzipped", |bencher| {
        bencher.iter(|| read().map(|read| read.len()).ok())
    });
    group.bench_function("train 4,000 tokens, all cores", |bencher| {
        bencher.iter(|| {
            Tokenizer::train(sentences.iter().cloned(), 4000).map(|tokenizer| tokenizer.vocabulary()).ok()
        });
    });
    group.bench_function("encode, all cores", |bencher| {
        bencher.iter(|| tokenizer.encode_batch(&texts).map(|ids| ids.len()).ok());
    });
    group.bench_function("encode, one thread", |bencher| {
        bencher.iter(|| {
            texts.iter().filter_map(|text| tokenizer.encode(text).ok()).map(|ids| ids.len()).sum::<usize>()
        });
    });
    Ok(())
}

fn batches(criterion: &mut Criterion, dataset: &Arc<Dataset>) -> Result<(), Box<dyn Error>> {
    let options =
        LoaderOptions { max_tokens: Some(2000), prefetch: 0, epochs: Some(1), ..Default::default() };
    let loader = Loader::new(dataset.clone(), options.clone())?;
    let (count, tokens) = (loader.plan(0).len(), loader.flatten().map(|batch| batch.tokens as u64).sum());
    let mut group = criterion.benchmark_group(format!("an epoch of {count} batches"));
    group.throughput(Throughput::Elements(tokens));
    for prefetch in [0, 4] {
        let options = LoaderOptions { prefetch, ..options.clone() };
        group.bench_function(format!("gathered, prefetch {prefetch}"), |bencher| {
            bencher.iter(|| {
                Loader::new(dataset.clone(), options.clone()).map(|loader| loader.flatten().count()).ok()
            });
        });
    }
    let loader = Loader::new(dataset.clone(), options)?;
    group.bench_function("plan", |bencher| bencher.iter(|| loader.plan(1).len()));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let folder = tempfile::tempdir()?;
    let options = PrepareOptions {
        tsv: Some(corpus()),
        vocabulary: Vocabulary { size: Some(4000), ..Default::default() },
        output: folder.path().into(),
        ..Default::default()
    };
    let prepared = prepare(&options)?;
    criterion.bench_function("prepare again (checks every byte)", |bencher| {
        bencher.iter(|| prepare(&options).is_ok())
    });
    text(&mut criterion, &Tokenizer::open(&prepared.tokenizer)?)?;
    batches(&mut criterion, &Arc::new(Dataset::open(&prepared.train)?))?;
    criterion.final_summary();
    Ok(())
}
