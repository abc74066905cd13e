//! What loom checks: every order in which the threads of a small program can run.
//!
//! `RUSTFLAGS='--cfg trefoil_loom' cargo test --release -p sync --lib`
//!
//! The models use what users use, with loom's `block_on` in the place of a parker: a lost wake-up is a deadlock, which
//! loom reports, and so are two threads inside one cell. What a task owns is counted, so a leak shows as well.

use crate::barrier::BarrierError;
use crate::os;
use crate::{
    Barrier, CancelToken, Condvar, Event, JoinError, Mutex, Queue, Semaphore, promise, promise_cancelling,
};
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc as Plain;
use std::task::{Context, Waker};
use std::time::Duration;

mod condvar;
mod extra;
mod given_out;
mod hand;
mod kinds;
#[expect(unsafe_code, reason = "a value that loom watches over")]
mod lock;
#[expect(unsafe_code, reason = "items have a cell that loom watches")]
mod lockfree;
mod patrol;
mod queue;
#[expect(unsafe_code, reason = "a value that loom watches over")]
mod rlock;
#[expect(unsafe_code, reason = "a value that loom watches over")]
mod rwlock;
mod select;
mod semaphore;
mod timer;
mod words;

// Loom's `Arc` complains when it is never dropped, and is thereby the witness that nothing leaks.
use loom::sync::Arc;

/// Polls once with a waker that does nothing, and drops the future: what a `select` does to its losers.
fn poll_and_drop(future: impl Future) {
    let _lost = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// A model of threads of which none ever sleeps: nobody makes a barrier, as where the kernel makes it for both sides.
fn model_without_barriers(changes: usize, model: impl Fn() + Sync + Send + 'static) {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            os::nobody_sleeps(false);
        }
    }
    let _end = End;
    os::nobody_sleeps(true);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(changes);
    builder.check(model);
}

