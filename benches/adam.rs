//! The optimizers, float32: time and share of memory bandwidth.
//!
//!     cargo bench -p sagetrain-benches --bench adam
//!
//! Update alone (`nonFinite: 'unchecked'`) and with the default check, on one tensor of 64 M parameters, on the tensors of BERT-base, of a
//! small translation model and of the Spiral MLP. The bandwidth it is held against is an in-place triad, a ← a + s·b, of the same run,
//! threads and kind of memory. Bytes a parameter are those of one read and one write of each live array.

mod support;

use criterion::{BenchmarkId, Criterion, Throughput};
use sagetrain_optim::{NonFinite, OptimizerOptions, OptimizerSpec, Pool, SageSpec, SgdSpec};
use support::{Table, Workload, shapes};

/// What is timed: a name, the spec, the options, bytes a parameter.
fn variants() -> Vec<(&'static str, OptimizerSpec, OptimizerOptions, f64)> {
    let unchecked = || OptimizerOptions { non_finite: NonFinite::Unchecked, ..OptimizerOptions::default() };
    let checked = OptimizerOptions::default;
    let momentum = SgdSpec { momentum: 0.9, ..SgdSpec::new(1e-3) };
    let sage = || OptimizerSpec::adam(1e-3).with_sage(SageSpec::default());
    vec![
        ("adam", OptimizerSpec::adam(1e-3), unchecked(), 28.0),
        ("adam-sage", sage(), unchecked(), 36.0),
        ("adamax-sage", OptimizerSpec::adamax(1e-3).with_sage(SageSpec::default()), unchecked(), 36.0),
        ("sgd-sage", OptimizerSpec::Sgd(momentum).with_sage(SageSpec::default()), unchecked(), 28.0),
        ("adam checked", OptimizerSpec::adam(1e-3), checked(), 32.0),
        ("adam-sage checked", sage(), checked(), 40.0),
    ]
}

fn bench(criterion: &mut Criterion, pool: &Pool, threads: usize, table: &mut Table) {
    for (model, shapes) in shapes() {
        let mut workload = Workload::new(shapes);
        let mut group = criterion.benchmark_group(format!("{model}, {threads} threads"));
        group.sample_size(20).throughput(Throughput::Elements(workload.parameters() as u64));
        group.bench_function("triad", |bencher| {
            bencher.iter_custom(|times| {
                table.time(model, "triad", threads, 12.0, times, &mut || workload.triad(pool))
            });
        });
        for (name, spec, options, bytes) in variants() {
            let mut optimizer = workload.optimizer(&spec, &options);
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                let mut step = || workload.step(&mut optimizer, pool);
                bencher.iter_custom(|times| table.time(model, name, threads, bytes, times, &mut step));
            });
        }
        table.finish(model, threads, workload.parameters());
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    let mut table = Table::default();
    for threads in if most > 1 { vec![1, most] } else { vec![1] } {
        match Pool::new(threads) {
            Ok(pool) => bench(&mut criterion, &pool, threads, &mut table),
            Err(error) => eprintln!("{error}"),
        }
    }
    criterion.final_summary();
    eprint!("{table}");
}
