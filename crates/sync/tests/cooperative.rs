//! A blocking call suspends whatever runs on its thread, and that is for the parker to say.

mod common;
#[path = "common/parker.rs"]
mod parker;

use common::{ByHand, LONG, SHORT};
use parker::OwnThread;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Condvar as StdCondvar, Mutex as StdMutex};
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::{self, Parker, block_on};
use sync::queue::{GetError, mpsc, spsc};
use sync::{Event, Mutex, Queue, promise};

/// A toy scheduler: any number of contexts, of which one runs at a time. Each is an OS thread here, so that it has a
/// stack of its own; that they take turns makes them what coroutines are to one thread.
struct Hub {
    state: StdMutex<Turns>,
    changed: StdCondvar,
}

struct Turns {
    /// Whose turn it is.
    running: Option<usize>,
    /// Who could go on.
    ready: Vec<usize>,
    ended: usize,
    /// How often somebody was suspended.
    parks: usize,
}

/// What a context installs.
struct Context {
    hub: Arc<Hub>,
    number: usize,
    woken: Arc<Wakeup>,
}

struct Wakeup {
    hub: Arc<Hub>,
    number: usize,
    pending: StdMutex<Stage>,
}

#[derive(PartialEq)]
enum Stage {
    Running,
    Woken,
    Parked,
}

impl Hub {
    /// Runs the contexts until all have ended; returns how often one was suspended.
    fn run(contexts: Vec<Box<dyn FnOnce() + Send + '_>>) -> usize {
        let count = contexts.len();
        let turns = Turns { running: None, ready: (0..count).collect(), ended: 0, parks: 0 };
        let hub = Arc::new(Hub { state: StdMutex::new(turns), changed: StdCondvar::new() });
        thread::scope(|scope| {
            for (number, work) in contexts.into_iter().enumerate() {
                let hub = Arc::clone(&hub);
                scope.spawn(move || {
                    let pending = StdMutex::new(Stage::Running);
                    let woken = Arc::new(Wakeup { hub: Arc::clone(&hub), number, pending });
                    hub.await_turn(number);
                    let _installed = park::install(Rc::new(Context { hub: Arc::clone(&hub), number, woken }));
                    assert!(park::is_cooperative());
                    work();
                    let mut turns = hub.state.lock().unwrap();
                    turns.ended += 1;
                    turns.running = None;
                    hub.changed.notify_all();
                });
            }
            // The hub itself: gives the turn to the first that is ready, whenever nobody has it.
            let mut turns = hub.state.lock().unwrap();
            while turns.ended < count {
                if turns.running.is_none() && !turns.ready.is_empty() {
                    turns.running = Some(turns.ready.remove(0));
                    hub.changed.notify_all();
                }
                turns = hub.changed.wait(turns).unwrap();
            }
            turns.parks
        })
    }

    fn await_turn(&self, number: usize) {
        let turns = self.state.lock().unwrap();
        drop(self.changed.wait_while(turns, |turns| turns.running != Some(number)).unwrap());
    }
}

impl Parker for Context {
    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.woken))
    }

    fn park(&self, deadline: Option<Instant>) {
        assert!(deadline.is_none(), "this toy has no timer");
        {
            let mut stage = self.woken.pending.lock().unwrap();
            if std::mem::replace(&mut *stage, Stage::Running) == Stage::Woken {
                return;
            }
            *stage = Stage::Parked;
            let mut turns = self.hub.state.lock().unwrap();
            turns.running = None;
            turns.parks += 1;
            self.hub.changed.notify_all();
        }
        self.hub.await_turn(self.number);
    }

    fn cooperative(&self) -> bool {
        true
    }
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        let mut stage = self.pending.lock().unwrap();
        match *stage {
            Stage::Running => *stage = Stage::Woken,
            Stage::Woken => {}
            Stage::Parked => {
                *stage = Stage::Running;
                self.hub.state.lock().unwrap().ready.push(self.number);
                self.hub.changed.notify_all();
            }
        }
    }
}

