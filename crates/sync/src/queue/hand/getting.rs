//! Somebody who wants an item, from the first look to the answer.

use super::place::{HANDED, LOOK, Place, Wakes, Who};
use super::state::State;
use super::{GetError, Hand};
use crate::catch::contain;
use crate::wait::{patience_with_tasks, sleep_until};
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Instant;

pub(super) struct Getting<'a, T> {
    hand: &'a Hand<T>,
    /// From the first look in vain until the answer.
    place: Option<Place<T>>,
    /// Where it stands in the list.
    ticket: u64,
    /// How many items had been put when it began to wait.
    puts: usize,
    /// It has looked again since: it does not wait awake a second time.
    has_looked_again: bool,
    /// There may be tasks before it, which may be told and not come.
    beside_tasks: bool,
}

type Answer<T> = Result<T, GetError>;

impl<'a, T> Getting<'a, T> {
    pub(super) fn new(hand: &'a Hand<T>) -> Self {
        Getting { hand, place: None, ticket: 0, puts: 0, has_looked_again: false, beside_tasks: false }
    }

    /// Waits on this thread until it is told, or is to look again, or until the deadline, or a little less. `false` in the last case.
    #[inline]
    pub(super) fn rest(&self, deadline: Option<Instant>) -> bool {
        let Some(place) = &self.place else { return false };
        if !self.has_looked_again && place.wait_awake(&self.hand.pace, self.puts) {
            return true;
        }
        let patience = patience_with_tasks(self.beside_tasks);
        place.sleep(sleep_until(deadline, patience));
        place.node().told().is_some()
            || patience.is_some() && deadline.is_none_or(|deadline| Instant::now() < deadline)
    }

    /// Waits awake for a moment, where that has paid; whether there is an item then.
    pub(super) fn glance(&self) -> bool {
        self.hand.glance()
    }

    pub(super) fn place(&self) -> Option<&Place<T>> {
        self.place.as_ref()
    }

    /// Takes an item or another answer, if there is one; `who` queues up otherwise, or waits on.
    #[inline]
    pub(super) fn look(self: Pin<&mut Self>, mut who: Option<Who>) -> Poll<Answer<T>> {
        // SAFETY: a place is moved neither here nor below.
        let this = unsafe { self.get_unchecked_mut() };
        let (hand, mut wakes, mut old) = (this.hand, Wakes::default(), None);
        let answer = hand.with(|state| {
            let answer = this.answer(state, &mut wakes);
            if answer.is_pending() {
                // A waker that is not needed is dropped without the lock, like the old one.
                if let Some(who) = who.take() {
                    old = this.wait(state, who);
                    state.tell_an_offer(&mut wakes);
                }
            }
            answer
        });
        if answer.is_ready() {
            this.place = None;
        }
        wakes.run();
        drop(old);
        if who.is_some() {
            // What was taken must not be lost to a waker that panics when it is dropped.
            contain(|| drop(who));
        }
        answer
    }

    /// The last look, after which it waits no more.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Answer<T> {
        // SAFETY: as above.
        let this = unsafe { self.get_unchecked_mut() };
        let (hand, mut wakes) = (this.hand, Wakes::default());
        let answer = hand.with(|state| {
            let answer = this.answer(state, &mut wakes);
            if answer.is_pending() {
                // Where there is no item, there is nothing to tell the next one of, even if this one has been told.
                this.leave(state);
            }
            answer
        });
        this.place = None;
        wakes.run();
        match answer {
            Poll::Ready(answer) => answer,
            Poll::Pending => Err(GetError::TimedOut),
        }
    }

    /// The item that was handed to a thread, which has been told so.
    #[inline]
    pub(super) fn handed(&self) -> Option<T> {
        let place = self.place.as_ref().filter(|place| place.node().told() == Some(HANDED))?;
        // Who is told is in no list, and the item is his.
        place.take()
    }

    /// The answer, if there is one; it has left then.
    #[inline]
    fn answer(&self, state: &mut State<T>, wakes: &mut Wakes) -> Poll<Answer<T>> {
        if let Some(item) = self.handed() {
            return Poll::Ready(Ok(item));
        }
        match state.get(wakes) {
            Err(GetError::Empty) => Poll::Pending,
            answer => {
                self.leave(state);
                Poll::Ready(answer)
            }
        }
    }

    /// Stands in the list from now on. The answer is to be dropped without the lock.
    #[inline]
    fn wait(&mut self, state: &mut State<T>, who: Who) -> Option<Waker> {
        self.puts = state.puts;
        let Some(place) = &self.place else {
            state.last_ticket += 1;
            self.ticket = state.last_ticket;
            let place = self.place.insert(Place::new(who, None));
            self.beside_tasks = state.tasks > 0;
            state.tasks += u32::from(!place.is_of_a_thread());
            // SAFETY: it is new, and thus in no list. It stays where it is, in what is pinned, until it has left: it is told, or
            // taken out by `leave`, in `drop` at the latest.
            unsafe { state.receivers.push(place.as_node(), self.ticket) };
            return None;
        };
        (self.has_looked_again, self.beside_tasks) = (true, state.tasks > 0);
        // SAFETY: the lock is held, and with it the list.
        let old = unsafe { place.renew(who) };
        let has_left = place.node().told().is_some();
        place.node().begin();
        if has_left {
            // SAFETY: it was taken out when it was told; the rest as above.
            unsafe { state.receivers.push_back_in(place.as_node(), self.ticket) };
        }
        old
    }

    /// Waits no more; once.
    fn leave(&self, state: &mut State<T>) {
        let Some(place) = &self.place else { return };
        state.tasks -= u32::from(!place.is_of_a_thread());
        if place.node().told().is_none() {
            // SAFETY: who has a place and has not been told is in the list.
            unsafe { state.receivers.remove(place.as_node()) };
        }
    }
}

impl<T> Drop for Getting<'_, T> {
    fn drop(&mut self) {
        // Whom an item was handed to is in no list and has nothing to pass on: the lock would be one more line to be fetched.
        let is_open = |place: &&Place<T>| place.node().told() != Some(HANDED);
        let Some(place) = self.place.as_ref().filter(is_open) else { return };
        let mut wakes = Wakes::default();
        self.hand.with(|state| {
            self.leave(state);
            if place.node().told() == Some(LOOK) {
                // It has not looked: another may come for what it was told of.
                state.serve_a_receiver(&mut wakes);
            }
        });
        wakes.run();
    }
}
