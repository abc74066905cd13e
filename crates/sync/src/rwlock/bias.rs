//! When the lock is biased to its readers, and when not.
//!
//! A bias pays while readers meet at the lock and nobody writes. Who writes pays for its end: a barrier on all CPUs, 0.1 to
//! 16 µs. So it begins when readers have got into each other's way for some time, and after it has ended, not before a time
//! has passed that is many times as long as the barrier took. How many times is learned: a bias that did not last long
//! makes it more, one that lasted makes it less. Where they are short, all biases together cost their lock a thousandth of its
//! time; where each lasts just so long that it counts as one that lasted, some hundredths.
//!
//! All of it is hints: lost updates do no harm.

use crate::os::clock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

/// So often two readers at once have tried to count themselves in. One CPU sees that almost never.
const CONFLICTS: u8 = 16;
/// The time without a bias, in barriers: nine times as long as it took loses a tenth at most, as in the paper.
const FACTOR_MIN: u32 = 8;
const FACTOR_MAX: u32 = 1024;
/// A bias that lasted so many barriers has paid: each read saves some fifty nanoseconds where readers meet.
const PAID: u32 = 16;

pub(super) struct Bias {
    conflicts: AtomicU8,
    factor: AtomicU32,
    /// While biased, since when; else since when not.
    since: AtomicU32,
    /// For so long no bias, in ticks.
    pause: AtomicU32,
}

impl Bias {
    pub(super) const fn new() -> Self {
        Bias {
            conflicts: AtomicU8::new(0),
            factor: AtomicU32::new(FACTOR_MIN),
            since: AtomicU32::new(0),
            pause: AtomicU32::new(0),
        }
    }

    /// Two readers met; whether it is time for a bias.
    pub(super) fn conflict(&self) -> bool {
        let conflicts = self.conflicts.load(Relaxed) + 1;
        if conflicts < CONFLICTS {
            self.conflicts.store(conflicts, Relaxed);
            return false;
        }
        self.conflicts.store(0, Relaxed);
        let pause = self.pause.load(Relaxed);
        pause == 0 || clock::now().wrapping_sub(self.since.load(Relaxed)) >= pause
    }

    pub(super) fn begins(&self) {
        self.since.store(clock::now(), Relaxed);
    }

    /// The bias has ended; the barrier began at that time.
    pub(super) fn ended(&self, began: u32) {
        let now = clock::now();
        let cost = now.wrapping_sub(began).max(1);
        let lasted = began.wrapping_sub(self.since.load(Relaxed));
        let factor = self.factor.load(Relaxed);
        let factor = match lasted > cost.saturating_mul(PAID) {
            true => (factor / 2).max(FACTOR_MIN),
            false => (factor * 2).min(FACTOR_MAX),
        };
        self.factor.store(factor, Relaxed);
        self.pause.store(cost.saturating_mul(factor), Relaxed);
        self.since.store(now, Relaxed);
        self.conflicts.store(0, Relaxed);
    }
}
