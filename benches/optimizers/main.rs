//! Every optimizer: time, and share of memory bandwidth.
//!
//!     cargo bench -p sagetrain-benches --bench optimizers                      all: a quarter of an hour at 10 GB/s
//!     cargo bench -p sagetrain-benches --bench optimizers -- 'Spiral|BERT.*Adam'      what matches
//!     cargo bench -p sagetrain-benches --bench optimizers -- --quick           a few steps of each
//!     cargo bench -p sagetrain-benches --bench optimizers -- --save-baseline before   and later: --baseline before
//!
//! The update alone (`nonFinite: 'unchecked'`), and what options add to it. Float32 on every model, float64 of every optimizer on the
//! single tensor and the Spiral MLP and of Adam on the rest; Adam in 16 bits, and on one thread too. Bytes a parameter are those of one read and
//! one write of each live array.
//!
//! The bandwidth is that of an in-place triad, a ← a + s·b, on the same arrays, threads and kind of memory, taken right before every single
//! step: the share is the median over these pairs, so that a machine that is busy for a while slows both. What fits the caches has a
//! share of the caches' bandwidth, which is bound by other things.
//!
//! Writes every number as JSON beside criterion's own, and, where all of float32 was timed, docs/optimizers-roofline.svg.

mod measure;
mod roofline;
mod table;
mod variants;

use criterion::Criterion;
use measure::Bench;
use sagetrain_benches::machine::Machine;
use sagetrain_benches::precision::{
    BFLOAT16_KAHAN, BFLOAT16_MASTER, BFLOAT16_MASTER_SENSITIVITY16, BFLOAT16_STOCHASTIC, FLOAT16_MASTER,
    FLOAT32, FLOAT32_SENSITIVITY16, FLOAT64,
};
use sagetrain_benches::shapes::shapes;
use sagetrain_optim::{Pool, bf16, f16};
use std::error::Error;
use std::path::Path;
use variants::{adams, guided, options, updates};

fn main() -> Result<(), Box<dyn Error>> {
    let machine = Machine::here();
    let mut bench = Bench::new(Criterion::default().configure_from_args());
    let pool = Pool::new(machine.cores)?;
    for shape in shapes() {
        let (single, small) = (shape.1.len() == 1, shape.0 == "Spiral MLP");
        let more = if single || small { options() } else { Vec::new() };
        bench.run::<f32>(&shape, &FLOAT32, &pool, updates().into_iter().chain(more));
        bench.run::<f64>(&shape, &FLOAT64, &pool, if single || small { updates() } else { adams() });
        bench.run::<f32>(&shape, &FLOAT32_SENSITIVITY16, &pool, guided());
        bench.run::<bf16>(&shape, &BFLOAT16_MASTER, &pool, adams());
        if single || small {
            bench.run::<bf16>(&shape, &BFLOAT16_MASTER_SENSITIVITY16, &pool, guided());
            bench.run::<bf16>(&shape, &BFLOAT16_STOCHASTIC, &pool, adams());
            bench.run::<bf16>(&shape, &BFLOAT16_KAHAN, &pool, adams());
            bench.run::<f16>(&shape, &FLOAT16_MASTER, &pool, adams());
        }
        if machine.cores > 1 {
            bench.run::<f32>(&shape, &FLOAT32, &Pool::new(1)?, adams());
        }
    }
    let rows = bench.finish();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    table::print(&machine, &rows);
    if let Some(path) = table::write(&machine, &rows)? {
        eprintln!("every number: {}", path.display());
    }
    if roofline::draw(&machine, &rows, &docs.join("optimizers-roofline.svg"))? {
        eprintln!("the picture: docs/optimizers-roofline.svg");
    }
    Ok(())
}
