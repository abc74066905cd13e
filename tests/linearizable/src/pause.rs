//! Random tiny pauses, so that no two runs overlap alike.

use crate::gate::Crowd;
use std::hint;

/// Decides how long a thread pauses before each operation; the same decisions for the same seed.
///
/// The numbers are those of SplitMix64 (G. Steele, D. Lea and C. Flood, *Fast splittable pseudorandom number
/// generators*, OOPSLA 2014): a few instructions each, where a better generator would be a pause by itself.
#[derive(Debug)]
pub(crate) struct Pauses {
    state: u64,
}

impl Pauses {
    /// The pauses of one thread in one run.
    pub(crate) fn new(seed: u64, thread: usize, run: usize) -> Self {
        let mut pauses = Pauses { state: seed };
        // Neighbours in any of the three must not share a sequence.
        for part in [thread, run] {
            pauses.state = pauses.next() ^ part as u64;
        }
        pauses
    }

    /// Goes on at once in half the cases, spins for up to some hundred nanoseconds or some microseconds in most others,
    /// and else gives the CPU away, if there is no crowd.
    pub(crate) fn pause(&mut self, crowd: &Crowd) {
        let number = self.next();
        let length = number >> 32;
        match number % 16 {
            0..8 => {}
            8..12 => spin(length % 16),
            12..14 => spin(length % 256),
            _ => {
                crowd.yield_now();
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

fn spin(turns: u64) {
    for _ in 0..turns {
        hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_repeat_for_one_seed_and_differ_between_threads_and_runs() {
        let first_of = |seed, thread, run| Pauses::new(seed, thread, run).next();
        let all =
            |seed| -> Vec<u64> { (0..12).map(|number| first_of(seed, number / 4, number % 4)).collect() };
        assert_eq!(all(1), all(1));
        let mut distinct = [all(1), all(2)].concat();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 24);
    }
}
