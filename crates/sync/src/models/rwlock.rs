//! The lock under `RwLock`: the bias against its end, upgrades against readers, and those who go away.
//!
//! The value is loom's own cell, so a writer beside anybody else shows, and so does a reader who does not see what was written.

use crate::check::Site;
use crate::primitive::UnsafeCell;
use crate::rwlock::raw::RawRwLock;
use crate::rwlock::word::Want;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
mod argument;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

struct Number {
    lock: RawRwLock,
    value: UnsafeCell<usize>,
}

// SAFETY: `value` is used by the holders of the lock only, which is what the models check.
unsafe impl Sync for Number {}

impl Number {
    fn new() -> Arc<Self> {
        Arc::new(Number { lock: RawRwLock::new(), value: UnsafeCell::new(0) })
    }

    /// Nobody is overdue, so the lock is kept for nobody: who was told may come too late.
    fn unhurried() -> Arc<Self> {
        let number = Self::new();
        number.lock.hurry(false);
        number
    }

    fn biased() -> Arc<Self> {
        let number = Self::new();
        number.lock.begin_bias();
        assert!(number.lock.is_biased());
        number
    }

    /// As a reader.
    fn look(&self) -> usize {
        // SAFETY: loom checks that nobody writes.
        self.value.with(|value| unsafe { *value })
    }

    /// As the writer.
    fn add(&self) {
        // SAFETY: loom checks that nobody else is here.
        self.value.with_mut(|value| unsafe { *value += 1 });
    }

    fn read(&self) -> usize {
        let place = self.lock.read();
        let value = self.look();
        self.lock.release_read(place);
        value
    }

    fn write(&self) {
        self.lock.write();
        self.add();
        self.lock.release_write();
    }

    fn write_as_task(&self) {
        block_on(self.lock.acquire_async(Want::Write, Site::here()));
        self.add();
        self.lock.release_write();
    }

    /// As a task that is polled once more for nothing each time.
    fn write_looking_twice(&self) {
        let mut write = pin!(self.lock.acquire_async(Want::Write, Site::here()));
        block_on(poll_fn(|cx| match write.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => write.as_mut().poll(cx).map(drop),
        }));
        self.add();
        self.lock.release_write();
    }

    /// With a deadline that has passed: one attempt, and away.
    fn write_or_leave(&self) -> usize {
        let taken = self.lock.acquire_until(Want::Write, Some(Instant::now())).is_some();
        if taken {
            self.add();
            self.lock.release_write();
        }
        usize::from(taken)
    }

    fn upgrade(&self) {
        self.lock.acquire_until(Want::Upgradable, None);
        let before = self.look();
        self.lock.acquire_until(Want::Upgrade, None);
        assert_eq!(self.look(), before, "nobody writes in between");
        self.add();
        self.lock.release_write();
    }

    fn end(&self, expected: usize) {
        assert!(self.lock.try_acquire(Want::Write).is_some(), "the lock is free at the end");
        assert_eq!(self.look(), expected);
    }
}

