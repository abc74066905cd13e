//! A panic becomes a value with its message and its place, and breaks nothing on its way.

mod common;

use common::{Bomb, ByHand, LONG, Sharp};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;
use sync::extra::{OnceCell, WaitGroup};
use sync::park::{self, Parker};
use sync::rwlock::{RwLockReadGuard, RwLockWriteGuard};
use sync::timer::{self, Scheduled, Timer};
use sync::{CancelToken, Condvar, Event, JoinError, Mutex, Queue, RwLock, Semaphore};
use sync::{catch, error::Panic, promise};

fn panic_of(work: impl FnOnce()) -> Panic {
    match catch(work) {
        Err(JoinError::Panicked(panic)) => *panic,
        other => panic!("not a panic: {other:?}"),
    }
}

#[test]
fn message_and_place() {
    let line = line!() + 1;
    let panic = panic_of(|| panic!("number {}", 7));
    assert_eq!(panic.message(), "number 7");
    let place = panic.place().unwrap();
    assert!(place.contains(&format!("panics.rs:{line}:")), "{place}");
    assert_eq!(format!("{panic}"), format!("number 7 at {place}"));
    assert_eq!(panic_of(|| panic!("a text")).message(), "a text");
    assert_eq!(panic_of(|| panic_any(5_u8)).message(), "a payload that is not text");
}

#[test]
fn no_panic_is_the_result() {
    assert_eq!(catch(|| 5).unwrap(), 5);
}

#[test]
fn a_task_brings_its_panic_to_whoever_joins_it() {
    let (promise, task) = promise::<()>();
    let thread = std::thread::spawn(move || promise.run(|| panic!("in a thread")));
    let error = task.join().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.panic().unwrap().message(), "in a thread");
    thread.join().expect("the thread has gone on");
}

#[test]
fn a_payload_goes_on() {
    let error = catch(|| panic_any(5_u8)).unwrap_err();
    let payload = catch_unwind(AssertUnwindSafe(|| error.resume_panic())).unwrap_err();
    assert_eq!(*payload.downcast::<u8>().unwrap(), 5);
    assert!(JoinError::Cancelled.resume_panic().is_cancelled());

    let described = Panic::described("far away", Some("file.rs:1:2"), None);
    assert_eq!(described.to_string(), "far away at file.rs:1:2");
    assert_eq!(*described.into_payload().downcast::<String>().unwrap(), "far away");
}

#[test]
fn one_catch_inside_another() {
    let mut inner = None;
    let outer = panic_of(|| {
        inner = Some(panic_of(|| panic!("inner")));
        panic!("outer");
    });
    let inner = inner.unwrap();
    assert_eq!((inner.message(), outer.message()), ("inner", "outer"));
    assert_ne!(inner.place().unwrap(), outer.place().unwrap());
}

#[test]
fn a_catch_in_a_destructor_leaves_the_running_panic_its_place() {
    struct Catches<'a>(&'a mut Option<Panic>);
    impl Drop for Catches<'_> {
        fn drop(&mut self) {
            assert!(catch(|| 1).is_ok());
            *self.0 = Some(panic_of(|| panic!("in the destructor")));
        }
    }
    let mut inner = None;
    let line = line!() + 3;
    let outer = panic_of(|| {
        let _catches = Catches(&mut inner);
        panic!("in the work");
    });
    assert_eq!(inner.unwrap().message(), "in the destructor");
    assert_eq!(outer.message(), "in the work");
    assert!(outer.place().unwrap().contains(&format!(":{line}:")), "{outer}");
}

#[test]
fn a_panic_has_no_place_of_another() {
    let panic = panic_of(|| {
        let _caught_by_the_user = catch_unwind(|| panic!("the first"));
        resume_unwind(Box::new("the second"));
    });
    assert_eq!((panic.message(), panic.place()), ("the second", None));
}

