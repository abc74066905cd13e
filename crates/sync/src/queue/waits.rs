//! Waiting for a ring: threads that sleep, and futures.

use super::error::{GetError, PutError, Refusal};
use super::pace::Paces;
use super::place::{Place, Who};
use super::ring::Ring;
use super::side::{ONE, Own, Users};
use crate::park;
use crate::select::is_arm;
use std::borrow::BorrowMut;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
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
        if P::SHARED {
            let Some(found) = self.room_at_hand() else {
                // SAFETY: producers are many.
                return unsafe { self.put_with_care(item, deadline) };
            };
            // SAFETY: this is where the room was found, and nobody is to be told.
            unsafe { self.fill_in_silence(&found, item) };
            return Ok(());
        }
        // Nobody else takes the room that comes. So the item need not go through the wait, and can be made where it is put.
        // SAFETY: it is called with what belongs to the producers' side.
        let look = |own: &mut Own<T>, position| unsafe { self.wait_for_room(own, position, deadline) };
        // SAFETY: as promised by the caller.
        match unsafe { self.find_room(look) } {
            Ok(found) => {
                // SAFETY: this is where the room was found.
                unsafe { self.fill(&found, item) };
                Ok(())
            }
            Err(why) => Err(PutError::new(why, item)),
        }
    }

    /// On a side of many, where there may be something to be done besides.
    ///
    /// # Safety
    /// It is one.
    #[cold]
    #[inline(never)]
    unsafe fn put_with_care(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        // SAFETY: producers are many.
        match unsafe { self.room() } {
            Ok(found) => {
                // SAFETY: this is where the room was found.
                unsafe { self.fill(&found, item) };
                Ok(())
            }
            // SAFETY: as above.
            Err(Refusal::Full) => unsafe { self.put_contended(item, deadline) },
            Err(why) => Err(PutError::new(why, item)),
        }
    }

    /// On a side of many.
    ///
    /// # Safety
    /// It is one.
    unsafe fn put_contended(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        if !park::plain::is_here() {
            // SAFETY: producers are many.
            let mut put = pin!(unsafe { self.put_future(Some(item)) });
            let done = park::block_on_until(put.as_mut(), deadline);
            return put.with_item(done.unwrap_or(Err(Refusal::TimedOut)));
        }
        let mut item = Some(item);
        let done = self.rest_until_room(deadline, || {
            // SAFETY: producers are many.
            match unsafe { self.try_put(item.take()?) } {
                Err(refused) if refused.is_full() => {
                    item = Some(refused.into_inner());
                    None
                }
                done => Some(done),
            }
        });
        match (done, item) {
            (None, Some(item)) => Err(PutError::new(Refusal::TimedOut, item)),
            (done, _) => done.expect("an item that is not put is kept"),
        }
    }

    /// As [`look_for_room`](Ring::look_for_room), on a side of one; waits for it until `deadline`.
    ///
    /// # Safety
    /// As for `look_for_room`.
    #[cold]
    #[inline(never)]
    unsafe fn wait_for_room(
        &self,
        own: &mut Own<T>,
        position: usize,
        deadline: Option<Instant>,
    ) -> Result<(), Refusal> {
        loop {
            // SAFETY: as promised by the caller.
            match unsafe { self.look_for_room(own, position) } {
                Err(Refusal::Full) => {}
                done => return done,
            }
            let look = || self.room_in_sight();
            let in_sight = match park::plain::is_here() {
                true => self.rest_until_room(deadline, || (look() > 0).then_some(())),
                false => park::block_on_until(
                    Sight {
                        place: Place::new(self.consumers()),
                        paces: self.paces_for_room(),
                        look,
                        moved: || self.taken(),
                    },
                    deadline,
                ),
            };
            in_sight.ok_or(Refusal::TimedOut)?;
        }
    }

    fn paces_for_room(&self) -> Paces<'_> {
        Paces { here: &self.for_room, across: &self.for_items }
    }

    fn paces_for_items(&self) -> Paces<'_> {
        Paces { here: &self.for_items, across: &self.for_room }
    }

    fn rest_until_room<R>(&self, deadline: Option<Instant>, attempt: impl FnMut() -> Option<R>) -> Option<R> {
        let (enough, look) = ((self.capacity() / 4).max(1), || self.room_in_sight());
        let moved = || self.taken();
        rest_until(
            deadline,
            Place::new(self.consumers()),
            self.paces_for_room(),
            enough,
            look,
            moved,
            attempt,
        )
    }

    /// Waits for an item until `deadline` and takes it from the front. Blocks.
    ///
    /// # Safety
    /// If consumers are `Sole`: nobody else takes meanwhile.
    #[inline(always)]
    pub(super) unsafe fn get(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        if C::SHARED {
            let Some(found) = self.item_at_hand() else {
                // SAFETY: consumers are many.
                return unsafe { self.get_with_care(deadline) };
            };
            // SAFETY: this is where the item was found, and nobody is to be told.
            return Ok(unsafe { self.take_in_silence(&found) });
        }
        // As in `put`.
        // SAFETY: it is called with what belongs to the consumers' side.
        let look = |own: &mut Own<T>, position| unsafe { self.wait_for_items(own, position, deadline) };
        // SAFETY: as promised by the caller.
        match unsafe { self.find_item(look) } {
            // SAFETY: this is where the item was found.
            Ok(found) => Ok(unsafe { self.take(&found) }),
            Err(why) => Err(why),
        }
    }

    /// On a side of many, where there may be something to be done besides.
    ///
    /// # Safety
    /// It is one.
    #[cold]
    #[inline(never)]
    unsafe fn get_with_care(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        // SAFETY: consumers are many.
        match unsafe { self.try_get() } {
            // SAFETY: as above.
            Err(GetError::Empty) => unsafe { self.get_contended(deadline) },
            done => done,
        }
    }

    /// On a side of many.
    ///
    /// # Safety
    /// It is one.
    unsafe fn get_contended(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        if !park::plain::is_here() {
            // SAFETY: consumers are many.
            let get = unsafe { self.get_future() };
            return park::block_on_until(get, deadline).unwrap_or(Err(GetError::TimedOut));
        }
        // SAFETY: consumers are many.
        let attempt = || Some(unsafe { self.try_get() }).filter(|got| !matches!(got, Err(GetError::Empty)));
        self.rest_until_items(deadline, attempt).unwrap_or(Err(GetError::TimedOut))
    }

    /// As [`look_for_items`](Ring::look_for_items), on a side of one; waits for one until `deadline`.
    ///
    /// # Safety
    /// As for `look_for_items`.
    #[cold]
    #[inline(never)]
    unsafe fn wait_for_items(
        &self,
        own: &mut Own<T>,
        position: usize,
        deadline: Option<Instant>,
    ) -> Result<(), GetError> {
        loop {
            // SAFETY: as promised by the caller.
            match unsafe { self.look_for_more_items(own, position) } {
                Err(GetError::Empty) => {}
                done => return done,
            }
            let look = || self.items_in_sight();
            let in_sight = match park::plain::is_here() {
                true => self.rest_until_items(deadline, || (look() > 0).then_some(())),
                false => park::block_on_until(
                    Sight {
                        place: Place::new(self.producers()),
                        paces: self.paces_for_items(),
                        look,
                        moved: || self.put_count(),
                    },
                    deadline,
                ),
            };
            in_sight.ok_or(GetError::TimedOut)?;
        }
    }

    /// As [`look_for_items`](Ring::look_for_items), on a side of one: where items come many at a time and few have come, it lets more
    /// come first. One of many does not, for he would do so with the lock, and an arm does not, for another may be ready.
    ///
    /// # Safety
    /// As for `look_for_items`.
    #[cold]
    #[inline(never)]
    unsafe fn look_for_more_items(&self, own: &mut Own<T>, position: usize) -> Result<(), GetError> {
        let items = || self.producers().position().wrapping_sub(position) / ONE;
        if position == own.other && items() > 0 && !is_arm() {
            self.for_items.let_more_come(self.capacity(), items);
        }
        // SAFETY: as promised by the caller.
        unsafe { self.look_for_items(own, position) }
    }

    /// As [`try_get`](Ring::try_get), for a task on a side of one that would wait otherwise.
    ///
    /// # Safety
    /// As for `try_get`.
    #[inline(always)]
    pub(super) unsafe fn get_soon(&self) -> Result<T, GetError> {
        // SAFETY: it is called with what belongs to the consumers' side.
        let look = |own: &mut Own<T>, position| unsafe { self.look_for_more_items(own, position) };
        // SAFETY: as promised by the caller.
        match unsafe { self.find_item(look) } {
            // SAFETY: this is where the item was found.
            Ok(found) => Ok(unsafe { self.take(&found) }),
            Err(why) => Err(why),
        }
    }

    fn rest_until_items<R>(
        &self,
        deadline: Option<Instant>,
        attempt: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        let look = || self.items_in_sight();
        let moved = || self.put_count();
        rest_until(deadline, Place::new(self.producers()), self.paces_for_items(), 1, look, moved, attempt)
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

/// Blocks this thread until an `attempt` succeeds, which is made when `look` has shown `enough` or after a while, or until the deadline.
fn rest_until<R, T, U: Users>(
    deadline: Option<Instant>,
    place: Place<'_, T, U>,
    paces: Paces<'_>,
    enough: usize,
    look: impl Fn() -> usize,
    moved: impl Fn() -> usize,
    mut attempt: impl FnMut() -> Option<R>,
) -> Option<R> {
    let mut place = pin!(place);
    loop {
        let late = is_late(deadline, place.has_queued_up());
        if !late && !place.is_in_the_list() {
            paces.wait(deadline, enough, &look, &moved);
        }
        let done = attempt();
        if done.is_some() {
            place.served();
            return done;
        }
        if late {
            return None;
        }
        if place.as_mut().queue_up(Who::ThisThread, || look() > 0) {
            place.as_mut().sleep(deadline);
        }
    }
}

/// Whether a poll may wait awake, once: where others come first all the time, it would not end. An arm does not, for another arm may be
/// ready, or nobody may want to wait at all.
fn may_glance<T, U: Users>(place: &Place<'_, T, U>) -> bool {
    !place.has_queued_up() && !is_arm()
}

fn is_late(deadline: Option<Instant>, has_queued_up: bool) -> bool {
    // Loom has no clock: there, a deadline passes as soon as somebody has queued up.
    deadline.is_some_and(
        |deadline| if crate::primitive::IS_MODEL { has_queued_up } else { Instant::now() >= deadline },
    )
}

/// What a lone end waits for on a thread that has others to run: that a look shows something.
struct Sight<'r, T, U: Users, L, M> {
    place: Place<'r, T, U>,
    paces: Paces<'r>,
    look: L,
    moved: M,
}

