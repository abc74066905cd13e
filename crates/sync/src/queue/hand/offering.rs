//! A task with an item that it keeps until it is polled: whoever else is waited for may come first, and then nothing was put.
//!
//! The item is not in the task's [`Place`], and nobody takes it from there. The task is told that there is an opening, looks when it
//! is polled, and then puts the item as `try_put` would. If it goes away, or looks in vain, nothing has happened.

use super::held::Held;
use super::place::{LOOK, Place, Wakes};
use super::state::State;
use super::{Hand, Refusal};
use crate::catch::contain;
use std::borrow::BorrowMut;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// See [`Hand::offer`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Offer<'a, T, I> {
    hand: &'a Hand<T>,
    item: I,
    /// From the first look in vain until the answer. There is never an item in it.
    place: Option<Place<T>>,
    /// Where it stands in the list.
    ticket: u64,
}

impl<T> Hand<T> {
    /// Puts the item in as soon as [`try_put`](Hand::try_put) would. Until it does, in a poll that ends the future, the item is in `item`.
    #[inline]
    pub(crate) fn offer<I: BorrowMut<Option<T>>>(&self, item: I) -> Offer<'_, T, I> {
        Offer { hand: self, item, place: None, ticket: 0 }
    }
}

impl<T, I: BorrowMut<Option<T>>> Offer<'_, T, I> {
    /// Puts the item in, or has another answer, if it can; a waker queues up otherwise, or waits on.
    #[inline]
    fn look(self: Pin<&mut Self>, mut waker: Option<Waker>) -> Poll<Result<(), Refusal>> {
        // SAFETY: a place is moved neither here nor below.
        let this = unsafe { self.get_unchecked_mut() };
        let own = this.item.borrow_mut().take();
        let own =
            own.expect("an item that was not put is still there, and nobody polls a future that has ended");
        let mut own = Held::new(own);
        let (hand, mut wakes) = (this.hand, Wakes::new());
        let answer = hand.with(|state| {
            match state.try_put(&mut own, &mut wakes) {
                Err(Refusal::Full) => this.wait(state, &mut waker),
                done => {
                    this.leave(state);
                    // Another may offer an item for what there is besides.
                    state.tell_an_offer(&mut wakes);
                    return Poll::Ready(done);
                }
            }
            Poll::Pending
        });
        *this.item.borrow_mut() = own.take();
        if answer.is_ready() {
            this.place = None;
        }
        wakes.run();
        // What was put must not be said to be lost because a waker panics when it is dropped, be it the old one or not needed.
        contain(|| drop(waker));
        answer
    }

    /// Stands in the list from now on, if there is a waker, which is exchanged for the old one, to be dropped without the lock.
    fn wait(&mut self, state: &mut State<T>, waker: &mut Option<Waker>) {
        if waker.is_none() {
            return;
        }
        let is_new = self.place.is_none();
        let place = self.place.get_or_insert_with(|| Place::of_a_task(Held::nothing()));
        // SAFETY: the lock is held, and with it the list.
        unsafe { place.exchange(waker) };
        if is_new {
            state.last_ticket += 1;
            self.ticket = state.last_ticket;
            // SAFETY: it is new, and thus in no list. It stays where it is, in what is pinned, until it has left: it is told, or
            // taken out by `leave`, in `drop` at the latest.
            unsafe { state.offers.push(place.as_node(), self.ticket) };
        } else if place.node().told().is_some() {
            place.node().begin();
            // SAFETY: it was taken out when it was told; the rest as above.
            unsafe { state.offers.push_back_in(place.as_node(), self.ticket) };
        }
    }
}

impl<T, I> Offer<'_, T, I> {
    /// Waits no more; once.
    fn leave(&self, state: &mut State<T>) {
        if let Some(place) = self.place.as_ref().filter(|place| place.node().told().is_none()) {
            // SAFETY: who has a place and has not been told is in the list.
            unsafe { state.offers.remove(place.as_node()) };
        }
    }
}

impl<T, I: BorrowMut<Option<T>>> Future for Offer<'_, T, I> {
    type Output = Result<(), Refusal>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The first attempt does without a waker.
        if self.place.is_none() {
            if let Poll::Ready(answer) = self.as_mut().look(None) {
                return Poll::Ready(answer);
            }
        }
        self.look(Some(cx.waker().clone()))
    }
}

impl<T, I> Drop for Offer<'_, T, I> {
    fn drop(&mut self) {
        let Some(place) = &self.place else { return };
        let mut wakes = Wakes::new();
        self.hand.with(|state| {
            self.leave(state);
            if place.node().told() == Some(LOOK) {
                // It has not looked: another may come for what it was told of.
                state.tell_an_offer(&mut wakes);
            }
        });
        wakes.run();
    }
}
