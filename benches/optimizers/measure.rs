//! Timing steps in pairs with the triad.

use crate::variants::Variant;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use sagetrain_benches::precision::Precision;
use sagetrain_benches::shapes::Shape;
use sagetrain_benches::workload::Workload;
use sagetrain_optim::{Executor, Stored};
use std::time::{Duration, Instant};

/// What was measured of one variant on one model.
pub struct Row {
    pub model: &'static str,
    pub precision: &'static str,
    pub threads: usize,
    pub variant: String,
    pub base: &'static str,
    pub parameters: usize,
    /// A parameter and step.
    pub bytes: usize,
    /// A parameter and triad.
    pub triad_bytes: usize,
    pub pairs: Vec<Pair>,
}

/// A triad and the step after it, in seconds.
#[derive(Clone, Copy)]
pub struct Pair {
    pub triad: f64,
    pub step: f64,
}

impl Row {
    /// Median seconds of a step.
    pub fn seconds(&self) -> f64 {
        self.median(|pair| pair.step)
    }

    /// Bytes a second, in the median.
    pub fn bandwidth(&self) -> f64 {
        (self.bytes * self.parameters) as f64 / self.seconds()
    }

    /// The triad's bytes a second, in the median.
    pub fn roof(&self) -> f64 {
        (self.triad_bytes * self.parameters) as f64 / self.median(|pair| pair.triad)
    }

    /// The step's bandwidth over that of the triad beside it, in the median.
    pub fn share(&self) -> f64 {
        self.bytes as f64 / self.triad_bytes as f64 * self.median(|pair| pair.triad / pair.step)
    }

    /// Time in units of the triad beside it: what is left of a time when the machine's speed is taken out of it.
    pub fn triads(&self) -> f64 {
        1.0 / self.median(|pair| pair.triad / pair.step)
    }

    fn median(&self, of: impl Fn(&Pair) -> f64) -> f64 {
        let mut values: Vec<f64> = self.pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Criterion, and what it does not keep.
pub struct Bench {
    criterion: Criterion,
    rows: Vec<Row>,
}

impl Bench {
    pub fn new(criterion: Criterion) -> Self {
        Self { criterion, rows: Vec::new() }
    }

    /// Times `variants` on one model in one precision.
    pub fn run<S: Stored>(
        &mut self,
        (model, sizes): &Shape,
        precision: &Precision,
        executor: &dyn Executor,
        variants: impl IntoIterator<Item = Variant>,
    ) {
        // Made by the first that the filter lets through.
        let mut made: Option<Workload<S>> = None;
        let (threads, parameters) = (executor.threads(), sizes.iter().sum());
        let mut group =
            self.criterion.benchmark_group(format!("{model}, {}, {threads} threads", precision.name));
        group
            .sample_size(10)
            .sampling_mode(SamplingMode::Flat)
            .throughput(Throughput::Elements(parameters as u64));
        for variant in variants {
            let (bytes, triad_bytes) = (precision.bytes(variant.traffic()), 3 * precision.parameter);
            let mut pairs = Vec::new();
            // Two steps a sample of what is large, at 10 GB/s.
            let expected = (bytes * parameters) as f64 / 10e9;
            group.measurement_time(Duration::from_secs_f64((15.0 * expected).max(0.5)));
            group.warm_up_time(Duration::from_millis(100));
            group.bench_function(BenchmarkId::from_parameter(&variant.name), |bencher| {
                let workload = made.get_or_insert_with(|| Workload::new(sizes));
                let options = precision.options(&variant.options, variant.traffic());
                let mut optimizer = workload.optimizer(&variant.spec, &options);
                workload.step(&mut optimizer, executor);
                bencher.iter_custom(|steps| {
                    let from = pairs.len();
                    pairs.extend((0..steps).map(|_| Pair {
                        triad: timed(|| workload.triad(executor)),
                        step: timed(|| workload.step(&mut optimizer, executor)),
                    }));
                    Duration::from_secs_f64(pairs[from..].iter().map(|pair| pair.step).sum())
                });
            });
            let Variant { name, base, .. } = variant;
            let precision = precision.name;
            if !pairs.is_empty() {
                self.rows.push(Row {
                    model,
                    precision,
                    threads,
                    variant: name,
                    base,
                    parameters,
                    bytes,
                    triad_bytes,
                    pairs,
                });
            }
        }
    }

    /// Ends criterion's report.
    pub fn finish(self) -> Vec<Row> {
        let Self { criterion, rows } = self;
        criterion.final_summary();
        rows
    }
}

fn timed(body: impl FnOnce()) -> f64 {
    let started = Instant::now();
    body();
    started.elapsed().as_secs_f64()
}
