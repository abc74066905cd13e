//! What lies under the lock, and what one who has it may do: put an item, take one, and see to it that those are told who may go on.

use super::held::{Held, HeldMut};
use super::place::{HANDED, LOOK, Place, TAKEN, Wakes};
use super::{GetError, ITEM, NOTHING, ROOM, Refusal};
use crate::wait::list::List;
use std::mem::MaybeUninit;

/// Used by whoever has the lock.
pub(super) struct State<T> {
    /// Those whose item lies in their place, and may be taken from there.
    pub(super) senders: List,
    /// Tasks that keep their item until they look.
    pub(super) offers: List,
    pub(super) receivers: List,
    /// Where the next receiver stands, or the next who offers; senders are not told to look, and never queue up again.
    pub(super) last_ticket: u64,
    /// How many items were put, ever. It wraps.
    pub(super) puts: usize,
    /// Tasks among the receivers: those in the list, and those that were told and may come back to their old place.
    pub(super) tasks: u32,
    pub(super) has_place: bool,
    pub(super) closed: bool,
    /// Whether there is an item in the slot. Beside the others, so that all of this is one cache line where an item is a word.
    full: bool,
    slot: MaybeUninit<T>,
}

impl<T> State<T> {
    pub(super) const fn new(has_place: bool) -> Self {
        State {
            senders: List::new(),
            offers: List::new(),
            receivers: List::new(),
            last_ticket: 0,
            puts: 0,
            tasks: 0,
            has_place,
            closed: false,
            full: false,
            slot: MaybeUninit::uninit(),
        }
    }

