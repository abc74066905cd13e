//! What every primitive of this crate is made of: a state under a short lock, and those who wait for it to change.
//!
//! A primitive says what its state is and how a wait ends: a function, the *attempt*, that looks at the state and either
//! takes what it wants or does not. [`WaitFor`] is the future that tries the attempt, queues itself, and tries again
//! when it is told to. All ways to wait are that one future: awaited, awaited under [`timeout`](crate::timer::timeout),
//! or polled by a parked thread ([`block_on`](crate::park::block_on)).
//!
//! 1. Nobody is handed anything while he waits. He is **told to look again**, and who comes first takes it. So a future
//!    that nobody polls cannot keep the others out of what is free, except where an attempt itself respects the order.
//! 2. There are two ways to tell. [`Waiters::tell_one`] takes the waiter out of the queue, so that the next call tells the
//!    next one; who tries in vain queues up again in his old place. [`Waiters::nudge_first`] leaves him at the head,
//!    where he keeps everyone behind him waiting until he has looked: that is what strict order means. One primitive
//!    uses one of the two.
//! 3. **No wake-up is lost**: whoever was told and goes away without having looked (a dropped future, a deadline) passes
//!    it on to the next in the queue, in the way he was told. Under the lock it is always known whether he was: he is
//!    queued with his waker, and nobody has told him; he is queued without it, and was nudged; or he is not queued.
//! 4. Wakers are woken and dropped after the lock is released: they may run anything, this primitive included.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A state and its lock.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    state: Mutex<S>,
}

/// Those who wait for one thing, in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// A waiter without a waker has been nudged.
    waiting: BTreeMap<u64, Option<Waker>>,
    next_ticket: u64,
}

/// What is to be done with wakers once the lock is released.
#[derive(Debug, Default)]
pub(crate) struct Afterwards {
    /// Most operations wake one, and should not allocate for it.
    wake: Option<Waker>,
    wake_more: Vec<Waker>,
    drop: Option<Waker>,
}

/// What an attempt is told about the waiter that makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Nobody has waited longer.
    pub(crate) first: bool,
    /// It has been told to look again and is out of the queue.
    pub(crate) told: bool,
    ticket: Option<u64>,
}

impl<S> Guarded<S> {
    pub(crate) const fn new(state: S) -> Self {
        Guarded { state: Mutex::new(state) }
    }

    /// Changes the state; wakers that `change` hands over are woken after the lock is released.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut S, &mut Afterwards) -> R) -> R {
        let mut afterwards = Afterwards::default();
        let result = change(&mut self.lock(), &mut afterwards);
        afterwards.run();
        result
    }

    /// The future that ends when `attempt` succeeds. It waits in the queue that `queue` picks.
    ///
    /// An attempt that succeeds and leaves something for the next must tell him itself.
    pub(crate) fn wait_for<R, A>(&self, queue: fn(&mut S) -> &mut Waiters, attempt: A) -> WaitFor<'_, S, A>
    where
        A: FnMut(&mut S, Turn, &mut Afterwards) -> Option<R>,
    {
        WaitFor { guarded: self, queue, attempt, ticket: None }
    }

    fn lock(&self) -> MutexGuard<'_, S> {
        // No code of a user runs under the lock, and ours does not panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiters {
    pub(crate) const fn new() -> Self {
        Waiters { waiting: BTreeMap::new(), next_ticket: 0 }
    }

    /// Tells the one who has waited longest, and takes him out of the queue.
    pub(crate) fn tell_one(&mut self, afterwards: &mut Afterwards) {
        if let Some((_, waker)) = self.waiting.pop_first() {
            afterwards.wake(waker);
        }
    }

    pub(crate) fn tell_all(&mut self, afterwards: &mut Afterwards) {
        while let Some((_, waker)) = self.waiting.pop_first() {
            afterwards.wake(waker);
        }
    }

    /// Tells the one who has waited longest and leaves him at the head of the queue.
    pub(crate) fn nudge_first(&mut self, afterwards: &mut Afterwards) {
        if let Some(mut first) = self.waiting.first_entry() {
            afterwards.wake(first.get_mut().take());
        }
    }

    /// As [`nudge_first`](Waiters::nudge_first), for the first behind him whose turn it is.
    pub(crate) fn nudge_behind(&mut self, turn: Turn, afterwards: &mut Afterwards) {
        if let Some((_, waker)) = self.waiting.iter_mut().find(|(ticket, _)| Some(**ticket) != turn.ticket) {
            afterwards.wake(waker.take());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn turn(&self, ticket: Option<u64>) -> Turn {
        let first = self.waiting.first_key_value();
        Turn {
            first: match (first, ticket) {
                (None, _) => true,
                (Some((first, _)), Some(ticket)) => ticket <= *first,
                (Some(_), None) => false,
            },
            told: ticket.is_some_and(|ticket| !self.waiting.contains_key(&ticket)),
            ticket,
        }
    }

    fn queue_up(&mut self, ticket: Option<u64>, waker: Waker, afterwards: &mut Afterwards) -> u64 {
        let ticket = ticket.unwrap_or_else(|| {
            self.next_ticket += 1;
            self.next_ticket
        });
        afterwards.drop = self.waiting.insert(ticket, Some(waker)).flatten();
        ticket
    }
}

impl Afterwards {
    fn wake(&mut self, waker: Option<Waker>) {
        match &self.wake {
            None => self.wake = waker,
            Some(_) => self.wake_more.extend(waker),
        }
    }

    fn run(self) {
        for waker in self.wake.into_iter().chain(self.wake_more) {
            waker.wake();
        }
    }
}

/// A wait, see [`Guarded::wait_for`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct WaitFor<'a, S, A> {
    guarded: &'a Guarded<S>,
    queue: fn(&mut S) -> &mut Waiters,
    attempt: A,
    /// The place in the queue; there from the first attempt in vain until the wait is over.
    ticket: Option<u64>,
}

impl<S, A> Unpin for WaitFor<'_, S, A> {}

impl<S, A, R> Future for WaitFor<'_, S, A>
where
    A: FnMut(&mut S, Turn, &mut Afterwards) -> Option<R>,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.get_mut();
        // Before the lock: cloning a waker may run anything. The first attempt, which mostly succeeds, does without.
        let mut waker = this.ticket.map(|_| cx.waker().clone());
        loop {
            let mut afterwards = Afterwards::default();
            let mut state = this.guarded.lock();
            let turn = (this.queue)(&mut state).turn(this.ticket);
            let done = (this.attempt)(&mut state, turn, &mut afterwards);
            let queue = (this.queue)(&mut state);
            if done.is_some() {
                if let Some(ticket) = this.ticket.take() {
                    afterwards.drop = queue.waiting.remove(&ticket).flatten();
                }
            } else if let Some(waker) = waker.take() {
                this.ticket = Some(queue.queue_up(this.ticket, waker, &mut afterwards));
            }
            drop(state);
            afterwards.run();
            match done {
                Some(done) => return Poll::Ready(done),
                None if this.ticket.is_some() => return Poll::Pending,
                None => waker = Some(cx.waker().clone()),
            }
        }
    }
}

impl<S, A> Drop for WaitFor<'_, S, A> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        self.guarded.with(|state, afterwards| {
            let queue = (self.queue)(state);
            match queue.waiting.remove(&ticket) {
                Some(Some(waker)) => afterwards.drop = Some(waker),
                // It was told and has not looked: the next one looks in its place.
                Some(None) => queue.nudge_first(afterwards),
                None => queue.tell_one(afterwards),
            }
        });
    }
}
