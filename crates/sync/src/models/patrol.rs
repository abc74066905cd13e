//! Who comes by where a task was told and is not polled, and all others are tasks that sleep.
//!
//! Time passes where a model says so. The first thread of most is the timer's: it walks whenever it was called. So one who sleeps and
//! for whom nobody has called is a deadlock.

use super::poll_and_drop;
use crate::check::Site;
use crate::lock::RawLock;
use crate::os::clock;
use crate::rwlock::raw::RawRwLock;
use crate::rwlock::word::Want;
use crate::semaphore::Semaphore;
use crate::wait::patrol;
use loom::sync::{Arc, Notify};
use loom::thread;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc as Plain;
use std::task::{Context, Poll, Wake, Waker};

type Lost<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A future that waits, and that nobody polls again.
fn lost<'a>(future: impl Future<Output: Send> + Send + 'a) -> Lost<'a> {
    let mut future: Lost<'a> = Box::pin(async move { _ = future.await });
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

/// The timer's thread takes part, and has locks of its own: so at most two threads are interrupted at a time, as with three.
fn model(model: impl Fn() + Sync + Send + 'static) {
    super::model_of_three(move || {
        clock::modelled::start(false);
        model();
    });
}

/// As `model`, and time passes at any moment: also for whoever is in the middle of telling somebody.
fn model_in_time(model: impl Fn() + Sync + Send + 'static) {
    super::model_of_three(move || {
        clock::modelled::start(true);
        let time = thread::spawn(clock::modelled::pass);
        model();
        time.join().unwrap();
    });
}

/// Wakes whoever awaits by [`block_on`].
struct Wakes(Notify);

impl Wake for Wakes {
    fn wake(self: Plain<Self>) {
        self.0.notify();
    }
}

/// Not by loom's own waker: a clone of it has another table of functions, so that a bell does not know it again.
fn block_on<R>(future: impl Future<Output = R>) -> R {
    let wakes = Plain::new(Wakes(Notify::new()));
    let waker = Waker::from(Plain::clone(&wakes));
    assert!(waker.will_wake(&waker.clone()), "a bell is to know it again");
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        wakes.0.wait();
    }
}

/// Awaits beside the timer's thread, which this one is for as long.
fn awaits<T: Send + Sync + 'static>(
    shared: &Arc<T>,
    wait: impl AsyncFnOnce(&T) + Send + 'static,
    meanwhile: impl FnOnce(),
) {
    let other = Arc::clone(shared);
    let other = thread::spawn(move || {
        block_on(wait(&other));
        patrol::modelled::end();
    });
    meanwhile();
    patrol::modelled::serve();
    other.join().unwrap();
}

async fn lock_and_release(lock: &RawLock) {
    lock.acquire_async().await;
    lock.release();
}

async fn write_and_release(lock: &RawRwLock) {
    lock.acquire_async(Want::Write, Site::here()).await;
    lock.release_write();
}

async fn take_and_give_back(semaphore: &Semaphore) {
    drop(semaphore.acquire_async().await);
}

fn one_gets_the_mutex() {
    let lock = Arc::new(RawLock::new());
    lock.acquire();
    let told = lost(lock.acquire_async());
    awaits(&lock, lock_and_release, || lock.release());
    drop(told);
    assert!(lock.try_acquire());
}

#[test]
fn a_task_behind_one_that_is_not_polled_gets_the_mutex() {
    model(one_gets_the_mutex);
}

#[test]
fn a_task_behind_one_that_is_not_polled_gets_the_mutex_that_was_kept_for_it() {
    model(|| {
        let lock = Arc::new(RawLock::new());
        lock.acquire();
        let told = lost(lock.acquire_async());
        awaits(&lock, lock_and_release, || lock.release_to_the_first());
        drop(told);
        assert!(lock.try_acquire());
    });
}

#[test]
fn a_task_that_comes_back_behind_one_that_is_not_polled_gets_the_mutex() {
    model(|| {
        let lock = Arc::new(RawLock::new());
        lock.acquire();
        let first = lost(lock.acquire_async());
        let other = Arc::clone(&lock);
        let late = lost(async move { lock_and_release(&other).await });
        let told = lost(lock.acquire_async());
        lock.release();
        drop(first);
        clock::modelled::pass();
        assert!(lock.try_acquire());
        // Now it loses its place to the last one.
        lock.release_to_the_first();
        awaits(&lock, async move |_| late.await, || ());
        drop(told);
        assert!(lock.try_acquire());
    });
}

#[test]
fn a_bell_is_taken_down_while_it_is_rung() {
    model(|| {
        let lock = Arc::new(RawLock::new());
        lock.acquire();
        let told = lost(lock.acquire_async());
        let fickle = Arc::clone(&lock);
        let fickle = thread::spawn(move || {
            poll_and_drop(async {
                fickle.acquire_async().await;
                fickle.release();
            });
        });
        lock.release();
        clock::modelled::pass();
        patrol::walk();
        fickle.join().unwrap();
        drop(told);
        patrol::walk();
        assert!(!patrol::walk(), "nobody is left to be rung");
        assert!(lock.try_acquire());
    });
}

fn one_writes() {
    let lock = Arc::new(RawRwLock::new());
    lock.write();
    let told = lost(lock.acquire_async(Want::Write, Site::here()));
    awaits(&lock, write_and_release, || lock.release_write());
    drop(told);
    assert!(lock.write_at_once());
}

#[test]
fn a_task_behind_one_that_is_not_polled_writes() {
    model(one_writes);
}

#[test]
fn a_task_before_a_reader_that_is_not_polled_writes() {
    model(|| {
        let lock = Arc::new(RawRwLock::new());
        lock.write();
        let other = Arc::clone(&lock);
        let writer = lost(async move { write_and_release(&other).await });
        let told = lost(lock.acquire_async(Want::Read, Site::here()));
        awaits(&lock, async move |_| writer.await, || lock.release_write());
        drop(told);
        assert!(lock.write_at_once());
    });
}

fn one_gets_a_permit() {
    let semaphore = Arc::new(Semaphore::new(0));
    let told = lost(semaphore.acquire_async());
    awaits(&semaphore, take_and_give_back, || semaphore.release(1));
    drop(told);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_task_behind_one_that_is_not_polled_gets_a_permit() {
    model(one_gets_a_permit);
}

#[test]
fn a_task_behind_two_that_are_not_polled_gets_a_permit() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let both = [(); 2].map(|()| lost(semaphore.acquire_async()));
        awaits(&semaphore, take_and_give_back, || semaphore.release(1));
        drop(both);
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn a_task_writes_behind_one_that_is_late_as_soon_as_it_is_told() {
    model_in_time(one_writes);
}

#[test]
fn a_task_gets_a_permit_behind_one_that_is_late_as_soon_as_it_is_told() {
    model_in_time(one_gets_a_permit);
}

#[test]
fn a_task_gets_the_mutex_behind_one_that_is_late_as_soon_as_it_is_told() {
    model_in_time(one_gets_the_mutex);
}