#[test]
fn a_panic_that_was_caught_and_goes_on_keeps_its_place() {
    let panic = panic_of(|| {
        let payload = catch_unwind(|| panic!("the first")).unwrap_err();
        resume_unwind(payload);
    });
    assert!(panic.place().unwrap().contains("panics.rs"));
}

#[test]
fn a_panic_under_a_lock_releases_it() {
    let (mutex, semaphore) = (Mutex::new(1), Semaphore::new(1));
    assert!(
        catch(|| {
            let _permit = semaphore.acquire();
            let mut guard = mutex.lock();
            *guard = 2;
            panic!("under the lock");
        })
        .is_err()
    );
    assert_eq!(*mutex.try_lock().unwrap(), 2, "what the panic left is there: nothing is poisoned");
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_waker_that_panics_keeps_the_others_from_nothing() {
    let event = Event::new();
    let before = ByHand::waiting(event.wait_async());
    let mut bomb = Box::pin(event.wait_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let after = ByHand::waiting(event.wait_async());
    assert!(catch(|| event.set()).is_err());
    assert_eq!((before.wakes(), after.wakes()), (1, 1));
    assert!(event.is_set());
}

/// More than are woken between two holds of the short lock.
const MANY: usize = 40;

#[test]
fn a_waker_that_panics_keeps_nobody_from_a_notification_of_many() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut bomb = Box::pin(condvar.wait_async(mutex.lock()));
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let others: Vec<_> = (0..MANY).map(|_| ByHand::waiting(condvar.wait_async(mutex.lock()))).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| condvar.notify(MANY + 1))).is_err(), "the panic goes on");
    assert!(others.iter().all(ByHand::is_told));
}

#[test]
fn a_waker_that_panics_keeps_no_callback_and_no_child_from_the_cancelling() {
    let token = CancelToken::new();
    let child = token.child();
    let childs = ByHand::waiting(child.wait_async());
    let mut bomb = Box::pin(token.wait_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let called = Arc::new(Event::new());
    let call = Arc::clone(&called);
    let _registered = token.on_cancel(move || call.set());

    let panic = panic_of(|| token.cancel());
    assert_eq!(panic.message(), "a panic that the test asked for");
    assert!(token.is_cancelled() && child.is_cancelled() && called.is_set());
    assert_eq!(childs.wakes(), 1);
}

#[test]
fn of_several_panics_the_first_goes_on_and_payloads_stop_nothing() {
    let token = CancelToken::new();
    let called = Arc::new(Event::new());
    let call = Arc::clone(&called);
    let _registered = [
        token.on_cancel(|| panic!("the first")),
        token.on_cancel(|| panic_any(Sharp)),
        token.on_cancel(move || call.set()),
    ];
    assert_eq!(panic_of(|| token.cancel()).message(), "the first");
    assert!(called.is_set());
}

/// Polls once, with a waker that panics when it is woken.
fn with_a_bomb<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    future
}

/// Drops `last` in a panic. A second one that leaves its destructor ends the test program.
#[track_caller]
fn drop_in_a_panic<T>(last: T) {
    let panic = panic_of(|| {
        let _last = last;
        panic!("the only one that gets out");
    });
    assert_eq!(panic.message(), "the only one that gets out");
}

