//! Who goes away while he waits takes nothing with him, neither a wake-up nor a lock nor a place.

mod common;

use common::{ByHand, Counted, LONG, SHORT};
use std::sync::Arc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::semaphore::{AcquireError, SemaphorePermit};
use sync::timer::{self, Scheduled, Timer};
use sync::{Barrier, Condvar, Event, Mutex, Queue, Semaphore, barrier::BarrierPlace};

#[test]
fn a_lock_that_was_released_goes_to_the_next() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let first = ByHand::waiting(mutex.lock_async());
    let mut second = ByHand::waiting(mutex.lock_async());
    drop(guard);
    assert!(first.is_told());
    drop(first);
    // By the first one's leaving, or, on a machine that took its time here, because he had not come.
    assert!(second.is_told());
    assert!(second.poll().is_some());
}

#[test]
fn a_waiter_that_was_not_told_wakes_nobody() {
    let mutex = Mutex::new(());
    let _guard = mutex.lock();
    let first = ByHand::waiting(mutex.lock_async());
    let mut second = ByHand::waiting(mutex.lock_async());
    drop(first);
    assert!(second.is_not_next(Instant::now()));
}

#[test]
fn an_item_goes_to_the_next_consumer() {
    let queue = Queue::unbounded();
    let first = ByHand::waiting(queue.get_async());
    let mut second = ByHand::waiting(queue.get_async());
    queue.put(1).unwrap();
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Some(Ok(1)));
}

#[test]
fn a_timeout_takes_no_item_with_it() {
    let queue = Queue::unbounded();
    assert!(queue.get_timeout(SHORT).unwrap_err().is_timeout());
    assert!(block_on(queue.get_async_timeout(SHORT)).unwrap_err().is_timeout());
    queue.put(1).unwrap();
    assert_eq!(queue.len(), 1);
}

#[test]
fn room_goes_to_the_next_producer_and_the_item_goes_with_its_future() {
    let items = Counted::default();
    let queue = Queue::bounded(2);
    queue.put(items.clone()).unwrap();
    queue.put(items.clone()).unwrap();
    let first = ByHand::waiting(queue.put_async(items.clone()));
    let mut second = ByHand::waiting(queue.put_async(items.clone()));
    assert_eq!(items.others(), 4);
    drop(queue.get());
    drop(first);
    assert_eq!(items.others(), 2);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().unwrap().is_ok());
    assert_eq!((queue.len(), items.others()), (2, 2));
    drop(second);
    drop(queue);
    assert_eq!(items.others(), 0, "a queue drops what is inside");
}

type Acquires<'a> = ByHand<'a, Result<SemaphorePermit<'a>, AcquireError>>;

/// Of two permits, one is free: one who wants both, and behind him one who wants one.
#[track_caller]
fn many_and_few(semaphore: &Semaphore) -> (Acquires<'_>, Acquires<'_>) {
    // Where the machine takes a millisecond to come here, the first one is late, and is passed by.
    for _ in 0..100 {
        let many = ByHand::waiting(semaphore.acquire_many_async(2));
        // Whoever comes takes the free one, but not for long: without a bound, this would never end.
        while let Ok(permit) = semaphore.try_acquire() {
            drop(permit);
        }
        let mut few = ByHand::new(semaphore.acquire_async());
        if few.poll().is_none() && few.poll().is_none() {
            return (many, few);
        }
    }
    panic!("a free permit belongs to the first of those who wait");
}

#[test]
#[cfg_attr(miri, ignore = "whoever is told is always late there, and is passed by")]
fn a_semaphore_serves_in_order_of_arrival() {
    let semaphore = Semaphore::new(2);
    let permit = semaphore.acquire().unwrap();
    let (mut many, mut few) = many_and_few(&semaphore);
    let _told_for_the_newcomers = many.poll();
    let since = Instant::now();
    drop(permit);
    assert!(many.is_told() && few.is_not_next(since));
    let permits = many.poll().expect("two are free").unwrap();
    assert!(few.poll().is_none());
    drop(permits);
    assert!(few.poll().is_some());
}

#[test]
#[cfg_attr(miri, ignore = "whoever is told is always late there, and is passed by")]
fn who_stood_behind_a_head_that_goes_away_moves_up() {
    let semaphore = Semaphore::new(2);
    let permit = semaphore.acquire().unwrap();
    let (many, mut few) = many_and_few(&semaphore);
    drop(many);
    assert!(few.is_told(), "one permit has been free all the time");
    assert!(few.poll().is_some());
    drop(permit);
}

#[test]
fn a_head_that_was_nudged_and_goes_away_nudges_the_next() {
    let semaphore = Semaphore::new(0);
    let first = ByHand::waiting(semaphore.acquire_async());
    let mut second = ByHand::waiting(semaphore.acquire_async());
    let since = Instant::now();
    semaphore.release(1);
    assert!(first.is_told() && second.is_not_next(since));
    drop(first);
    assert!(second.is_told());
    assert!(second.poll().is_some());
}

#[test]
fn several_permits_reach_several_waiters() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<_> = (0..3).map(|_| ByHand::waiting(semaphore.acquire_async())).collect();
    semaphore.release(3);
    let permits: Vec<_> = waiters.iter_mut().map(|waiter| (waiter.wakes(), waiter.poll().unwrap())).collect();
    assert!(permits.iter().all(|(wakes, _)| *wakes > 0), "each was woken by the one before");
}

