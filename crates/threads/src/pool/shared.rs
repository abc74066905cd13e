//! What a pool, its threads and its tasks share.

use super::job::{Job, Work};
use super::room::Room;
use super::state::{Call, State};
use super::worker;
use executor::Shutdown;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use sync::{CancelToken, JoinError, Task, TimedOut, park, promise_cancelling};

pub(super) type Jobs = State<Box<dyn Job>>;

/// What does not change.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) workers: usize,
    pub(super) max_threads: usize,
    pub(super) name: String,
    pub(super) stack_bytes: Option<usize>,
}

/// The locks are those of `std`: a lock of `sync` would ask the pool what to do when it waits, and the pool is here.
/// No code of a user runs under them.
pub(super) struct Shared {
    pub(super) plan: Plan,
    pub(super) room: Room,
    state: Mutex<Jobs>,
    /// An idle thread has been told to look, or it is over.
    look: Condvar,
    next_ticket: AtomicU64,
    next_thread: AtomicU64,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    handles: BTreeMap<u64, JoinHandle<()>>,
    /// The last one that has ended because it was one too many, to be joined by the next one or at the end.
    retired: Option<JoinHandle<()>>,
}

impl Shared {
    pub(super) fn new(plan: Plan, room: Room) -> Self {
        Shared {
            plan,
            room,
            state: Mutex::new(State::new()),
            look: Condvar::new(),
            next_ticket: AtomicU64::new(0),
            next_thread: AtomicU64::new(1),
            threads: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a task for which there is room.
    pub(super) fn enqueue<F, R>(self: &Arc<Self>, work: F) -> Task<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let token = CancelToken::new();
        let (promise, task) = promise_cancelling(token.clone());
        // Relaxed: a number of its own is all that is wanted; the lock orders the rest.
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let pool = Arc::downgrade(self);
        let on_cancel = token.on_cancel(move || {
            if let Some(pool) = pool.upgrade() {
                pool.withdraw(ticket);
            }
        });
        let job: Box<dyn Job> = Box::new(Work { work, promise, token, on_cancel });
        let mut state = self.lock();
        match state.push(ticket, job) {
            Ok(()) => self.call(state),
            Err(refused) => {
                drop(state);
                refused.end(JoinError::ShutDown);
            }
        }
        task
    }

    /// The task of this thread waits until the guard is dropped: another one may run.
    pub(super) fn block(self: &Arc<Self>) {
        let mut state = self.lock();
        state.block();
        self.call(state);
    }

    pub(super) fn unblock(&self) {
        self.lock().unblock();
    }

    /// A thread has run its job.
    pub(super) fn done(&self) -> MutexGuard<'_, Jobs> {
        let mut state = self.lock();
        state.done();
        let wakers = state.take_wakers();
        if wakers.is_empty() {
            return state;
        }
        drop(state);
        wake_all(wakers);
        self.lock()
    }

    /// Lets no task in any more.
    pub(super) fn close(&self, how: Shutdown) {
        let mut state = self.lock();
        state.close();
        let refused = match how {
            Shutdown::CancelPending => state.give_up_queue(),
            // `Shutdown` may get more variants, none of which can be asked for without being known here.
            _ => BTreeMap::new(),
        };
        let wakers = state.take_wakers();
        drop(state);
        self.look.notify_all();
        self.room.close();
        wake_all(wakers);
        for job in refused.into_values() {
            job.end(JoinError::ShutDown);
        }
    }

    /// Waits until all tasks and threads have ended; on a thread of the pool itself, until all other tasks have.
    pub(super) fn wait_until(self: &Arc<Self>, deadline: Option<Instant>) -> Result<(), TimedOut> {
        let inside = worker::is_of(self);
        let _waiting = inside.then(|| Waiting::new(self));
        park::block_on_until(self.until(|state| state.has_drained(inside)), deadline).ok_or(TimedOut)?;
        if !inside {
            // They have nothing to do any more, so this is over soon.
            park::block_on(self.until(State::is_deserted));
            let threads = std::mem::take(&mut *self.threads());
            for handle in threads.handles.into_values().chain(threads.retired) {
                let _ = handle.join();
            }
        }
        Ok(())
    }

