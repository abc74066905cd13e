//! A state under a short lock, and those who wait for it to change.
//!
//! A primitive says what its state is and how a wait ends: a function, the *attempt*, that looks at the state and either
//! takes what it wants or does not. [`WaitFor`] is the wait that tries the attempt, queues itself, and tries again when it is told
//! to: as a future, or on the stack of a thread that sleeps.
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
//! 5. Nothing is allocated. When many are told at once, the lock is given back after each [batch](BATCH) to wake it. Who has not
//!    been reached by then counts as told.

use super::list::{Entry, FIRST_TOLD, List, Node, Wake, set_waker};
use super::patience::Patience;
use crate::catch::{Every, contain};
use crate::os::Sleeper;
use crate::park;
use crate::primitive::{Mutex, MutexGuard, spin_loop};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::ptr::NonNull;
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

/// Those who wait for one thing, in order of arrival.
pub(crate) struct Waiters {
    /// In a strict queue, a waiter who has been told has not looked yet; in a barging one, who has been told is not here.
    list: List,
    len: usize,
    last_ticket: u64,
    /// While everybody is being told: the last ticket of those.
    telling: Option<u64>,
    /// Somebody who was told alone went away without having looked, and there was nobody to be told in his place.
    left_over: bool,
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

/// So many are woken before the lock is taken again.
const BATCH: usize = 16;

/// What is to be done with wakers once the lock is released.
#[derive(Default)]
pub(crate) struct Afterwards {
    /// Most operations wake one.
    wake: Option<Wake>,
    wake_more: Option<[Option<Wake>; BATCH - 1]>,
    woken: usize,
    drop: Option<Waker>,
    /// Somebody is still to be told.
    unfinished: bool,
}

/// What an attempt is told about the waiter that makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Nobody has waited longer.
    pub(crate) first: bool,
    /// It has been told to look again.
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

const TOLD_ALONE: u32 = FIRST_TOLD;
const TOLD_WITH_ALL: u32 = FIRST_TOLD + 1;

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
        let result = change(&mut self.lock(), &mut afterwards);
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
        WaitFor { guarded: self, queue, attempt, node: Node::of_a_task(), ticket: None, sleep_most: None }
    }

    /// As [`wait_for`](Guarded::wait_for), for an attempt that has a name, and with it the future.
    pub(crate) fn wait_by<A>(&self, queue: fn(&mut S) -> &mut Waiters, attempt: A) -> WaitFor<'_, S, A>
    where
        A: Attempt<S>,
    {
        WaitFor { guarded: self, queue, attempt, node: Node::of_a_task(), ticket: None, sleep_most: None }
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
        if !(Sleeper::AVAILABLE && park::is_plain_thread()) {
            let mut wait = pin!(self.wait_for(queue, attempt));
            let wait = poll_fn(move |cx| {
                let poll = wait.as_mut().poll(cx);
                begin();
                poll
            });
            return park::block_on_until(wait, deadline);
        }
        let node = Node::of_this_thread();
        let mut wait = pin!(WaitFor { guarded: self, queue, attempt, node, ticket: None, sleep_most: None });
        loop {
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let done = wait.as_mut().look(Some(Place::OfThisThread));
            begin();
            if done.is_some() || late {
                return done;
            }
            let look_again = wait.sleep_most.and_then(|most| Instant::now().checked_add(most));
            let until = match (deadline, look_again) {
                (Some(deadline), Some(look_again)) => Some(deadline.min(look_again)),
                (deadline, look_again) => deadline.or(look_again),
            };
            wait.node.rest(&self.patience, until);
            if look_again.is_some() {
                // For loom, for which that was no time.
                spin_loop();
            }
        }
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
        Waiters { list: List::new(), len: 0, last_ticket: 0, telling: None, left_over: false, order }
    }

    /// Tells the one who has waited longest, and takes him out of the queue. `false` if nobody waits.
    pub(crate) fn tell_one(&mut self, afterwards: &mut Afterwards) -> bool {
        debug_assert!(self.order == Order::Barging, "in strict order the first is nudged");
        if self.telling.is_none() {
            if self.list.is_empty() {
                return false;
            }
            self.len -= 1;
            afterwards.wake(self.list.tell_first(TOLD_ALONE));
            return true;
        }
        // The first ones are being told already.
        let mut next = self.list.first();
        while let Some(entry) = next.filter(|entry| self.is_being_told(entry.ticket())) {
            next = entry.next();
        }
        let Some(entry) = next else { return false };
        let node = entry.as_ptr();
        self.len -= 1;
        // SAFETY: it was found in this list.
        afterwards.wake(unsafe { self.list.tell(node, TOLD_ALONE) });
        true
    }

    /// Whether somebody who was told alone went away without having looked, and there was nobody to be told in his place.
    /// The next time, it is over.
    pub(crate) fn take_left_over(&mut self) -> bool {
        std::mem::take(&mut self.left_over)
    }

    pub(crate) fn has_left_over(&self) -> bool {
        self.left_over
    }

    /// As [`tell_one`](Waiters::tell_one), `count` times, but at most as many as are woken at once; how many were told.
    pub(crate) fn tell_some(&mut self, count: usize, afterwards: &mut Afterwards) -> usize {
        let before = self.len;
        for _ in 0..count {
            if afterwards.is_full() || self.is_empty() {
                break;
            }
            self.tell_one(afterwards);
        }
        before - self.len
    }

    /// Tells everybody who waits now.
    pub(crate) fn tell_all(&mut self, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Barging, "in strict order the first is nudged");
        self.telling = Some(self.last_ticket);
        self.tell_the_rest(afterwards);
    }

    fn tell_the_rest(&mut self, afterwards: &mut Afterwards) {
        while self.list.first().is_some_and(|first| self.is_being_told(first.ticket())) {
            if afterwards.is_full() {
                afterwards.unfinished = true;
                return;
            }
            self.len -= 1;
            afterwards.wake(self.list.tell_first(TOLD_WITH_ALL));
        }
        self.telling = None;
    }

    fn is_being_told(&self, ticket: u64) -> bool {
        self.telling.is_some_and(|last| ticket <= last)
    }

    /// Tells the one who has waited longest and leaves him at the head of the queue.
    pub(crate) fn nudge_first(&mut self, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Strict, "who barges is told");
        if let Some(first) = self.list.first() {
            afterwards.wake(first.tell(TOLD_ALONE));
        }
    }

    /// As [`nudge_first`](Waiters::nudge_first), for the first behind the one whose turn it is.
    pub(crate) fn nudge_behind(&mut self, turn: Turn, afterwards: &mut Afterwards) {
        debug_assert!(self.order == Order::Strict, "who barges is told");
        let mut next = self.list.first();
        if next.is_some_and(|first| Some(first.ticket()) == turn.ticket) {
            next = next.and_then(Entry::next);
        }
        if let Some(next) = next {
            afterwards.wake(next.tell(TOLD_ALONE));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn turn(&self, node: &Node, ticket: Option<u64>) -> Turn {
        let is_first = |ticket| self.list.first().is_none_or(|first| ticket <= first.ticket());
        Turn {
            first: ticket.map_or(self.list.is_empty(), is_first),
            told: ticket.and_then(|ticket| match node.told() {
                Some(TOLD_ALONE) => Some(Told::Alone),
                Some(_) => Some(Told::WithAll),
                None if self.is_being_told(ticket) => Some(Told::WithAll),
                None => None,
            }),
            ticket,
        }
    }

    /// Whether the node of somebody who has a ticket is in the list.
    fn has(&self, node: &Node) -> bool {
        self.order == Order::Strict || node.told().is_none()
    }

    /// Waits, or waits on.
    ///
    /// # Safety
    /// The node was never in another list. It neither moves nor goes away before [`leave`](Waiters::leave) or
    /// [`leave_served`](Waiters::leave_served).
    unsafe fn queue_up(
        &mut self,
        node: &Node,
        ticket: Option<u64>,
        place: Place,
        afterwards: &mut Afterwards,
    ) -> u64 {
        if let Place::OfATask(waker) = place {
            // SAFETY: the list is ours; the node is in it or in none.
            afterwards.drop = unsafe { set_waker(node, waker) };
        }
        match ticket {
            Some(ticket) if self.has(node) => {
                node.begin();
                ticket
            }
            Some(ticket) => {
                node.begin();
                self.len += 1;
                // SAFETY: it was taken out when he was told; the rest is promised by the caller.
                unsafe { self.list.push_back_in(NonNull::from(node), ticket) };
                ticket
            }
            None => {
                self.last_ticket += 1;
                self.len += 1;
                // SAFETY: without a ticket it is in no list; the rest is promised by the caller.
                unsafe { self.list.push(NonNull::from(node), self.last_ticket) };
                self.last_ticket
            }
        }
    }

    /// Somebody goes away with what he wanted; the attempt has told whom it had to.
    ///
    /// # Safety
    /// The node was queued up here, and has not left since.
    unsafe fn leave_served(&mut self, node: &Node) {
        if self.has(node) {
            self.len -= 1;
            // SAFETY: it is in the list.
            unsafe { self.list.remove(NonNull::from(node)) };
        }
    }

    /// Somebody goes away without what he wanted.
    ///
    /// # Safety
    /// As for [`leave_served`](Waiters::leave_served).
    unsafe fn leave(&mut self, node: &Node, ticket: u64, afterwards: &mut Afterwards) {
        let turn = self.turn(node, Some(ticket));
        // SAFETY: as promised by the caller.
        unsafe { self.leave_served(node) };
        match self.order {
            Order::Barging if turn.told == Some(Told::Alone) => self.left_over |= !self.tell_one(afterwards),
            Order::Strict if turn.first => self.nudge_first(afterwards),
            Order::Barging | Order::Strict => {}
        }
    }
}

impl Afterwards {
    fn wake(&mut self, wake: Wake) {
        if matches!(wake, Wake::Nobody) {
            return;
        }
        if self.wake.is_none() {
            self.wake = Some(wake);
        } else {
            let more = self.wake_more.get_or_insert([const { None }; BATCH - 1]);
            more[self.woken - 1] = Some(wake);
        }
        self.woken += 1;
    }

    fn is_full(&self) -> bool {
        self.woken == BATCH
    }

    fn is_something(&self) -> bool {
        self.wake.is_some() || self.drop.is_some() || self.unfinished
    }

    /// Whether somebody is still to be told.
    fn run(self, every: &mut Every) -> bool {
        for wake in self.wake.into_iter().chain(self.wake_more.into_iter().flatten().flatten()) {
            every.run(|| wake.now());
        }
        if let Some(waker) = self.drop {
            every.run(|| drop(waker));
        }
        self.unfinished
    }
}

/// Where somebody can be told.
enum Place {
    OfThisThread,
    OfATask(Waker),
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
}

impl<S: Queues, A> WaitFor<'_, S, A> {
    /// One attempt. Where it is in vain, waits on in `place`, if there is one.
    fn look(self: Pin<&mut Self>, place: Option<Place>) -> Option<A::Output>
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
        } else if let Some(place) = place {
            let queue = (this.queue)(&mut state);
            // SAFETY: the node waits in this queue only. It is pinned, and goes away by `drop`, which leaves.
            this.ticket = Some(unsafe { queue.queue_up(&this.node, this.ticket, place, &mut afterwards) });
            this.sleep_most = state.sleep_most();
        }
        drop(state);
        if afterwards.is_something() {
            let every = this.guarded.run(afterwards);
            // What was taken must not be lost to a waker that panics; the panic hook has spoken.
            if done.is_some() { contain(|| every.resume()) } else { every.resume() }
        }
        done
    }
}

impl<S: Queues, A: Attempt<S>> Future for WaitFor<'_, S, A> {
    type Output = A::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        // The first attempt, which mostly succeeds, does without a waker.
        if self.ticket.is_none() {
            if let Some(done) = self.as_mut().look(None) {
                return Poll::Ready(done);
            }
        }
        match self.look(Some(Place::OfATask(cx.waker().clone()))) {
            Some(done) => Poll::Ready(done),
            None => Poll::Pending,
        }
    }
}

impl<S: Queues, A> Drop for WaitFor<'_, S, A> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        self.guarded.with(|state, afterwards| {
            // SAFETY: whoever has a ticket is queued up.
            unsafe { (self.queue)(state).leave(&self.node, ticket, afterwards) }
        });
    }
}
