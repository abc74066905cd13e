//! The numbers that inputs are drawn from: the same on every machine and in every version.

/// SplitMix64 (Guy L. Steele Jr., Doug Lea, Christine H. Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014): a counter and a mixing function, which is all that inputs need.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each pair of a seed and a purpose.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, so that two workloads with the same seed do not draw the same numbers.
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random(seed ^ purpose.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
    }

    /// The next word.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number in `0..bound`. Its bias is below `bound` / 2^64, far from what any workload could notice.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        self.word() % bound
    }

    /// A salt: what every result depends on, so that no digest is a constant.
    pub fn salt(&mut self) -> u64 {
        self.below(1 << 31)
    }

    /// A number in `(0, 1]`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    pub fn fraction(&mut self) -> f64 {
        ((self.word() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Puts the items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = usize::try_from(self.below(last as u64 + 1)).expect("an index fits");
            items.swap(last, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn streams_repeat_and_differ_by_seed_and_purpose() {
        let draw = |seed, purpose| Random::new(seed, purpose).word();
        assert_eq!(draw(7, "primes"), draw(7, "primes"));
        assert_ne!(draw(7, "primes"), draw(8, "primes"));
        assert_ne!(draw(7, "primes"), draw(7, "spawn"));
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<u64> = (0..100).collect();
        Random::new(1, "test").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn fractions_are_never_zero() {
        let mut random = Random::new(3, "test");
        assert!((0..10_000).map(|_| random.fraction()).all(|x| x > 0.0 && x <= 1.0));
    }
}
