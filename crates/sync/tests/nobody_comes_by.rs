//! A future that was told and is not polled keeps nobody out, although all others are futures that sleep, and nobody else comes
//! by.

mod common;

use common::{ByHand, LONG, others_may_be_woken};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::Instant;
use sync::park::{Signal, block_on_timeout};
use sync::rwlock::RwLockUpgradableGuard;
use sync::{Mutex, MutexGuard, RwLock, Semaphore};

/// A future that is polled when it is woken, and at no other time.
struct WhenWoken<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    signal: Arc<Signal>,
}

impl<'a, T> WhenWoken<'a, T> {
    fn new(future: impl Future<Output = T> + 'a) -> Self {
        WhenWoken { future: Box::pin(future), signal: Arc::default() }
    }

    #[track_caller]
    fn waiting(future: impl Future<Output = T> + 'a) -> Self {
        let mut waiting = WhenWoken::new(future);
        assert!(waiting.poll().is_pending(), "it should wait");
        waiting
    }

    fn poll(&mut self) -> Poll<T> {
        let waker = self.signal.waker();
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    #[track_caller]
    fn ends(mut self) -> T {
        let deadline = Instant::now() + LONG;
        loop {
            self.signal.wait(Some(deadline));
            assert!(Instant::now() < deadline, "nobody woke it");
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
        }
    }
}

#[test]
fn a_mutex() {
    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    let told = ByHand::waiting(mutex.lock_async());
    let second = WhenWoken::waiting(mutex.lock_async());
    drop(guard);
    assert!(told.is_told());
    *second.ends() += 1;
    drop(told);
    assert_eq!(mutex.into_inner(), 1);
}

#[test]
fn a_mutex_that_was_kept() {
    let mutex = Mutex::new(());
    for _ in 0..20 {
        let guard = mutex.lock();
        let told = ByHand::waiting(mutex.lock_async());
        let second = WhenWoken::waiting(mutex.lock_async());
        MutexGuard::hand_over(guard);
        assert!(told.is_told() && mutex.is_locked(), "it is kept for the first");
        drop(second.ends());
        drop(told);
    }
}

#[test]
fn whoever_comes_after_the_first_was_told() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let told = ByHand::waiting(mutex.lock_async());
    let since = Instant::now();
    MutexGuard::hand_over(guard);
    // It finds the lock kept, unless it comes late, and is polled no more than it is woken.
    let mut second = WhenWoken::new(mutex.lock_async());
    match second.poll() {
        Poll::Pending => drop(second.ends()),
        Poll::Ready(guard) => {
            assert!(others_may_be_woken(since), "it was kept for the first");
            drop(guard);
        }
    }
    drop(told);
}

#[test]
fn many_that_are_never_polled() {
    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    let lost: Vec<_> = (0..20).map(|_| ByHand::waiting(mutex.lock_async())).collect();
    let live: Vec<_> = (0..3).map(|_| WhenWoken::waiting(mutex.lock_async())).collect();
    drop(guard);
    for live in live {
        *live.ends() += 1;
    }
    drop(lost);
    assert_eq!(mutex.into_inner(), 3);
}

#[test]
fn some_that_go_away_while_they_are_rung_for() {
    let mutex = Mutex::new(());
    for _ in 0..20 {
        let guard = mutex.lock();
        let told = ByHand::waiting(mutex.lock_async());
        let gone = ByHand::waiting(mutex.lock_async());
        let last = WhenWoken::waiting(mutex.lock_async());
        drop(guard);
        drop(gone);
        drop(last.ends());
        drop(told);
    }
}

#[test]
fn a_lock_that_moves_away_from_those_who_were_forgotten() {
    let mutex = Box::new(Mutex::new(()));
    let guard = mutex.lock();
    let forgotten: Vec<_> = (0..3).map(|_| ByHand::waiting(mutex.lock_async())).collect();
    // It is kept for the first.
    MutexGuard::hand_over(guard);
    std::mem::forget(forgotten);
    let moved = *mutex;
    // They stand in its queue, and their bells hang where it was.
    drop(block_on_timeout(moved.lock_async(), LONG).expect("somebody wakes it"));
}