impl<T, U: Users, L: Fn() -> usize, M: Fn() -> usize> Future for Sight<'_, T, U, L, M> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the place is not moved.
        let Sight { place, paces, look, moved } = unsafe { self.get_unchecked_mut() };
        let (look, moved) = (&*look, &*moved);
        // SAFETY: it is part of what is pinned.
        let mut place = unsafe { Pin::new_unchecked(place) };
        let mut has_glanced = false;
        loop {
            if look() > 0 {
                place.served();
                return Poll::Ready(());
            }
            if !mem::replace(&mut has_glanced, true) && may_glance(&place) && paces.glance(look, moved) {
                continue;
            }
            if place.as_mut().queue_up(Who::Task(cx.waker().clone()), || look() > 0) {
                return Poll::Pending;
            }
        }
    }
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
        self.item().take().expect("an item that was not put is still there")
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
        let mut has_glanced = false;
        loop {
            assert!(
                self.as_mut().item().is_some(),
                "an item that was not put is still there, and nobody polls a future that has ended"
            );
            // SAFETY: as promised by whoever made the future.
            match unsafe { ring.room() } {
                Ok(found) => {
                    let item = self.as_mut().take();
                    // SAFETY: this is where the room was found.
                    unsafe { ring.fill(&found, item) };
                    self.place().served();
                    return Poll::Ready(Ok(()));
                }
                Err(Refusal::Full) => {}
                Err(why) => {
                    self.place().served();
                    return Poll::Ready(Err(why));
                }
            }
            if !mem::replace(&mut has_glanced, true)
                && may_glance(&self.place)
                && ring.paces_for_room().glance(|| ring.room_in_sight(), || ring.taken())
            {
                continue;
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
        let mut has_glanced = false;
        loop {
            // SAFETY: as promised by whoever made the future.
            match unsafe { ring.try_get() } {
                Err(GetError::Empty) => {}
                done => {
                    self.place().served();
                    return Poll::Ready(done);
                }
            }
            if !mem::replace(&mut has_glanced, true)
                && may_glance(&self.place)
                && ring.paces_for_items().glance(|| ring.items_in_sight(), || ring.put_count())
            {
                continue;
            }
            let who = Who::Task(cx.waker().clone());
            if self.as_mut().place().queue_up(who, || ring.items_in_sight() > 0) {
                return Poll::Pending;
            }
        }
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use crate::park::{self, Parker, Signal};
    use crate::queue::ring::Ring;
    use crate::queue::side::{Many, Sole};
    use crate::select::Select;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::task::Waker;
    use std::time::Instant;

    #[test]
    fn an_arm_does_not_wait_awake() {
        let ring = Ring::<u8, Many, Many>::new(1);
        let learned = || format!("{:?} {:?}", ring.for_items, ring.for_room);
        let nothing = learned();
        let mut arms = Select::new();
        // SAFETY: consumers are many.
        arms.arm(async { unsafe { ring.get_future() }.await.is_ok() });
        assert_eq!(arms.try_wait(), None);
        // SAFETY: producers are many.
        unsafe { ring.try_put(1) }.unwrap();
        let mut arms = Select::new();
        // SAFETY: as above.
        arms.arm(async { unsafe { ring.put_future(Some(2)) }.await.is_ok() });
        assert_eq!(arms.try_wait(), None);
        assert_eq!(learned(), nothing);
    }

    /// A scheduler's, with one coroutine.
    struct Alone(Arc<Signal>);

    impl Parker for Alone {
        fn waker(&self) -> Waker {
            self.0.waker()
        }

        fn park(&self, deadline: Option<Instant>) {
            self.0.wait(deadline);
        }

        fn cooperative(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_lone_end_on_a_thread_with_others_to_run_learns_whether_it_pays_to_wait_awake() {
        let _parker = park::install(Rc::new(Alone(Arc::default())));
        let ring = Ring::<u8, Sole, Sole>::new(1);
        let learned = || [format!("{:?}", ring.for_items), format!("{:?}", ring.for_room)];
        let nothing = learned();
        // SAFETY: this is the only consumer.
        unsafe { ring.get(Some(Instant::now())) }.unwrap_err();
        assert_ne!(learned()[0], nothing[0]);
        // SAFETY: this is the only producer.
        unsafe { ring.put(1, None) }.unwrap();
        // SAFETY: as above.
        unsafe { ring.put(2, Some(Instant::now())) }.unwrap_err();
        assert_ne!(learned()[1], nothing[1]);
    }
}
