//! The queue behind all queues that have room: two sides that move along the same slots.
//!
//! ```text
//!   consumers' side ─► 5          9 ◄─ producers' side
//!                      │          │
//!   slots   . . . . .  5  6  7  8  . . . .      filled: from the consumers' position up to the producers'
//! ```
//!
//! Each [side](super::side) has its position in a word, on cache lines of its own. Whoever puts or takes makes the word
//! `LOCK`ed by one compare-and-swap, uses the slot, and stores the next position, which unlocks the side and publishes what he did at
//! once. So an operation costs one locked instruction; slots have no stamps, and consumers never write where producers look. Where a
//! side has one user, whom the type system knows, it costs none.
//!
//! A side remembers how far it can go without a look, be it at the other side or for the next block, and looks again when it has come so
//! far: an operation in between is a comparison and the item's move, so little that the compiler puts it where it is called, and an item
//! is made where it is put.
//!
//! # Invariants
//!
//! 1. Positions only grow. The consumers' is at most the producers', which is ahead by at most the capacity.
//! 2. The slots between the two positions hold items and belong to whoever has the consumers' side; the others belong to
//!    whoever has the producers' side. A side's store hands slots over (`Release`), and the other's look takes them
//!    (`Acquire`); an old look shows fewer slots than there are, never more.
//! 3. Whoever waits for a side to move stands in *that side's* list: consumers wait at the producers' side, producers at the
//!    consumers'.
//! 4. `CLOSED` is set in both flags, the producers' first. Once it is set in the producers', the producers' position
//!    does not change (where producers are many; a sole one closes by himself, or puts what nobody will take).
//!
//! # No wake-up is lost
//!
//! What is to be shown: **while there is an item and a consumer in the list, somebody is on his way to take an item**: a
//! consumer who has been told and has not looked since, or one who is in `try_get` now. (With room and producers it is the
//! same, mirrored.)
//!
//! 1. *A consumer queues up*, at a side of many. He holds its lock, under which no item can come, and sees that there is none. Whoever
//!    puts the next one has the lock after him, sees `WAITING`, and tells the first in the list before he gives the side back.
//! 2. *A consumer queues up*, at a side of one. He sets `WAITING` (W1), then looks for an item (W2). The producer stores his position
//!    (P1), then looks at the flag (P2). Both could miss the other only if W2 came before P1 and P2 before W1. A barrier between the
//!    two steps on each side forbids that; where the kernel offers to make it for both, the producer does without.
//!    `FENCED` and `SURE` are how both change to barriers of their own: the producer says `SURE` when every publication from then on
//!    is fenced, and takes it back only by a compare-and-swap that fails while somebody is `WAITING`.
//! 3. *An item is put*: somebody is told if there is anybody. One is enough: those who were told for earlier items are on their
//!    way for these.
//! 4. *A told consumer looks*. He takes an item, which makes one item and one told consumer fewer; or there is none, and
//!    nothing is to be shown.
//! 5. *A told consumer goes away* (deadline, dropped future) without having looked. The next in the list is told in his place.
//! 6. *A consumer who was not told takes an item*, because he came by, or was woken for nothing. Then some told consumer will find
//!    one item fewer, which is 4. If he stood in the list, he leaves it; if he was told in this very moment, the item that
//!    he was told for is not lost: he was told by whoever put it, and has taken one since.
//! 7. *The queue is closed*. `CLOSED` is set under the lock of the list, and everybody in it is told. Who comes later sees it under
//!    the same lock (or, at a side of one, in the same word) and does not wait.
//!
//! In 6, at a side of one, there is an exception: what is there in the last look of 2 may have come before `WAITING` was set, so
//! that nobody was told of it. Who takes that, and is told meanwhile of something that came later, has made no use of being
//! told: he tells the next.
//!
//! Who is told and never polled again keeps nobody out: the item stays where it is, for whoever comes. Threads that wait already come by
//! themselves [every so often](crate::wait::patience_with_tasks) where tasks wait as well; tasks are told for later items only.
//!
//! Sources: two locks for two ends, M. M. Michael and M. L. Scott, "Simple, Fast, and Practical Non-Blocking and Blocking
//! Concurrent Queue Algorithms", PODC 1996; the remembered position of the other side, N. P. Jones's and E. Rigtorp's
//! descriptions of single-producer rings, and J. Giacomoni, T. Moseley, M. Vachharajani, "FastForward for Efficient Pipeline
//! Parallelism", PPoPP 2008; the one-sided barrier, D. Dice, H. Huang, M. Yang, "Asymmetric Dekker synchronization", 2001.

