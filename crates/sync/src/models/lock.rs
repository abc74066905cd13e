//! The lock under `Mutex`: threads that sleep on their own nodes, tasks that are told, and all ways to leave.
//!
//! The value is loom's own cell, so two owners at once show, and so does an owner who does not see what the last one wrote.

use super::{model_of_three, model_without_barriers, poll_and_drop};
use crate::lock::RawLock;
use crate::os::clock;
use crate::primitive::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

struct Counter {
    lock: RawLock,
    value: UnsafeCell<usize>,
}

// SAFETY: `value` is used by the owner of the lock only, which is what the models check.
unsafe impl Sync for Counter {}

impl Counter {
    fn new() -> Arc<Self> {
        Arc::new(Counter { lock: RawLock::new(), value: UnsafeCell::new(0) })
    }

    fn impatient() -> Arc<Self> {
        let counter = Self::new();
        counter.lock.make_impatient();
        counter
    }

    /// As the owner of the lock.
    fn count(&self) {
        // SAFETY: loom checks that nobody else is here.
        self.value.with_mut(|value| unsafe { *value += 1 });
        self.lock.release();
    }

    fn count_as_thread(&self) {
        self.lock.acquire();
        self.count();
    }

    fn count_as_task(&self) {
        block_on(self.lock.acquire_async());
        self.count();
    }

    /// One attempt, without ever waiting.
    fn count_if_free(&self) -> usize {
        let taken = self.lock.try_acquire();
        if taken {
            self.count();
        }
        usize::from(taken)
    }

    /// With a deadline that has passed: one attempt, and away.
    fn count_or_leave(&self) -> usize {
        let taken = self.lock.acquire_until(Some(Instant::now()));
        if taken {
            self.count();
        }
        usize::from(taken)
    }

    fn end(&self, expected: usize) {
        assert!(!self.lock.has_waiters(), "nobody waits at the end");
        assert!(self.lock.has_an_empty_queue(), "nobody is left in the queue");
        assert!(self.lock.try_acquire(), "the lock is free at the end");
        // SAFETY: as above.
        self.value.with(|value| assert_eq!(unsafe { *value }, expected));
    }
}

#[test]
fn who_finds_the_lock_free_sees_what_its_last_owner_did_without_a_barrier() {
    model_without_barriers(3, || {
        let counter = Counter::new();
        let other = Arc::clone(&counter);
        let other = thread::spawn(move || other.count_if_free());
        let counted = counter.count_if_free() + other.join().unwrap();
        assert!(counted > 0, "neither has found it free");
    });
}

#[test]
fn two_threads() {
    for impatient in [false, true] {
        loom::model(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            let other = Arc::clone(&counter);
            let other = thread::spawn(move || other.count_as_thread());
            counter.count_as_thread();
            other.join().unwrap();
            counter.end(2);
        });
    }
}

#[test]
fn two_threads_and_a_hand_over() {
    model_of_three(|| {
        let counter = Counter::impatient();
        let other = Arc::clone(&counter);
        let other = thread::spawn(move || {
            other.count_as_thread();
            other.count_as_thread();
        });
        counter.count_as_thread();
        other.join().unwrap();
        counter.end(3);
    });
}

#[test]
fn three_threads() {
    for impatient in [false, true] {
        model_of_three(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            let others = [(); 2].map(|()| {
                let other = Arc::clone(&counter);
                thread::spawn(move || other.count_as_thread())
            });
            counter.count_as_thread();
            for other in others {
                other.join().unwrap();
            }
            counter.end(3);
        });
    }
}

#[test]
fn a_thread_that_leaves_hands_on_that_it_was_awake() {
    for impatient in [false, true] {
        model_of_three(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            let fickle = Arc::clone(&counter);
            let fickle = thread::spawn(move || fickle.count_or_leave());
            let patient = Arc::clone(&counter);
            let patient = thread::spawn(move || patient.count_as_thread());
            counter.count_as_thread();
            let counted = fickle.join().unwrap();
            patient.join().unwrap();
            counter.end(2 + counted);
        });
    }
}

