//! A state under a short lock, and those who wait for it to change.
//!
//! A primitive says what its state is and how a wait ends: a function, the *attempt*, that looks at the state and either
//! takes what it wants or does not. [`WaitFor`] is the wait that tries the attempt, queues itself, and tries again when it is told
//! to: as a future, or on the stack of a thread that sleeps.
//!
//! 1. Nobody is handed anything while he waits. He is **told to look again**, and who comes first takes it. So a future
//!    that nobody polls cannot keep the others out of what is free; in strict order for a millisecond at most, see 2.
//! 2. There are two [orders](Order), and a queue has one of them. **Barging**: [`Waiters::tell_one`] takes the waiter out
//!    of the queue, so that the next call tells the next one; who tries in vain queues up again in his old place.
//!    **Strict**: [`Waiters::nudge_first`] leaves him at the head, where he keeps everyone behind him waiting until he
//!    has what he wants or goes away. But a task that was told and has not looked for a millisecond is *late*: those behind it
//!    are served as if it were not there, and it keeps its place. Whoever changes the state tells them; and threads behind tasks look again and again.
//! 3. **No wake-up is lost** when somebody goes away (a dropped future, a deadline). Barging: if he was told alone and
//!    has not looked, the next in the queue is told in his place; if everybody was told, nobody is left to be told in his
//!    place, and those who came later are none of his business. Strict: if he was at the head, the new head is nudged,
//!    for it may need less than he did.
//! 4. Wakers are cloned before the lock is taken, and woken and dropped after it is released: they may run anything,
//!    this primitive included. If one panics, the others are woken all the same.
//! 5. Nothing is allocated. When many are told at once, the lock is given back after each [batch](BATCH) to wake it. Who has not
//!    been reached by then counts as told.

use super::list::Node;
use super::patience::Patience;
use super::patrol::{Bell, Beside, Call};
use super::waiters::{Afterwards, Place, Told, Turn, Waiters, sleep_until};
use crate::catch::{Every, contain};
use crate::park;
use crate::primitive::{Mutex, MutexGuard};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A state and its lock.
pub(crate) struct Guarded<S> {
    state: Mutex<S>,
    patience: Patience,
}

/// A state whose changes can be waited for.
pub(crate) trait Queues {
    /// Calls `visit` with each queue of those who wait.
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters));

    /// How long a thread sleeps at most before it looks again by itself, if that depends on more than on being told.
    fn sleep_most(&self) -> Option<Duration> {
        None
    }

    /// What a task that waits, or is about to, has to reckon with. `Nobody` where no order is kept: there, who was told and does not
    /// come keeps nothing from the others. See [`patrol`](super::patrol).
    fn beside(&self) -> Beside {
        Beside::Nobody
    }

    /// Somebody goes away who was told, has not looked, and has left `queue`.
    fn told_one_leaves(
        &mut self,
        queue: fn(&mut Self) -> &mut Waiters,
        told: Told,
        afterwards: &mut Afterwards,
    ) where
        Self: Sized,
    {
        if told == Told::Alone {
            queue(self).tell_another(afterwards);
        }
    }
}

/// What ends a wait: looks at the state, and either takes what it wants or does not. Most are closures.
pub(crate) trait Attempt<S> {
    type Output;

    fn attempt(&mut self, state: &mut S, turn: Turn, afterwards: &mut Afterwards) -> Option<Self::Output>;
}

impl<S, R, A> Attempt<S> for A
where
    A: FnMut(&mut S, Turn, &mut Afterwards) -> Option<R>,
{
    type Output = R;

    fn attempt(&mut self, state: &mut S, turn: Turn, afterwards: &mut Afterwards) -> Option<R> {
        self(state, turn, afterwards)
    }
}

impl<S> Guarded<S> {
    pub(crate) const fn new(state: S) -> Self {
        Guarded { state: Mutex::new(state), patience: Patience::new() }
    }

    fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock()
    }
}

