//! The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

pub(crate) const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
pub(crate) const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
pub(crate) const ROUNDS: usize = 10;

/// A family of random functions of (seed, step, stream, counter): any draw can be had again, in any order, on any thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Philox {
    /// The run's seed, the key.
    pub seed: u64,
    /// What changes from forward pass to forward pass.
    pub step: u64,
    /// What tells apart the users of one step, such as a layer's dropout.
    pub stream: u32,
}

impl Philox {
    /// Four independent 32-bit words for one counter.
    pub fn words(&self, counter: u32) -> [u32; 4] {
        let mut key = [self.seed as u32, (self.seed >> 32) as u32];
        let mut state = [counter, self.stream, self.step as u32, (self.step >> 32) as u32];
        for _ in 0..ROUNDS {
            state = round(state, key);
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        state
    }

    /// Fills `out` with uniform draws in [0, 1), 24 bits each; element `i` is word `i % 4` of counter `i / 4`.
    pub fn fill_uniform(&self, out: &mut [f32]) {
        for (counter, chunk) in out.chunks_mut(4).enumerate() {
            let words = self.words(counter as u32);
            for (value, word) in chunk.iter_mut().zip(words) {
                *value = unit(word);
            }
        }
    }

    /// Fills `out` with standard normal draws by Box and Muller's transform, in double precision, two from each pair of words.
    pub fn fill_normal(&self, out: &mut [f32]) {
        self.fill_normal_from(0, out);
    }

    /// The same from that counter on: of all draws those of the elements from `4 · first` on.
    pub(crate) fn fill_normal_from(&self, first: u32, out: &mut [f32]) {
        for (counter, chunk) in (first..).zip(out.chunks_mut(4)) {
            let [a, b, c, d] = self.words(counter);
            let normals = normal_pair(a, b).into_iter().chain(normal_pair(c, d));
            for (value, normal) in chunk.iter_mut().zip(normals) {
                *value = normal;
            }
        }
    }
}

fn round(state: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let first = u64::from(MULTIPLIERS[0]) * u64::from(state[0]);
    let second = u64::from(MULTIPLIERS[1]) * u64::from(state[2]);
    [
        (second >> 32) as u32 ^ state[1] ^ key[0],
        second as u32,
        (first >> 32) as u32 ^ state[3] ^ key[1],
        first as u32,
    ]
}

fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// The radius comes from (0, 1], so that its logarithm is finite.
fn normal_pair(a: u32, b: u32) -> [f32; 2] {
    let radius = (-2.0 * ((f64::from(a) + 1.0) / 4_294_967_296.0).ln()).sqrt();
    let angle = std::f64::consts::TAU * f64::from(b) / 4_294_967_296.0;
    [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of Random123's `kat_vectors` for philox4x32 with ten rounds.
    #[test]
    fn known_answers() {
        let zero = Philox { seed: 0, step: 0, stream: 0 };
        assert_eq!(zero.words(0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = Philox { seed: u64::MAX, step: u64::MAX, stream: u32::MAX };
        assert_eq!(ones.words(u32::MAX), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = Philox { seed: 0x299f_31d0_a409_3822, step: 0x0370_7344_1319_8a2e, stream: 0x85a3_08d3 };
        assert_eq!(pi.words(0x243f_6a88), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut draws = vec![0f32; 100_000];
        Philox { seed: 7, step: 1, stream: 2 }.fill_normal(&mut draws);
        let mean = draws.iter().map(|&x| f64::from(x)).sum::<f64>() / 1e5;
        let variance = draws.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.015 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