/// A lock with three queues is much for loom: at most two threads are interrupted.
fn model(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn beside(number: &Arc<Number>, job: impl FnOnce(&Number) + 'static) -> thread::JoinHandle<()> {
    let number = Arc::clone(number);
    thread::spawn(move || job(&number))
}

#[test]
fn a_reader_and_a_writer() {
    model(|| {
        let number = Number::new();
        let writer = beside(&number, Number::write);
        assert!(number.read() <= 1);
        writer.join().unwrap();
        number.end(1);
    });
}

#[test]
fn who_was_told_comes_too_late() {
    model(|| {
        let number = Number::unhurried();
        number.lock.write();
        let writer = beside(&number, Number::write);
        number.lock.release_write();
        assert!(number.read() <= 1);
        number.write();
        writer.join().unwrap();
        number.end(2);
    });
}

#[test]
fn a_writer_ends_the_bias_while_a_reader_enters() {
    model(|| {
        let number = Number::biased();
        let writer = beside(&number, Number::write);
        assert!(number.read() <= 1);
        writer.join().unwrap();
        number.end(1);
    });
}

#[test]
fn a_writer_waits_for_a_reader_in_a_slot() {
    model(|| {
        let number = Number::biased();
        let place = number.lock.read();
        let writer = beside(&number, Number::write);
        assert_eq!(number.look(), 0);
        number.lock.release_read(place);
        writer.join().unwrap();
        number.end(1);
    });
}

#[test]
fn a_reader_is_counted_out_by_another_thread() {
    model(|| {
        let number = Number::biased();
        let place = number.lock.read();
        let writer = beside(&number, Number::write);
        let other = beside(&number, move |number| {
            number.look();
            number.lock.release_read(place);
            number.read();
        });
        writer.join().unwrap();
        other.join().unwrap();
        number.end(1);
    });
}

#[test]
fn two_writers_and_the_bias() {
    model(|| {
        let number = Number::biased();
        let writer = beside(&number, Number::write);
        let other = beside(&number, Number::write_as_task);
        assert!(number.read() <= 2);
        writer.join().unwrap();
        other.join().unwrap();
        number.end(2);
    });
}

#[test]
fn a_writer_that_gives_up_leaves_the_bias_usable() {
    model(|| {
        let number = Number::biased();
        let place = number.lock.read();
        let writer = beside(&number, |number| assert_eq!(number.write_or_leave(), 0));
        let other = beside(&number, |number| assert_eq!(number.read(), 0));
        other.join().unwrap();
        writer.join().unwrap();
        number.lock.release_read(place);
        number.write();
        number.end(1);
    });
}

#[test]
fn a_bias_begins_while_a_writer_comes() {
    model(|| {
        let number = Number::new();
        let writer = beside(&number, Number::write);
        let place = number.lock.read();
        number.lock.begin_bias();
        number.look();
        number.lock.release_read(place);
        assert!(number.read() <= 1);
        writer.join().unwrap();
        number.end(1);
    });
}

#[test]
fn an_upgrade_and_readers() {
    for biased in [false, true] {
        model(move || {
            let number = if biased { Number::biased() } else { Number::new() };
            let upgrader = beside(&number, Number::upgrade);
            let writer = beside(&number, Number::write);
            number.read();
            upgrader.join().unwrap();
            writer.join().unwrap();
            number.end(2);
        });
    }
}

#[test]
fn a_writer_that_was_told_is_dropped() {
    model(|| {
        let number = Number::new();
        let place = number.lock.read();
        let other = beside(&number, Number::write);
        let reader = beside(&number, |number| assert!(number.read() <= 1));
        {
            let mut told = pin!(number.lock.acquire_async(Want::Write, Site::here()));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(told.as_mut().poll(&mut cx).is_pending());
            number.lock.release_read(place);
        }
        other.join().unwrap();
        reader.join().unwrap();
        number.end(1);
    });
}

#[test]
fn a_task_that_looks_unasked_is_told_all_the_same() {
    model(|| {
        let number = Number::new();
        let place = number.lock.read();
        let writer = beside(&number, Number::write_looking_twice);
        number.lock.release_read(place);
        for _ in 0..2 {
            let place = number.lock.try_acquire(Want::ReadAgain);
            if let Some(place) = place {
                number.look();
                number.lock.release_read(place);
            }
        }
        writer.join().unwrap();
        number.end(1);
    });
}

#[test]
fn a_task_that_was_told_and_does_not_come_is_passed_by() {
    model(|| {
        let number = Number::new();
        let place = number.lock.read();
        let mut told = Box::pin(number.lock.acquire_async(Want::Write, Site::here()));
        assert!(told.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        number.lock.hurry(true);
        number.lock.release_read(place);
        let other = beside(&number, Number::write);
        assert!(number.read() <= 1);
        other.join().unwrap();
        drop(told);
        number.end(1);
    });
}

#[test]
fn a_reader_that_waits_goes_away_while_the_writer_releases() {
    model(|| {
        let number = Number::new();
        number.lock.write();
        let leaves = beside(&number, |number| {
            let read = pin!(number.lock.acquire_async(Want::Read, Site::here()));
            if let Poll::Ready(place) = read.poll(&mut Context::from_waker(Waker::noop())) {
                number.lock.release_read(place);
            }
        });
        let writer = beside(&number, Number::write);
        number.add();
        number.lock.release_write();
        leaves.join().unwrap();
        writer.join().unwrap();
        number.end(2);
    });
}

#[test]
fn a_writer_goes_on_as_a_reader() {
    model(|| {
        let number = Number::new();
        number.lock.write();
        let reader = beside(&number, |number| assert!(number.read() >= 1));
        let writer = beside(&number, Number::write);
        number.add();
        let place = number.lock.write_to_read();
        assert_eq!(number.look(), 1);
        number.lock.release_read(place);
        reader.join().unwrap();
        writer.join().unwrap();
        number.end(2);
    });
}
