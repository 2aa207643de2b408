//! The noise of stochastic rounding: a function of seed, step, parameter and element.

/// Draws of one parameter in one step, from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the
/// key is the seed; the counter is (element / 8, parameter, step), of which element i takes half i % 8, low halves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The key.
    pub seed: u64,
    /// t
    pub step: u64,
    /// Number of the parameter.
    pub parameter: u32,
}

const MULTIPLIERS: [u64; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;
/// Elements a counter serves.
const HALVES: usize = 8;
/// Counters taken side by side: a vector of the widest instructions.
const LANES: usize = 16;

impl Noise {
    /// The noise of elements from `start` on, which must be a multiple of 8. Positions repeat after 2^35 elements.
    #[inline(always)]
    pub fn fill(&self, start: u64, out: &mut [u16]) {
        debug_assert_eq!(start % HALVES as u64, 0);
        let mut counter = (start / HALVES as u64) as u32;
        for chunk in out.chunks_mut(LANES * HALVES) {
            let words = self.words(counter);
            // Counter after counter, word after word: little-endian, halves then stand in their order.
            let mut drawn = [0u32; LANES * HALVES / 2];
            for (lane, four) in drawn.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *four = std::array::from_fn(|word| words[word][lane].to_le());
            }
            let halves: &[u16] = bytemuck::cast_slice(&drawn);
            chunk.copy_from_slice(&halves[..chunk.len()]);
            counter = counter.wrapping_add(LANES as u32);
        }
    }

    /// The four words of [`LANES`] counters from `first` on.
    #[inline(always)]
    fn words(&self, first: u32) -> [[u32; LANES]; 4] {
        let counters = std::array::from_fn(|lane| first.wrapping_add(lane as u32));
        let mut state =
            [counters, [self.parameter; LANES], [self.step as u32; LANES], [(self.step >> 32) as u32; LANES]];
        let mut key = [self.seed as u32, (self.seed >> 32) as u32];
        for _ in 0..ROUNDS {
            state = round(&state, key);
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        state
    }
}

#[inline(always)]
fn round(state: &[[u32; LANES]; 4], key: [u32; 2]) -> [[u32; LANES]; 4] {
    let mut next = [[0; LANES]; 4];
    for lane in 0..LANES {
        let first = MULTIPLIERS[0] * u64::from(state[0][lane]);
        let second = MULTIPLIERS[1] * u64::from(state[2][lane]);
        next[0][lane] = (second >> 32) as u32 ^ state[1][lane] ^ key[0];
        next[1][lane] = second as u32;
        next[2][lane] = (first >> 32) as u32 ^ state[3][lane] ^ key[1];
        next[3][lane] = first as u32;
    }
    next
}
