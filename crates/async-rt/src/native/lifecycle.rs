//! Where a task of the native loop stands: in the queue, being polled, waiting, ended.
//!
//! ```text
//!                wake                 begin                  end
//!   0 (waits) ─────────► WOKEN ───────────────► RUNNING ───────────► ENDED
//!       ▲               (queued)                 │    │ wake
//!       │                   ▲     pause          │    ▼
//!       │                   └─────────── RUNNING | WOKEN
//!       └────────────────────────────────────────┘ pause
//! ```
//!
//! 1. A task is in the queue exactly while its word is `WOKEN` alone: whoever makes it so puts it there, whoever begins
//!    takes it out. So it is never queued twice and never polled by two workers.
//! 2. **No wake-up is lost.** A wake either finds the task waiting and queues it, or finds it queued, so that the poll is
//!    still to come, or finds it running and leaves `WOKEN`, which `pause` cannot miss: both change one word.
//! 3. What the waker's thread wrote before the wake is seen by the poll that follows, also where the wake found the task
//!    queued already: a wake always writes the word (release), and `begin` (acquire) reads what the last wake wrote.

use crate::primitive::{AtomicU8, Ordering};

/// Somebody asked for a poll that has not begun.
const WOKEN: u8 = 1 << 0;
/// A worker polls the task.
const RUNNING: u8 = 1 << 1;
/// The task will never be polled again. Never cleared.
const ENDED: u8 = 1 << 2;

#[derive(Debug)]
pub(crate) struct Lifecycle {
    word: AtomicU8,
}

/// Whether the caller has to put the task into the queue.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    Yes,
    No,
}

impl Lifecycle {
    /// A new task is woken: whoever makes it queues it.
    pub(crate) fn new() -> Self {
        Lifecycle { word: AtomicU8::new(WOKEN) }
    }

    /// Asks for a poll.
    pub(crate) fn wake(&self) -> Queue {
        // Release: see 3. Acquire: pairs with `pause`, so that the task's future is whole for the next worker.
        match self.word.fetch_or(WOKEN, Ordering::AcqRel) {
            0 => Queue::Yes,
            _ => Queue::No,
        }
    }

    /// A worker has taken the task out of the queue and is going to poll it.
    pub(crate) fn begin(&self) {
        // Acquire: see 3. Nothing is published here.
        let before = self.word.swap(RUNNING, Ordering::Acquire);
        debug_assert_eq!(before, WOKEN, "only a queued task begins");
    }

    /// The poll is over and the task waits, unless it was woken meanwhile.
    pub(crate) fn pause(&self) -> Queue {
        // Release: what the poll did is seen by the worker that polls next. Acquire: as in `begin`, for a wake during
        // the poll.
        match self.word.fetch_and(!RUNNING, Ordering::AcqRel) {
            RUNNING => Queue::No,
            _ => Queue::Yes,
        }
    }

    /// The poll is over and was the last.
    pub(crate) fn end(&self) {
        // Relaxed: the bit publishes nothing; wakes that come later only have to find it there, or to find RUNNING.
        self.word.store(ENDED, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(trefoil_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_wake_during_the_poll_asks_for_another() {
        let life = Lifecycle::new();
        assert_eq!(life.wake(), Queue::No);
        life.begin();
        assert_eq!(life.wake(), Queue::No);
        assert_eq!(life.pause(), Queue::Yes);
        life.begin();
        assert_eq!(life.pause(), Queue::No);
        assert_eq!(life.wake(), Queue::Yes);
    }

    #[test]
    fn an_ended_task_is_never_queued() {
        let life = Lifecycle::new();
        life.begin();
        life.end();
        assert_eq!(life.wake(), Queue::No);
        assert_eq!(life.wake(), Queue::No);
    }
}

#[cfg(all(test, trefoil_loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicBool, AtomicUsize};
    use loom::thread;

    /// The queue has one place: putting a second task there is what invariant 1 forbids.
    struct Model {
        life: Lifecycle,
        queued: AtomicUsize,
        polling: AtomicBool,
        /// Written before each wake without any ordering of its own: invariant 3 makes it visible.
        written: [AtomicBool; 2],
    }

    impl Model {
        fn put(&self, queue: Queue) {
            if queue == Queue::Yes {
                assert_eq!(self.queued.fetch_add(1, Ordering::Relaxed), 0, "queued twice");
            }
        }

        /// Polls as long as the task is queued; returns what the last poll saw.
        fn work(&self) -> Option<[bool; 2]> {
            let mut seen = None;
            while self.queued.swap(0, Ordering::Relaxed) == 1 {
                self.life.begin();
                assert!(!self.polling.swap(true, Ordering::Relaxed), "polled by two");
                seen = Some([0, 1].map(|which: usize| self.written[which].load(Ordering::Relaxed)));
                self.polling.store(false, Ordering::Relaxed);
                self.put(self.life.pause());
            }
            seen
        }
    }

    #[test]
    fn no_wake_is_lost_and_no_task_is_queued_twice() {
        let mut builder = loom::model::Builder::new();
        // More preemptions take minutes and found nothing more; fewer would miss a wake on each side of a poll.
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let model = Arc::new(Model {
                life: Lifecycle::new(),
                queued: AtomicUsize::new(1),
                polling: AtomicBool::new(false),
                written: [AtomicBool::new(false), AtomicBool::new(false)],
            });
            let wakers: Vec<_> = (0..2)
                .map(|which| {
                    let model = Arc::clone(&model);
                    thread::spawn(move || {
                        model.written[which].store(true, Ordering::Relaxed);
                        model.put(model.life.wake());
                    })
                })
                .collect();
            let early = model.work();
            for waker in wakers {
                waker.join().unwrap();
            }
            let last = model.work().or(early);
            assert_eq!(
                last,
                Some([true, true]),
                "the last poll saw everything that was written before a wake"
            );
        });
    }
}