/// Three threads are many for loom: at most two of them are interrupted at a time.
fn model_of_three(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Says that something is over, and orders nothing: as when somebody looks at a clock.
///
/// Also for loom, which tries another order where it finds that the *last* access to an atomic was another thread's. Who looks before
/// he writes hides with his own look whoever looked earlier, and is then never tried as the first. By this he is.
struct Over(AtomicUsize);

impl Over {
    fn new() -> Self {
        Over(AtomicUsize::new(0))
    }

    fn say(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    fn is_said(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 1
    }
}

mod task {
    use super::*;

    /// Something that must be dropped exactly once.
    type Token = Arc<()>;

    #[test]
    fn a_result_reaches_a_task_that_is_awaited() {
        loom::model(|| {
            let (promise, task) = promise::<Token>();
            let producer = thread::spawn(move || promise.finish(Ok(Arc::new(()))));
            assert!(block_on(task).is_ok());
            producer.join().unwrap();
        });
    }

    #[test]
    fn a_task_that_was_polled_with_another_waker_before_is_woken_by_the_last_one() {
        loom::model(|| {
            let (promise, mut task) = promise::<Token>();
            let producer = thread::spawn(move || promise.finish(Ok(Arc::new(()))));
            let early = pin!(&mut task).poll(&mut Context::from_waker(Waker::noop()));
            if early.is_pending() {
                assert!(block_on(task).is_ok());
            }
            producer.join().unwrap();
        });
    }

    #[test]
    fn a_handle_dropped_while_the_producer_finishes_leaks_nothing() {
        loom::model(|| {
            let token = CancelToken::new();
            let (promise, task) = promise_cancelling::<Token>(token.clone());
            let producer = thread::spawn(move || promise.finish(Ok(Arc::new(()))));
            poll_and_drop(task);
            producer.join().unwrap();
            assert!(token.is_only(), "the cell is gone, and its token with it");
        });
    }

    #[test]
    fn a_handle_asks_to_stop_while_the_producer_finishes() {
        loom::model(|| {
            let token = CancelToken::new();
            let (promise, task) = promise_cancelling::<Token>(token.clone());
            let producer = thread::spawn(move || {
                if promise.is_cancelled() {
                    promise.finish(Err(JoinError::Cancelled));
                } else {
                    promise.finish(Ok(Arc::new(())));
                }
            });
            task.cancel();
            task.cancel();
            match block_on(task) {
                Ok(_) => {}
                Err(why) => assert!(why.is_cancelled() && token.is_cancelled()),
            }
            producer.join().unwrap();
            assert!(token.is_only(), "the cell is gone, and its token with it");
        });
    }

    #[test]
    fn a_promise_dropped_while_the_handle_is_dropped_frees_the_cell() {
        loom::model(|| {
            let token = CancelToken::new();
            let (promise, task) = promise_cancelling::<Token>(token.clone());
            let producer = thread::spawn(move || drop(promise));
            drop(task);
            producer.join().unwrap();
            assert!(token.is_only(), "the cell is gone, and its token with it");
        });
    }

    #[test]
    fn a_callback_runs_once_whenever_the_task_finishes() {
        loom::model(|| {
            let token = CancelToken::new();
            let (promise, task) = promise_cancelling::<Token>(token.clone());
            let calls = Plain::new(std::sync::atomic::AtomicUsize::new(0));
            let producer = thread::spawn(move || promise.finish(Ok(Arc::new(()))));
            let counted = Plain::clone(&calls);
            task.on_done(move |result| {
                assert!(result.is_ok());
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            });
            producer.join().unwrap();
            assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
            assert_eq!(Plain::strong_count(&calls), 1, "the callback is gone");
            assert!(token.is_only(), "the cell is gone, and its token with it");
        });
    }

    #[test]
    fn a_callback_runs_for_a_promise_dropped_unfinished() {
        loom::model(|| {
            let (promise, task) = promise::<Token>();
            let event = Arc::new(Event::new());
            let producer = thread::spawn(move || drop(promise));
            let heard = Arc::clone(&event);
            task.on_done(move |result| {
                assert!(matches!(result, Err(JoinError::Abandoned)));
                heard.set();
            });
            block_on(event.wait_async());
            producer.join().unwrap();
        });
    }
}

mod waiting {
    use super::*;

    #[test]
    fn a_mutex_lets_one_in_and_wakes_the_next() {
        loom::model(|| {
            let mutex = Arc::new(Mutex::new(0));
            let other = thread::spawn({
                let mutex = Arc::clone(&mutex);
                move || *block_on(mutex.lock_async()) += 1
            });
            *block_on(mutex.lock_async()) += 1;
            other.join().unwrap();
            assert_eq!(*mutex.try_lock().unwrap(), 2);
        });
    }

    #[test]
    fn a_lock_that_was_released_reaches_the_next_when_the_first_gives_up() {
        model_of_three(|| {
            let mutex = Arc::new(Mutex::new(()));
            let patient = Arc::clone(&mutex);
            let mut fickle = Box::pin(mutex.lock_async());
            let guard = mutex.try_lock().unwrap();
            assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let patient = thread::spawn(move || drop(block_on(patient.lock_async())));
            drop(guard);
            drop(fickle);
            patient.join().unwrap();
        });
    }

    #[test]
    fn a_lock_that_was_released_reaches_one_who_was_in_the_queue_when_the_first_gives_up() {
        loom::model(|| {
            let mutex = Arc::new(Mutex::new(()));
            let theirs = Arc::clone(&mutex);
            let mut fickle = Box::pin(mutex.lock_async());
            let mut patient = Box::pin(async move { drop(theirs.lock_async().await) });
            let guard = mutex.try_lock().unwrap();
            assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert!(patient.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let patient = thread::spawn(move || block_on(patient));
            drop(guard);
            drop(fickle);
            patient.join().unwrap();
        });
    }

    #[test]
    fn an_item_reaches_a_consumer_although_another_gave_up() {
        loom::model(|| {
            let queue = Arc::new(Queue::unbounded());
            let mut fickle = Box::pin(queue.get_async());
            assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let patient = Arc::clone(&queue);
            let patient = thread::spawn(move || block_on(patient.get_async()));
            queue.try_put(7).unwrap();
            drop(fickle);
            assert_eq!(patient.join().unwrap(), Ok(7));
        });
    }

    #[test]
    fn room_in_a_bounded_queue_wakes_the_producer() {
        loom::model(|| {
            let queue = Arc::new(Queue::bounded(1));
            let producer = Arc::clone(&queue);
            let producer = thread::spawn(move || {
                block_on(producer.put_async(1)).unwrap();
                block_on(producer.put_async(2)).unwrap();
            });
            assert_eq!(block_on(queue.get_async()), Ok(1));
            assert_eq!(block_on(queue.get_async()), Ok(2));
            producer.join().unwrap();
        });
    }

    #[test]
    fn an_event_wakes_who_waits_for_it() {
        loom::model(|| {
            let event = Arc::new(Event::new());
            let setter = Arc::clone(&event);
            let setter = thread::spawn(move || setter.set());
            block_on(event.wait_async());
            setter.join().unwrap();
        });
    }

    #[test]
    fn an_event_that_resets_itself_lets_two_through_for_two_sets() {
        model_of_three(|| {
            let event = Arc::new(Event::auto_reset());
            let thread = Arc::clone(&event);
            let thread = thread::spawn(move || thread.wait());
            let (setter, turn) = (Arc::clone(&event), Arc::new(Event::new()));
            let turned = Arc::clone(&turn);
            let setter = thread::spawn(move || {
                setter.set();
                block_on(turned.wait_async());
                setter.set();
            });
            // Whichever of the two is through first lets the second set come.
            poll_and_drop(event.wait_async());
            turn.set();
            thread.join().unwrap();
            setter.join().unwrap();
        });
    }

    #[test]
    fn a_semaphore_whose_head_gives_up_serves_the_next() {
        loom::model(|| {
            let semaphore = Arc::new(Semaphore::new(0));
            let theirs = Arc::clone(&semaphore);
            let mut greedy = Box::pin(semaphore.acquire_many_async(2));
            let mut modest = Box::pin(async move { drop(theirs.acquire_async().await.unwrap()) });
            let mut cx = Context::from_waker(Waker::noop());
            assert!(greedy.as_mut().poll(&mut cx).is_pending() && modest.as_mut().poll(&mut cx).is_pending());
            let modest = thread::spawn(move || block_on(modest));
            // Too few for the one who is told of it.
            semaphore.release(1);
            drop(greedy);
            modest.join().unwrap();
            assert_eq!(semaphore.available(), 1);
        });
    }

    #[test]
    fn a_permit_goes_round_among_threads() {
        loom::model(|| {
            let semaphore = Arc::new(Semaphore::new(1));
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let semaphore = Arc::clone(&semaphore);
                    thread::spawn(move || drop(semaphore.acquire().unwrap()))
                })
                .collect();
            for other in others {
                other.join().unwrap();
            }
            assert_eq!(semaphore.available(), 1);
        });
    }

    #[test]
    fn a_thread_that_gives_up_at_its_deadline_takes_no_permit_with_it() {
        model_of_three(|| {
            let semaphore = Arc::new(Semaphore::new(0));
            let (patient, hasty) = (Arc::clone(&semaphore), Arc::clone(&semaphore));
            let hasty = thread::spawn(move || hasty.acquire_timeout(Duration::ZERO).map(|_permit| ()));
            let patient = thread::spawn(move || drop(patient.acquire().unwrap()));
            semaphore.release(1);
            patient.join().unwrap();
            let _late_or_not = hasty.join().unwrap();
            assert_eq!(semaphore.available(), 1);
        });
    }

    #[test]
    fn a_closed_semaphore_keeps_nobody() {
        model_of_three(|| {
            let semaphore = Arc::new(Semaphore::new(0));
            let (task, thread) = (Arc::clone(&semaphore), Arc::clone(&semaphore));
            let task = thread::spawn(move || block_on(task.acquire_async()).is_err());
            let thread = thread::spawn(move || thread.acquire().is_err());
            semaphore.close();
            assert!(task.join().unwrap() && thread.join().unwrap());
        });
    }

    #[test]
    fn a_barrier_lets_both_through_or_none_although_the_time_has_passed() {
        loom::model(|| {
            let barrier = Arc::new(Barrier::new(2));
            let other = Arc::clone(&barrier);
            // The time has passed at the first look, so no timer is asked.
            let other = thread::spawn(move || block_on(other.wait_async_timeout(Duration::ZERO)));
            let mine = block_on(barrier.wait_async_timeout(Duration::ZERO));
            let leaders = match (mine, other.join().unwrap()) {
                (Ok(mine), Ok(other)) => {
                    assert_ne!(mine.index(), other.index());
                    usize::from(mine.is_leader()) + usize::from(other.is_leader())
                }
                (Err(_), Err(_)) => 1,
                (mine, other) => panic!("one alone went through: {mine:?}, {other:?}"),
            };
            assert_eq!((leaders, barrier.arrived()), (1, 0));
        });
    }

    #[test]
    fn a_barrier_wakes_a_thread_and_a_task_when_the_last_one_comes() {
        model_of_three(|| {
            let barrier = Arc::new(Barrier::new(3));
            let (task, thread) = (Arc::clone(&barrier), Arc::clone(&barrier));
            let task = thread::spawn(move || block_on(task.wait_async()).unwrap());
            let thread = thread::spawn(move || thread.wait().unwrap());
            let mut places = [barrier.wait().unwrap(), task.join().unwrap(), thread.join().unwrap()];
            places.sort_by_key(|place| place.index());
            assert_eq!(places.map(|place| place.index()), [0, 1, 2]);
            assert_eq!(places.map(|place| place.is_leader()), [false, false, true]);
        });
    }

    #[test]
    fn a_barrier_that_is_broken_off_keeps_nobody() {
        model_of_three(|| {
            let barrier = Arc::new(Barrier::new(3));
            let (task, thread) = (Arc::clone(&barrier), Arc::clone(&barrier));
            let task = thread::spawn(move || block_on(task.wait_async()));
            let thread = thread::spawn(move || thread.wait());
            barrier.abort();
            let broken = Err(BarrierError::Broken);
            assert_eq!((task.join().unwrap(), thread.join().unwrap()), (broken, broken));
            assert_eq!(barrier.arrived(), 0);
        });
    }

    #[test]
    fn a_notification_given_under_the_lock_is_not_missed() {
        loom::model(|| {
            let shared = Arc::new((Mutex::new(false), Condvar::new()));
            let notifier = Arc::clone(&shared);
            let notifier = thread::spawn(move || {
                *block_on(notifier.0.lock_async()) = true;
                notifier.1.notify_one();
            });
            block_on(async {
                let mut ready = shared.0.lock_async().await;
                while !*ready {
                    ready = shared.1.wait_async(ready).await;
                }
            });
            notifier.join().unwrap();
        });
    }

    #[test]
    fn a_token_cancelled_while_a_child_is_made_cancels_the_child() {
        loom::model(|| {
            let token = CancelToken::new();
            let canceller = token.clone();
            let canceller = thread::spawn(move || canceller.cancel());
            let child = token.child();
            block_on(child.wait_async());
            canceller.join().unwrap();
        });
    }

    #[test]
    fn a_callback_left_with_a_token_that_is_being_cancelled_runs_once() {
        loom::model(|| {
            let token = CancelToken::new();
            let canceller = token.clone();
            let canceller = thread::spawn(move || canceller.cancel());
            let calls = Plain::new(std::sync::atomic::AtomicUsize::new(0));
            let counted = Plain::clone(&calls);
            let _left = token.on_cancel(move || {
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            });
            canceller.join().unwrap();
            assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
        });
    }
}
