//! A clock that costs a few nanoseconds, for decisions that need not be exact: how long to spin, whose turn it is.
//!
//! Its unit, the tick, is 32 steps of the CPU's counter, about ten nanoseconds; it wraps after some forty seconds, and a
//! decision that the wrap spoils is only a worse one. How long a tick is, is measured at the first question.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Ticks in 256 µs.
static RATE: AtomicU32 = AtomicU32::new(0);

/// The time in ticks, from some start.
#[inline]
pub(crate) fn now() -> u32 {
    #[cfg(any(trefoil_loom, trefoil_shuttle))]
    return modelled::now();
    #[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
    return counter() as u32;
}

/// Times that are not further ahead than this, some hundred microseconds on x86-64, are taken for what another CPU has noted.
const AHEAD: u32 = 1 << 16;

/// The ticks from `then` to `now`, two times that may have been read on two CPUs. Their counters differ by a little, and a CPU may read its
/// own before what stands before it is done; so `then` may seem to come later, and nothing has passed.
#[inline]
pub(crate) fn passed(then: u32, now: u32) -> u32 {
    let ticks = now.wrapping_sub(then);
    if ticks > u32::MAX - AHEAD { 0 } else { ticks }
}

/// So many microseconds in ticks.
#[inline]
pub(crate) fn micros(micros: u32) -> u32 {
    ((u64::from(micros) * u64::from(rate())) >> 8) as u32
}

/// So many nanoseconds in ticks.
#[inline]
pub(crate) fn nanos(nanos: u32) -> u32 {
    (u64::from(nanos) * u64::from(rate()) / 256_000) as u32
}

/// So many ticks in nanoseconds.
#[inline]
pub(crate) fn in_nanos(ticks: u32) -> u64 {
    u64::from(ticks) * 256_000 / u64::from(rate())
}

fn rate() -> u32 {
    // Relaxed: one number, and whoever measures gets about the same.
    match RATE.load(Ordering::Relaxed) {
        0 => measure(),
        rate => rate,
    }
}

#[cold]
fn measure() -> u32 {
    if crate::primitive::IS_MODEL {
        return 256;
    }
    let (begin, ticks) = (Instant::now(), counter());
    // Long against the tens of nanoseconds that a look at the clock takes, short for who waits meanwhile, once.
    while begin.elapsed() < Duration::from_micros(50) {
        std::hint::spin_loop();
    }
    let passed = begin.elapsed().as_nanos().max(1);
    let rate = u128::from(counter().wrapping_sub(ticks)) * 256_000 / passed;
    let rate = u32::try_from(rate).unwrap_or(u32::MAX).max(1);
    RATE.store(rate, Ordering::Relaxed);
    rate
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn counter() -> u64 {
    // SAFETY: every x86-64 CPU has the instruction, and it only reads a counter.
    (unsafe { core::arch::x86_64::_rdtsc() }) >> 5
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline]
fn counter() -> u64 {
    let count: u64;
    // SAFETY: the virtual counter can be read by every program on the systems that we know; nothing else is touched.
    unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack)) };
    // It runs at tens of megahertz, or at a gigahertz: with these the tick stays between one and fifty nanoseconds.
    count
}

#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn counter() -> u64 {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos() / 10).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn what_another_cpu_notes_may_seem_to_come_later() {
        assert_eq!((passed(7, 7), passed(7, 9), passed(u32::MAX, 1)), (0, 2, 2));
        assert_eq!((passed(9, 7), passed(1, u32::MAX), passed(AHEAD, 0)), (0, 0, 0));
        // Far ahead is long ago: the counter has wrapped.
        assert_eq!(passed(AHEAD + 1, 0), u32::MAX - AHEAD);
    }

    #[test]
    fn ticks_and_time_agree() {
        let (begin, ticks) = (Instant::now(), now());
        std::thread::sleep(Duration::from_millis(20));
        let passed = in_nanos(now().wrapping_sub(ticks));
        // At least what has been slept, but for how exactly the rate was measured.
        assert!(passed > 15_000_000, "{passed} ns for {:?}", begin.elapsed());
        assert!(micros(1_000) > 0 && nanos(1_000_000).abs_diff(micros(1_000)) <= micros(1_000) / 50);
    }
}

/// Loom knows no time: it stands still, but where a model lets some pass.
#[cfg(trefoil_loom)]
pub(crate) mod modelled {
    use crate::primitive::{AtomicU32, Ordering, lazy_static};
    use std::cell::Cell;

    std::thread_local! {
        // Loom runs the threads of a model on one.
        static NOW: Cell<u32> = const { Cell::new(0) };
        static BY_ITSELF: Cell<bool> = const { Cell::new(false) };
    }

    lazy_static! {
        // What loom knows of, and so lets others be interrupted at.
        static ref LOOKED_AT: AtomicU32 = AtomicU32::new(0);
    }

    pub(super) fn now() -> u32 {
        if BY_ITSELF.get() {
            // Relaxed: what counts is that it is a look.
            LOOKED_AT.load(Ordering::Relaxed);
        }
        NOW.get()
    }

    /// A model begins: at the same time in each of its runs. If time passes `by_itself`, it may do so before each look at the clock.
    #[cfg(test)]
    pub(crate) fn start(by_itself: bool) {
        NOW.set(0);
        BY_ITSELF.set(by_itself);
    }

    /// Whoever has been told by now and has not come is late.
    #[cfg(test)]
    pub(crate) fn pass() {
        if BY_ITSELF.get() {
            LOOKED_AT.fetch_add(1, Ordering::Relaxed);
        }
        NOW.set(NOW.get().wrapping_add(super::micros(2_000)));
    }
}

/// Nor does shuttle: it stands still, but where something is said to take time.
#[cfg(trefoil_shuttle)]
pub(crate) mod modelled {
    use std::cell::Cell;

    std::thread_local! {
        // Shuttle runs the threads of a program on one.
        static NOW: Cell<u32> = const { Cell::new(0) };
    }

    pub(super) fn now() -> u32 {
        NOW.get()
    }

    /// A program begins: at the same time in each of its runs.
    #[cfg(test)]
    pub(crate) fn start() {
        NOW.set(0);
    }

    pub(crate) fn pass_micros(micros: u32) {
        NOW.set(NOW.get().wrapping_add(super::micros(micros)));
    }
}
