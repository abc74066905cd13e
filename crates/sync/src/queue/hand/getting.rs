//! Somebody who wants an item, from the first look to the answer.

use super::place::{HANDED, LOOK, Place, Wakes, Who};
use super::{GetError, Hand, State};
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
}

type Answer<T> = Result<T, GetError>;

impl<'a, T> Getting<'a, T> {
    pub(super) fn new(hand: &'a Hand<T>) -> Self {
        Getting { hand, place: None, ticket: 0, puts: 0 }
    }

    /// Waits on this thread until told, or until the deadline, or a little less. Whether it was told.
    #[inline]
    pub(super) fn rest(&self, deadline: Option<Instant>) -> bool {
        let Some(place) = &self.place else { return false };
        place.rest(&self.hand.pace, self.puts, deadline);
        place.node().told().is_some()
    }

    pub(super) fn place(&self) -> Option<&Place<T>> {
        self.place.as_ref()
    }

    /// Takes an item or another answer, if there is one; `who` queues up otherwise, or waits on.
    #[inline]
    pub(super) fn look(self: Pin<&mut Self>, who: Option<Who>) -> Poll<Answer<T>> {
        // SAFETY: a place is moved neither here nor below.
        let this = unsafe { self.get_unchecked_mut() };
        let (hand, mut wakes, mut old) = (this.hand, Wakes::default(), None);
        let answer = hand.with(|state| {
            let answer = this.answer(state, &mut wakes);
            if answer.is_pending() {
                if let Some(who) = who {
                    old = this.wait(state, who);
                }
            }
            answer
        });
        if answer.is_ready() {
            this.place = None;
        }
        wakes.run();
        drop(old);
        answer
    }

    /// The last look, after which it waits no more.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Answer<T> {
        // SAFETY: as above.
        let this = unsafe { self.get_unchecked_mut() };
        let (hand, mut wakes) = (this.hand, Wakes::default());
        let answer = hand.with(|state| {
            let answer = this.answer(state, &mut wakes);
            // Where there is no item, there is nothing to tell the next one of, even if this one has been told.
            this.leave_list(state);
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

    /// The answer, if there is one; it stands in no list then.
    #[inline]
    fn answer(&self, state: &mut State<T>, wakes: &mut Wakes) -> Poll<Answer<T>> {
        if let Some(item) = self.handed() {
            return Poll::Ready(Ok(item));
        }
        match state.get(wakes) {
            Err(GetError::Empty) => Poll::Pending,
            answer => {
                self.leave_list(state);
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
            // SAFETY: it is new, and thus in no list. It stays where it is, in what is pinned, until it has left: it is told, or
            // taken out by `leave_list`, in `drop` at the latest.
            unsafe { state.receivers.push(place.as_node(), self.ticket) };
            return None;
        };
        // SAFETY: the lock is held, and with it the list.
        let old = unsafe { place.renew(who) };
        if place.node().told().is_some() {
            place.node().begin();
            // SAFETY: it was taken out when it was told; the rest as above.
            unsafe { state.receivers.push_back_in(place.as_node(), self.ticket) };
        }
        old
    }

    fn leave_list(&self, state: &mut State<T>) {
        let Some(place) = self.place.as_ref().filter(|place| place.node().told().is_none()) else { return };
        // SAFETY: who has a place and has not been told is in the list.
        unsafe { state.receivers.remove(place.as_node()) };
    }
}

impl<T> Drop for Getting<'_, T> {
    fn drop(&mut self) {
        // Whom an item was handed to is in no list and has nothing to pass on: the lock would be one more line to be fetched.
        let is_open = |place: &&Place<T>| place.node().told() != Some(HANDED);
        let Some(place) = self.place.as_ref().filter(is_open) else { return };
        let mut wakes = Wakes::default();
        self.hand.with(|state| match place.node().told() {
            // It has not looked: another may come for what it was told of.
            Some(LOOK) => state.serve_a_receiver(&mut wakes),
            _ => self.leave_list(state),
        });
        wakes.run();
    }
}
