//! Somebody who wants an item, from the first look to the answer.

use super::held::Held;
use super::pace::Wait;
use super::place::{HANDED, LOOK, Place, Wakes};
use super::state::State;
use super::{GetError, Hand};
use crate::catch::contain;
use crate::wait::{patience_with_tasks, sleep_until};
use std::mem;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Instant;

pub(super) struct Getting<'a, T> {
    hand: &'a Hand<T>,
    place: Place<T>,
    /// It stands in the list, or did until it was told: from the first look in vain until the answer.
    waits: bool,
    /// Where it stands in the list.
    ticket: u64,
    wait: Wait,
    /// It has looked again since: it does not wait awake a second time.
    has_looked_again: bool,
    /// There may be tasks before it, which may be told and not come.
    beside_tasks: bool,
}

type Answer<T> = Result<T, GetError>;

impl<'a, T> Getting<'a, T> {
    #[inline]
    pub(super) fn of_this_thread(hand: &'a Hand<T>) -> Self {
        Self::at(hand, Place::of_this_thread(Held::nothing()))
    }

    #[inline]
    pub(super) fn of_a_task(hand: &'a Hand<T>) -> Self {
        Self::at(hand, Place::of_a_task(Held::nothing()))
    }

    #[inline]
    fn at(hand: &'a Hand<T>, place: Place<T>) -> Self {
        Getting {
            hand,
            place,
            waits: false,
            ticket: 0,
            wait: Wait::default(),
            has_looked_again: false,
            beside_tasks: false,
        }
    }

    /// Waits on this thread until it is told, or is to look again, or until the deadline, or a little less. `false` in the last case.
    #[inline]
    fn rest(&self, deadline: Option<Instant>) -> bool {
        if !self.has_looked_again
            && self.place.wait_awake(&self.hand.pace, self.wait, || self.hand.put_count())
        {
            return true;
        }
        self.sleep(deadline)
    }

    #[cold]
    fn sleep(&self, deadline: Option<Instant>) -> bool {
        let patience = patience_with_tasks(self.beside_tasks);
        self.place.sleep(sleep_until(deadline, patience));
        self.place.node().told().is_some()
            || patience.is_some() && deadline.is_none_or(|deadline| Instant::now() < deadline)
    }

