//! Somebody with an item for the queue, from the first look to the answer.

use super::held::Held;
use super::pace::Wait;
use super::place::{Place, REFUSED, Wakes};
use super::state::State;
use super::{Hand, PutError, Refusal};
use crate::catch::contain;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Instant;

pub(super) struct Putting<'a, T> {
    hand: &'a Hand<T>,
    /// With the item, until it is put or given back.
    place: Place<T>,
    /// It stands in the list of senders, or did until it was told.
    waits: bool,
    wait: Wait,
}

type Answer<T> = Result<(), PutError<T>>;

impl<'a, T> Putting<'a, T> {
    #[inline]
    pub(super) fn of_this_thread(hand: &'a Hand<T>, item: T) -> Self {
        Putting { hand, place: Place::of_this_thread(Held::new(item)), waits: false, wait: Wait::default() }
    }

    #[inline]
    pub(super) fn of_a_task(hand: &'a Hand<T>, item: T) -> Self {
        Putting { hand, place: Place::of_a_task(Held::new(item)), waits: false, wait: Wait::default() }
    }

    /// Tries to put the item in; if that is refused for now, it queues up. A task has noted its waker before. Once.
    #[inline]
    pub(super) fn look(self: Pin<&mut Self>) -> Poll<Answer<T>> {
        // SAFETY: a place is moved neither here nor below.
        let this = unsafe { self.get_unchecked_mut() };
        let mut wakes = Wakes::new();
        let answer = this.hand.with(|state| {
            let put = |item: &mut Held<T>| {
                assert!(item.is_there(), "nobody polls a future that has ended");
                state.put(item, &mut wakes)
            };
            // SAFETY: it is in no list, and this is the waiter. `put` uses no place but a receiver's.
            match unsafe { this.place.with_item(put) } {
                Ok(()) => Poll::Ready(Ok(())),
                Err(Refusal::Full) => {
                    // SAFETY: it is pinned, and has not been in a list before; the state is that of its hand.
                    unsafe { this.queue_up(state, &mut wakes) };
                    Poll::Pending
                }
                Err(why) => Poll::Ready(Err(why)),
            }
        });
        wakes.run();
        // SAFETY: who has an answer here has not been put into a list.
        answer.map_err(|why| PutError::new(why, unsafe { this.item() }))
    }

    /// Queues up, after a look in vain under the same lock.
    ///
    /// # Safety
    /// It has not been in a list before. The state is that of its hand.
    #[inline]
    pub(super) unsafe fn wait(self: Pin<&mut Self>, state: &mut State<T>, wakes: &mut Wakes) {
        // SAFETY: as above.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: it is pinned; the rest is promised by the caller.
        unsafe { this.queue_up(state, wakes) };
    }

    /// # Safety
    /// It is pinned, and has not been in a list before. The state is that of its hand.
    #[inline]
    unsafe fn queue_up(&mut self, state: &mut State<T>, wakes: &mut Wakes) {
        debug_assert!(!self.waits, "it stands in the list already");
        self.waits = true;
        self.wait = Wait { puts: state.puts, is_behind: !state.senders.is_empty() };
        // SAFETY: it is in no list, as promised by the caller. It stays where it is, in what is pinned, until it has left: it is
        // told, or `leave` takes it out, which `drop` calls at the latest.
        unsafe { state.senders.push(self.place.as_node(), 0) };
        state.serve_a_receiver(wakes);
    }

    /// As a thread that has queued up: waits until told, or until the deadline.
    pub(super) fn rest_until(self: Pin<&mut Self>, deadline: Option<Instant>) -> Answer<T> {
        self.rest(deadline);
        self.give_up()
    }

    /// Notes the waker of a task that does not wait yet.
    #[inline]
    pub(super) fn set_waker(&self, waker: Waker) {
        debug_assert!(!self.waits, "others may look at the place");
        // SAFETY: it is in no list, and this is the waiter. A waker that a task without luck has left here goes without the lock.
        unsafe { self.place.exchange(&mut Some(waker)) };
    }

    /// Waits on this thread until told, or until the deadline, or a little less.
    #[inline]
    fn rest(&self, deadline: Option<Instant>) {
        if !self.place.wait_awake(&self.hand.pace, self.wait, || self.hand.put_count()) {
            self.place.sleep(deadline);
        }
    }

    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// The answer of one who waits, if he has been told.
    #[inline]
    pub(super) fn answer(&self) -> Poll<Answer<T>> {
        match self.place.node().told() {
            None => Poll::Pending,
            // SAFETY: who was told is in no list.
            Some(REFUSED) => Poll::Ready(Err(PutError::new(Refusal::Closed, unsafe { self.item() }))),
            Some(_) => Poll::Ready(Ok(())),
        }
    }

    /// The item, which was refused.
    ///
    /// # Safety
    /// The place is in no list: it was told, or never stood there.
    #[inline]
    unsafe fn item(&self) -> T {
        // SAFETY: this is the waiter, whose the item is then.
        unsafe { self.place.with_item(Held::take_surely) }
    }

    /// Waits on as a task, if it has not been told.
    pub(super) fn wait_on(&self, waker: Waker) -> Poll<Answer<T>> {
        let mut waker = Some(waker);
        self.hand.with(|_| {
            if self.place.node().told().is_none() {
                // SAFETY: the lock is held, and with it the list.
                unsafe { self.place.exchange(&mut waker) };
            }
        });
        // What was put must not be said to be lost because a waker panics when it is dropped, be it the old one or not needed.
        contain(|| drop(waker));
        self.answer()
    }

    /// The item again, if nobody has taken it yet.
    #[inline]
    pub(super) fn give_up(self: Pin<&mut Self>) -> Answer<T> {
        self.leave();
        // SAFETY: the place is in no list any more, and is not moved all the same.
        let this = unsafe { self.get_unchecked_mut() };
        this.waits = false;
        if let Poll::Ready(answer) = this.answer() {
            return answer;
        }
        // SAFETY: who has left is in no list, and this is the waiter.
        let item = unsafe { this.place.with_item(Held::take) };
        item.map_or(Ok(()), |item| Err(PutError::new(Refusal::TimedOut, item)))
    }

    /// Leaves the list, if it still stands there.
    #[inline]
    fn leave(&self) {
        if self.waits && self.place.node().told().is_none() {
            self.leave_now();
        }
    }

    #[cold]
    fn leave_now(&self) {
        let mut wakes = Wakes::new();
        self.hand.with(|state| {
            if self.place.node().told().is_none() {
                // SAFETY: who waits and has not been told is in the list.
                unsafe { state.senders.remove(self.place.as_node()) };
                // A receiver may wait that was told of its item.
                state.tell_an_offer(&mut wakes);
            }
        });
        wakes.run();
    }
}

impl<T> Drop for Putting<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}
