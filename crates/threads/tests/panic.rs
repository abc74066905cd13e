//! Panics end the task they are in, and nothing else.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};
use sync::{Event, catch, park};
use threads::{Executor, JoinError, Pool, Shutdown};

/// A limit that no test reaches unless it hangs.
const LONG: Duration = Duration::from_secs(60);

/// Panics when it is dropped, unless something else panics already.
struct Sharp;

impl Drop for Sharp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("in a destructor");
        }
    }
}

#[test]
fn a_tasks_panic_reaches_its_handle_with_message_and_place() {
    let pool = Pool::new(1);
    let number = 7;
    let error = pool.spawn(move || -> u32 { panic!("no such thing as {number}") }).join().unwrap_err();
    let panic = error.panic().expect("a panic");
    assert_eq!(panic.message(), "no such thing as 7");
    assert!(panic.place().expect("a place").contains("panic.rs"));
}

#[test]
fn the_worker_lives_on() {
    let pool = Pool::new(1);
    let first = pool.spawn(|| std::thread::current().id()).join().unwrap();
    for _ in 0..10 {
        assert!(pool.spawn(|| panic!("on purpose")).join().unwrap_err().is_panic());
    }
    assert_eq!(pool.spawn(|| std::thread::current().id()).join().unwrap(), first);
    assert_eq!(pool.threads(), 1);
}

#[test]
fn it_survives_destructors_and_callbacks_that_panic() {
    let pool = Pool::builder().workers(1).max_threads(1).build();
    // Nothing runs before all handles are gone, so that all of this happens on the worker.
    let go = Arc::new(Event::new());
    let first = pool.spawn({
        let go = Arc::clone(&go);
        move || go.wait()
    });
    drop(pool.spawn(|| Sharp));
    drop(pool.spawn(|| std::panic::panic_any(Sharp)));
    pool.spawn(|| ()).on_done(|_| panic!("in a callback"));
    go.set();
    first.join().unwrap();
    assert_eq!(pool.spawn(|| 1).join().unwrap(), 1);
    assert_eq!(pool.threads(), 1);
}

#[test]
fn taking_a_task_back_whose_destructor_panics_wakes_who_waits_for_the_end() {
    let pool = Arc::new(Pool::builder().workers(1).max_threads(1).build());
    let go = Arc::new(Event::new());
    let stopper = pool.spawn({
        let (pool, go) = (Arc::clone(&pool), Arc::clone(&go));
        move || {
            go.wait();
            pool.shutdown(Shutdown::Finish);
        }
    });
    let sharp = Sharp;
    let queued = pool.spawn(move || drop(sharp));
    go.set();
    // A task of the pool waits for the end of the others, which is that of the one in the queue.
    let waits = |pool: &str| pool.contains("blocked: 1") && pool.contains("closed: true");
    until(|| waits(&format!("{pool:?}")));
    catch(|| queued.cancel()).expect("who cancels goes on");
    stopper.join_timeout(LONG).expect("it is woken").unwrap();
    assert!(matches!(queued.join(), Err(JoinError::Cancelled)));
}

#[test]
fn a_destructor_that_panics_keeps_no_other_task_from_its_end() {
    let pool = Pool::builder().workers(1).max_threads(1).build();
    let (begun, go) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let busy = pool.spawn({
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        move || {
            begun.set();
            go.wait();
        }
    });
    begun.wait();
    let pending: Vec<_> = (0..3)
        .map(|_| {
            let sharp = Sharp;
            pool.spawn(move || drop(sharp))
        })
        .collect();
    let closed = catch(|| pool.shutdown_timeout(Shutdown::CancelPending, Duration::ZERO));
    go.set();
    busy.join().unwrap();
    assert!(closed.expect("who shuts down goes on").is_err(), "one still ran");
    pending.into_iter().for_each(|task| assert!(matches!(task.join(), Err(JoinError::ShutDown))));
}

/// A parker of somebody else, whose wakers panic. It never sleeps, which is allowed, and counts how often it might have.
#[derive(Clone, Default)]
struct Broken(Arc<AtomicUsize>);

impl Broken {
    /// Waits until somebody has waited with it since.
    fn wait_for_a_wait(&self) {
        let before = self.0.load(Ordering::SeqCst);
        until(|| self.0.load(Ordering::SeqCst) > before + 1);
    }
}

impl park::Parker for Broken {
    fn waker(&self) -> Waker {
        Waker::from(Arc::new(Bomb))
    }

    fn park(&self, _: Option<Instant>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::thread::yield_now();
    }

    fn cooperative(&self) -> bool {
        false
    }
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("in a waker");
    }
}

fn until(so: impl Fn() -> bool) {
    while !so() {
        std::thread::yield_now();
    }
}

#[test]
fn it_survives_wakers_that_panic() {
    let pool = Arc::new(Pool::builder().workers(1).max_threads(1).queue_bound(1).build());
    let gates: Vec<_> = (0..3).map(|_| Arc::new(Event::new())).collect();
    let (begun, first, second) = (Arc::clone(&gates[0]), Arc::clone(&gates[1]), Arc::clone(&gates[2]));
    drop(pool.spawn(move || {
        begun.set();
        first.wait();
    }));
    gates[0].wait();
    drop(pool.spawn(move || second.wait()));
    let broken = Broken::default();
    let outside = threads::spawn({
        let (pool, broken) = (Arc::clone(&pool), broken.clone());
        move || {
            let _broken = park::install(Rc::new(broken));
            drop(pool.spawn(|| ()));
            pool.shutdown(Shutdown::Finish);
        }
    })
    .unwrap();
    // It waits for room, of which the worker tells it.
    broken.wait_for_a_wait();
    gates[1].set();
    // It waits for the end, of which the worker tells it too.
    until(|| format!("{pool:?}").contains("closed: true"));
    broken.wait_for_a_wait();
    gates[2].set();
    outside.join_timeout(LONG).expect("the pool ends").unwrap();
    assert_eq!(pool.threads(), 0);
}

#[test]
fn a_threads_panic_is_an_error_of_its_join() {
    let thread = threads::Thread::builder().name("doomed").spawn(|| -> u32 { panic!("on purpose") }).unwrap();
    let error = thread.join().unwrap_err();
    assert_eq!(error.panic().expect("a panic").message(), "on purpose");
}

#[test]
fn the_payload_goes_on_where_it_is_wanted() {
    let pool = Pool::new(1);
    let error = pool.spawn(|| std::panic::panic_any(42_u32)).join().unwrap_err();
    let payload =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| error.resume_panic())).unwrap_err();
    assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
}

#[test]
fn a_map_goes_on_behind_a_panic() {
    let pool = Arc::new(Pool::new(2));
    let outcomes: Vec<_> = pool
        .map(|number: u32| if number == 3 { panic!("three") } else { number }, 0..6)
        .map(Result::ok)
        .collect();
    assert_eq!(outcomes, [Some(0), Some(1), Some(2), None, Some(4), Some(5)]);
    assert!(matches!(pool.map(|()| panic!(), [()]).next(), Some(Err::<(), _>(JoinError::Panicked(_)))));
}
