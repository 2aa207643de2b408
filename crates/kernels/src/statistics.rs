//! Mean, variance, extremes and a histogram in binades, gathered block by block.

use crate::float::Float;

/// Counts of magnitudes by power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// How many were exactly 0.
    pub zeros: u64,
    /// `counts[k]` counts 2^(LOWEST + k) ≤ |x| < 2^(LOWEST + k + 1); the ends take what lies beyond them.
    pub counts: [u64; Histogram::BINS],
}

impl Histogram {
    /// Number of bins.
    pub const BINS: usize = 96;
    /// The exponent of the first bin's lower edge: 2^-72 ≈ 2·10⁻²². The last bin begins at 2^23.
    pub const LOWEST: i32 = -72;

    fn add(&mut self, value: f64) {
        if value == 0.0 {
            self.zeros += 1;
        } else {
            let exponent = ((value.to_bits() >> 52) & 0x7ff) as i32 - 1023;
            self.counts[(exponent - Self::LOWEST).clamp(0, Self::BINS as i32 - 1) as usize] += 1;
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { zeros: 0, counts: [0; Self::BINS] }
    }
}

/// Running statistics of one quantity over one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Number of elements.
    pub count: u64,
    /// Mean; 0 for no elements.
    pub mean: f64,
    squares: f64,
    /// Smallest element; +∞ for no elements.
    pub min: f64,
    /// Largest element; −∞ for no elements.
    pub max: f64,
    /// Magnitudes by power of two.
    pub histogram: Histogram,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            count: 0,
            mean: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            histogram: Histogram::default(),
        }
    }
}

impl Statistics {
    /// Variance over the elements (divided by their number, not one less); 0 for no elements.
    pub fn variance(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.squares / self.count as f64 }
    }

    /// The statistics of `values`.
    pub fn of<F: Float>(values: &[F]) -> Self {
        let mut one = Self { count: values.len() as u64, ..Self::default() };
        if values.is_empty() {
            return one;
        }
        one.mean = values.iter().map(|value| value.to_f64()).sum::<f64>() / values.len() as f64;
        for value in values {
            let value = value.to_f64();
            one.squares += (value - one.mean) * (value - one.mean);
            one.min = one.min.min(value);
            one.max = one.max.max(value);
            one.histogram.add(value);
        }
        one
    }

    /// Takes in the statistics of further elements (Chan, Golub, LeVeque 1979). Merge in a fixed order for fixed bits.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        self.count += other.count;
        self.mean += apart * m / (n + m);
        self.squares += other.squares + apart * apart * n * m / (n + m);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.histogram.zeros += other.histogram.zeros;
        for (count, more) in self.histogram.counts.iter_mut().zip(other.histogram.counts) {
            *count += more;
        }
    }
}
