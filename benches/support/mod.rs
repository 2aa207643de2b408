//! Arrays to step on, and a table of what was measured.

use sagetrain_optim::{
    Allocate, Executor, Memory, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, StepInputs,
};
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The models timed, by the shapes of their tensors.
pub fn shapes() -> Vec<(&'static str, Vec<usize>)> {
    vec![
        ("64 M", vec![64 << 20]),
        ("BERT-base", bert()),
        ("translation", translation()),
        ("spiral", spiral()),
    ]
}

/// The 199 tensors of BERT-base, 109.5 M parameters.
fn bert() -> Vec<usize> {
    let d = 768;
    let mut sizes = vec![30_522 * d, 512 * d, 2 * d, d, d];
    for _ in 0..12 {
        sizes.extend([d * d, d, d * d, d, d * d, d, d * d, d, d, d, d * 4 * d, 4 * d, 4 * d * d, d, d, d]);
    }
    sizes.extend([d * d, d]);
    sizes
}

/// A post-norm Transformer of 3 + 3 layers, d 256, 1024 wide, 8,000 tied embeddings: 7.6 M parameters.
fn translation() -> Vec<usize> {
    let d = 256;
    let attention = [d * d, d, d * d, d, d * d, d, d * d, d, d, d];
    let feed_forward = [d * 4 * d, 4 * d, 4 * d * d, d, d, d];
    let mut sizes = vec![8_000 * d];
    for _ in 0..3 {
        sizes.extend(attention.iter().chain(&feed_forward));
        sizes.extend(attention.iter().chain(&attention).chain(&feed_forward));
    }
    sizes
}

/// The 8 tensors of the Spiral MLP: 2 → 100 → 100 → 100 → 2, 20.7 K parameters.
fn spiral() -> Vec<usize> {
    vec![200, 100, 10_000, 100, 10_000, 100, 200, 2]
}

/// Parameters and gradients, each beginning at a cache line as libtorch's do.
pub struct Workload {
    infos: Vec<ParameterInfo>,
    parameters: Vec<Box<dyn Memory>>,
    gradients: Vec<Box<dyn Memory>>,
}

impl Workload {
    pub fn new(sizes: Vec<usize>) -> Self {
        let named = |(index, size): (usize, &usize)| ParameterInfo::new(format!("tensor{index}"), [*size]);
        let infos = sizes.iter().enumerate().map(named).collect();
        Self { infos, parameters: filled(&sizes, 0.2), gradients: filled(&sizes, 0.01) }
    }

    pub fn parameters(&self) -> usize {
        self.infos.iter().map(ParameterInfo::elements).sum()
    }

    pub fn optimizer(&self, spec: &OptimizerSpec, options: &OptimizerOptions) -> Optimizer {
        match Optimizer::new(spec, &self.infos, options, &Owned) {
            Ok(optimizer) => optimizer,
            Err(error) => unreachable!("{error}"),
        }
    }

    pub fn step(&mut self, optimizer: &mut Optimizer, executor: &dyn Executor) {
        let mut parameters: Vec<&mut [f32]> = self.parameters.iter_mut().map(|p| p.as_mut_slice()).collect();
        let gradients: Vec<Option<&[f32]>> = self.gradients.iter().map(|g| Some(g.as_slice())).collect();
        let report = optimizer.step(&mut parameters, &gradients, StepInputs::default(), executor);
        assert!(report.is_ok_and(|report| !report.skipped));
    }

    /// a ← a + s·b in place, in blocks as the update has them.
    pub fn triad(&mut self, executor: &dyn Executor) {
        let arrays = self.parameters.iter_mut().zip(&self.gradients);
        let blocks =
            arrays.flat_map(|(a, b)| a.as_mut_slice().chunks_mut(1 << 16).zip(b.as_slice().chunks(1 << 16)));
        let blocks: Vec<_> = blocks.map(Mutex::new).collect();
        executor.run(blocks.len(), &|index| {
            let Ok(mut block) = blocks[index].lock() else { return };
            let (a, b) = &mut *block;
            a.iter_mut().zip(b.iter()).for_each(|(a, b)| *a += 1e-9 * *b);
        });
    }
}

fn filled(sizes: &[usize], scale: f32) -> Vec<Box<dyn Memory>> {
    let array = |size: &usize| match Owned.zeros(*size) {
        Ok(mut memory) => {
            let fill =
                |(index, value): (usize, &mut f32)| *value = ((index as f32 * 0.618).fract() - 0.5) * scale;
            Memory::<f32>::as_mut_slice(&mut *memory).iter_mut().enumerate().for_each(fill);
            memory
        }
        Err(error) => unreachable!("{error}"),
    };
    sizes.iter().map(array).collect()
}

/// Medians of what was timed, with the triad's bandwidth of the same run.
#[derive(Default)]
pub struct Table {
    times: Vec<f64>,
    open: Vec<(String, f64, f64)>,
    lines: Vec<String>,
}

impl Table {
    /// Runs `body` as often as criterion asks, and keeps each time.
    pub fn time(
        &mut self,
        model: &str,
        name: &str,
        threads: usize,
        bytes: f64,
        times: u64,
        body: &mut dyn FnMut(),
    ) -> Duration {
        let key = format!("{model:<12} {threads} {name}");
        if self.open.last().is_none_or(|(last, ..)| *last != key) {
            self.close();
            self.open.push((key, bytes, 0.0));
        }
        let mut total = Duration::ZERO;
        for _ in 0..times {
            let started = Instant::now();
            body();
            let elapsed = started.elapsed();
            self.times.push(elapsed.as_secs_f64());
            total += elapsed;
        }
        total
    }

    fn close(&mut self) {
        let mut times = std::mem::take(&mut self.times);
        times.sort_by(f64::total_cmp);
        if let (Some((.., median)), Some(middle)) = (self.open.last_mut(), times.get(times.len() / 2)) {
            *median = *middle;
        }
    }

    /// Ends a model's rows.
    pub fn finish(&mut self, _model: &str, _threads: usize, parameters: usize) {
        self.close();
        let open = std::mem::take(&mut self.open);
        let rate = |bytes: f64, median: f64| bytes * parameters as f64 / median / 1e9;
        let triad = open.first().map_or(f64::NAN, |(_, bytes, median)| rate(*bytes, *median));
        let adam = open.get(1).map_or(f64::NAN, |(.., median)| *median);
        for (key, bytes, median) in &open {
            let rate = rate(*bytes, *median);
            let share = 100.0 * rate / triad;
            let (us, ns) = (median * 1e6, median * 1e9 / parameters as f64);
            let line = format!(
                "{key:<34} {us:>10.1} {ns:>8.3} {bytes:>6} {rate:>8.1} {share:>7.0} {:>7.2}\n",
                median / adam
            );
            self.lines.push(line);
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["model  threads", "µs", "ns/p", "B/p", "GB/s", "% triad", "/ adam"];
        let [model, us, ns, bytes, rate, share, adam] = head;
        writeln!(f, "{model:<34} {us:>10} {ns:>8} {bytes:>6} {rate:>8} {share:>7} {adam:>7}")?;
        self.lines.iter().try_for_each(|line| f.write_str(line))
    }
}
