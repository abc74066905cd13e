//! A queue with one place or none: items go from hand to hand.
//!
//! Such a queue is empty or full most of the time, so nearly every operation meets somebody who waits, or waits itself. What counts
//! is how many cache lines go from one CPU to the other for each item. All that is shared lies in one line, under one short lock;
//! who waits has a [`Place`] in his own frame, and the item is moved straight from one frame to the other, past the queue:
//!
//! ```text
//!                            state (one line)                          frames of those who wait
//! put   a thread waits       takes its place out of the list           item -> its place, told HANDED
//!       there is room        item -> slot, first task told to look
//!       else                 own place into the list of senders        waits for TAKEN, sleeps on its own word
//! get   the slot is full     item <- slot, slot <- first sender        that one is told TAKEN
//!       a sender waits       item <- its place                         it is told TAKEN
//!       (and where there is an opening then, the first task that offers an item is told to look)
//!       else                 own place into the list of receivers
//! ```
//!
//! The idea is kanal's (<https://github.com/fereidani/kanal>), and so is moving items between frames. Ours differs: threads pause and
//! yield by what has [paid](pace) before they sleep; all ends can have deadlines; and **a task is never handed anything**.
//!
//! # Tasks
//! A future that was handed an item and is dropped before it is polled again would lose the item, or have to put it back out of turn.
//! So a task that waits to receive is *told to look*, and taken out of the list, and the item stays where it is: in the slot,
//! or with its sender. Whoever looks first takes it; a task that looks in vain waits again in its old place. A task that was told
//! and goes away without looking has the next receiver served in its place. One that is told, and neither polled nor dropped, keeps no
//! thread from the item: where tasks receive as well, threads that receive look again [every so
//! often](crate::wait::patience_with_tasks).
//!
//! A task that sends leaves its item in its own future, and a receiver that takes it from there tells it so. Then the item is
//! sent, whether that future is polled again or not.
//!
//! A task that waits for other things as well [*offers*](offering) its item instead: it may go away because something else came, and
//! then nothing may have happened. It stands in a list of its own, nobody takes the item from it, and it is told to look when there is
//! an *opening*: room in the slot, or without places a receiver that waits. When it is polled it puts the item as `try_put` would,
//! and has ended, or finds the opening gone and waits on. Room goes to those first whose item can be taken at once.
//!
//! # Invariants
//! 1. While receivers stand in the list, at least as many tasks are told and have not looked as there are *items*, where an item is in the
//!    slot or with a sender that waits. For each item that comes is handed to the first receiver or has it told; a receiver
//!    that looks takes one or finds none; one that leaves without looking tells the next, if there is an item; and
//!    receivers queue up only where there is no item. So no wake-up is lost.
//! 2. While senders wait, the slot is full, if the capacity is 1.
//! 3. When the queue is closed, nobody queues up any more.
//! 4. While somebody offers an item and stands in the list, and there is an opening, at least one of those who offer is told and has not
//!    looked. For whatever makes an opening has the first of them told: taking an item, queueing up as a receiver, leaving
//!    as a sender; and who looks and puts, or leaves without looking, has the next one told if there is an opening still.
//!
//! # Without places
//! [`put`](Hand::put) and its kin return when a receiver has taken the item. `try_put` cannot wait for that. If a thread
//! waits, it is handed the item. If a task waits (and no item is there for which it may have been told), the item goes into the slot, and
//! the task is told: to refuse would mean that a task which waits can never be reached by `try_put`. This is a
//! rendezvous as long as the task comes: the moment at which both operations happen is then that of the `try_put`. If its future is
//! dropped instead, it has taken the item and left it in the queue for whoever comes next: only then does a queue without
//! places hold an item. A deadline does not do that: who is told and late takes the item.

mod future;
mod getting;
mod held;
mod offering;
mod pace;
mod place;
mod putting;
mod state;
mod thread;

pub(crate) use future::Get;

use super::error::{GetError, PutError, Refusal};
use crate::catch::Every;
use crate::primitive::{ShortLock, UnsafeCell, const_but_for_loom};
use crate::wait::list::List;
use held::Held;
use pace::Pace;
use place::{LOOK, REFUSED, Wakes};
use state::State;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

// What there is, as far as somebody without the lock can know.
const NOTHING: u8 = 0;
/// To be taken, from the slot or from one who waits.
const ITEM: u8 = 1;
/// In the slot.
const ROOM: u8 = 2;

/// A queue of capacity 0 or 1.
pub(crate) struct Hand<T> {
    line: Line<T>,
    /// Mostly read, by those who wait: not in the line that everybody writes.
    pace: Pace,
}

/// What everybody writes.
#[repr(align(64))]
struct Line<T> {
    lock: ShortLock,
    /// What there is: a hint for those who look without the lock.
    hint: AtomicU8,
    /// Used by whoever has the lock.
    state: UnsafeCell<State<T>>,
}

/// All that an operation needs is in one line where an item is a word.
#[cfg(all(target_pointer_width = "64", not(any(trefoil_loom, trefoil_shuttle))))]
const _: () = assert!(size_of::<Line<u64>>() == 64 && size_of::<Line<Box<u8>>>() == 64);

