//! What every primitive of this crate is made of: a state under a short lock, and those who wait for it to change.
//!
//! A primitive says what its state is and how a wait ends: a function, the *attempt*, that looks at the state and either
//! takes what it wants or does not. [`WaitFor`] is the future that tries the attempt, queues itself, and tries again
//! when it is told to. All ways to wait are that one future: awaited, awaited under [`timeout`](crate::timer::timeout),
//! or polled by a parked thread ([`block_on`](crate::park::block_on)).
//!
//! 1. Nobody is handed anything while he waits. He is **told to look again**, and who comes first takes it. So a future
//!    that nobody polls cannot keep the others out of what is free, except in strict order, which means just that.
//! 2. There are two [orders](Order), and a queue has one of them. **Barging**: [`Waiters::tell_one`] takes the waiter out
//!    of the queue, so that the next call tells the next one; who tries in vain queues up again in his old place.
//!    **Strict**: [`Waiters::nudge_first`] leaves him at the head, where he keeps everyone behind him waiting until he
//!    has what he wants or goes away.
//! 3. **No wake-up is lost** when somebody goes away (a dropped future, a deadline). Barging: if he was told alone and
//!    has not looked, the next in the queue is told in his place; if everybody was told, nobody is left to be told in his
//!    place, and those who came later are none of his business. Strict: if he was at the head, the new head is nudged,
//!    for it may need less than he did.
//! 4. Wakers are cloned before the lock is taken, and woken and dropped after it is released: they may run anything,
//!    this primitive included. If one panics, the others are woken all the same.

use crate::catch::Every;
use crate::primitive::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A state and its lock.
pub(crate) struct Guarded<S> {
    state: Mutex<S>,
}

/// Those who wait for one thing, in order of arrival.
pub(crate) struct Waiters {
    /// By ticket. In a strict queue, a waiter without a waker has been nudged and has not looked yet; in a barging one,
    /// who has been told is not here.
    waiting: BTreeMap<u64, Option<Waker>>,
    last_ticket: u64,
    /// The last ticket when everybody was told.
    all_told: u64,
    order: Order,
}

/// Who may take what has become free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Whoever looks first.
    Barging,
    /// Whoever has waited longest, even if he does not look.
    Strict,
}

/// What is to be done with wakers once the lock is released.
#[derive(Default)]
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
    /// It has been told to look again, and is out of the queue.
    pub(crate) told: Option<Told>,
    ticket: Option<u64>,
}

/// How a waiter was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// By `tell_one`: if it goes away without use for it, the next one is to be told.
    Alone,
    /// By `tell_all`.
    WithAll,
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
        self.state.lock()
    }
}

impl Waiters {
    /// A queue in which whoever looks first takes what is free.
    pub(crate) const fn barging() -> Self {
        Self::new(Order::Barging)
    }

    /// A queue in which nobody is overtaken. Its attempts take nothing unless [`Turn::first`].
    pub(crate) const fn strict() -> Self {
        Self::new(Order::Strict)
    }

    const fn new(order: Order) -> Self {
        Waiters { waiting: BTreeMap::new(), last_ticket: 0, all_told: 0, order }
    }

    /// Tells the one who has waited longest, and takes him out of the queue.
    pub(crate) fn tell_one(&mut self, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Barging, "in strict order the first is nudged");
        if let Some((_, waker)) = self.waiting.pop_first() {
            afterwards.wake(waker);
        }
    }

    /// Tells everybody who waits now.
    pub(crate) fn tell_all(&mut self, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Barging, "in strict order the first is nudged");
        self.all_told = self.last_ticket;
        while let Some((_, waker)) = self.waiting.pop_first() {
            afterwards.wake(waker);
        }
    }

    /// Tells the one who has waited longest and leaves him at the head of the queue.
    pub(crate) fn nudge_first(&mut self, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Strict, "who barges is told");
        if let Some(mut first) = self.waiting.first_entry() {
            afterwards.wake(first.get_mut().take());
        }
    }

    /// As [`nudge_first`](Waiters::nudge_first), for the first behind the one whose turn it is.
    pub(crate) fn nudge_behind(&mut self, turn: Turn, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Strict, "who barges is told");
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
            told: match ticket {
                None => None,
                Some(ticket) if self.waiting.contains_key(&ticket) => None,
                Some(ticket) if ticket <= self.all_told => Some(Told::WithAll),
                Some(_) => Some(Told::Alone),
            },
            ticket,
        }
    }

    fn queue_up(&mut self, ticket: Option<u64>, waker: Waker, afterwards: &mut Afterwards) -> u64 {
        let ticket = ticket.unwrap_or_else(|| {
            self.last_ticket += 1;
            self.last_ticket
        });
        afterwards.drop = self.waiting.insert(ticket, Some(waker)).flatten();
        ticket
    }

    /// The holder of `ticket` goes away with what he wanted; the attempt has told whom it had to.
    fn leave_served(&mut self, ticket: u64, afterwards: &mut Afterwards) {
        afterwards.drop = self.waiting.remove(&ticket).flatten();
    }

    /// The holder of `ticket` goes away without what he wanted.
    fn leave(&mut self, ticket: u64, afterwards: &mut Afterwards) {
        let turn = self.turn(Some(ticket));
        afterwards.drop = self.waiting.remove(&ticket).flatten();
        match self.order {
            Order::Barging if turn.told == Some(Told::Alone) => self.tell_one(afterwards),
            Order::Strict if turn.first => self.nudge_first(afterwards),
            Order::Barging | Order::Strict => {}
        }
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
        let mut every = Every::default();
        for waker in self.wake.into_iter().chain(self.wake_more) {
            every.run(|| waker.wake());
        }
        if let Some(waker) = self.drop {
            every.run(|| drop(waker));
        }
        every.resume();
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
        // The first attempt, which mostly succeeds, does without a waker.
        let mut waker = this.ticket.map(|_| cx.waker().clone());
        loop {
            let mut afterwards = Afterwards::default();
            let mut state = this.guarded.lock();
            let turn = (this.queue)(&mut state).turn(this.ticket);
            let done = (this.attempt)(&mut state, turn, &mut afterwards);
            let queue = (this.queue)(&mut state);
            if done.is_some() {
                if let Some(ticket) = this.ticket.take() {
                    queue.leave_served(ticket, &mut afterwards);
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
        self.guarded.with(|state, afterwards| (self.queue)(state).leave(ticket, afterwards));
    }
}