    /// Hands the item to a thread that waits, or puts it into the slot, where it belongs there. It stays in `item` if it is refused.
    #[inline(always)]
    pub(super) fn put(&mut self, item: &mut Held<T>, wakes: &mut Wakes) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        if self.has_item() {
            return Err(Refusal::Full);
        }
        if let Some(place) = self.first_thread() {
            // SAFETY: it is in the list, and the lock is held, as whoever has this state holds it.
            unsafe { place.with_item(|place| item.as_mut().move_to(place.as_mut())) };
            wakes.add(self.receivers.tell_first(HANDED));
            self.puts = self.puts.wrapping_add(1);
            return Ok(());
        }
        if !self.has_place {
            return Err(Refusal::Full);
        }
        self.put_into_the_slot(item, wakes);
        Ok(())
    }

    /// As [`put`](State::put); a task that waits is left the item in the slot.
    pub(super) fn try_put(&mut self, item: &mut Held<T>, wakes: &mut Wakes) -> Result<(), Refusal> {
        match self.put(item, wakes) {
            Err(Refusal::Full) if self.has_opening() => {
                self.put_into_the_slot(item, wakes);
                Ok(())
            }
            done => done,
        }
    }

    #[inline]
    fn put_into_the_slot(&mut self, item: &mut Held<T>, wakes: &mut Wakes) {
        item.as_mut().move_to(self.slot());
        self.puts = self.puts.wrapping_add(1);
        wakes.add(self.receivers.tell_first(LOOK));
    }

    /// Moves the oldest item to `place`, where there is none.
    #[inline(always)]
    pub(super) fn get(&mut self, place: &mut Held<T>, wakes: &mut Wakes) -> Result<(), GetError> {
        let is_there = self.take(place, wakes);
        // Also where there is none: the task that was told of the room may never look, and this is who comes by.
        self.tell_an_offer(wakes);
        match is_there {
            true => Ok(()),
            false if self.closed => Err(GetError::Closed),
            false => Err(GetError::Empty),
        }
    }

    /// As [`get`](State::get): whether there was one. What was waiting for its place moves up.
    #[inline(always)]
    fn take(&mut self, place: &mut Held<T>, wakes: &mut Wakes) -> bool {
        if !self.full {
            // SAFETY: whoever has this state of a hand holds its lock.
            return unsafe { take_from_sender(&mut self.senders, place.as_mut(), &mut self.puts, wakes) };
        }
        self.slot().move_to(place.as_mut());
        if self.has_place {
            // SAFETY: as in `slot`.
            let slot = unsafe { HeldMut::new(&mut self.slot, &mut self.full) };
            // SAFETY: as above.
            unsafe { take_from_sender(&mut self.senders, slot, &mut self.puts, wakes) };
        }
        true
    }

    /// To be called when there may be one more item than there are receivers who know: brings it to the first one if that is a
    /// thread, and tells it otherwise.
    pub(super) fn serve_a_receiver(&mut self, wakes: &mut Wakes) {
        if self.first_thread().is_none() {
            if self.has_item() {
                wakes.add(self.receivers.tell_first(LOOK));
            }
            return;
        }
        let mut item = Held::nothing();
        if self.take(&mut item, wakes) {
            let Some(place) = self.first_thread() else {
                unreachable!("taking an item leaves the receivers alone")
            };
            // SAFETY: as in `put`.
            unsafe { place.with_item(|place| item.as_mut().move_to(place.as_mut())) };
            wakes.add(self.receivers.tell_first(HANDED));
            self.tell_an_offer(wakes);
        }
    }

    /// To be called when there may be an opening of which no task knows that offers an item.
    #[inline(always)]
    pub(super) fn tell_an_offer(&mut self, wakes: &mut Wakes) {
        if !self.offers.is_empty() {
            self.tell_an_offer_of_an_opening(wakes);
        }
    }

    #[cold]
    fn tell_an_offer_of_an_opening(&mut self, wakes: &mut Wakes) {
        if self.has_opening() {
            wakes.add(self.offers.tell_first(LOOK));
        }
    }

    /// Whether an item that came now would be accepted, by the slot or by a receiver.
    fn has_opening(&self) -> bool {
        !self.has_item() && (self.has_place || !self.receivers.is_empty())
    }

    #[inline]
    pub(super) fn has_item(&self) -> bool {
        self.full || !self.senders.is_empty()
    }

    pub(super) fn slot_is_full(&self) -> bool {
        self.full
    }

    /// For those who look without the lock.
    #[inline]
    pub(super) fn hint(&self) -> u8 {
        match self.has_item() {
            true => ITEM,
            false if self.has_place => ROOM,
            false => NOTHING,
        }
    }

    pub(super) fn somebody_waits(&self) -> bool {
        !(self.senders.is_empty() && self.receivers.is_empty() && self.offers.is_empty())
    }

    /// The place of the first receiver, if that is a thread.
    #[inline]
    fn first_thread(&self) -> Option<&Place<T>> {
        // SAFETY: it is a list of the hand that this is the state of.
        let first = self.receivers.first().map(|first| unsafe { Place::of(first) });
        first.filter(|place| place.is_of_a_thread())
    }

    #[inline]
    fn slot(&mut self) -> HeldMut<'_, T> {
        // SAFETY: `full` says whether there is an item in the slot.
        unsafe { HeldMut::new(&mut self.slot, &mut self.full) }
    }
}

impl<T> Drop for State<T> {
    fn drop(&mut self) {
        drop(self.slot().take());
    }
}

/// Moves the item of the first sender to `place`, where there is none, and tells him; whether there was one.
///
/// # Safety
/// `senders` are those of a hand for these items, whose lock is held.
#[inline]
unsafe fn take_from_sender<T>(
    senders: &mut List,
    place: HeldMut<'_, T>,
    puts: &mut usize,
    wakes: &mut Wakes,
) -> bool {
    let Some(sender) = senders.first() else { return false };
    // SAFETY: as promised by the caller.
    let sender = unsafe { Place::of(sender) };
    // SAFETY: it is in the list, and the lock is held, as promised by the caller.
    unsafe { sender.with_item(|item| item.as_mut().move_to(place)) };
    wakes.add(senders.tell_first(TAKEN));
    *puts = puts.wrapping_add(1);
    true
}
