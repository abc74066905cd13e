//! Waiting for a ring: threads that sleep, and futures.

use super::error::{GetError, PutError, Refusal};
use super::place::{Place, Who};
use super::ring::Ring;
use super::side::Users;
use crate::os::Sleeper;
use crate::park;
use std::future::Future;
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
        match unsafe { self.try_put(item) } {
            // SAFETY: as promised by the caller.
            Err(refused) if refused.is_full() => unsafe {
                self.put_contended(refused.into_inner(), deadline)
            },
            done => done,
        }
    }

    /// # Safety
    /// As for [`put`](Ring::put).
    #[cold]
    #[inline(never)]
    unsafe fn put_contended(&self, mut item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        if !(Sleeper::AVAILABLE && park::is_plain_thread()) {
            // SAFETY: as promised by the caller.
            let mut put = pin!(unsafe { self.put_future(item) });
            return match park::block_on_until(put.as_mut(), deadline) {
                Some(done) => done,
                None => Err(PutError::new(Refusal::TimedOut, put.take_back())),
            };
        }
        let mut place = pin!(Place::new(self.consumers()));
        let enough = (self.capacity() / 4).max(1);
        loop {
            let late = is_late(deadline);
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
        match unsafe { self.try_get() } {
            // SAFETY: as promised by the caller.
            Err(GetError::Empty) => unsafe { self.get_contended(deadline) },
            done => done,
        }
    }

    /// # Safety
    /// As for [`get`](Ring::get).
    #[cold]
    #[inline(never)]
    unsafe fn get_contended(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        if !(Sleeper::AVAILABLE && park::is_plain_thread()) {
            // SAFETY: as promised by the caller.
            let get = unsafe { self.get_future() };
            return park::block_on_until(get, deadline).unwrap_or(Err(GetError::TimedOut));
        }
        let mut place = pin!(Place::new(self.producers()));
        loop {
            let late = is_late(deadline);
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

    /// The future that waits for room and puts `item` at the end.
    ///
    /// # Safety
    /// If producers are `Sole`: nobody else puts while the future is polled.
    pub(super) unsafe fn put_future(&self, item: T) -> Put<'_, T, P, C> {
        Put { ring: self, place: Place::new(self.consumers()), item: Some(item) }
    }

    /// The future that waits for an item and takes it from the front.
    ///
    /// # Safety
    /// If consumers are `Sole`: nobody else takes while the future is polled.
    pub(super) unsafe fn get_future(&self) -> Get<'_, T, P, C> {
        Get { ring: self, place: Place::new(self.producers()) }
    }
}

fn is_late(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// See [`Ring::put_future`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Put<'r, T, P: Users, C: Users> {
    ring: &'r Ring<T, P, C>,
    place: Place<'r, T, C>,
    /// There until it is in the queue, or has been given back.
    item: Option<T>,
}

impl<'r, T, P: Users, C: Users> Put<'r, T, P, C> {
    /// The item of a future that has not ended.
    pub(super) fn take_back(self: Pin<&mut Self>) -> T {
        self.item().take().expect("it is there until the future ends")
    }

    fn item(self: Pin<&mut Self>) -> &mut Option<T> {
        // SAFETY: the item is not pinned; the place is not moved.
        &mut unsafe { self.get_unchecked_mut() }.item
    }

    fn place(self: Pin<&mut Self>) -> Pin<&mut Place<'r, T, C>> {
        // SAFETY: the place is never moved out of the future.
        unsafe { self.map_unchecked_mut(|this| &mut this.place) }
    }
}

impl<T, P: Users, C: Users> Future for Put<'_, T, P, C> {
    type Output = Result<(), PutError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ring = self.ring;
        loop {
            let item = self.as_mut().item().take().expect("a future is not polled after it has ended");
            // SAFETY: as promised by whoever made the future.
            match unsafe { ring.try_put(item) } {
                Err(refused) if refused.is_full() => *self.as_mut().item() = Some(refused.into_inner()),
                done => {
                    self.place().served();
                    return Poll::Ready(done);
                }
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