    pub(super) fn hand(&self) -> &'a Hand<T> {
        self.hand
    }

    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Takes an item or another answer, if there is one.
    #[inline]
    pub(super) fn look(self: Pin<&mut Self>) -> Poll<Answer<T>> {
        self.look_and(|_, _, _| {})
    }

    /// Queues up, after a look in vain under the same lock.
    ///
    /// # Safety
    /// The state is that of its hand.
    #[inline]
    pub(super) unsafe fn wait(self: Pin<&mut Self>, state: &mut State<T>, wakes: &mut Wakes) {
        // SAFETY: a place is moved neither here nor below.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: it is pinned; the rest is promised by the caller.
        unsafe { this.stand(state, wakes) };
    }

    /// As a thread that has queued up: waits until it has an item or another answer, or until the deadline.
    pub(super) fn rest_until(mut self: Pin<&mut Self>, deadline: Option<Instant>) -> Answer<T> {
        loop {
            if !self.rest(deadline) {
                return self.give_up();
            }
            if let Some(item) = self.handed() {
                return Ok(item);
            }
            // SAFETY: it is pinned, and `look_and` gives it the state of its hand.
            let stand = |this: &mut Self, state: &mut _, wakes: &mut _| unsafe { this.stand(state, wakes) };
            if let Poll::Ready(answer) = self.as_mut().look_and(stand) {
                return answer;
            }
        }
    }

    /// As [`look`](Getting::look); a task queues up otherwise, or waits on.
    #[inline]
    pub(super) fn look_or_wait_for(self: Pin<&mut Self>, waker: Waker) -> Poll<Answer<T>> {
        let mut waker = Some(waker);
        let answer = self.look_and(|this, state, wakes| {
            // SAFETY: the lock is held, and with it the list.
            unsafe { this.place.exchange(&mut waker) };
            // SAFETY: it is pinned, and this is the state of its hand.
            unsafe { this.stand(state, wakes) };
        });
        // What was taken must not be lost to a waker that panics when it is dropped, be it the old one or not needed.
        contain(|| drop(waker));
        answer
    }

    #[inline]
    fn look_and(
        self: Pin<&mut Self>,
        in_vain: impl FnOnce(&mut Self, &mut State<T>, &mut Wakes),
    ) -> Poll<Answer<T>> {
        // SAFETY: a place is moved neither here nor below.
        let this = unsafe { self.get_unchecked_mut() };
        let (hand, mut wakes) = (this.hand, Wakes::new());
        let answer = hand.with(|state| {
            let answer = this.answer(state, &mut wakes);
            if answer.is_pending() {
                in_vain(this, state, &mut wakes);
            }
            answer
        });
        wakes.run();
        // SAFETY: who has an answer has left.
        answer.map_ok(|()| unsafe { this.item() })
    }

    /// The last look, after which it waits no more.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Answer<T> {
        // SAFETY: as above.
        let this = unsafe { self.get_unchecked_mut() };
        let (hand, mut wakes) = (this.hand, Wakes::new());
        let answer = hand.with(|state| {
            let answer = this.answer(state, &mut wakes);
            if answer.is_pending() {
                // Where there is no item, there is nothing to tell the next one of, even if this one has been told.
                this.leave(state);
            }
            answer
        });
        wakes.run();
        match answer {
            // SAFETY: as in `look_and`.
            Poll::Ready(answer) => answer.map(|()| unsafe { this.item() }),
            Poll::Pending => Err(GetError::TimedOut),
        }
    }

    /// The item that was handed to a thread, which has been told so.
    #[inline]
    fn handed(&self) -> Option<T> {
        // SAFETY: who was told is in no list.
        self.is_handed().then(|| unsafe { self.item() })
    }

    #[inline]
    fn is_handed(&self) -> bool {
        self.place.node().told() == Some(HANDED)
    }

    /// The item that was handed, or taken.
    ///
    /// # Safety
    /// The place is in no list: it was told, or has left.
    #[inline]
    unsafe fn item(&self) -> T {
        // SAFETY: this is the waiter, whose the item is then.
        unsafe { self.place.with_item(Held::take_surely) }
    }

    /// The answer, if there is one; it has left then, and the item, if there is one, is in its place.
    #[inline]
    fn answer(&mut self, state: &mut State<T>, wakes: &mut Wakes) -> Poll<Result<(), GetError>> {
        if self.waits && self.is_handed() {
            return Poll::Ready(Ok(()));
        }
        // SAFETY: this is the waiter, and has the lock: be it in the list or not. `get` uses no place of a receiver.
        match unsafe { self.place.with_item(|item| state.get(item, wakes)) } {
            Err(GetError::Empty) => Poll::Pending,
            answer => {
                self.leave(state);
                Poll::Ready(answer)
            }
        }
    }

    /// Stands in the list from now on.
    ///
    /// # Safety
    /// It is pinned. The state is that of its hand.
    #[inline]
    unsafe fn stand(&mut self, state: &mut State<T>, wakes: &mut Wakes) {
        self.wait.puts = state.puts;
        if !self.waits {
            self.wait.is_behind = !state.receivers.is_empty();
            state.last_ticket += 1;
            (self.waits, self.ticket) = (true, state.last_ticket);
            self.beside_tasks = state.tasks > 0;
            state.tasks += u32::from(!self.place.is_of_a_thread());
            // What it was told in a wait that has ended would say that it is in no list.
            self.place.node().begin();
            // SAFETY: it is in no list. It stays where it is, in what is pinned, until it has left: it is told, or taken out by
            // `leave`, in `drop` at the latest.
            unsafe { state.receivers.push(self.place.as_node(), self.ticket) };
            return state.tell_an_offer(wakes);
        }
        (self.has_looked_again, self.beside_tasks) = (true, state.tasks > 0);
        let has_left = self.place.node().told().is_some();
        self.place.node().begin();
        if has_left {
            // SAFETY: it was taken out when it was told; the rest as above.
            unsafe { state.receivers.push_back_in(self.place.as_node(), self.ticket) };
        }
        state.tell_an_offer(wakes);
    }

    /// Waits no more.
    #[inline]
    fn leave(&mut self, state: &mut State<T>) {
        if !mem::take(&mut self.waits) {
            return;
        }
        state.tasks -= u32::from(!self.place.is_of_a_thread());
        if self.place.node().told().is_none() {
            // SAFETY: who waits and has not been told is in the list.
            unsafe { state.receivers.remove(self.place.as_node()) };
        }
    }
}

impl<T> Drop for Getting<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Whom an item was handed to is in no list and has nothing to pass on: the lock would be one more line to be fetched.
        if self.waits && !self.is_handed() {
            self.go_away();
        }
    }
}

impl<T> Getting<'_, T> {
    #[cold]
    fn go_away(&mut self) {
        let (hand, mut wakes) = (self.hand, Wakes::new());
        hand.with(|state| {
            self.leave(state);
            if self.place.node().told() == Some(LOOK) {
                // It has not looked: another may come for what it was told of.
                state.serve_a_receiver(&mut wakes);
            }
        });
        wakes.run();
    }
}