#[test]
fn two_tasks() {
    for impatient in [false, true] {
        loom::model(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            let other = Arc::clone(&counter);
            let other = thread::spawn(move || other.count_as_task());
            counter.count_as_task();
            other.join().unwrap();
            counter.end(2);
        });
    }
}

#[test]
fn tasks_and_a_thread() {
    for impatient in [false, true] {
        model_of_three(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            let task = Arc::clone(&counter);
            let task = thread::spawn(move || task.count_as_task());
            let second = Arc::clone(&counter);
            let second = thread::spawn(move || second.count_as_thread());
            counter.count_as_task();
            task.join().unwrap();
            second.join().unwrap();
            counter.end(3);
        });
    }
}

#[test]
fn a_dropped_future_hands_on_what_it_was_told() {
    for impatient in [false, true] {
        model_of_three(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            let fickle = Arc::clone(&counter);
            let fickle = thread::spawn(move || poll_and_drop_holding(&fickle));
            let patient = Arc::clone(&counter);
            let patient = thread::spawn(move || patient.count_as_thread());
            counter.count_as_task();
            let counted = fickle.join().unwrap();
            patient.join().unwrap();
            counter.end(2 + counted);
        });
    }
}

/// Polls once; gives the lock back if that was enough to get it.
fn poll_and_drop_holding(counter: &Counter) -> usize {
    let mut counted = 0;
    poll_and_drop(async {
        counter.lock.acquire_async().await;
        counter.count();
        counted = 1;
    });
    counted
}

