//! What a pool knows of itself, and the rules by which it decides. Nothing here waits, wakes or starts a thread.
//!
//! A thread of the pool is in one of these states, and the numbers count them:
//!
//! ```text
//!                 ┌──────────────── told ◄──────── tell ─────┐
//!                 ▼                                          │
//!   starting ──► looking ── nothing for it ───────────────► idle ──► (ends, if it is one too many)
//!                 │  ▲
//!            take │  │ done
//!                 ▼  │
//!                running ◄──► blocked (still counted as running)
//! ```
//!
//! 1. **At most `workers` tasks get on at a time**: a task is taken only while `running - blocked < workers`. A blocked
//!    task that goes on is not held up, so for a while there may be more; then nobody takes one until there are fewer.
//! 2. **No task is left lying while somebody may run it**: whenever a task is queued and whenever a task blocks, as many
//!    threads are on their way (told or starting) as there are tasks that may be taken, or all threads that there may be
//!    exist and none of them is idle. A thread that has finished a task looks for another by itself.
//! 3. **Nobody is called for nothing**: never more threads are on their way than tasks are queued.

use std::collections::BTreeMap;
use std::fmt;
use std::task::Waker;

/// What is to be done so that rule 2 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Enough threads are on their way.
    Nobody,
    /// One that is idle is told to look. The caller wakes it.
    Idle,
    /// One more is counted as starting. The caller starts it, or says that it could not.
    New,
}

/// `J` is a job; only its place in the queue matters here.
pub(super) struct State<J> {
    /// By ticket, which is the order of submission: a job can be taken out of the middle.
    queue: BTreeMap<u64, J>,
    closed: bool,
    /// All that exist or are starting.
    threads: usize,
    starting: usize,
    /// Those whose handle is not in its place yet, be it that they run already.
    spawning: usize,
    idle: usize,
    told: usize,
    running: usize,
    blocked: usize,
    /// Of those running, how many wait for the end of the pool.
    waiting: usize,
    /// Those who wait for the end of the pool.
    wakers: Vec<Waker>,
}

impl<J> State<J> {
    pub(super) const fn new() -> Self {
        State {
            queue: BTreeMap::new(),
            closed: false,
            threads: 0,
            starting: 0,
            spawning: 0,
            idle: 0,
            told: 0,
            running: 0,
            blocked: 0,
            waiting: 0,
            wakers: Vec::new(),
        }
    }

    /// Queues a job, unless the pool is closed.
    pub(super) fn push(&mut self, ticket: u64, job: J) -> Result<(), J> {
        if self.closed {
            return Err(job);
        }
        self.queue.insert(ticket, job);
        Ok(())
    }

    /// Takes a job out of the queue, if it is still there.
    pub(super) fn withdraw(&mut self, ticket: u64) -> Option<J> {
        self.queue.remove(&ticket)
    }

    /// The job that a thread which looks is to run now, if any.
    pub(super) fn take(&mut self, workers: usize) -> Option<J> {
        if self.running - self.blocked >= workers {
            return None;
        }
        let (_, job) = self.queue.pop_first()?;
        self.running += 1;
        Some(job)
    }

    /// A thread has run its job, and looks.
    pub(super) fn done(&mut self) {
        self.running -= 1;
    }

    /// The task of a thread waits.
    pub(super) fn block(&mut self) {
        self.blocked += 1;
        debug_assert!(self.blocked <= self.running, "only tasks block");
    }

    /// It goes on.
    pub(super) fn unblock(&mut self) {
        self.blocked -= 1;
    }

    /// Whom to call so that rule 2 holds. To be asked after every `push` and `block`, of which each makes room for one.
    pub(super) fn call(&mut self, workers: usize, max_threads: usize) -> Call {
        let coming = self.starting + self.told;
        let may_take = workers.saturating_sub(self.running - self.blocked).min(self.queue.len());
        if coming >= may_take {
            Call::Nobody
        } else if self.idle > 0 {
            self.idle -= 1;
            self.told += 1;
            Call::Idle
        } else if self.threads < max_threads {
            self.threads += 1;
            self.starting += 1;
            self.spawning += 1;
            Call::New
        } else {
            Call::Nobody
        }
    }

    /// A thread that was starting is there, and looks.
    pub(super) fn started(&mut self) {
        self.starting -= 1;
    }

    /// The handle of a thread that was called is in its place.
    pub(super) fn spawned(&mut self) {
        self.spawning -= 1;
    }

    /// A thread that was called will not be there. Without any thread, the queue is given up: nobody would ever run it.
    pub(super) fn not_started(&mut self) -> BTreeMap<u64, J> {
        self.starting -= 1;
        self.spawning -= 1;
        self.threads -= 1;
        if self.threads == 0 { std::mem::take(&mut self.queue) } else { BTreeMap::new() }
    }

    /// A thread that looked has found nothing.
    pub(super) fn sleeps(&mut self) {
        self.idle += 1;
    }

    /// Whether an idle thread has been told to look. If so, it looks.
    pub(super) fn wakes(&mut self) -> bool {
        let told = self.told > 0;
        if told {
            self.told -= 1;
        }
        told
    }

    /// An idle thread looks although nobody has told it.
    pub(super) fn wakes_by_itself(&mut self) {
        self.idle -= 1;
    }

    /// A thread that looked ends.
    pub(super) fn ended(&mut self) {
        self.threads -= 1;
    }

    /// Whether there are more threads than tasks that may run at a time: the one that asks need not stay for ever.
    pub(super) fn has_spare(&self, workers: usize) -> bool {
        self.threads > workers
    }

    /// Whether threads that look are to end: there is nothing to do and there will be nothing.
    pub(super) fn is_over(&self) -> bool {
        self.closed && self.queue.is_empty()
    }

    /// Lets no job in any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Empties the queue.
    pub(super) fn give_up_queue(&mut self) -> BTreeMap<u64, J> {
        std::mem::take(&mut self.queue)
    }

    /// A task of the pool itself begins, or ceases, to wait for the end of the others.
    pub(super) fn waits(&mut self, waits: bool) {
        if waits {
            self.waiting += 1;
        } else {
            self.waiting -= 1;
        }
    }

    /// Whether all tasks have ended; for one that asks from `inside`, all but those that wait as it does.
    pub(super) fn has_drained(&self, inside: bool) -> bool {
        self.queue.is_empty() && self.running <= if inside { self.waiting } else { 0 }
    }

    /// Whether no thread is left, and all handles are in their place.
    pub(super) fn is_deserted(&self) -> bool {
        self.threads == 0 && self.spawning == 0
    }

    /// Leaves a waker for when it may have [drained](State::has_drained) or be [deserted](State::is_deserted).
    pub(super) fn wake_at_end(&mut self, waker: Waker) {
        if !self.wakers.iter().any(|other| other.will_wake(&waker)) {
            self.wakers.push(waker);
        }
    }

    /// Those to be woken, after the lock is released, because it has drained for some of them.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        if self.has_drained(true) { std::mem::take(&mut self.wakers) } else { Vec::new() }
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }
}

impl<J> fmt::Debug for State<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("queued", &self.queue.len())
            .field("running", &self.running)
            .field("blocked", &self.blocked)
            .field("threads", &self.threads)
            .field("idle", &self.idle)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
