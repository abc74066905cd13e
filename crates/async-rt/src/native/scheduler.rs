//! The tasks that are to be polled, and the workers that poll them.
//!
//! There is one queue, in order of arrival, for all workers. A worker that finds it empty waits in the poller, for
//! sockets, the alarm of the clock, or a **call** from whoever queues a task. All idle workers wait in the same place and
//! the system wakes one of them for each event, so that no worker has the duty to serve the others: while one computes,
//! the next event finds another.
//!
//! # Why no task is left lying
//!
//! 1. A worker counts itself `idle` under the queue's lock, after it has seen the queue empty, and before it waits.
//! 2. Who queues a task sees, under the same lock, whether anyone is idle. If so, and no call is under way, he calls. The
//!    poller remembers a call that comes before the wait.
//! 3. A worker that comes back, for whatever reason, says so (`called` ends) and looks at the queue. So does a busy one
//!    that only looked, for it may have taken the call. A worker that takes a task and leaves others calls for help if
//!    anyone is idle.
//!
//! So while the queue is not empty there is a worker that will look at it: one that is not idle, or one that a call is
//! going to bring back. A call that was not needed costs one look at an empty queue.
//!
//! # How it ends
//!
//! After [`stop`](Scheduler::stop) each worker ends when no task is alive; the first to see it calls the next. A task that
//! nobody wakes would keep them, so tasks are cancelled before, by whoever stops the loop.

use super::clock::Clock;
use super::lifecycle::{Lifecycle, Queue};
use super::{Events, Patience, Poller};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How many polls a worker makes before it looks at sockets and the clock although there are tasks to poll. With few,
/// looking (a system call) would cost more than polling; with many, a loop that is never idle would hear late of its
/// sockets. 61 polls of a microsecond each are one system call in a hundred.
const POLLS_BETWEEN_LOOKS: u32 = 61;

pub(super) struct Scheduler {
    run: Mutex<Run>,
    pub(super) poller: Arc<Poller>,
    pub(super) clock: Clock,
}

struct Run {
    queue: VecDeque<Arc<Cell>>,
    /// How many workers wait in the poller, or are on their way there or back.
    idle: usize,
    /// A call is under way: some worker will come back because of it.
    called: bool,
    /// How many tasks have not ended.
    alive: usize,
    stopping: bool,
}

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task: what a waker of it points to.
struct Cell {
    life: Lifecycle,
    /// `None` once the task has ended. Locked by the worker that polls, so nobody ever waits for it.
    body: Mutex<Option<Body>>,
    scheduler: Arc<Scheduler>,
}

enum Next {
    Poll(Arc<Cell>),
    Wait,
    End,
}

impl Scheduler {
    pub(super) fn new(poller: Arc<Poller>) -> Self {
        let run = Run { queue: VecDeque::new(), idle: 0, called: false, alive: 0, stopping: false };
        Scheduler { run: Mutex::new(run), clock: Clock::new(Arc::clone(&poller)), poller }
    }

    pub(super) fn spawn(self: &Arc<Self>, body: impl Future<Output = ()> + Send + 'static) {
        let cell = Arc::new(Cell {
            life: Lifecycle::new(),
            body: Mutex::new(Some(Box::pin(body))),
            scheduler: Arc::clone(self),
        });
        self.queue(cell, |run| run.alive += 1);
    }

    /// Lets the workers end as soon as no task is alive.
    pub(super) fn stop(&self) {
        let mut run = self.lock();
        run.stopping = true;
        self.call(run);
    }

    /// What a worker does all its life.
    pub(super) fn work(&self) {
        let _timer = sync::timer::install(Arc::new(self.clock.clone()));
        let mut events = Events::new();
        let mut polls = 0_u32;
        loop {
            match self.next() {
                Next::Poll(cell) => {
                    cell.poll();
                    polls += 1;
                    if polls % POLLS_BETWEEN_LOOKS == 0 {
                        self.poller.collect(&mut events, Patience::None);
                        // It may have been the call of an idle worker that this look has taken.
                        self.lock().called = false;
                        self.dispatch(&mut events);
                    }
                }
                Next::Wait => {
                    self.poller.collect(&mut events, Patience::Endless);
                    let mut run = self.lock();
                    run.idle -= 1;
                    run.called = false;
                    drop(run);
                    self.dispatch(&mut events);
                }
                Next::End => return,
            }
        }
    }

    fn next(&self) -> Next {
        let mut run = self.lock();
        if let Some(cell) = run.queue.pop_front() {
            if !run.queue.is_empty() {
                self.call(run);
            }
            return Next::Poll(cell);
        }
        if run.stopping && run.alive == 0 {
            self.call(run);
            return Next::End;
        }
        run.idle += 1;
        Next::Wait
    }

    fn dispatch(&self, events: &mut Events) {
        if self.poller.dispatch(events).alarm {
            self.clock.strike();
        }
    }

    fn queue(&self, cell: Arc<Cell>, count: impl FnOnce(&mut Run)) {
        let mut run = self.lock();
        count(&mut run);
        run.queue.push_back(cell);
        self.call(run);
    }

    /// Brings a worker back from the poller, if one is there and none is on its way.
    fn call(&self, mut run: MutexGuard<'_, Run>) {
        if run.idle > 0 && !run.called {
            run.called = true;
            drop(run);
            self.poller.call();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cell {
    fn poll(self: Arc<Self>) {
        self.life.begin();
        let waker = Waker::from(Arc::clone(&self));
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(future) = body.as_mut() else { unreachable!("a task that has ended is not queued") };
        // A body does not panic. One that did, by a mistake of ours, would end here, and its worker goes on.
        let mut polled = Poll::Ready(());
        sync::contain(|| polled = future.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_pending() {
            drop(body);
            if self.life.pause() == Queue::Yes {
                self.scheduler.queue(Arc::clone(&self), |_| ());
            }
            return;
        }
        self.life.end();
        let ended = body.take();
        drop(body);
        sync::contain(|| drop(ended));
        self.scheduler.lock().alive -= 1;
    }
}

impl Wake for Cell {
    fn wake(self: Arc<Self>) {
        if self.life.wake() == Queue::Yes {
            let cell = Arc::clone(&self);
            self.scheduler.queue(cell, |_| ());
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.life.wake() == Queue::Yes {
            self.scheduler.queue(Arc::clone(self), |_| ());
        }
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.lock();
        f.debug_struct("Scheduler")
            .field("queued", &run.queue.len())
            .field("alive", &run.alive)
            .field("idle", &run.idle)
            .finish_non_exhaustive()
    }
}