/// What the contexts did, in order.
#[derive(Default)]
struct Log(StdMutex<Vec<&'static str>>);

impl Log {
    fn say(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn said(self) -> Vec<&'static str> {
        self.0.into_inner().unwrap()
    }
}

#[test]
fn a_blocking_get_suspends_its_context_alone() {
    let (queue, log) = (Queue::unbounded(), Log::default());
    let parks = Hub::run(vec![
        Box::new(|| {
            log.say("first waits");
            assert_eq!(queue.get(), Ok(7));
            log.say("first has it");
        }),
        Box::new(|| {
            log.say("second goes on");
            queue.put(7).unwrap();
            log.say("second still goes on");
        }),
    ]);
    assert_eq!(log.said(), ["first waits", "second goes on", "second still goes on", "first has it"]);
    assert_eq!(parks, 1);
}

#[test]
fn a_blocking_lock_suspends_its_context_alone() {
    let (mutex, queue, log) = (Mutex::new(0), Queue::unbounded(), Log::default());
    Hub::run(vec![
        Box::new(|| {
            let mut guard = mutex.lock();
            log.say("first holds the lock and waits");
            *guard = queue.get().unwrap();
            log.say("first releases it");
        }),
        Box::new(|| {
            log.say("second wants it");
            assert_eq!(*mutex.lock(), 5);
            log.say("second has it");
        }),
        Box::new(|| {
            log.say("third goes on");
            queue.put(5).unwrap();
        }),
    ]);
    assert_eq!(
        log.said(),
        [
            "first holds the lock and waits",
            "second wants it",
            "third goes on",
            "first releases it",
            "second has it",
        ]
    );
}

#[test]
fn a_blocking_join_suspends_its_context_alone() {
    let (promise, task) = promise();
    let log = &Log::default();
    Hub::run(vec![
        Box::new(move || {
            log.say("first waits");
            assert_eq!(task.join().unwrap(), 3);
            log.say("first has it");
        }),
        Box::new(move || {
            log.say("second works");
            promise.run(|| 3);
            log.say("second is done");
        }),
    ]);
    assert_eq!(*log.0.lock().unwrap(), ["first waits", "second works", "second is done", "first has it"]);
}

#[test]
fn contexts_play_ping_pong() {
    const ROUNDS: u32 = 100;
    let (there, back) = (Queue::bounded(1), Queue::bounded(1));
    Hub::run(vec![
        Box::new(|| {
            for round in 0..ROUNDS {
                there.put(round).unwrap();
                assert_eq!(back.get(), Ok(round + 1));
            }
            there.close();
        }),
        Box::new(|| {
            for number in &there {
                back.put(number + 1).unwrap();
            }
        }),
    ]);
}

/// An end that is alone waits in another way than one of many: for room or an item, which nobody else can take.
#[test]
fn lone_ends_suspend_their_contexts_alone() {
    const ITEMS: u32 = 100;
    let (mut sender, mut receiver) = spsc::bounded(2);
    let (many, mut one) = mpsc::bounded(1);
    let parks = Hub::run(vec![
        Box::new(move || (0..ITEMS).for_each(|item| sender.put(Box::new(item)).unwrap())),
        Box::new(move || {
            while let Ok(item) = receiver.get() {
                many.put(item).unwrap();
            }
        }),
        Box::new(move || {
            let got: Vec<u32> = std::iter::from_fn(|| one.get().ok()).map(|item| *item).collect();
            assert_eq!(got, (0..ITEMS).collect::<Vec<_>>());
        }),
    ]);
    assert!(parks > 0, "a queue of two is full and empty again and again");
}

#[test]
fn a_lone_end_that_waits_too_long_keeps_its_item_or_finds_none() {
    let (mut sender, mut receiver) = spsc::bounded(1);
    let (mut in_hub, mut of_hub) = spsc::bounded(1);
    let late = |sender: &mut spsc::Sender<Box<u32>>, receiver: &mut spsc::Receiver<Box<u32>>| {
        sender.put(Box::new(1)).unwrap();
        let began = Instant::now();
        let refused = sender.put_timeout(Box::new(2), SHORT).unwrap_err();
        assert!(refused.is_timeout() && began.elapsed() >= SHORT);
        assert_eq!((*refused.into_inner(), *receiver.get().unwrap()), (2, 1));
        let began = Instant::now();
        assert_eq!(receiver.get_timeout(SHORT), Err(GetError::TimedOut));
        assert!(began.elapsed() >= SHORT);
        assert_eq!(receiver.get_timeout(Duration::ZERO), Err(GetError::TimedOut));
    };
    late(&mut sender, &mut receiver);
    let installed = park::install(Rc::new(OwnThread::default()));
    late(&mut in_hub, &mut of_hub);
    drop(installed);
    // Whoever waits hears that the other end goes away.
    let (mut last, gone) = spsc::bounded(1);
    last.put(Box::new(1)).unwrap();
    Hub::run(vec![
        Box::new(move || assert_eq!(*last.put(Box::new(2)).unwrap_err().into_inner(), 2)),
        Box::new(move || drop(gone)),
    ]);
}

#[test]
fn a_context_is_woken_from_a_plain_thread() {
    let (event, queue) = (Event::new(), Queue::unbounded());
    thread::scope(|scope| {
        scope.spawn(|| {
            event.wait();
            queue.put(1).unwrap();
        });
        Hub::run(vec![Box::new(|| assert_eq!(queue.get(), Ok(1))), Box::new(|| event.set())]);
    });
}

#[test]
fn the_token_of_std_unpark_belongs_to_the_user() {
    let (mutex, queue, event) = (Mutex::new(()), Queue::unbounded(), Event::new());
    thread::scope(|scope| {
        let user = scope.spawn(|| {
            event.set();
            assert_eq!(queue.get(), Ok(1));
            drop(mutex.lock());
            assert!(queue.get_timeout(common::SHORT).is_err());
            assert!(block_on(queue.get_async_timeout(common::SHORT)).is_err());
            // Returns at once, if our waits have left the token where it was.
            let begin = Instant::now();
            thread::park_timeout(LONG);
            begin.elapsed() < LONG
        });
        let guard = mutex.lock();
        event.wait();
        user.thread().unpark();
        queue.put(1).unwrap();
        drop(guard);
        assert!(user.join().unwrap());
    });
}

#[test]
fn a_token_of_std_unpark_ends_no_wait_of_ours() {
    let (queue, event) = (Queue::<u32>::unbounded(), Event::new());
    thread::scope(|scope| {
        let user = scope.spawn(|| {
            event.set();
            queue.get()
        });
        event.wait();
        user.thread().unpark();
        queue.put(2).unwrap();
        assert_eq!(user.join().unwrap(), Ok(2));
    });
}

#[test]
fn a_wait_inside_a_poll_leaves_the_outer_one_its_wake() {
    let (event, go, queue) = (Event::new(), Event::new(), Queue::unbounded());
    thread::scope(|scope| {
        scope.spawn(|| {
            go.wait();
            // First what the outer wait is for, then what the inner one is for.
            event.set();
            queue.put(1).unwrap();
        });
        let mut outer = pin!(event.wait_async());
        let mut first = true;
        block_on(poll_fn(|cx| {
            let poll = outer.as_mut().poll(cx);
            if std::mem::take(&mut first) {
                assert!(poll.is_pending());
                go.set();
                assert_eq!(queue.get(), Ok(1));
            }
            poll
        }));
    });
}

/// Counts its parks, which return at once.
#[derive(Default)]
struct Restless(Cell<u32>);

impl Parker for Restless {
    fn waker(&self) -> Waker {
        Waker::noop().clone()
    }

    fn park(&self, _: Option<Instant>) {
        self.0.set(self.0.get() + 1);
    }

    fn cooperative(&self) -> bool {
        self.0.get() > 0
    }
}

#[test]
fn spurious_returns_end_no_wait() {
    let restless = Rc::new(Restless::default());
    let _installed = park::install(Rc::clone(&restless) as Rc<dyn Parker>);
    let mut polls = 0;
    let answer = block_on(poll_fn(|_| {
        polls += 1;
        if polls == 10 { Poll::Ready(polls) } else { Poll::Pending }
    }));
    assert_eq!((answer, restless.0.get()), (10, 9));
    let begin = Instant::now();
    assert!(Queue::<()>::unbounded().get_timeout(common::SHORT).is_err());
    assert!(begin.elapsed() >= common::SHORT);
}

#[test]
fn a_guard_puts_back_the_parker_that_was_there_before() {
    assert!(!park::is_cooperative());
    let outer = Rc::new(Restless(Cell::new(1)));
    let inner = Rc::new(Restless(Cell::new(0)));
    let guard = park::install(Rc::clone(&outer) as Rc<dyn Parker>);
    {
        let _guard = park::install(Rc::clone(&inner) as Rc<dyn Parker>);
        assert!(!park::is_cooperative());
        park::current().park(None);
        assert_eq!((outer.0.get(), inner.0.get()), (1, 1));
    }
    assert!(park::is_cooperative());
    park::current().park(None);
    assert_eq!((outer.0.get(), inner.0.get()), (2, 1));
    drop(guard);
    assert!(!park::is_cooperative());
    assert_eq!(Rc::strong_count(&outer), 1);
}

#[test]
fn a_wake_before_the_park_is_remembered_and_does_not_add_up() {
    let parker = park::current();
    let waker = parker.waker();
    waker.wake_by_ref();
    waker.wake_by_ref();
    parker.park(None);
    let begin = Instant::now();
    parker.park(Some(begin + common::SHORT));
    assert!(begin.elapsed() >= common::SHORT);
}

#[test]
fn a_late_wake_ends_no_later_wait() {
    let (first, second) = (Event::new(), Event::new());
    let stale = park::current().waker();
    drop(ByHand::waiting(first.wait_async()));
    stale.wake();
    assert!(second.wait_timeout(common::SHORT).is_err());
}

#[test]
fn a_thread_that_is_torn_down_can_still_wait() {
    struct AtTheEnd(Arc<Queue<u32>>, Arc<Queue<u32>>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            self.1.put(self.0.get().unwrap()).unwrap();
        }
    }
    thread_local! {
        static LAST: Cell<Option<AtTheEnd>> = const { Cell::new(None) };
    }
    let (here, there) = (Arc::new(Queue::unbounded()), Arc::new(Queue::unbounded()));
    let at_the_end = AtTheEnd(Arc::clone(&there), Arc::clone(&here));
    let thread = thread::spawn(move || {
        // First, so that it is dropped last: the parkers of this thread are gone by then.
        LAST.set(Some(at_the_end));
        assert!(Queue::<()>::unbounded().get_timeout(common::SHORT).is_err());
        let _installed = park::install(Rc::new(Restless::default()));
    });
    there.put(9).unwrap();
    assert_eq!(here.get(), Ok(9));
    thread.join().unwrap();
}
