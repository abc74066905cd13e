//! Waiting for a ring: threads that sleep, and futures.

use super::error::{GetError, PutError, Refusal};
use super::place::{Place, Who};
use super::ring::Ring;
use super::side::Users;
use crate::park;
use std::borrow::BorrowMut;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

impl<T, P: Users, C: Users> Ring<T, P, C> {
    /// Waits for room until `deadline` and puts `item` at the end. Blocks.
    ///
    /// # Safety
    /// If producers are `Sole`: nobody else puts meanwhile.
    #[inline(always)]
    pub(super) unsafe fn put(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        // SAFETY: as promised by the caller.
        match unsafe { self.find_room() } {
            Ok(found) => {
                // SAFETY: this is where the room was found.
                unsafe { self.fill(&found, item) };
                Ok(())
            }
            // SAFETY: as promised by the caller.
            Err(Refusal::Full) => unsafe { self.put_contended(item, deadline) },
            Err(why) => Err(PutError::new(why, item)),
        }
    }

    /// # Safety
    /// As for [`put`](Ring::put).
    #[cold]
    #[inline(never)]
    unsafe fn put_contended(&self, mut item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        if !park::plain::is_here() {
            // SAFETY: as promised by the caller.
            let mut put = pin!(unsafe { self.put_future(Some(item)) });
            let done = park::block_on_until(put.as_mut(), deadline);
            return put.with_item(done.unwrap_or(Err(Refusal::TimedOut)));
        }
        let mut place = pin!(Place::new(self.consumers()));
        let enough = (self.capacity() / 4).max(1);
        loop {
            let late = is_late(deadline, place.has_queued_up());
            if !late && !place.is_in_the_list() {
                self.for_room.wait(enough, || self.room_in_sight());
            }
            // SAFETY: as promised by the caller.
            match unsafe { self.try_put(item) } {
                Err(refused) if refused.is_full() => item = refused.into_inner(),
                done => {
                    place.served();
                    return done;
                }
            }
            if late {
                return Err(PutError::new(Refusal::TimedOut, item));
            }
            if place.as_mut().queue_up(Who::ThisThread, || self.room_in_sight() > 0) {
                place.as_mut().sleep(deadline);
            }
        }
    }

    /// Waits for an item until `deadline` and takes it from the front. Blocks.
    ///
    /// # Safety
    /// If consumers are `Sole`: nobody else takes meanwhile.
    #[inline(always)]
    pub(super) unsafe fn get(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        // SAFETY: as promised by the caller.
        match unsafe { self.find_more_items() } {
            // SAFETY: this is where the item was found.
            Ok(found) => Ok(unsafe { self.take(&found) }),
            // SAFETY: as promised by the caller.
            Err(GetError::Empty) => unsafe { self.get_contended(deadline) },
            Err(why) => Err(why),
        }
    }

    /// # Safety
    /// As for [`get`](Ring::get).
    #[cold]
    #[inline(never)]
    unsafe fn get_contended(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        if !park::plain::is_here() {
            // SAFETY: as promised by the caller.
            let get = unsafe { self.get_future() };
            return park::block_on_until(get, deadline).unwrap_or(Err(GetError::TimedOut));
        }
        let mut place = pin!(Place::new(self.producers()));
        loop {
            let late = is_late(deadline, place.has_queued_up());
            if !late && !place.is_in_the_list() {
                self.for_items.wait(1, || self.items_in_sight());
            }
            // SAFETY: as promised by the caller.
            match unsafe { self.try_get() } {
                Err(GetError::Empty) => {}
                done => {
                    place.served();
                    return done;
                }
            }
            if late {
                return Err(GetError::TimedOut);
            }
            if place.as_mut().queue_up(Who::ThisThread, || self.items_in_sight() > 0) {
                place.as_mut().sleep(deadline);
            }
        }
    }

