//! What is needed rarely: who makes a value, who gets a notification, who swaps, who has left, who panicked, who gives back.

use super::*;
use crate::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, PoisonMutex, PoisonMutexGuard, WaitGroup,
};
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, TryLockError};

#[test]
fn one_of_two_makes_the_value_and_both_see_it() {
    loom::model(|| {
        let shared = Arc::new((OnceCell::new(), AtomicUsize::new(0)));
        let make = |shared: &(OnceCell<usize>, AtomicUsize)| {
            *block_on(shared.0.get_or_init_async(async { 1 + shared.1.fetch_add(1, Ordering::Relaxed) }))
        };
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || make(&shared)
        });
        assert_eq!((make(&shared), other.join().unwrap()), (1, 1));
    });
}

#[test]
fn a_value_whose_maker_goes_away_is_made_by_the_next_and_seen_by_who_waits() {
    model_of_three(|| {
        let cell = Arc::new(OnceCell::new());
        let fickle = Arc::clone(&cell);
        let mut fickle = Box::pin(fickle.get_or_init_async(pending()));
        assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let maker = Arc::clone(&cell);
        let maker = thread::spawn(move || *block_on(maker.get_or_init_async(ready(2))));
        let looker = Arc::clone(&cell);
        let looker = thread::spawn(move || *block_on(looker.wait_async()));
        drop(fickle);
        assert_eq!((maker.join().unwrap(), looker.join().unwrap()), (2, 2));
    });
}

#[test]
fn the_right_to_make_a_value_goes_on_when_it_was_offered_to_one_who_goes_away() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let mut first = Box::pin(cell.get_or_init_async(pending()));
        let mut second = Box::pin(cell.get_or_init_async(ready(2)));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut cx).is_pending() && second.as_mut().poll(&mut cx).is_pending());
        let third = Arc::clone(&cell);
        let third = thread::spawn(move || *block_on(third.get_or_init_async(ready(3))));
        drop(first);
        drop(second);
        assert_eq!(third.join().unwrap(), 3);
    });
}

#[test]
fn a_value_is_set_by_one_of_two() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let other = Arc::clone(&cell);
        let other = thread::spawn(move || other.set(2).is_ok());
        let mine = cell.set(1).is_ok();
        assert_ne!(mine, other.join().unwrap());
        assert_eq!(cell.get(), Some(if mine { &1 } else { &2 }));
    });
}

#[test]
fn a_lazy_value_is_made_once_for_a_thread_and_a_task() {
    loom::model(|| {
        let made = AtomicUsize::new(0);
        let lazy = Arc::new(Lazy::new(move || 1 + made.fetch_add(1, Ordering::Relaxed)));
        let other = Arc::clone(&lazy);
        let other = thread::spawn(move || *other.force());
        assert_eq!((*block_on(lazy.force_async()), other.join().unwrap()), (1, 1));
    });
}

#[test]
fn a_lazy_value_that_a_future_makes_is_made_once() {
    loom::model(|| {
        let made = AtomicUsize::new(0);
        let lazy = Arc::new(Lazy::new_async(move || ready(1 + made.fetch_add(1, Ordering::Relaxed))));
        let other = Arc::clone(&lazy);
        let other = thread::spawn(move || *block_on(other.force_async()));
        assert_eq!((*block_on(lazy.force_async()), other.join().unwrap()), (1, 1));
    });
}

#[test]
fn a_lazy_value_whose_future_is_dropped_is_made_from_the_beginning_by_the_next() {
    loom::model(|| {
        let begun = AtomicUsize::new(0);
        let lazy = Arc::new(Lazy::new_async(move || {
            let begun = 1 + begun.fetch_add(1, Ordering::Relaxed);
            async move { if begun == 1 { pending().await } else { begun } }
        }));
        let fickle = Arc::clone(&lazy);
        let mut fickle = Box::pin(fickle.force_async());
        assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = Arc::clone(&lazy);
        let other = thread::spawn(move || *block_on(other.force_async()));
        drop(fickle);
        assert_eq!(other.join().unwrap(), 2);
    });
}

#[test]
fn a_notification_becomes_the_permit_when_its_receiver_goes_away() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let notifier = Arc::clone(&notify);
        let notifier = thread::spawn(move || notifier.notify_one());
        let mut fickle = Box::pin(notify.wait_async());
        let ended = fickle.as_mut().enable();
        drop(fickle);
        notifier.join().unwrap();
        assert_ne!(notify.try_wait(), ended, "seen or kept, and not both");
    });
}