#[test]
fn a_task_that_does_not_come_is_passed_over() {
    for impatient in [false, true] {
        loom::model(move || {
            let counter = if impatient { Counter::impatient() } else { Counter::new() };
            counter.lock.acquire();
            let mut stuck = Box::pin(counter.lock.acquire_async());
            assert!(stuck.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            // Behind the one that does not come.
            let patient = Arc::clone(&counter);
            let mut patient = Box::pin(async move { patient.lock.acquire_async().await });
            assert!(patient.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let patient = thread::spawn(move || block_on(patient));
            counter.count();
            counter.lock.pass_over_the_head();
            patient.join().unwrap();
            counter.count();
            drop(stuck);
            counter.end(2);
        });
    }
}

#[test]
fn a_task_is_passed_over_in_the_middle_of_its_poll() {
    loom::model(|| {
        let counter = Counter::new();
        counter.lock.acquire();
        let mut task = Box::pin(counter.lock.acquire_async());
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let owner = Arc::clone(&counter);
        let owner = thread::spawn(move || {
            owner.count();
            owner.lock.pass_over_the_head();
        });
        let taken = task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        if taken {
            counter.count();
        }
        owner.join().unwrap();
        drop(task);
        counter.end(1 + usize::from(taken));
    });
}

#[test]
fn a_task_that_was_passed_over_queues_up_anew() {
    loom::model(|| {
        let counter = Counter::impatient();
        counter.lock.acquire();
        let mut late = Box::pin(counter.lock.acquire_async());
        assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        counter.count();
        let watcher = Arc::clone(&counter);
        let watcher = thread::spawn(move || watcher.lock.pass_over_the_head());
        block_on(late);
        counter.count();
        watcher.join().unwrap();
        counter.end(2);
    });
}

/// Polls once; whether that was enough.
fn poll_once(future: Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Two tasks in the queue, of which the first is passed over while it looks, or is dropped. It must not touch the queue then: the
/// second, which was behind it, may have gone.
#[test]
fn a_task_that_was_passed_over_has_left_the_queue() {
    loom::model(|| {
        let counter = Counter::new();
        counter.lock.acquire();
        let mut first = Box::pin(counter.lock.acquire_async());
        assert!(!poll_once(first.as_mut()));
        let owner = Arc::clone(&counter);
        let mut second = Box::pin(async move {
            owner.lock.acquire_async().await;
            owner
        });
        assert!(!poll_once(second.as_mut()));
        let owner = Arc::clone(&counter);
        let owner = thread::spawn(move || {
            owner.count();
            owner.lock.pass_over_the_head();
            let taken = poll_once(second.as_mut());
            if taken {
                owner.count();
            }
            drop(second);
            taken
        });
        let taken = poll_once(first.as_mut());
        if taken {
            counter.count();
        }
        let second = owner.join().unwrap();
        drop(first);
        counter.end(1 + usize::from(taken) + usize::from(second));
    });
}

/// Who comes by finds a lock free that was kept for one who has gone, and that no owner has released.
#[test]
fn a_lock_that_was_kept_in_vain_shows_what_its_last_owner_did() {
    loom::model(|| {
        let counter = Counter::impatient();
        let passer = Arc::clone(&counter);
        counter.lock.acquire();
        let passer = thread::spawn(move || {
            let taken = passer.lock.try_acquire();
            if taken {
                passer.count();
            }
            usize::from(taken)
        });
        let mut stuck = Box::pin(counter.lock.acquire_async());
        assert!(!poll_once(stuck.as_mut()));
        counter.count();
        counter.lock.pass_over_the_head();
        let counted = passer.join().unwrap();
        drop(stuck);
        counter.end(1 + counted);
    });
}

/// The lock is handed over once and released from then on. The second in the queue was told by the one who handed over, and sleeps.
#[test]
fn the_next_is_told_when_the_lock_is_handed_over() {
    model_of_three(|| {
        let counter = Counter::new();
        counter.lock.acquire();
        // Loom runs threads in the order of their birth at first: so both have queued up, and sleep, when the lock is handed over.
        let second = Arc::clone(&counter);
        let second = thread::spawn(move || second.count_as_thread());
        let owner = Arc::clone(&counter);
        let owner = thread::spawn(move || owner.lock.release_to_the_first());
        counter.count_as_thread();
        second.join().unwrap();
        owner.join().unwrap();
        counter.end(2);
    });
}

/// A task was told, does not come, and is late. A thread sleeps behind it, and the lock is never handed over.
#[test]
fn a_thread_behind_a_task_that_is_late_is_told_by_who_releases() {
    loom::model(|| {
        clock::modelled::start(false);
        let counter = Counter::new();
        counter.lock.acquire();
        let mut late = Box::pin(counter.lock.acquire_async());
        assert!(!poll_once(late.as_mut()));
        counter.count();
        clock::modelled::pass();
        counter.lock.acquire();
        let owner = Arc::clone(&counter);
        let owner = thread::spawn(move || owner.count());
        counter.count_as_thread();
        owner.join().unwrap();
        drop(late);
        counter.end(3);
    });
}

/// A thread that was told at the last moment goes, and tells the task behind it, which looks while somebody else has the lock and
/// knows nothing of tasks.
#[test]
fn a_task_is_told_by_a_thread_that_leaves() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let counter = Counter::new();
        counter.lock.acquire();
        let fickle = Arc::clone(&counter);
        let fickle = thread::spawn(move || fickle.count_or_leave());
        let task = Arc::clone(&counter);
        let task = thread::spawn(move || task.count_as_task());
        counter.lock.release();
        counter.count_as_thread();
        let counted = fickle.join().unwrap();
        task.join().unwrap();
        counter.end(2 + counted);
    });
}

/// The thread's time passes in the moment in which the lock is handed to it.
#[test]
fn a_thread_that_leaves_has_the_lock_if_it_was_granted() {
    loom::model(|| {
        let counter = Counter::new();
        counter.lock.acquire();
        // The one who leaves is loom's first thread, so that it is in the queue before the other looks.
        let owner = Arc::clone(&counter);
        let owner = thread::spawn(move || owner.lock.release_to_the_first());
        let counted = counter.count_or_leave();
        owner.join().unwrap();
        counter.end(counted);
    });
}
