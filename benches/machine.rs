//! The conditions a figure was measured under.

use sagetrain_kernels::Isa;
use std::fmt;
use std::fs;

/// What of the machine matters to memory traffic.
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// Vector instructions our loops are compiled for.
    pub isa: String,
    /// When the kernel gives huge pages: `always`, `madvise` (only where asked, which nobody here does) or `never`.
    pub huge_pages: String,
    /// Processes that were ready to run in the last minute: above the cores, figures are of a machine that is busy otherwise.
    pub load: String,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        let cpu = read("/proc/cpuinfo");
        let model =
            cpu.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        let pages = read("/sys/kernel/mm/transparent_hugepage/enabled");
        let chosen = pages.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        Self {
            processor: model.map_or("unknown", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            isa: Isa::best().to_string(),
            huge_pages: chosen.map_or("unknown", |(word, _)| word).to_owned(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, isa, huge_pages, load } = self;
        write!(f, "{processor}, {cores} cores, {isa}, huge pages {huge_pages}, load {load}")
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