#[test]
fn a_notification_reaches_the_next_when_the_first_goes_away() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let mut fickle = Box::pin(notify.wait_async());
        assert!(!fickle.as_mut().enable());
        let patient = Arc::clone(&notify);
        let patient = thread::spawn(move || block_on(patient.wait_async()));
        notify.notify_one();
        drop(fickle);
        patient.join().unwrap();
        assert!(!notify.try_wait());
    });
}

#[test]
fn who_had_begun_to_wait_is_notified_with_all_although_nobody_had_polled() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let waiting = notify.wait_async();
        let notifier = Arc::clone(&notify);
        let notifier = thread::spawn(move || notifier.notify_waiters());
        block_on(waiting);
        notifier.join().unwrap();
        assert!(!notify.try_wait(), "a notification of all leaves no permit");
    });
}

#[test]
fn two_swap_or_neither_does_although_the_time_has_passed() {
    loom::model(|| {
        let exchanger = Arc::new(Exchanger::new());
        let other = Arc::clone(&exchanger);
        // The time has passed at the first look, so no timer is asked.
        let other =
            thread::spawn(move || block_on(other.exchange_async_timeout(Arc::new(1), Duration::ZERO)));
        let mine = block_on(exchanger.exchange_async_timeout(Arc::new(2), Duration::ZERO));
        match (mine, other.join().unwrap()) {
            (Ok(mine), Ok(other)) => assert_eq!((*mine, *other), (1, 2)),
            (Err(mine), Err(other)) => assert_eq!((*mine.0, *other.0), (2, 1)),
            _ => panic!("one alone has swapped"),
        }
        assert!(!exchanger.is_awaited());
    });
}

#[test]
fn what_was_brought_is_dropped_once_when_its_owner_goes_away() {
    loom::model(|| {
        let exchanger = Arc::new(Exchanger::new());
        let fickle = Arc::clone(&exchanger);
        let fickle = thread::spawn(move || poll_and_drop(fickle.exchange_async(Arc::new(1))));
        if let Ok(theirs) = exchanger.try_exchange(Arc::new(2)) {
            assert_eq!(*theirs, 1);
        }
        fickle.join().unwrap();
        assert!(exchanger.try_exchange(Arc::new(3)).is_err());
    });
}

#[test]
fn three_swap_in_pairs_and_the_last_is_alone() {
    model_of_three(|| {
        let exchanger = Arc::new(Exchanger::new());
        let others = [1, 2].map(|number| {
            let exchanger = Arc::clone(&exchanger);
            thread::spawn(move || block_on(exchanger.exchange_async(number)))
        });
        // With one of them, or with nobody; then the two swap.
        let mine = exchanger.try_exchange(3);
        let last = if mine.is_ok() { Some(block_on(exchanger.exchange_async(4))) } else { None };
        let mut got = others.map(|other| other.join().unwrap()).to_vec();
        got.extend(mine.ok().into_iter().chain(last));
        got.sort_unstable();
        assert!(got == [1, 2] || got == [1, 2, 3, 4], "{got:?}");
    });
}

#[test]
fn who_waits_for_a_group_goes_on_when_the_last_has_left() {
    model_of_three(|| {
        let group = Arc::new(WaitGroup::new());
        let ended = Arc::new(AtomicUsize::new(0));
        group.add(2);
        let members = [(); 2].map(|()| {
            let (group, ended) = (Arc::clone(&group), Arc::clone(&ended));
            thread::spawn(move || {
                ended.fetch_add(1, Ordering::Relaxed);
                group.done().unwrap();
            })
        });
        block_on(group.wait_async());
        assert_eq!(ended.load(Ordering::Relaxed), 2);
        members.into_iter().for_each(|member| member.join().unwrap());
    });
}

#[test]
fn who_waits_for_a_group_goes_on_although_more_begins() {
    loom::model(|| {
        let group = Arc::new(WaitGroup::new());
        group.add(1);
        let mut waiting = Box::pin(group.wait_async());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = Arc::clone(&group);
        let other = thread::spawn(move || {
            other.done().unwrap();
            other.add(1);
        });
        block_on(waiting);
        other.join().unwrap();
        assert_eq!(group.under_way(), 1);
    });
}