use super::blocks::Storage;
use super::error::{GetError, PutError, Refusal};
use super::pace::Pace;
use super::side::{End, ONE, Own, Side, Users};
use crate::lockfree::drop_all::drop_all;
use crate::lockfree::slot::Slot;
use crate::primitive::AtomicU8;
use crossbeam_utils::CachePadded;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A queue with room for at least one item, for producers and consumers of these numbers.
pub(crate) struct Ring<T, P: Users, C: Users> {
    producers: Side<T, P>,
    consumers: Side<T, C>,
    common: CachePadded<Common<T>>,
    /// What consumers and producers have learned about waiting.
    pub(super) for_items: CachePadded<Pace>,
    pub(super) for_room: CachePadded<Pace>,
}

/// What everybody reads and few write.
struct Common<T> {
    producers: AtomicU8,
    consumers: AtomicU8,
    capacity: usize,
    storage: Storage<T>,
}

/// A slot to fill or to empty, of a side that is the caller's until he has done so.
#[must_use = "the side stays taken, and the next look goes wrong"]
pub(super) struct Found<T> {
    /// Not of a type that is never null: the compiler would look whether it is.
    slot: *const Slot<T>,
    position: usize,
}

/// More items than any memory holds. Positions are compared by their distance, which must not be mistaken when they wrap.
pub(super) const NO_BOUND: usize = usize::MAX >> 3;

/// An operation is done whole or not at all, whatever panics.
impl<T, P: Users, C: Users> UnwindSafe for Ring<T, P, C> {}
impl<T, P: Users, C: Users> RefUnwindSafe for Ring<T, P, C> {}

impl<T, P: Users, C: Users> Ring<T, P, C> {
    crate::primitive::const_but_for_loom! {
        /// Room for `capacity` items, [`NO_BOUND`] at most. Allocates nothing.
        pub(super) fn new(capacity: usize) -> Self {
            let capacity = if capacity < NO_BOUND { capacity } else { NO_BOUND };
            Ring {
                producers: Side::new(),
                consumers: Side::new(),
                common: CachePadded::new(Common {
                    producers: AtomicU8::new(0),
                    consumers: AtomicU8::new(0),
                    capacity,
                    storage: Storage::new(capacity),
                }),
                for_items: CachePadded::new(Pace::new(C::SHARED)),
                for_room: CachePadded::new(Pace::new(P::SHARED)),
            }
        }
    }