impl<S: Queues> Guarded<S> {
    /// Changes the state; wakers that `change` hands over are woken after the lock is released.
    ///
    /// # Panics
    /// If a waker does, once all the others are woken. The answer of `change` is lost then.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut S, &mut Afterwards) -> R) -> R {
        let mut afterwards = Afterwards::default();
        let mut state = self.lock();
        let result = change(&mut state, &mut afterwards);
        self.beside(&state, &mut afterwards);
        drop(state);
        if afterwards.is_something() {
            self.run(afterwards).resume();
        }
        result
    }

    /// The future that ends when `attempt` succeeds. It waits in the queue that `queue` picks.
    ///
    /// An attempt that succeeds and leaves something for the next must tell him itself.
    pub(crate) fn wait_for<R, A>(&self, queue: fn(&mut S) -> &mut Waiters, attempt: A) -> WaitFor<'_, S, A>
    where
        A: FnMut(&mut S, Turn, &mut Afterwards) -> Option<R>,
    {
        self.wait_by(queue, attempt)
    }

    /// As [`wait_for`](Guarded::wait_for), for an attempt that has a name, and with it the future.
    pub(crate) fn wait_by<A>(&self, queue: fn(&mut S) -> &mut Waiters, attempt: A) -> WaitFor<'_, S, A>
    where
        A: Attempt<S>,
    {
        WaitFor::new(self, queue, attempt, Node::of_a_task())
    }

    /// Blocks until `attempt` succeeds, or until `deadline`. It is tried at least once, and once more when the time has passed.
    pub(crate) fn wait<R, A>(
        &self,
        queue: fn(&mut S) -> &mut Waiters,
        deadline: Option<Instant>,
        attempt: A,
    ) -> Option<R>
    where
        A: FnMut(&mut S, Turn, &mut Afterwards) -> Option<R>,
    {
        self.wait_after(queue, deadline, attempt, || ())
    }

    /// As [`wait`](Guarded::wait). After the first attempt, which has queued up if it was in vain, `begin` is called.
    pub(crate) fn wait_after<R, A>(
        &self,
        queue: fn(&mut S) -> &mut Waiters,
        deadline: Option<Instant>,
        attempt: A,
        begin: impl FnOnce(),
    ) -> Option<R>
    where
        A: FnMut(&mut S, Turn, &mut Afterwards) -> Option<R>,
    {
        let mut begin = Some(begin);
        let mut begin = move || begin.take().map_or((), |begin| begin());
        if !park::plain::is_here() {
            let mut wait = pin!(self.wait_for(queue, attempt));
            let wait = poll_fn(move |cx| {
                let poll = wait.as_mut().poll(cx);
                begin();
                poll
            });
            return park::block_on_until(wait, deadline);
        }
        let mut wait = pin!(WaitFor::new(self, queue, attempt, Node::of_this_thread()));
        loop {
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let done = wait.as_mut().look(Some(Place::OfThisThread)).ok();
            begin();
            if done.is_some() || late {
                return done;
            }
            wait.node.rest(&self.patience, sleep_until(deadline, wait.sleep_most));
        }
    }

    /// What a task has to reckon with. If others rely on one who was told, somebody has to come by.
    fn beside(&self, state: &S, afterwards: &mut Afterwards) -> Beside {
        let beside = state.beside();
        if beside == Beside::Told {
            afterwards.call(Call::of(self));
        }
        beside
    }

    /// Wakes whom it has to, and tells those who are still to be told.
    fn run(&self, mut afterwards: Afterwards) -> Every {
        let mut every = Every::default();
        while afterwards.run(&mut every) {
            afterwards = Afterwards::default();
            self.lock().each_queue(&mut |queue| queue.tell_the_rest(&mut afterwards));
        }
        every
    }
}

/// A wait, see [`Guarded::wait_for`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct WaitFor<'a, S: Queues, A> {
    guarded: &'a Guarded<S>,
    queue: fn(&mut S) -> &mut Waiters,
    attempt: A,
    node: Node,
    /// The place in the queue; there from the first attempt in vain until the wait is over.
    ticket: Option<u64>,
    /// As the state said when it was last looked at in vain.
    sleep_most: Option<Duration>,
    /// Of a task: hangs while it waits beside others of whom one may be told and not come.
    bell: Bell,
}