#[test]
fn a_latch_opens_for_all_when_the_last_has_counted() {
    model_of_three(|| {
        let latch = Arc::new(Latch::new(2));
        let others = [(); 2].map(|()| {
            let latch = Arc::clone(&latch);
            thread::spawn(move || {
                latch.count_down(1);
                block_on(latch.wait_async());
            })
        });
        block_on(latch.wait_async());
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn the_next_of_several_tasks_is_not_missed() {
    model_of_three(|| {
        let (first, one) = promise::<u32>();
        let (second, two) = promise::<u32>();
        let producers = [(first, 1), (second, 2)]
            .map(|(promise, number)| thread::spawn(move || promise.finish(Ok(number))));
        assert_eq!(block_on(crate::gather([one, two])).unwrap(), [1, 2]);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

/// All loom's threads are one thread of the system, so they all count as panicking where one is. Who waited for the lock would be in
/// one of `std`'s locks meanwhile, and poison that one: so the other does not wait.
#[test]
fn who_takes_a_lock_after_one_who_panicked_with_it_is_warned() {
    loom::model(|| {
        let half_done = Arc::new(PoisonMutex::new(false));
        let other = Arc::clone(&half_done);
        let other = thread::spawn(move || {
            let panics = || {
                let mut half_done = other.lock().unwrap();
                *half_done = true;
                resume_unwind(Box::new("half done"));
            };
            assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        });
        match half_done.try_lock() {
            Ok(half_done) => assert!(!*half_done),
            Err(TryLockError::Poisoned(warned)) => assert!(**warned.get_ref()),
            Err(TryLockError::WouldBlock) => {}
        }
        other.join().unwrap();
        assert!(half_done.lock().is_err());
    });
}

/// The value says whether somebody has repaired it, which is done after the poison is cleared. All orders of the two who use it take minutes,
/// so their models are bounded as those of three.
fn poisoned() -> PoisonMutex<bool> {
    let repaired = PoisonMutex::new(false);
    let panics = || {
        let _half_done = repaired.lock();
        resume_unwind(Box::new("half done"));
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    repaired
}

fn holds<E>(got: Result<PoisonMutexGuard<'_, bool>, E>) {
    if let Ok(repaired) = got {
        assert!(*repaired);
    }
}

#[test]
fn who_waits_for_a_condition_is_warned_or_it_holds_while_the_poison_is_cleared() {
    let waits: [fn(&PoisonMutex<bool>); 3] = [
        |mutex| holds(mutex.when(|repaired| *repaired)),
        |mutex| holds(mutex.when_timeout(|repaired| *repaired, Duration::ZERO)),
        |mutex| holds(block_on(mutex.when_async(|repaired| *repaired))),
    ];
    for wait in waits {
        model_of_three(move || {
            let repaired = Arc::new(poisoned());
            let repairs = Arc::clone(&repaired);
            let repairs = thread::spawn(move || {
                repairs.clear_poison();
                *repairs.lock().unwrap() = true;
            });
            wait(&repaired);
            repairs.join().unwrap();
        });
    }
}

#[test]
fn who_waits_on_a_condvar_is_warned_or_its_condition_holds_while_the_poison_is_cleared() {
    model_of_three(|| {
        let shared = Arc::new((poisoned(), Condvar::new()));
        let repairs = Arc::clone(&shared);
        let repairs = thread::spawn(move || {
            repairs.1.notify_one();
            repairs.0.clear_poison();
            *repairs.0.lock().unwrap() = true;
            repairs.1.notify_one();
        });
        let guard = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        holds(shared.1.wait_while(guard, |repaired| !*repaired));
        repairs.join().unwrap();
    });
}

#[test]
fn of_two_who_give_the_same_permit_back_one_is_refused_and_who_waits_has_it() {
    model_of_three(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        semaphore.try_acquire().unwrap().keep();
        let waits = Arc::clone(&semaphore);
        let waits = thread::spawn(move || drop(waits.acquire().unwrap()));
        let other = Arc::clone(&semaphore);
        let other = thread::spawn(move || other.release(1).is_ok());
        let mine = semaphore.release(1).is_ok();
        assert_ne!(mine, other.join().unwrap());
        waits.join().unwrap();
        assert_eq!(semaphore.available(), 1);
    });
}