#[test]
fn a_cleared_event_lets_through_whom_it_had_told_and_nobody_else() {
    let event = Event::new();
    let mut early = ByHand::waiting(event.wait_async());
    let gone = ByHand::waiting(event.wait_async());
    event.set();
    event.clear();
    let mut later = ByHand::waiting(event.wait_async());
    drop(gone);
    assert_eq!(later.wakes(), 0, "nobody has set the event since");
    assert!(later.poll().is_none());
    assert!(early.poll().is_some());
}

#[test]
fn a_notification_for_one_goes_to_the_next() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let first = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let mut second = ByHand::waiting(condvar.wait_async(mutex.lock()));
    condvar.notify_one();
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_some());
}

#[test]
fn a_notification_is_not_lost_while_its_receiver_waits_for_the_lock() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut first = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let mut second = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let guard = mutex.lock();
    condvar.notify_one();
    assert!(first.poll().is_none(), "it waits for the lock now");
    drop(first);
    drop(guard);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_some());
}

#[test]
fn a_notification_for_all_is_none_for_those_who_come_later() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let gone = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let mut told = ByHand::waiting(condvar.wait_async(mutex.lock()));
    condvar.notify_all();
    let mut later = ByHand::waiting(condvar.wait_async(mutex.lock()));
    drop(gone);
    assert!(later.poll().is_none());
    assert!(told.poll().is_some());
}

#[test]
fn a_condvar_holds_its_place_from_before_the_lock_is_released() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waiting = ByHand::waiting(condvar.wait_async(mutex.lock()));
    assert!(!mutex.is_locked());
    condvar.notify_one();
    assert!(waiting.poll().is_some());
}

#[test]
fn who_leaves_a_barrier_is_not_counted_and_leaves_his_index_to_another() {
    let barrier = Barrier::new(3);
    let leaver = ByHand::waiting(barrier.wait_async());
    let mut second = ByHand::waiting(barrier.wait_async());
    drop(leaver);
    assert_eq!(barrier.arrived(), 1);
    let mut third = ByHand::waiting(barrier.wait_async());
    let last = ByHand::new(barrier.wait_async()).poll().expect("all have come");
    let places = [second.poll().unwrap(), third.poll().unwrap(), last].map(Result::unwrap);
    assert_eq!(places.map(BarrierPlace::index), [1, 0, 2]);
    assert_eq!(places.map(BarrierPlace::is_leader), [false, false, true]);
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn who_goes_away_after_a_barrier_has_opened_was_counted() {
    let barrier = Barrier::new(2);
    let gone = ByHand::waiting(barrier.wait_async());
    assert!(ByHand::new(barrier.wait_async()).poll().is_some());
    let mut next = ByHand::waiting(barrier.wait_async());
    drop(gone);
    assert_eq!(barrier.arrived(), 1);
    assert!(ByHand::new(barrier.wait_async()).poll().is_some());
    assert!(next.poll().is_some());
}

/// A party that comes to a barrier when a wake-up is taken back. Whoever waits with a limit does that when the time has
/// passed, after his last look at what he waits for.
struct LateParty(Arc<Barrier>, Arc<Queue<BarrierPlace>>);

impl Timer for LateParty {
    fn schedule(&self, _: Instant, _: Waker) -> Scheduled {
        let (barrier, places) = (Arc::clone(&self.0), Arc::clone(&self.1));
        Scheduled::new(move || places.put(barrier.wait_timeout(Duration::ZERO).unwrap()).unwrap())
    }
}

#[test]
fn a_barrier_that_opens_when_the_time_has_passed_has_counted_who_waited() {
    let (barrier, places) = (Arc::new(Barrier::new(2)), Arc::new(Queue::unbounded()));
    let _guard = timer::install(Arc::new(LateParty(Arc::clone(&barrier), Arc::clone(&places))));
    let mine = loop {
        let mut waiting = ByHand::new(barrier.wait_async_timeout(SHORT));
        // On a machine that is slow enough it ends at the first poll, and asks for no wake-up.
        if waiting.poll().is_none() {
            thread::sleep(SHORT);
            break waiting.poll().expect("the time has passed");
        }
        assert_eq!(barrier.arrived(), 0);
    };
    let late = places.try_get().expect("it has come");
    assert!(late.is_leader() && late.index() == 1);
    let mine = mine.expect("the other went through with this one");
    assert!(!mine.is_leader() && mine.index() == 0);
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn a_barrier_lets_two_through_or_none_whatever_the_limit() {
    let (barrier, rounds) = (Barrier::new(2), 2000);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let late = |round: &u64| {
                // It comes about when the other one's time has passed, which takes the system some more.
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_micros(50 + round % 40) {
                    std::hint::spin_loop();
                }
                barrier.wait().unwrap().is_leader()
            };
            (0..rounds).filter(late).count()
        });
        let mine = (0..rounds).filter(|round| {
            let place = match barrier.wait_timeout(Duration::from_micros(round % 7)) {
                Ok(place) => place,
                // Not counted, so the other one is still to come, or waits.
                Err(_timed_out) => barrier.wait_timeout(LONG).expect("the other one has not gone on alone"),
            };
            place.is_leader()
        });
        let mine = mine.count();
        assert_eq!(mine + other.join().unwrap(), rounds as usize);
    });
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn a_guard_may_be_held_across_threads() {
    let mutex = Mutex::new(1);
    let guard = mutex.lock();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
    assert!(!mutex.is_locked());
}