#[test]
fn a_waker_that_panics_gets_out_of_no_guard_of_a_mutex() {
    let mutex = Arc::new(Mutex::new((0, 0)));
    let guard = mutex.lock();
    let bomb = with_a_bomb(mutex.lock_async());
    drop_in_a_panic(guard);
    drop(bomb);
    let guard = sync::mutex::MutexGuard::map(mutex.lock(), |pair| &mut pair.1);
    let bomb = with_a_bomb(mutex.lock_async());
    drop_in_a_panic(guard);
    drop(bomb);
    let guard = Mutex::lock_arc(&mutex);
    let bomb = with_a_bomb(mutex.lock_async());
    drop_in_a_panic(guard);
    drop(bomb);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_waker_that_panics_gets_out_of_no_guard_of_a_rwlock() {
    let lock = RwLock::new((0, 0));
    macro_rules! each {
        ($($guard:expr),*) => {$(
            let guard = $guard;
            let bomb = with_a_bomb(lock.write_async());
            drop_in_a_panic(guard);
            drop(bomb);
            assert!(lock.try_write().is_some());
        )*};
    }
    each!(
        lock.read(),
        lock.write(),
        lock.upgradable_read(),
        RwLockReadGuard::map(lock.read(), |pair| &pair.0),
        RwLockWriteGuard::map(lock.write(), |pair| &mut pair.0)
    );
}

#[test]
fn a_waker_that_panics_gets_out_of_no_future_that_passes_its_turn_on() {
    // Each is told, goes away in a panic, and leaves its turn to a bomb.
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let told = ByHand::waiting(mutex.lock_async());
    let bomb = with_a_bomb(mutex.lock_async());
    drop(guard);
    drop_in_a_panic(told);
    drop(bomb);

    let lock = RwLock::new(());
    let guard = lock.write();
    let told = ByHand::waiting(lock.write_async());
    let bomb = with_a_bomb(lock.write_async());
    drop(guard);
    drop_in_a_panic(told);
    drop(bomb);

    let semaphore = Semaphore::new(0);
    let told = ByHand::waiting(semaphore.acquire_async());
    let bomb = with_a_bomb(semaphore.acquire_async());
    semaphore.release(1);
    drop_in_a_panic(told);
    drop(bomb);

    let event = Event::auto_reset();
    let told = ByHand::waiting(event.wait_async());
    let bomb = with_a_bomb(event.wait_async());
    event.set();
    drop_in_a_panic(told);
    drop(bomb);
    assert!(event.is_set() && mutex.try_lock().is_some() && lock.try_write().is_some());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_waker_that_panics_gets_out_of_no_wait_for_a_condition() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    // One is told and has not looked; the other is told, and waits for the lock.
    let told = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let bomb = with_a_bomb(condvar.wait_async(mutex.lock()));
    condvar.notify_one();
    drop_in_a_panic(told);
    drop(bomb);

    let mut told = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let bomb = with_a_bomb(condvar.wait_async(mutex.lock()));
    let guard = mutex.lock();
    condvar.notify_one();
    assert!(told.poll().is_none(), "it waits for the lock");
    drop_in_a_panic(told);
    drop((bomb, guard));
    assert_eq!(condvar.waiting(), 0);
}

#[test]
fn a_waker_that_panics_gets_out_of_no_member_and_of_nobody_who_makes_a_value() {
    let group = WaitGroup::new();
    let member = group.enter();
    let bomb = with_a_bomb(group.wait_async());
    drop_in_a_panic(member);
    assert!(group.is_idle());
    drop(bomb);

    let cell = OnceCell::<u8>::new();
    let making = ByHand::waiting(cell.get_or_init_async(std::future::pending()));
    let bomb = with_a_bomb(cell.get_or_init_async(async { 1 }));
    drop_in_a_panic(making);
    drop(bomb);
    assert_eq!(*cell.get_or_init(|| 2), 2);
}

#[test]
fn a_waker_that_panics_gets_out_of_no_promise() {
    let (promise, task) = promise::<()>();
    let mut bomb = with_a_bomb(task);
    drop_in_a_panic(promise);
    assert!(bomb.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn a_waker_that_panics_gets_out_of_no_end_of_a_queue() {
    let (sender, receiver) = sync::queue::spsc::bounded::<u8>(2);
    let bomb = with_a_bomb(receiver_future(receiver));
    drop_in_a_panic(sender);
    drop(bomb);
    let (sender, mut receiver) = sync::queue::mpsc::bounded::<u8>(1);
    sender.put(1).unwrap();
    let bomb = with_a_bomb(sender.put_async(2));
    assert_eq!(receiver.try_get(), Ok(1));
    drop_in_a_panic(receiver);
    drop(bomb);
}

async fn receiver_future(mut receiver: sync::queue::spsc::Receiver<u8>) {
    let _item = receiver.get_async().await;
}

/// A waker that panics when it is dropped.
struct SharpWaker;

impl Wake for SharpWaker {
    fn wake(self: Arc<Self>) {}
}

impl Drop for SharpWaker {
    fn drop(&mut self) {
        panic!("a panic that the test asked for");
    }
}

/// Polls `future` with a waker that panics when it is dropped, and that the future alone has from then on.
#[track_caller]
fn with_a_sharp_waker<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let sharp = Arc::new(SharpWaker);
    let waker = Waker::from(Arc::clone(&sharp));
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert!(Arc::into_inner(sharp).is_none(), "the future has a share");
    future
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_gets_out_of_no_future() {
    let (mutex, semaphore, queue) = (Mutex::new(()), Semaphore::new(0), Queue::<u8>::bounded(2));
    let _guard = mutex.lock();
    drop_in_a_panic(with_a_sharp_waker(mutex.lock_async()));
    drop_in_a_panic(with_a_sharp_waker(semaphore.acquire_async()));
    drop_in_a_panic(with_a_sharp_waker(queue.get_async()));
    drop_in_a_panic(with_a_sharp_waker(timer::timeout(LONG, std::future::pending::<()>())));
    let (promise, task) = promise::<()>();
    let task = with_a_sharp_waker(task);
    promise.finish(Ok(()));
    drop_in_a_panic(task);
}

/// A runtime's timer that has ended, or that drops wakers when they are woken.
struct Careless;

impl Timer for Careless {
    fn schedule(&self, _: Instant, waker: Waker) -> Scheduled {
        drop(waker);
        Scheduled::new(|| ())
    }
}

#[test]
fn nor_where_a_runtimes_timer_has_dropped_its_waker_already() {
    let _installed = timer::install(Arc::new(Careless));
    drop_in_a_panic(with_a_sharp_waker(timer::timeout(LONG, std::future::pending::<()>())));
}

#[test]
fn a_sharp_waker_takes_no_lock_along() {
    let _installed = timer::install(Arc::new(Careless));
    let (mutex, cx) = (Mutex::new(()), &mut Context::from_waker(Waker::noop()));
    let guard = mutex.lock();
    let mut wait = with_a_sharp_waker(mutex.lock_async_timeout(LONG));
    drop(guard);
    assert!(wait.as_mut().poll(cx).is_ready(), "nobody else wants it");
    assert!(!mutex.is_locked(), "the guard was dropped");
}

#[test]
fn a_sharp_waker_takes_no_item_along() {
    let (_installed, cx) = (timer::install(Arc::new(Careless)), &mut Context::from_waker(Waker::noop()));
    let (sender, mut receiver) = sync::queue::mpsc::unbounded();
    let mut wait = with_a_sharp_waker(receiver.get_async_timeout(LONG));
    sender.put(1).unwrap();
    assert_eq!(wait.as_mut().poll(cx), Poll::Ready(Ok(1)));
}

/// A parker whose wakers are sharp; while it is parked, somebody gives back what is waited for.
struct SharpParker<F>(F);

impl<F: Fn()> Parker for SharpParker<F> {
    fn waker(&self) -> Waker {
        Waker::from(Arc::new(SharpWaker))
    }

    fn park(&self, _: Option<Instant>) {
        self.0();
    }

    fn cooperative(&self) -> bool {
        true
    }
}

#[test]
fn a_sharp_parker_takes_nothing_along() {
    let (mutex, held) = (&*Box::leak(Box::new(Mutex::new(()))), Cell::new(None));
    held.set(Some(mutex.lock()));
    let _installed = park::install(Rc::new(SharpParker(move || drop(held.take()))));
    drop(mutex.lock());
    assert!(!mutex.is_locked(), "the guard was dropped");
}