    /// Waits for one of the two ends that [`State::wake_at_end`] knows.
    fn until(&self, end: impl Fn(&Jobs) -> bool) -> impl Future<Output = ()> {
        poll_fn(move |cx| {
            let waker = cx.waker().clone();
            let mut state = self.lock();
            if end(&state) {
                return Poll::Ready(());
            }
            state.wake_at_end(waker);
            Poll::Pending
        })
    }

    /// An idle thread sleeps until it is told to look, or it is over, or `limit` has passed: `false` then.
    pub(super) fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, Jobs>,
        limit: Option<Duration>,
    ) -> (MutexGuard<'a, Jobs>, bool) {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        state.sleeps();
        loop {
            if state.wakes() {
                return (state, true);
            }
            if state.is_over() {
                state.wakes_by_itself();
                return (state, true);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.look.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => {
                    state.wakes_by_itself();
                    return (state, false);
                }
                Some(left) => self.look.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// The thread with this number, which looked, ends. To be called under the lock under which it has so decided: from
    /// then on nobody may count on it.
    pub(super) fn ended(&self, mut state: MutexGuard<'_, Jobs>, number: u64) {
        state.ended();
        let over = state.is_over();
        let wakers = state.take_wakers();
        drop(state);
        wake_all(wakers);
        if over {
            // The others are told too: the last job may have been taken while they slept.
            self.look.notify_all();
            return;
        }
        // Each of those that end early joins the one before, so that no more than one is left to be joined.
        let mut threads = self.threads();
        let myself = threads.handles.remove(&number);
        let previous = std::mem::replace(&mut threads.retired, myself);
        drop(threads);
        if let Some(previous) = previous {
            let _ = previous.join();
        }
    }

    /// Takes a job out of the queue that was cancelled.
    fn withdraw(&self, ticket: u64) {
        let mut state = self.lock();
        let withdrawn = state.withdraw(ticket);
        let wakers = state.take_wakers();
        let over = state.is_over();
        drop(state);
        if over {
            self.look.notify_all();
        }
        wake_all(wakers);
        if let Some(job) = withdrawn {
            self.room.leave(1);
            // The last, for what the closure holds may take its time to go.
            job.end(JoinError::Cancelled);
        }
    }

    /// Calls a thread if one is wanted.
    fn call(self: &Arc<Self>, mut state: MutexGuard<'_, Jobs>) {
        match state.call(self.plan.workers, self.plan.max_threads) {
            Call::Nobody => {}
            Call::Idle => {
                drop(state);
                self.look.notify_one();
            }
            Call::New => {
                drop(state);
                self.start_thread();
            }
        }
    }

    /// Starts a thread that has been counted. The others go on without it if the system refuses; without any other, the
    /// tasks end with the reason.
    fn start_thread(self: &Arc<Self>) {
        // Relaxed: a number of its own is all that is wanted.
        let number = self.next_thread.fetch_add(1, Ordering::Relaxed);
        let why = match worker::start(self, number) {
            Ok(handle) => {
                self.threads().handles.insert(number, handle);
                return self.finish_call(State::spawned);
            }
            Err(why) => why,
        };
        let jobs = self.finish_call(State::not_started);
        self.room.leave(jobs.len());
        for job in jobs.into_values() {
            job.end(JoinError::failed(format_args!(
                "pool `{}` has no thread and cannot start one: {why}; ask for a smaller stack, or let the system have \
                 more threads (`ulimit -u`)",
                self.plan.name
            )));
        }
    }

    /// The call of a thread has an outcome, for which the end may have waited.
    fn finish_call<T>(&self, outcome: impl FnOnce(&mut Jobs) -> T) -> T {
        let mut state = self.lock();
        let outcome = outcome(&mut state);
        let wakers = state.take_wakers();
        drop(state);
        wake_all(wakers);
        outcome
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task of the pool that waits for the end of the others.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        let mut state = shared.lock();
        state.waits(true);
        let wakers = state.take_wakers();
        drop(state);
        wake_all(wakers);
        Waiting(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waits(false);
    }
}

/// Whoever installs a parker brings its wakers, and a worker that one of them panics on must go on.
fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        sync::contain(|| waker.wake());
    }
}
