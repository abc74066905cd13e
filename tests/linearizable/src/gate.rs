//! Where the threads of a crew wait for each other.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Lets threads through when all of them are there, again and again.
///
/// They spin, for a thread that is woken comes microseconds late, and by then the others are done. They give the CPU away
/// now and then, for there may be fewer CPUs than threads. In a crowd they sleep.
#[derive(Debug)]
pub(crate) struct Gate {
    threads: usize,
    /// How many have come so far, to all gates together.
    arrived: AtomicUsize,
    abandoned: AtomicBool,
    /// Held by who looks before he sleeps, and by who wakes after he has changed one of the above.
    sleep: Mutex<()>,
    wake: Condvar,
}

/// Whether other programs want the CPUs, too. Then to give one away costs not a moment but milliseconds, and what does it
/// often, as a crew would, takes minutes.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    seen: AtomicBool,
}

impl Gate {
    /// A gate for so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Gate {
            threads,
            arrived: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Waits for the others. False if they will not come.
    pub(crate) fn pass(&self, crowd: &Crowd) -> bool {
        // AcqRel, with the load in `may_go`: what each did before the gate is seen by all behind it.
        let before = self.arrived.fetch_add(1, Ordering::AcqRel);
        let everybody = (before / self.threads + 1) * self.threads;
        if before + 1 == everybody {
            self.wake_all();
        }
        while !self.may_go(everybody) {
            if !spin_until(|| self.may_go(everybody)) && !crowd.yield_now() {
                let lock = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
                drop(self.wake.wait_while(lock, |()| !self.may_go(everybody)));
            }
        }
        self.arrived.load(Ordering::Acquire) >= everybody
    }

    /// Lets everybody go who waits now or later.
    pub(crate) fn abandon(&self) {
        // Relaxed: it is only a reason to leave, and sleepers see it under the lock.
        self.abandoned.store(true, Ordering::Relaxed);
        self.wake_all();
    }

    fn may_go(&self, everybody: usize) -> bool {
        self.arrived.load(Ordering::Acquire) >= everybody || self.abandoned.load(Ordering::Relaxed)
    }

    fn wake_all(&self) {
        // Whoever has looked in vain sleeps by now, or will look again.
        drop(self.sleep.lock());
        self.wake.notify_all();
    }
}

impl Crowd {
    /// Gives the CPU away for a moment; false, and nothing done, if others have been seen to want it.
    pub(crate) fn yield_now(&self) -> bool {
        // Relaxed, here and below: nothing hangs on when it is seen.
        if self.seen.load(Ordering::Relaxed) {
            return false;
        }
        let begin = Instant::now();
        thread::yield_now();
        if begin.elapsed() > MOMENT {
            self.seen.store(true, Ordering::Relaxed);
        }
        true
    }
}

/// Looks for about a microsecond. Whether it has happened.
fn spin_until(happened: impl Fn() -> bool) -> bool {
    (0..LOOKS).any(|_| {
        hint::spin_loop();
        happened()
    })
}

const LOOKS: u32 = 64;

/// A switch to another thread of the crew and back takes some microseconds, a slice of somebody else's some milliseconds.
const MOMENT: Duration = Duration::from_micros(500);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Three threads pass a gate many times; none may be more than one gate ahead.
    fn keep_in_step(crowd: Crowd) {
        const ROUNDS: usize = 200;
        let shared = Arc::new((Gate::new(3), crowd, AtomicUsize::new(0)));
        let threads = [(); 3].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (gate, crowd, done) = &*shared;
                for round in 0..ROUNDS {
                    assert!(gate.pass(crowd));
                    assert!(done.fetch_add(1, Ordering::SeqCst) < (round + 1) * 3, "one ran ahead");
                    assert!(gate.pass(crowd));
                    assert!(done.load(Ordering::SeqCst) >= (round + 1) * 3, "one was left behind");
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(shared.2.load(Ordering::SeqCst), ROUNDS * 3);
    }

    #[test]
    fn threads_keep_in_step_alone_and_in_a_crowd() {
        keep_in_step(Crowd::default());
        keep_in_step(Crowd { seen: AtomicBool::new(true) });
    }

    #[test]
    fn an_abandoned_gate_keeps_nobody_spinning_or_asleep() {
        for seen in [false, true] {
            let shared = Arc::new((Gate::new(2), Crowd { seen: AtomicBool::new(seen) }));
            let thread = thread::spawn({
                let shared = Arc::clone(&shared);
                move || shared.0.pass(&shared.1)
            });
            shared.0.abandon();
            assert!(!thread.join().unwrap());
        }
    }
}
