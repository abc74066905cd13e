//! A blocking call of `sync` inside a greenlet suspends only that greenlet, where a scheduler has installed a parker.
//!
//! The scheduler is the smallest that is complete: round robin over one list, any thread may wake, and the thread sleeps
//! when all wait. `coro` needs to know nothing of it.

use coro::{Generator, Greenlet};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};
use sync::extra::RLock;
use sync::park::{self, Parker};
use sync::{Event, Queue, Semaphore};

type Log = Rc<RefCell<Vec<String>>>;

/// Greenlets that wait for their turn; others know them by number.
#[derive(Default)]
struct Ready {
    queue: Mutex<VecDeque<usize>>,
    changed: Condvar,
}

#[derive(Default)]
struct Scheduler {
    tasks: Vec<Option<(Greenlet<()>, Rc<TaskParker>)>>,
    ready: Arc<Ready>,
}

/// Parks the greenlet that runs, by switching to the scheduler, which is the root.
struct TaskParker {
    task: Arc<TaskWaker>,
    waker: Waker,
    scheduler: Greenlet<()>,
}

struct TaskWaker {
    id: usize,
    /// A wake that no park has used up yet.
    woken: AtomicBool,
    ready: Arc<Ready>,
}

impl Scheduler {
    fn spawn(&mut self, body: impl FnOnce() + 'static) {
        let id = self.tasks.len();
        let task = Arc::new(TaskWaker { id, woken: AtomicBool::new(false), ready: Arc::clone(&self.ready) });
        let parker =
            TaskParker { waker: Waker::from(Arc::clone(&task)), task, scheduler: Greenlet::current() };
        self.tasks.push(Some((Greenlet::new(move |()| body()), Rc::new(parker))));
        self.ready.push(id);
    }

    /// Runs until every task has ended.
    fn run(mut self) {
        let mut left = self.tasks.len();
        while left > 0 {
            let id = self.ready.pop();
            let Some((greenlet, parker)) = &self.tasks[id] else { continue };
            let installed = park::install(Rc::<TaskParker>::clone(parker));
            greenlet.switch(());
            // The task has parked or ended: what runs here now is the scheduler, which blocks as a thread does.
            drop(installed);
            if greenlet.is_dead() {
                self.tasks[id] = None;
                left -= 1;
            }
        }
    }
}

impl Parker for TaskParker {
    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn park(&self, deadline: Option<Instant>) {
        if self.task.woken.swap(false, Ordering::Acquire) {
            return;
        }
        if deadline.is_some() {
            // Returning early is allowed, so a limit needs no timer here: the task comes back until its time has passed.
            self.task.ready.push(self.task.id);
        }
        self.scheduler.switch(());
        self.task.woken.store(false, Ordering::Relaxed);
    }

    fn cooperative(&self) -> bool {
        true
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        // Pairs with the `swap` of `park`: what was done before the wake is seen after it.
        if !self.woken.swap(true, Ordering::Release) {
            self.ready.push(self.id);
        }
    }
}

impl Ready {
    fn push(&self, id: usize) {
        self.queue.lock().unwrap().push_back(id);
        self.changed.notify_one();
    }

    fn pop(&self) -> usize {
        let queue = self.queue.lock().unwrap();
        self.changed.wait_while(queue, |queue| queue.is_empty()).unwrap().pop_front().unwrap()
    }
}

#[test]
fn a_blocking_get_suspends_only_its_own_greenlet() {
    let log = Log::default();
    let queue = Rc::new(Queue::bounded(1));
    let mut scheduler = Scheduler::default();
    let (inbox, notes) = (Rc::clone(&queue), Rc::clone(&log));
    scheduler.spawn(move || {
        for item in inbox.iter() {
            notes.borrow_mut().push(format!("got {item}"));
        }
        notes.borrow_mut().push("consumer ends".to_owned());
    });
    let notes = Rc::clone(&log);
    scheduler.spawn(move || {
        // The consumer is suspended in `get` and this runs on the same thread.
        assert!(park::is_cooperative());
        for item in 1..=3 {
            notes.borrow_mut().push(format!("put {item}"));
            queue.put(item).unwrap();
        }
        queue.close();
    });
    scheduler.run();
    assert!(!park::is_cooperative(), "the thread has its own parker back");
    let log = log.borrow();
    assert_eq!(log.first().unwrap(), "put 1", "the consumer came first and had to wait");
    assert_eq!(log.last().unwrap(), "consumer ends");
    let of = |start: &str| log.iter().filter(|line| line.starts_with(start)).cloned().collect::<Vec<_>>();
    assert_eq!(of("put"), ["put 1", "put 2", "put 3"]);
    assert_eq!(of("got"), ["got 1", "got 2", "got 3"]);
}

