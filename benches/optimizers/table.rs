//! What was measured, for people and for programs.

use crate::measure::Row;
use sagetrain_benches::machine::Machine;
use serde_json::{Value, json};
use std::io::Result;
use std::path::PathBuf;

/// One line a row.
pub fn print(machine: &Machine, rows: &[Row]) {
    eprintln!("{machine}");
    let [model, us, ns, bytes, rate, share, base] =
        ["model, precision, threads, optimizer", "µs", "ns/param", "B/param", "GB/s", "% triad", "/ base"];
    eprintln!("{model:<74} {us:>10} {ns:>8} {bytes:>7} {rate:>7} {share:>7} {base:>6}");
    for row in rows {
        let name = format!("{:<17} {:<8} {:>2}  {}", row.model, row.precision, row.threads, row.variant);
        let (us, ns) = (row.seconds() * 1e6, row.seconds() * 1e9 / row.parameters as f64);
        let (rate, share, bytes) = (row.bandwidth() / 1e9, 100.0 * row.share(), row.bytes);
        let base = over_base(row, rows).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        eprintln!("{name:<74} {us:>10.1} {ns:>8.3} {bytes:>7} {rate:>7.1} {share:>7.0} {base:>6}");
    }
}

/// All rows, as criterion's neighbour in the target folder; nowhere where nothing was timed.
pub fn write(machine: &Machine, rows: &[Row]) -> Result<Option<PathBuf>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    let path = folder.join("criterion").join("optimizers.json");
    let Machine { processor, cores, isa, huge_pages, load } = machine;
    let machine =
        json!({ "processor": processor, "cores": cores, "isa": isa, "hugePages": huge_pages, "load": load });
    let rows: Vec<Value> = rows.iter().map(|row| as_json(row, rows)).collect();
    std::fs::create_dir_all(folder.join("criterion"))?;
    std::fs::write(&path, serde_json::to_vec_pretty(&json!({ "machine": machine, "rows": rows }))?)?;
    Ok(Some(path))
}

fn as_json(row: &Row, rows: &[Row]) -> Value {
    let least = row.pairs.iter().map(|pair| pair.step).fold(f64::INFINITY, f64::min);
    json!({
        "model": row.model,
        "precision": row.precision,
        "threads": row.threads,
        "optimizer": row.variant,
        "parameters": row.parameters,
        "bytesPerParameter": row.bytes,
        "steps": row.pairs.len(),
        "medianSeconds": row.seconds(),
        "leastSeconds": least,
        "nanosecondsPerParameter": row.seconds() * 1e9 / row.parameters as f64,
        "bytesPerSecond": row.bandwidth(),
        "triadBytesPerSecond": row.roof(),
        "shareOfTriad": row.share(),
        "overBase": { "base": row.base, "ratio": over_base(row, rows) },
    })
}

/// Time over that of the row's base, each in units of its own triads.
fn over_base(row: &Row, rows: &[Row]) -> Option<f64> {
    let same = |other: &&Row| {
        (other.model, other.precision, other.threads, other.variant.as_str())
            == (row.model, row.precision, row.threads, row.base)
    };
    rows.iter().find(same).map(|base| row.triads() / base.triads())
}