    /// The future that waits for room, takes the item out of `item` and puts it at the end.
    ///
    /// # Safety
    /// If producers are `Sole`: nobody else puts while the future is polled.
    pub(super) unsafe fn put_future<I: BorrowMut<Option<T>>>(&self, item: I) -> Put<'_, T, P, C, I> {
        Put { ring: self, place: Place::new(self.consumers()), item, _items: PhantomData }
    }

    /// The future that waits for an item and takes it from the front.
    ///
    /// # Safety
    /// If consumers are `Sole`: nobody else takes while the future is polled.
    pub(super) unsafe fn get_future(&self) -> Get<'_, T, P, C> {
        Get { ring: self, place: Place::new(self.producers()) }
    }
}

fn is_late(deadline: Option<Instant>, has_queued_up: bool) -> bool {
    // Loom has no clock: there, a deadline passes as soon as somebody has queued up.
    deadline.is_some_and(
        |deadline| if crate::primitive::IS_MODEL { has_queued_up } else { Instant::now() >= deadline },
    )
}

/// See [`Ring::put_future`]. An item that is refused stays where it was.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Put<'r, T, P: Users, C: Users, I> {
    ring: &'r Ring<T, P, C>,
    place: Place<'r, T, C>,
    item: I,
    _items: PhantomData<T>,
}

impl<'r, T, P: Users, C: Users, I: BorrowMut<Option<T>>> Put<'r, T, P, C, I> {
    /// What a future with this end answers: with the item, if it was refused.
    pub(super) fn with_item(self: Pin<&mut Self>, done: Result<(), Refusal>) -> Result<(), PutError<T>> {
        done.map_err(|why| PutError::new(why, self.take()))
    }

    fn take(self: Pin<&mut Self>) -> T {
        self.item()
            .take()
            .expect("an item that was not put is still there, and nobody polls a future that has ended")
    }

    fn item(self: Pin<&mut Self>) -> &mut Option<T> {
        // SAFETY: the item is not pinned; the place is not moved.
        unsafe { self.get_unchecked_mut() }.item.borrow_mut()
    }

    fn place(self: Pin<&mut Self>) -> Pin<&mut Place<'r, T, C>> {
        // SAFETY: the place is never moved out of the future.
        unsafe { self.map_unchecked_mut(|this| &mut this.place) }
    }
}

impl<T, P: Users, C: Users, I: BorrowMut<Option<T>>> Future for Put<'_, T, P, C, I> {
    type Output = Result<(), Refusal>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ring = self.ring;
        loop {
            let item = self.as_mut().take();
            // SAFETY: as promised by whoever made the future.
            let done = unsafe { ring.try_put(item) }.map_err(PutError::into_parts);
            let done = done.map_err(|(why, item)| {
                *self.as_mut().item() = Some(item);
                why
            });
            if done != Err(Refusal::Full) {
                self.place().served();
                return Poll::Ready(done);
            }
            let who = Who::Task(cx.waker().clone());
            if self.as_mut().place().queue_up(who, || ring.room_in_sight() > 0) {
                return Poll::Pending;
            }
        }
    }
}

/// See [`Ring::get_future`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Get<'r, T, P: Users, C: Users> {
    ring: &'r Ring<T, P, C>,
    place: Place<'r, T, P>,
}

impl<'r, T, P: Users, C: Users> Get<'r, T, P, C> {
    fn place(self: Pin<&mut Self>) -> Pin<&mut Place<'r, T, P>> {
        // SAFETY: the place is never moved out of the future.
        unsafe { self.map_unchecked_mut(|this| &mut this.place) }
    }
}

impl<T, P: Users, C: Users> Future for Get<'_, T, P, C> {
    type Output = Result<T, GetError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ring = self.ring;
        loop {
            // SAFETY: as promised by whoever made the future.
            match unsafe { ring.try_get() } {
                Err(GetError::Empty) => {}
                done => {
                    self.place().served();
                    return Poll::Ready(done);
                }
            }
            let who = Who::Task(cx.waker().clone());
            if self.as_mut().place().queue_up(who, || ring.items_in_sight() > 0) {
                return Poll::Pending;
            }
        }
    }
}