// SAFETY: items are sent through it; all else is an atomic, or used by whoever has the lock.
unsafe impl<T: Send> Send for Hand<T> {}

// SAFETY: as above; nobody is given a reference to an item.
unsafe impl<T: Send> Sync for Hand<T> {}

impl<T> Hand<T> {
    const_but_for_loom! {
        /// With one place, or with none.
        pub(crate) fn new(has_place: bool) -> Self {
            Hand {
                line: Line {
                    lock: ShortLock::new(),
                    hint: AtomicU8::new(if has_place { ROOM } else { NOTHING }),
                    state: UnsafeCell::new(State::new(has_place)),
                },
                pace: Pace::new(),
            }
        }
    }

    /// Puts `item` in if there is room, or if somebody waits for it. Not inline, as [`put`](Hand::put).
    #[inline(never)]
    pub(crate) fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let (mut item, mut wakes) = (Held::new(item), Wakes::new());
        let done = self.with(|state| state.try_put(&mut item, &mut wakes));
        wakes.run();
        done.map_err(|why| PutError::new(why, item.take_surely()))
    }

    /// Takes the oldest item, out of the queue or from one who waits to put it in. Not inline, as [`put`](Hand::put).
    #[inline(never)]
    pub(crate) fn try_get(&self) -> Result<T, GetError> {
        self.take_at_once()
    }

    /// As [`try_get`](Hand::try_get), inline.
    #[inline]
    fn take_at_once(&self) -> Result<T, GetError> {
        let (mut item, mut wakes) = (Held::nothing(), Wakes::new());
        let done = self.with(|state| state.get(&mut item, &mut wakes));
        wakes.run();
        done.map(|()| item.take_surely())
    }

    /// Puts `item` in, if there seems to be room for it in the slot; otherwise it comes back. For one who would wait then.
    #[inline]
    fn put_at_hand(&self, item: T) -> Result<(), T> {
        if !self.seems_to_have(ROOM) {
            return Err(item);
        }
        let (mut item, mut wakes) = (Held::new(item), Wakes::new());
        let done = self.with(|state| state.put(&mut item, &mut wakes));
        wakes.run();
        done.map_err(|_why| item.take_surely())
    }

    /// Takes the oldest item, if there seems to be one. For one who would wait otherwise.
    #[inline]
    fn item_at_hand(&self) -> Option<T> {
        if self.seems_to_have(ITEM) { self.take_at_once().ok() } else { None }
    }

    /// Refuses every further item. Those who wait to put one in get it back; what is in the slot can still be taken.
    ///
    /// # Panics
    /// If a waker does, once all the others are woken.
    pub(crate) fn close(&self) {
        let mut every = Every::default();
        loop {
            let mut wakes = Wakes::new();
            let more = self.with(|state| {
                state.closed = true;
                wakes.add(state.senders.tell_first(REFUSED));
                wakes.add(state.receivers.tell_first(LOOK));
                wakes.add(state.offers.tell_first(LOOK));
                state.somebody_waits()
            });
            wakes.run_each(&mut every);
            if !more {
                return every.resume();
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.with(|state| state.closed)
    }

    /// How many items are in the queue itself: 0 or 1.
    pub(crate) fn len(&self) -> usize {
        self.with(|state| usize::from(state.slot_is_full()))
    }

    /// How many items were put, ever. It wraps.
    pub(crate) fn put_count(&self) -> usize {
        self.with(|state| state.puts)
    }

    /// How many wait, at either end. Takes time in proportion.
    pub(crate) fn waiting(&self) -> usize {
        self.with(|state| count(&state.senders) + count(&state.receivers) + count(&state.offers))
    }

    pub(crate) fn capacity(&self) -> usize {
        self.with(|state| usize::from(state.has_place))
    }

    /// Nothing of a user's runs under the lock.
    #[inline]
    fn with<R>(&self, change: impl FnOnce(&mut State<T>) -> R) -> R {
        let _turn = self.line.lock.lock();
        self.line.state.with_mut(|state| {
            // SAFETY: the lock is held until the end of this function, and no change is made inside another.
            let state = unsafe { &mut *state };
            let done = change(state);
            self.line.hint.store(state.hint(), Relaxed);
            done
        })
    }

    /// Whether there seems to be an [`ITEM`], or [`ROOM`].
    #[inline]
    fn seems_to_have(&self, what: u8) -> bool {
        self.line.hint.load(Relaxed) == what
    }

    /// Waits awake for a moment, where that has paid, for an item that a task could take; whether there is one.
    fn glance(&self) -> bool {
        self.pace.glance(|| self.seems_to_have(ITEM))
    }
}

fn count(list: &List) -> usize {
    std::iter::successors(list.first(), |entry| entry.next()).count()
}

impl<T> fmt::Debug for Hand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, closed) = self.with(|state| (usize::from(state.slot_is_full()), state.closed));
        f.debug_struct("Hand")
            .field("len", &len)
            .field("capacity", &self.capacity())
            .field("closed", &closed)
            .field("waiting", &self.waiting())
            .finish()
    }
}
