//! Somebody with an item for the queue, from the first look to the answer.

use super::place::{Place, REFUSED, Wakes, Who};
use super::{Hand, PutError, Refusal};
use crate::catch::contain;
use std::mem;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Instant;

pub(super) struct Putting<'a, T> {
    hand: &'a Hand<T>,
    stage: Stage<T>,
    /// How many items had been put when it began to wait.
    puts: usize,
}

enum Stage<T> {
    /// Stands in no list.
    Held(T),
    /// Stands in the list of senders, or has been told.
    Waiting(Place<T>),
    /// Has its answer.
    Done,
}

type Answer<T> = Result<(), PutError<T>>;

impl<'a, T> Putting<'a, T> {
    pub(super) fn new(hand: &'a Hand<T>, item: T) -> Self {
        Putting { hand, stage: Stage::Held(item), puts: 0 }
    }

    /// Tries to put the item in that it holds; `who` queues up otherwise. Where there is nobody to do so, it holds the item still.
    #[inline]
    pub(super) fn look(self: Pin<&mut Self>, mut who: Option<Who>) -> Poll<Answer<T>> {
        // SAFETY: a place is moved neither here nor below, while it is in the list.
        let this = unsafe { self.get_unchecked_mut() };
        let mut wakes = Wakes::default();
        let answer = this.hand.with(|state| {
            let Stage::Held(item) = mem::replace(&mut this.stage, Stage::Done) else {
                unreachable!("who waits already does not begin to")
            };
            match state.put(item, &mut wakes) {
                Err(refused) if refused.is_full() => {
                    let item = refused.into_inner();
                    // A waker that is not needed is dropped without the lock.
                    let Some(who) = who.take() else {
                        this.stage = Stage::Held(item);
                        return Poll::Pending;
                    };
                    this.stage = Stage::Waiting(Place::new(who, Some(item)));
                    this.puts = state.puts;
                    if let Stage::Waiting(place) = &this.stage {
                        // SAFETY: it is new, and thus in no list. It stays where it is, in what is pinned, until it has left:
                        // it is told, or `leave` takes it out, which `drop` calls at the latest.
                        unsafe { state.senders.push(place.as_node(), 0) };
                        state.serve_a_receiver(&mut wakes);
                    }
                    Poll::Pending
                }
                answer => Poll::Ready(answer),
            }
        });
        wakes.run();
        if who.is_some() {
            // What was put must not be said to be lost because a waker panics when it is dropped.
            contain(|| drop(who));
        }
        answer
    }

    /// Waits on this thread until told, or until the deadline, or a little less.
    pub(super) fn rest(&self, deadline: Option<Instant>) {
        if let Some(place) = self.place() {
            if !place.wait_awake(&self.hand.pace, self.puts) {
                place.sleep(deadline);
            }
        }
    }

    pub(super) fn place(&self) -> Option<&Place<T>> {
        match &self.stage {
            Stage::Waiting(place) => Some(place),
            Stage::Held(_) | Stage::Done => None,
        }
    }

    /// The answer of one who waits, if he has been told.
    #[inline]
    pub(super) fn answer(self: Pin<&mut Self>) -> Poll<Answer<T>> {
        let Some(told) = self.place().and_then(|place| place.node().told()) else { return Poll::Pending };
        // SAFETY: the place has left its list, and may be dropped where it is.
        let this = unsafe { self.get_unchecked_mut() };
        // Who is told is in no list, and the item is his, if it is there.
        let item = this.place().and_then(Place::take);
        this.stage = Stage::Done;
        Poll::Ready(match item {
            Some(item) if told == REFUSED => Err(PutError::new(Refusal::Closed, item)),
            _ => Ok(()),
        })
    }

    /// Waits on as a task, if it has not been told.
    pub(super) fn wait_on(self: Pin<&mut Self>, waker: Waker) -> Poll<Answer<T>> {
        let old = self.hand.with(|_| match self.place() {
            Some(place) if place.node().told().is_none() => {
                // SAFETY: the lock is held, and with it the list.
                unsafe { place.renew(Who::Task(waker)) }
            }
            _ => Some(waker),
        });
        drop(old);
        self.answer()
    }

    /// The item again, if nobody has taken it yet.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Answer<T> {
        self.leave();
        // SAFETY: the place has left its list, and may be dropped where it is.
        let this = unsafe { self.get_unchecked_mut() };
        let (told, item) = match &this.stage {
            Stage::Waiting(place) => (place.node().told(), place.take()),
            Stage::Held(_) | Stage::Done => (None, None),
        };
        let item = match mem::replace(&mut this.stage, Stage::Done) {
            Stage::Held(item) => Some(item),
            Stage::Waiting(_) | Stage::Done => item,
        };
        let why = if told == Some(REFUSED) { Refusal::Closed } else { Refusal::TimedOut };
        item.map_or(Ok(()), |item| Err(PutError::new(why, item)))
    }

    /// Leaves the list, if it still stands there.
    fn leave(&self) {
        let Some(place) = self.place() else { return };
        if place.node().told().is_some() {
            return;
        }
        let mut wakes = Wakes::default();
        self.hand.with(|state| {
            if place.node().told().is_none() {
                // SAFETY: who waits and has not been told is in the list.
                unsafe { state.senders.remove(place.as_node()) };
                // A receiver may wait that was told of its item.
                state.tell_an_offer(&mut wakes);
            }
        });
        wakes.run();
    }
}

impl<T> Drop for Putting<'_, T> {
    fn drop(&mut self) {
        self.leave();
    }
}