#[test]
fn a_blocking_get_inside_a_generator_suspends_the_greenlet_with_the_generator() {
    let queue = Rc::new(Queue::unbounded());
    let sum = Rc::new(RefCell::new(0));
    let mut scheduler = Scheduler::default();
    let (inbox, total) = (Rc::clone(&queue), Rc::clone(&sum));
    scheduler.spawn(move || {
        let items = Generator::<u32>::new(move |y| inbox.iter().for_each(|item| y.yield_(item)));
        *total.borrow_mut() += items.map(|item| item * 2).sum::<u32>();
    });
    scheduler.spawn(move || {
        for item in 1..=4 {
            queue.put(item).unwrap();
        }
        queue.close();
    });
    scheduler.run();
    assert_eq!(*sum.borrow(), 20);
}

/// The greenlets are of one thread, and the first is suspended under the lock.
#[test]
fn a_lock_that_is_taken_again_knows_its_greenlet() {
    let lock = Rc::new(RLock::new(RefCell::new(Vec::new())));
    let half_done = Rc::new(Event::new());
    let mut scheduler = Scheduler::default();
    let (mine, others) = (Rc::clone(&lock), Rc::clone(&half_done));
    scheduler.spawn(move || {
        let steps = mine.lock();
        steps.borrow_mut().push("half");
        others.wait();
        mine.lock().borrow_mut().push("done");
        assert_eq!(mine.depth(), 1);
    });
    let mine = Rc::clone(&lock);
    scheduler.spawn(move || {
        assert!(mine.try_lock().is_none() && !mine.is_owner(), "the other greenlet has it");
        half_done.set();
        assert_eq!(*mine.lock().borrow(), ["half", "done"]);
    });
    scheduler.run();
    assert!(lock.try_lock().is_some());
}

#[test]
fn a_generator_that_is_suspended_under_a_lock_keeps_its_thread_out() {
    let lock = Rc::new(RLock::new(()));
    let mine = Rc::clone(&lock);
    let mut depths = Generator::<usize>::new(move |y| {
        let _outer = mine.lock();
        y.yield_(mine.depth());
        let _inner = mine.lock();
        y.yield_(mine.depth());
    });
    assert_eq!(depths.next(), Some(1));
    assert!(lock.try_lock().is_none() && !lock.is_owner());
    // Another one is another, be it at the same place.
    let theirs = Rc::clone(&lock);
    assert_eq!(Generator::<bool>::new(move |y| y.yield_(theirs.try_lock().is_some())).next(), Some(false));
    assert_eq!(depths.next(), Some(2));
    drop(depths);
    let _ours = lock.try_lock().expect("the generator has given it back");
    let theirs = Rc::clone(&lock);
    assert_eq!(Generator::<bool>::new(move |y| y.yield_(theirs.is_owner())).next(), Some(false));
}

#[test]
fn another_thread_wakes_a_greenlet() {
    let queue = Arc::new(Queue::bounded(2));
    let (others, inbox) = (Arc::clone(&queue), Arc::clone(&queue));
    let ran = Rc::new(RefCell::new(Vec::new()));
    let mut scheduler = Scheduler::default();
    let consumed = Rc::clone(&ran);
    scheduler.spawn(move || consumed.borrow_mut().extend(inbox.iter()));
    let thread = std::thread::spawn(move || {
        for item in 0..1000 {
            others.put(item).unwrap();
        }
        others.close();
    });
    scheduler.run();
    thread.join().unwrap();
    assert_eq!(*ran.borrow(), (0..1000).collect::<Vec<_>>());
}

#[test]
fn a_limit_ends_the_wait_of_one_greenlet_and_others_run_meanwhile() {
    let limit = Duration::from_millis(20);
    let never = Rc::new(Semaphore::new(0));
    let turns = Rc::new(RefCell::new(0_u32));
    let mut scheduler = Scheduler::default();
    let (waited, mine) = (Rc::clone(&turns), Rc::clone(&never));
    scheduler.spawn(move || {
        let start = Instant::now();
        assert!(mine.acquire_timeout(limit).is_err());
        assert!(start.elapsed() >= limit);
        // More turns are likely, but a machine that is slow enough gives no more than one.
        assert!(*waited.borrow() >= 1, "the other came when this one parked");
    });
    scheduler.spawn(move || {
        for _ in 0..5 {
            *turns.borrow_mut() += 1;
            assert!(never.acquire_timeout(Duration::from_millis(1)).is_err());
        }
    });
    scheduler.run();
}

#[test]
fn ten_thousand_messages_go_round_a_ring_of_a_hundred() {
    let queues: Vec<_> = (0..100).map(|_| Rc::new(Queue::bounded(1))).collect();
    let mut scheduler = Scheduler::default();
    for at in 0..queues.len() {
        let (inbox, next) = (Rc::clone(&queues[at]), Rc::clone(&queues[(at + 1) % queues.len()]));
        scheduler.spawn(move || {
            for _ in 0..100 {
                let n: u32 = inbox.get().unwrap();
                next.put(n + 1).unwrap();
            }
        });
    }
    queues[0].put(0).unwrap();
    scheduler.run();
    assert_eq!(queues[0].get().unwrap(), 10_000);
}
