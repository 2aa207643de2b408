//! Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
//!
//! A draw is a function of (seed, stream, index, position) and of nothing else, so an order of samples can be made
//! again from a checkpoint's few numbers.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// What a sequence is used for; sequences of different streams are independent.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Stream {
    Samples = 1,
    Batches = 2,
    HeldOut = 3,
    Spiral = 4,
    Shards = 5,
    BpeDropout = 6,
    Limit = 7,
}

/// One sequence of draws, named by (seed, stream, index).
#[derive(Debug, Clone)]
pub(crate) struct Random {
    key: [u32; 2],
    /// [block, stream, index low, index high]
    counter: [u32; 4],
    /// Words of the current block still to be drawn, last first.
    left: Vec<u32>,
}

impl Random {
    pub(crate) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let counter = [0, stream as u32, index as u32, (index >> 32) as u32];
        Self { key: [seed as u32, (seed >> 32) as u32], counter, left: Vec::with_capacity(4) }
    }

    fn word(&mut self) -> u32 {
        if let Some(word) = self.left.pop() {
            return word;
        }
        let block = philox(self.counter, self.key);
        self.counter[0] = self.counter[0].wrapping_add(1);
        self.left.extend(block[1..].iter().rev());
        block[0]
    }

    /// True with `probability`, to 2^-32.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.word()) < probability * 4_294_967_296.0
    }

    /// Uniform in all of u64.
    pub(crate) fn wide(&mut self) -> u64 {
        u64::from(self.word()) | u64::from(self.word()) << 32
    }

    /// Below `bound`, by multiply and shift; the bias is under `bound` / 2^64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.wide()) * bound as u128) >> 64) as usize
    }

    /// Uniform in [0, 1), 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.wide() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller; the second value is not kept, so that draws stay countable.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Fisher and Yates' shuffle, in place.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let [a, b] = [0, 1].map(|lane| u64::from(MULTIPLIERS[lane]) * u64::from(counter[2 * lane]));
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123's `kat_vectors` for philox4x32-10.
    #[test]
    fn philox_gives_the_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(
            philox(pi, [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_depends_on_seed_and_index() {
        let shuffled = |seed, index| {
            let mut items: Vec<u32> = (0..1000).collect();
            Random::new(seed, Stream::Samples, index).shuffle(&mut items);
            items
        };
        let first = shuffled(1, 0);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert_eq!(first, shuffled(1, 0));
        assert_ne!(first, shuffled(1, 1));
        assert_ne!(first, shuffled(2, 0));
    }

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        let mut random = Random::new(7, Stream::Spiral, 0);
        let normal: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = normal.iter().sum::<f64>() / 20_000.0;
        let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "mean {mean}, variance {variance}");
        let uniform = (0..20_000).map(|_| random.uniform()).sum::<f64>() / 20_000.0;
        assert!((uniform - 0.5).abs() < 0.01, "mean {uniform}");
    }
}