#[test]
fn a_writer_behind_a_writer() {
    let lock = RwLock::new(0);
    let guard = lock.write();
    let told = ByHand::waiting(lock.write_async());
    let second = WhenWoken::waiting(lock.write_async());
    drop(guard);
    assert!(told.is_told());
    *second.ends() += 1;
    drop(told);
    assert_eq!(lock.into_inner(), 1);
}

#[test]
fn a_reader_behind_a_writer() {
    let lock = RwLock::new(0);
    let guard = lock.read();
    let told = ByHand::waiting(lock.write_async());
    // Overdue, so that the reader waits behind it, and the lock is kept for it.
    thread::sleep(common::SHORT);
    let second = WhenWoken::waiting(lock.read_async());
    drop(guard);
    assert!(told.is_told());
    assert_eq!(*second.ends(), 0);
}

#[test]
fn a_writer_behind_readers() {
    let lock = RwLock::new(0);
    let guard = lock.write();
    let told: Vec<_> = (0..3).map(|_| ByHand::waiting(lock.read_async())).collect();
    let second = WhenWoken::waiting(lock.write_async());
    drop(guard);
    assert!(told.iter().all(ByHand::is_told));
    *second.ends() += 1;
}

#[test]
fn whoever_waits_behind_an_upgrade() {
    let lock = RwLock::new(0);
    let reader = lock.read();
    let upgrade = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(lock.upgradable_read()));
    let second = WhenWoken::waiting(lock.write_async());
    drop(reader);
    assert!(upgrade.is_told());
    // It has the upgradable read all the same, which only it can give up.
    drop(upgrade);
    *second.ends() += 1;
}

#[test]
fn a_semaphore() {
    let semaphore = Semaphore::new(0);
    let told = ByHand::waiting(semaphore.acquire_async());
    let second = WhenWoken::waiting(semaphore.acquire_async());
    semaphore.release(1);
    assert!(told.is_told());
    drop(second.ends());
    drop(told);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_semaphore_of_which_the_first_wants_much() {
    let semaphore = Semaphore::new(0);
    let lost: Vec<_> = (1..6).map(|count| ByHand::waiting(semaphore.acquire_many_async(count))).collect();
    let live: Vec<_> = (1..4).map(|count| WhenWoken::waiting(semaphore.acquire_many_async(count))).collect();
    semaphore.release(6);
    for live in live.into_iter().map(WhenWoken::ends) {
        live.unwrap().forget();
    }
    drop(lost);
    assert_eq!(semaphore.available(), 0);
}

#[test]
fn a_thread_behind_some_of_whom_only_the_first_was_told() {
    let semaphore = Semaphore::new(0);
    let lost = [(); 3].map(|()| ByHand::waiting(semaphore.acquire_async()));
    thread::scope(|scope| {
        let thread = scope.spawn(|| semaphore.acquire_timeout(LONG).unwrap().forget());
        while !format!("{semaphore:?}").contains("waiting: 4,") {
            thread::yield_now();
        }
        semaphore.release(1);
        thread.join().unwrap();
    });
    drop(lost);
    assert_eq!(semaphore.available(), 0);
}

#[test]
fn a_waker_that_does_nothing_is_rung_as_well() {
    // Woken by nobody, it takes the lock when it is polled, and has kept nobody out.
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let mut deaf = [(); 2].map(|()| Box::pin(mutex.lock_async()));
    for deaf in &mut deaf {
        assert!(deaf.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let last = WhenWoken::waiting(mutex.lock_async());
    drop(guard);
    drop(last.ends());
    assert!(deaf[1].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn a_late_one_that_comes_back_behind_another() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let first = ByHand::waiting(mutex.lock_async());
    let mut late = ByHand::waiting(mutex.lock_async());
    let told = ByHand::waiting(mutex.lock_async());
    drop(guard);
    drop(first);
    // It is its turn, and it does not come, nor does the one behind it when it is woken to see to that.
    while late.wakes() < 2 || !told.is_told() {
        thread::yield_now();
    }
    let guard = mutex.try_lock().expect("nobody has it");
    // The late one loses its place, and the lock is kept for the last one.
    MutexGuard::hand_over(guard);
    let deadline = Instant::now() + LONG;
    while late.poll().is_none() {
        while !late.is_told() {
            assert!(Instant::now() < deadline, "nobody woke it");
            thread::yield_now();
        }
    }
    drop(told);
}

#[test]
fn a_writer_before_a_reader_whose_turn_it_is() {
    let lock = RwLock::new(0);
    let guard = lock.write();
    let first = WhenWoken::waiting(lock.write_async());
    let told = ByHand::waiting(lock.read_async());
    drop(guard);
    assert!(told.is_told(), "after a writer it is the readers' turn");
    *first.ends() += 1;
    drop(told);
    assert_eq!(lock.into_inner(), 1);
}

/// A waker that runs its task at once, which does not look but first waits for another to be woken.
#[derive(Default)]
struct Inline {
    runs: AtomicBool,
    other: Arc<Signal>,
    was_woken: AtomicBool,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        // Its own bell is rung meanwhile.
        if self.runs.swap(true, Ordering::Relaxed) {
            return;
        }
        let deadline = Instant::now() + LONG;
        self.other.wait(Some(deadline));
        self.was_woken.store(Instant::now() < deadline, Ordering::Relaxed);
    }
}

/// Two that wait, of which the first is told by `tell`; the second is woken although `tell` has not come back.
#[track_caller]
fn behind_one_that_blocks_who_wakes_it<T>(
    first: impl Future<Output = T>,
    second: impl Future<Output = T>,
    tell: impl FnOnce(),
) {
    let inline = Arc::new(Inline::default());
    let mut first = Box::pin(first);
    assert!(first.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&inline)))).is_pending());
    let mut second = Box::pin(second);
    let waker = inline.other.waker();
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    tell();
    assert!(
        inline.was_woken.load(Ordering::Relaxed),
        "nobody woke the second while the first ran in its waker"
    );
    // It may have been rung a little early, and calls again.
    let deadline = Instant::now() + LONG;
    while second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        inline.other.wait(Some(deadline));
        assert!(Instant::now() < deadline, "nobody woke the second again");
    }
}