impl<'a, S: Queues, A> WaitFor<'a, S, A> {
    fn new(guarded: &'a Guarded<S>, queue: fn(&mut S) -> &mut Waiters, attempt: A, node: Node) -> Self {
        WaitFor { guarded, queue, attempt, node, ticket: None, sleep_most: None, bell: Bell::new() }
    }

    /// One attempt. Where it is in vain, waits on in `place`, if there is one.
    fn look(self: Pin<&mut Self>, mut place: Option<Place>) -> Result<A::Output, Beside>
    where
        A: Attempt<S>,
    {
        // SAFETY: the node is not moved, and nothing else is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let mut afterwards = Afterwards::default();
        let mut state = this.guarded.lock();
        let turn = (this.queue)(&mut state).turn(&this.node, this.ticket);
        let done = this.attempt.attempt(&mut state, turn, &mut afterwards);
        if done.is_some() {
            if this.ticket.take().is_some() {
                // SAFETY: whoever has a ticket is queued up.
                unsafe { (this.queue)(&mut state).leave_served(&this.node) };
            }
        } else if let Some(place) = place.take() {
            let queue = (this.queue)(&mut state);
            // SAFETY: the node waits in this queue only. It is pinned, and goes away by `drop`, which leaves.
            this.ticket = Some(unsafe { queue.queue_up(&this.node, this.ticket, place, &mut afterwards) });
            this.sleep_most = state.sleep_most();
        }
        let beside = this.guarded.beside(&state, &mut afterwards);
        drop(state);
        if afterwards.is_something() {
            let every = this.guarded.run(afterwards);
            // What was taken must not be lost to a waker that panics; the panic hook has spoken.
            if done.is_some() { contain(|| every.resume()) } else { every.resume() }
        }
        if place.is_some() {
            // A waker that is not needed may panic when it is dropped.
            contain(|| drop(place));
        }
        done.ok_or(beside)
    }

    /// Sees to it that the task is woken when somebody else was told and does not come; whether that is new.
    fn hang_up(self: Pin<&mut Self>, waker: &Waker) -> bool {
        let call = Call::of(self.guarded);
        // SAFETY: the bell is pinned with this future, which always waits for the same.
        unsafe { self.bell().hang_up(call, waker) }
    }

    fn bell(self: Pin<&mut Self>) -> &mut Bell {
        // SAFETY: nobody moves the bell who gets it here.
        unsafe { &mut self.get_unchecked_mut().bell }
    }
}

impl<S: Queues, A: Attempt<S>> Future for WaitFor<'_, S, A> {
    type Output = A::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        // The first attempt, which mostly succeeds, does without a waker.
        if self.ticket.is_none() {
            match self.as_mut().look(None) {
                Ok(done) => return Poll::Ready(done),
                Err(Beside::Nobody) => {}
                // Mostly saves a third look.
                Err(Beside::Others | Beside::Told) => _ = self.as_mut().hang_up(cx.waker()),
            }
        }
        loop {
            match self.as_mut().look(Some(Place::OfATask(cx.waker().clone()))) {
                Ok(done) => {
                    self.bell().take_down();
                    return Poll::Ready(done);
                }
                Err(Beside::Nobody) => {}
                // Whoever was told before it hung may have called in vain.
                Err(_) if self.as_mut().hang_up(cx.waker()) => continue,
                // It was called for him already.
                Err(Beside::Told) => return Poll::Pending,
                Err(Beside::Others) => {}
            }
            self.bell().all_is_well();
            return Poll::Pending;
        }
    }
}

impl<S: Queues, A> Drop for WaitFor<'_, S, A> {
    fn drop(&mut self) {
        // Without a ticket the node is in no list.
        let Some(ticket) = self.ticket else { return };
        let leave = |state: &mut S, afterwards: &mut Afterwards| {
            // SAFETY: whoever has a ticket is queued up.
            if let Some(told) = unsafe { (self.queue)(state).leave(&self.node, ticket, afterwards) } {
                state.told_one_leaves(self.queue, told, afterwards);
            }
        };
        // A waker's panic must not leave a destructor, which may run in another panic.
        contain(|| self.guarded.with(leave));
    }
}