    #[inline(always)]
    pub(super) fn producers(&self) -> End<'_, T, P> {
        End::new(&self.producers, &self.common.producers)
    }

    #[inline(always)]
    pub(super) fn consumers(&self) -> End<'_, T, C> {
        End::new(&self.consumers, &self.common.consumers)
    }

    /// Puts `item` at the end, if there is room.
    ///
    /// # Safety
    /// If producers are `Sole`: nobody else puts meanwhile.
    #[inline(always)]
    pub(super) unsafe fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        // SAFETY: as promised by the caller.
        match unsafe { self.room() } {
            Ok(found) => {
                // SAFETY: this is where the room was found.
                unsafe { self.fill(&found, item) };
                Ok(())
            }
            Err(why) => Err(PutError::new(why, item)),
        }
    }

    /// As [`find_room`](Ring::find_room), without waiting.
    ///
    /// # Safety
    /// As for `find_room`.
    #[inline(always)]
    pub(super) unsafe fn room(&self) -> Result<Found<T>, Refusal> {
        // SAFETY: it is called with what belongs to the producers' side.
        let look = |own: &mut Own<T>, position| unsafe { self.look_for_room(own, position) };
        // SAFETY: as promised by the caller.
        unsafe { self.find_room(look) }
    }

    /// Takes the producers' side, if there is room; it is to be given back by [`fill`](Ring::fill). `look` is given
    /// what belongs to the side, and its position, and finds out how far there is room, where that is not known. The item itself is not there yet: each function that it goes through, and may come back from,
    /// copies it.
    ///
    /// # Safety
    /// If producers are `Sole`: nobody else puts until then. What is found is filled before anything else is looked for.
    #[inline(always)]
    pub(super) unsafe fn find_room(
        &self,
        look: impl FnOnce(&mut Own<T>, usize) -> Result<(), Refusal>,
    ) -> Result<Found<T>, Refusal> {
        let end = self.producers();
        // SAFETY: as promised by the caller.
        let position = unsafe { end.enter() };
        let find = |own: &mut Own<T>| {
            if end.is_closed() || position == own.until {
                look(own, position)?;
            }
            // SAFETY: the side is ours, at this position, and up to `until` there is room in the cursor's block.
            let slot = unsafe { self.common.storage.slot_to_fill(&own.cursor, position / ONE) };
            Ok(Found { slot, position })
        };
        // SAFETY: the side is ours.
        let found = unsafe { end.own(find) };
        if found.is_err() {
            end.leave(position);
        }
        found
    }

    /// As [`room`](Ring::room), of a side of many, where that is known and nothing is to be done besides: nobody has the side, waits for it
    /// to move, or has closed it. To be given back by [`fill_in_silence`](Ring::fill_in_silence).
    #[inline(always)]
    pub(super) fn room_at_hand(&self) -> Option<Found<T>> {
        let end = self.producers();
        let position = end.try_enter()?;
        let find = |own: &mut Own<T>| {
            if end.is_marked() || position == own.until {
                return None;
            }
            // SAFETY: the side is ours, at this position, and up to `until` there is room in the cursor's block.
            let slot = unsafe { self.common.storage.slot_to_fill(&own.cursor, position / ONE) };
            Some(Found { slot, position })
        };
        // SAFETY: the side is ours.
        let found = unsafe { end.own(find) };
        if found.is_none() {
            end.leave(position);
        }
        found
    }

    /// Puts `item` where room was found.
    ///
    /// # Safety
    /// `found` comes from [`room_at_hand`](Ring::room_at_hand), by the same caller, and was not used yet.
    #[inline(always)]
    pub(super) unsafe fn fill_in_silence(&self, found: &Found<T>, item: T) {
        let &Found { slot, position } = found;
        // SAFETY: its block is there as long as the consumers have not come past it.
        let slot = unsafe { &*slot };
        // SAFETY: the slot belongs to whoever has this side (Invariant 2).
        unsafe { slot.write(item) };
        self.producers().leave(position.wrapping_add(ONE));
    }

    /// Looks how far there is room in one block.
    ///
    /// # Safety
    /// `own` is what belongs to the producers' side, at this position.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn look_for_room(&self, own: &mut Own<T>, position: usize) -> Result<(), Refusal> {
        if self.producers().is_closed() {
            return Err(Refusal::Closed);
        }
        let room = |other: usize| other.wrapping_add(self.common.capacity * ONE).wrapping_sub(position) / ONE;
        if room(own.other) == 0 {
            own.other = self.consumers.position();
        }
        let room = room(own.other);
        if room == 0 {
            return Err(Refusal::Full);
        }
        // SAFETY: the side is the caller's, at this position, and there is room.
        let slots = unsafe { self.common.storage.go_on_to_fill(&mut own.cursor, position / ONE) };
        own.go_on(position, room.min(slots));
        Ok(())
    }

    /// Puts `item` where room was found.
    ///
    /// # Safety
    /// `found` comes from [`find_room`](Ring::find_room), by the same caller, and was not used yet.
    #[inline(always)]
    pub(super) unsafe fn fill(&self, found: &Found<T>, item: T) {
        let &Found { slot, position } = found;
        // SAFETY: its block is there as long as the consumers have not come past it.
        let slot = unsafe { &*slot };
        // SAFETY: the slot belongs to whoever has this side (Invariant 2).
        unsafe { slot.write(item) };
        // SAFETY: the side is ours, at this position.
        unsafe { self.producers().publish(position) };
    }

    /// Takes the item at the front, if there is one.
    ///
    /// # Safety
    /// If consumers are `Sole`: nobody else takes meanwhile.
    #[inline(always)]
    pub(super) unsafe fn try_get(&self) -> Result<T, GetError> {
        // SAFETY: it is called with what belongs to the consumers' side.
        let look = |own: &mut Own<T>, position| unsafe { self.look_for_items(own, position) };
        // SAFETY: as promised by the caller.
        match unsafe { self.find_item(look) } {
            // SAFETY: this is where the item was found.
            Ok(found) => Ok(unsafe { self.take(&found) }),
            Err(why) => Err(why),
        }
    }

    /// Takes the consumers' side, if there is an item; it is to be given back by [`take`](Ring::take). `look` is
    /// given what belongs to the side, and its position, and finds out how far there are items, where that is not known.
    ///
    /// # Safety
    /// If consumers are `Sole`: nobody else takes until then. What is found is taken before anything else is looked for.
    #[inline(always)]
    pub(super) unsafe fn find_item(
        &self,
        look: impl FnOnce(&mut Own<T>, usize) -> Result<(), GetError>,
    ) -> Result<Found<T>, GetError> {
        let end = self.consumers();
        // SAFETY: as promised by the caller.
        let position = unsafe { end.enter() };
        let find = |own: &mut Own<T>| {
            let mut known = own.until.wrapping_sub(position);
            if known == 0 {
                look(own, position)?;
                known = own.until.wrapping_sub(position);
            }
            // SAFETY: the side is ours, at this position, and up to `until` there are items in the cursor's block.
            let slot = unsafe { self.common.storage.slot_to_empty(&own.cursor, position / ONE, known / ONE) };
            Ok(Found { slot, position })
        };
        // SAFETY: the side is ours.
        let found = unsafe { end.own(find) };
        if found.is_err() {
            end.leave(position);
        }
        found
    }

    /// As [`room_at_hand`](Ring::room_at_hand), of an item. Of a closed queue, too. To be given back by
    /// [`take_in_silence`](Ring::take_in_silence).
    #[inline(always)]
    pub(super) fn item_at_hand(&self) -> Option<Found<T>> {
        let end = self.consumers();
        let position = end.try_enter()?;
        let find = |own: &mut Own<T>| {
            let known = own.until.wrapping_sub(position);
            if known == 0 || end.is_waited_at() {
                return None;
            }
            // SAFETY: the side is ours, at this position, and up to `until` there are items in the cursor's block.
            let slot = unsafe { self.common.storage.slot_to_empty(&own.cursor, position / ONE, known / ONE) };
            Some(Found { slot, position })
        };
        // SAFETY: the side is ours.
        let found = unsafe { end.own(find) };
        if found.is_none() {
            end.leave(position);
        }
        found
    }

    /// Takes the item that was found.
    ///
    /// # Safety
    /// `found` comes from [`item_at_hand`](Ring::item_at_hand), by the same caller, and was not used yet.
    #[inline(always)]
    pub(super) unsafe fn take_in_silence(&self, found: &Found<T>) -> T {
        let &Found { slot, position } = found;
        // SAFETY: its block is there until the next item is taken, which is after this one.
        let slot = unsafe { &*slot };
        // SAFETY: the slot belongs to whoever has this side, and holds an item (Invariant 2), which the next store counts as taken.
        let item = unsafe { slot.take() };
        self.consumers().leave(position.wrapping_add(ONE));
        item
    }

    /// Looks how far there are items in one block.
    ///
    /// # Safety
    /// `own` is what belongs to the consumers' side, at this position.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn look_for_items(&self, own: &mut Own<T>, position: usize) -> Result<(), GetError> {
        if position == own.other {
            own.other = self.producers.position();
            if position == own.other {
                self.look_if_closed(&mut own.other, position)?;
            }
        }
        // SAFETY: the side is the caller's, at this position, and there is an item.
        let slots = unsafe { self.common.storage.go_on_to_empty(&mut own.cursor, position / ONE) };
        let items = own.other.wrapping_sub(position) / ONE;
        own.go_on(position, items.min(slots));
        Ok(())
    }

    /// Takes the item that was found.
    ///
    /// # Safety
    /// `found` comes from [`find_item`](Ring::find_item), by the same caller, and was not used yet.
    #[inline(always)]
    pub(super) unsafe fn take(&self, found: &Found<T>) -> T {
        let &Found { slot, position } = found;
        // SAFETY: its block is there until the next item is taken, which is after this one.
        let slot = unsafe { &*slot };
        // SAFETY: the slot belongs to whoever has this side, and holds an item (Invariant 2), which the next store counts as taken.
        let item = unsafe { slot.take() };
        // SAFETY: the side is ours, at this position.
        unsafe { self.consumers().publish(position) };
        item
    }

    /// Whether there is an item after all, why there is none otherwise.
    #[cold]
    fn look_if_closed(&self, other: &mut usize, position: usize) -> Result<(), GetError> {
        if !self.producers().is_closed() {
            return Err(GetError::Empty);
        }
        // The last item may have come between the two looks; none comes after this one.
        *other = self.producers.position();
        if position == *other { Err(GetError::Closed) } else { Ok(()) }
    }

    /// How many items there are for a consumer who looks now, at least; many, if he should look because the queue is closed.
    #[inline]
    pub(super) fn items_in_sight(&self) -> usize {
        // In this order: what was taken is at most what was put by the time of the second look.
        let taken = self.consumers.position();
        let items = self.producers.position().wrapping_sub(taken) / ONE;
        if items == 0 && self.producers().is_closed() { usize::MAX } else { items }
    }

    /// How much room there is for a producer who looks now; much, if he should look because the queue is closed.
    #[inline]
    pub(super) fn room_in_sight(&self) -> usize {
        let taken = self.consumers.position();
        // What was taken is at most what was put by now, and an old look shows less room than there is.
        let items = self.producers.position().wrapping_sub(taken) / ONE;
        let room = self.common.capacity.saturating_sub(items);
        if room == 0 && self.consumers().is_closed() { usize::MAX } else { room }
    }

    /// Refuses every further item, and ends every wait that this makes hopeless.
    pub(super) fn close(&self) {
        self.producers().close();
        self.consumers().close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.producers().is_closed()
    }

    /// How many items are inside.
    pub(super) fn len(&self) -> usize {
        loop {
            let put = self.producers.position();
            let taken = self.consumers.position();
            // Nothing was put meanwhile, so both were true when the second was read.
            if self.producers.position() == put {
                return put.wrapping_sub(taken) / ONE;
            }
        }
    }

    /// How many items have been put, ever. It wraps.
    pub(super) fn put_count(&self) -> usize {
        self.producers.position() / ONE
    }

    /// How many items have been taken, ever. It wraps.
    pub(super) fn taken(&self) -> usize {
        self.consumers.position() / ONE
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.producers().waiting() + self.consumers().waiting()
    }

    pub(super) fn capacity(&self) -> usize {
        self.common.capacity
    }

    /// For `Debug`.
    pub(super) fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("len", &self.len())
            .field("capacity", &Some(self.capacity()).filter(|capacity| *capacity < NO_BOUND))
            .field("closed", &self.is_closed())
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl<T, P: Users, C: Users> Drop for Ring<T, P, C> {
    fn drop(&mut self) {
        /// Gives the blocks back even if an item's destructor panics.
        struct Blocks<'r, T, P: Users, C: Users>(&'r mut Ring<T, P, C>);

        impl<T, P: Users, C: Users> Drop for Blocks<'_, T, P, C> {
            fn drop(&mut self) {
                let Ring { producers, consumers, common, .. } = &mut *self.0;
                // SAFETY: nobody else has the queue.
                unsafe { producers.both(consumers, |put, taken| common.storage.free(put, taken)) };
            }
        }

        let blocks = Blocks(self);
        // SAFETY: nobody else has the queue.
        drop_all(|| unsafe { blocks.0.try_get() }.ok());
    }
}
