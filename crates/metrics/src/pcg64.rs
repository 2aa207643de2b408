//! NumPy's default generator: PCG64 (O'Neill, 2014; XSL-RR 128/64) seeded by `SeedSequence`, so that a bootstrap draws the
//! sentences that sacreBLEU draws. Sources: `numpy/random/bit_generator.pyx`, `src/pcg64/pcg64.h`, `src/distributions/distributions.c`.

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// `numpy.random.default_rng(seed)`, as far as `integers(0, n)` and `integers(2, dtype=bool)` go.
pub(crate) struct Pcg64 {
    state: u128,
    increment: u128,
    /// The upper half of the last 64 bits, when only its lower half was used.
    half: Option<u32>,
}

impl Pcg64 {
    pub fn new(seed: u64) -> Self {
        let [state, stream] = seed_sequence(seed);
        let mut generator = Pcg64 { state: 0, increment: stream << 1 | 1, half: None };
        generator.advance();
        generator.state = generator.state.wrapping_add(state);
        generator.advance();
        generator
    }

    /// A uniform integer below `bound` (≥ 1), by Lemire's method (2019) without bias.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 1 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    pub fn next_u32(&mut self) -> u32 {
        if let Some(upper) = self.half.take() {
            return upper;
        }
        let bits = self.next_u64();
        self.half = Some((bits >> 32) as u32);
        bits as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.advance();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn advance(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)` as two 128-bit numbers, most significant word first.
fn seed_sequence(seed: u64) -> [u128; 2] {
    let pool = mix_entropy([seed as u32, (seed >> 32) as u32, 0, 0]);
    let mut hash = Hash { constant: 0x8b51_f9dd, multiplier: 0x58f3_8ded };
    let words: [u32; 8] = std::array::from_fn(|index| hash.mix(pool[index % 4]));
    let pair = |index: usize| u128::from(words[index]) | u128::from(words[index + 1]) << 32;
    [pair(0) << 64 | pair(2), pair(4) << 64 | pair(6)]
}

fn mix_entropy(entropy: [u32; 4]) -> [u32; 4] {
    let mut hash = Hash { constant: 0x43b0_d7e5, multiplier: 0x931e_8875 };
    let mut pool = entropy.map(|word| hash.mix(word));
    for source in 0..4 {
        for target in (0..4).filter(|&target| target != source) {
            let (left, right) = (pool[target], hash.mix(pool[source]));
            let mixed = left.wrapping_mul(0xca01_f9dd).wrapping_sub(right.wrapping_mul(0x4973_f715));
            pool[target] = mixed ^ mixed >> 16;
        }
    }
    pool
}

/// `SeedSequence`'s hash, whose constant moves on with every word.
struct Hash {
    constant: u32,
    multiplier: u32,
}

impl Hash {
    fn mix(&mut self, word: u32) -> u32 {
        let keyed = word ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.multiplier);
        let product = keyed.wrapping_mul(self.constant);
        product ^ product >> 16
    }
}

#[cfg(test)]
mod tests {
    use super::Pcg64;

    /// `numpy.random.default_rng(seed).integers(0, bound, 8)`, NumPy 2.4.6.
    #[test]
    fn draws_numpys_integers() {
        assert_eq!(draws(0, 10), [8, 6, 5, 2, 3, 0, 0, 0]);
        assert_eq!(draws(12345, 426), [297, 96, 335, 134, 86, 339, 273, 288]);
        assert_eq!(
            draws(1099511627793, 3000000000),
            [2472096122, 2361330306, 792377058, 2329052396, 1577116263, 138436596, 550646585, 1469433432]
        );
        assert_eq!(draws(18446744073709551615, 1), [0, 0, 0, 0, 0, 0, 0, 0]);
    }

    fn draws(seed: u64, bound: u32) -> Vec<u32> {
        let mut generator = Pcg64::new(seed);
        (0..8).map(|_| generator.below(bound)).collect()
    }
}