#[test]
fn one_whose_waker_runs_it_at_once_and_blocks() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    behind_one_that_blocks_who_wakes_it(mutex.lock_async(), mutex.lock_async(), || drop(guard));

    let guard = mutex.lock();
    behind_one_that_blocks_who_wakes_it(mutex.lock_async(), mutex.lock_async(), || {
        MutexGuard::hand_over(guard);
    });

    let lock = RwLock::new(());
    let guard = lock.write();
    behind_one_that_blocks_who_wakes_it(lock.write_async(), lock.write_async(), || drop(guard));

    let semaphore = Semaphore::new(0);
    behind_one_that_blocks_who_wakes_it(semaphore.acquire_async(), semaphore.acquire_async(), || {
        semaphore.release(1);
    });
}

/// Polls `future` with a waker that panics when it is cloned, and drops it.
#[expect(unsafe_code, reason = "only a waker of its own can refuse to be cloned")]
fn cannot_be_woken(future: impl Future) {
    static OF_A_PANIC: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("a panic that the test asked for"), |_| {}, |_| {}, |_| {});
    // SAFETY: the table's functions use no data.
    let bad = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &OF_A_PANIC)) };
    let mut future = Box::pin(future);
    let poll = AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&bad)).is_ready());
    assert!(catch_unwind(poll).is_err(), "it has cloned the waker");
}

#[test]
fn one_whose_waker_cannot_be_cloned_takes_down_no_bell_of_others() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let told = ByHand::waiting(mutex.lock_async());
    let second = WhenWoken::waiting(mutex.lock_async());
    cannot_be_woken(mutex.lock_async());
    drop(guard);
    drop(second.ends());
    drop(told);

    let lock = RwLock::new(());
    let guard = lock.write();
    let told = ByHand::waiting(lock.write_async());
    let second = WhenWoken::waiting(lock.write_async());
    cannot_be_woken(lock.write_async());
    drop(guard);
    drop(second.ends());
    drop(told);

    let semaphore = Semaphore::new(0);
    let told = ByHand::waiting(semaphore.acquire_async());
    let second = WhenWoken::waiting(semaphore.acquire_async());
    cannot_be_woken(semaphore.acquire_async());
    semaphore.release(1);
    drop(second.ends());
    drop(told);
}
