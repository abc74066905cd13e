//! One side of a ring: its position, who may move it, and those who wait for it to move.
//!
//! | word | who changes it |
//! |---|---|
//! | `word`, a side of many | whoever makes it `LOCK`ed, by compare-and-swap; then he alone, until he stores it without `LOCK` |
//! | `word`, a side of one | its owner, by plain stores. It is never `LOCK`ed |
//! | `own` | whoever has the side: the holder of `LOCK`, or the owner |
//! | `waiting` | whoever *holds the list*: the holder of `LOCK` on a side of many, of `short` on a side of one |
//! | the flag's `WAITING` | whoever holds the list: set exactly while the list is not empty |
//! | the flag's `CLOSED` | whoever holds the list sets it, once |
//! | the flag's `FENCED` | those who wait set it, the owner clears it |
//! | the flag's `SURE` | the owner |

use super::blocks::Cursor;
use crate::catch::contain;
use crate::os::{self, clock, heavy_barrier, is_asymmetric};
use crate::primitive::{
    AtomicU8, AtomicUsize, Ordering, ShortGuard, ShortLock, UnsafeCell, fence, fence_for_loom, spin_loop,
};
use crate::wait::list::{FIRST_TOLD, List, Node, Wake};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, compiler_fence};
use std::time::Duration;

/// How many use a side at a time.
pub(crate) trait Users {
    const SHARED: bool;
}

/// Any number: whoever comes locks the side for one operation.
#[derive(Debug)]
pub(crate) enum Many {}

/// One, whom the type system knows: no lock, and no locked instruction where the kernel has a barrier.
#[derive(Debug)]
pub(crate) enum Sole {}

impl Users for Many {
    const SHARED: bool = true;
}

impl Users for Sole {
    const SHARED: bool = false;
}

/// Somebody uses the side. The rest of the word is the position.
const LOCK: usize = 1;
/// One item further.
pub(super) const ONE: usize = 2;

/// Somebody waits for this side to move.
const WAITING: u8 = 1 << 0;
/// The queue is closed, and nobody waits here any more.
const CLOSED: u8 = 1 << 1;
/// The owner is to publish with a full barrier, because those who wait come too often to make it for him.
const FENCED: u8 = 1 << 2;
/// The owner has seen `FENCED`: he publishes in no other way until he clears both.
const SURE: u8 = 1 << 3;

/// What a waiter is told, which is all there is to tell: look again.
const TOLD: u32 = FIRST_TOLD;

/// So many are woken before the list is taken again.
const BATCH: usize = 16;

/// What a full barrier at each item costs the owner, about: two lines from another CPU. By itself it is done sooner, but the CPU waits
/// for each item then, where it would fetch the next ones meanwhile.
const FENCE_NS: usize = 100;
/// What a barrier on all CPUs costs is measured, beginning with at most this.
const BARRIER_NS: u32 = 1_000;
/// The owner drops the barrier when it has cost as much as at so many items more than those who waited would have paid.
const CALM: u32 = 256;

/// A side, on cache lines of its own: two, because CPUs fetch them in pairs.
#[repr(align(128))]
pub(super) struct Side<T, U> {
    word: AtomicUsize,
    own: UnsafeCell<Own<T>>,
    waiting: UnsafeCell<Waiting>,
    /// Of a side of one: the lock of `waiting`.
    short: ShortLock,
    /// How long the barrier took that was made last for the owner. A hint.
    barrier_ns: AtomicU32,
    _users: PhantomData<U>,
}

// SAFETY: items and blocks go from thread to thread, which needs `T: Send`; the nodes of those who wait may be used on any.
unsafe impl<T: Send, U: Users> Send for Side<T, U> {}

// SAFETY: `own` and `waiting` are used by one at a time, as the table above says, and the rest is atomic. No item is shared.
unsafe impl<T: Send, U: Users> Sync for Side<T, U> {}

/// What only those need who move this side.
pub(super) struct Own<T> {
    /// Where the other side was at the last look. It may be further by now.
    pub(super) other: usize,
    pub(super) cursor: Cursor<T>,
    /// Of a side of one, while it publishes with a barrier: for so many items more than those who waited were worth.
    calm: u32,
}

/// Those who wait for this side to move.
pub(super) struct Waiting {
    list: List,
    len: usize,
    /// Tasks among those who wait: those in the list, and those that were told and may come back to their old place.
    tasks: usize,
    last_ticket: u64,
    /// Of a side of one: where it was when somebody queued up, and how often in a row a barrier was too dear since.
    last_position: usize,
    dear: u8,
}

/// A side with its flag, which lies elsewhere: it is read for every item, and seldom written.
pub(super) struct End<'r, T, U> {
    side: &'r Side<T, U>,
    flag: &'r AtomicU8,
}

impl<T, U> Clone for End<'_, T, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, U> Copy for End<'_, T, U> {}

impl<T, U> Side<T, U> {
    crate::primitive::const_but_for_loom! {
        pub(super) fn new() -> Self {
            Side {
                word: AtomicUsize::new(0),
                own: UnsafeCell::new(Own { other: 0, cursor: Cursor::nowhere(), calm: 0 }),
                waiting: UnsafeCell::new(Waiting {
                    list: List::new(),
                    len: 0,
                    tasks: 0,
                    last_ticket: 0,
                    last_position: 0,
                    dear: 0,
                }),
                short: ShortLock::new(),
                barrier_ns: AtomicU32::new(0),
                _users: PhantomData,
            }
        }
    }

    /// The cursors of both sides of a queue that goes away.
    pub(super) fn both<V>(&mut self, other: &mut Side<T, V>, access: impl FnOnce(&Cursor<T>, &Cursor<T>)) {
        let own = |own: *mut Own<T>| -> *const Cursor<T> {
            // SAFETY: the side is borrowed mutably.
            unsafe { &raw const (*own).cursor }
        };
        let (mine, others) = (self.own.with_mut(own), other.own.with_mut(own));
        // SAFETY: as above.
        let mine = unsafe { &*mine };
        // SAFETY: as above.
        access(mine, unsafe { &*others });
    }

    /// Up to where this side has come.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        // Acquire: pairs with `publish`; what was done to the slots before is done.
        self.word.load(Ordering::Acquire) & !LOCK
    }
}

impl<'r, T, U: Users> End<'r, T, U> {
    #[inline(always)]
    pub(super) fn new(side: &'r Side<T, U>, flag: &'r AtomicU8) -> Self {
        End { side, flag }
    }

    #[inline(always)]
    pub(super) fn position(self) -> usize {
        self.side.position()
    }

    #[inline(always)]
    pub(super) fn is_closed(self) -> bool {
        // Acquire: pairs with `close`; whoever knows sees every item that was put before, by a look after this one.
        self.flag.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Makes the side the caller's, until [`leave`](End::leave) or [`publish`](End::publish); its position.
    ///
    /// # Safety
    /// A side of one: nobody else has it meanwhile.
    #[inline(always)]
    pub(super) unsafe fn enter(self) -> usize {
        let word = self.side.word.load(Ordering::Relaxed);
        if !U::SHARED || self.try_lock(word) { word } else { self.enter_contended() }
    }

    #[inline(always)]
    fn try_lock(self, word: usize) -> bool {
        let (locked, word_of) = (word | LOCK, &self.side.word);
        // Acquire: pairs with `leave` and `publish`, after which `own` and the list are as their last user left them.
        word & LOCK == 0
            && word_of.compare_exchange(word, locked, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Steps back for so long that whoever has the side can do several things in a row: a side that changes hands with
    /// each item costs twice as much.
    #[cold]
    #[inline(never)]
    fn enter_contended(self) -> usize {
        const PAUSING: u32 = 12;
        const FIRST_PAUSES: u32 = 32;
        const MOST_PAUSES: u32 = 256;
        const YIELDING: u32 = PAUSING + 16;
        // What a thread that sleeps takes to be back.
        const SLEEP: Duration = Duration::from_micros(50);
        let mut pauses = FIRST_PAUSES;
        let mut tries = if os::cpus() > 1 { 0 } else { PAUSING };
        loop {
            if crate::primitive::IS_MODEL {
                spin_loop();
            } else if tries < PAUSING {
                (0..pauses).for_each(|_| spin_loop());
                pauses = (pauses * 2).min(MOST_PAUSES);
            } else if tries < YIELDING {
                // Whoever has it may have lost his CPU.
                std::thread::yield_now();
            } else {
                // He has lost it to somebody with work of his own. Beside such a one each yield costs a slice of the scheduler,
                // for us too; who sleeps is back soon.
                std::thread::sleep(SLEEP);
            }
            tries = (tries + 1).min(YIELDING);
            let word = self.side.word.load(Ordering::Relaxed);
            if self.try_lock(word) {
                return word;
            }
        }
    }

    /// What belongs to whoever has the side.
    ///
    /// # Safety
    /// The caller has the side, and no other borrow of this.
    #[inline(always)]
    pub(super) unsafe fn own<R>(self, access: impl FnOnce(&mut Own<T>) -> R) -> R {
        self.side.own.with_mut(|own| {
            // SAFETY: as promised by the caller.
            access(unsafe { &mut *own })
        })
    }

    /// Gives the side back as it was.
    #[inline(always)]
    pub(super) fn leave(self, position: usize) {
        if U::SHARED {
            // Release: pairs with `try_lock`.
            self.side.word.store(position, Ordering::Release);
        }
    }

    /// Moves the side on by one, gives it back, and wakes one of those who wait for that.
    ///
    /// # Safety
    /// The caller has the side, at this position.
    #[inline(always)]
    pub(super) unsafe fn publish(self, position: usize) {
        let next = position.wrapping_add(ONE);
        // Relaxed, in all: on a side of many it is changed under the lock, which is ours. On a side of one, what this look
        // misses, the one after the store sees, by the barrier between them.
        let flag = self.flag.load(Ordering::Relaxed);
        if U::SHARED {
            if flag & WAITING == 0 {
                // Release: pairs with `try_lock`, and with `position` of the other side, which then uses the slot.
                self.side.word.store(next, Ordering::Release);
            } else {
                self.publish_and_tell(next);
            }
        } else if is_asymmetric() && flag & FENCED == 0 {
            // Release: as above.
            self.side.word.store(next, Ordering::Release);
            // The CPU may still exchange the two; the waiter's heavy barrier is against that.
            compiler_fence(Ordering::SeqCst);
            if self.flag.load(Ordering::Relaxed) & WAITING != 0 {
                self.tell_one();
            }
        } else {
            // SAFETY: as promised by the caller.
            unsafe { self.publish_fenced(next, flag) };
        }
    }

    /// As the holder of `LOCK`, while somebody waits.
    #[cold]
    #[inline(never)]
    fn publish_and_tell(self, next: usize) {
        // The list is ours until the side is given back, which is by the drop of this.
        let mut hold = Hold { end: self, position: next, _short: None };
        let wake = hold.tell_first();
        drop(hold);
        run(wake);
    }

    /// As the owner of a side of one.
    ///
    /// # Safety
    /// The caller has the side.
    #[inline(never)]
    unsafe fn publish_fenced(self, next: usize, flag: u8) {
        // SeqCst, all three: whoever waits sets the flag and looks at the word. Release: to the other side.
        self.side.word.swap(next, Ordering::SeqCst);
        fence_for_loom();
        if self.flag.load(Ordering::SeqCst) & WAITING != 0 {
            self.tell_one();
        }
        if flag & FENCED == 0 {
            return;
        }
        if flag & SURE == 0 {
            self.flag.fetch_or(SURE, Ordering::SeqCst);
        }
        // One who waits without it pays for a barrier on all CPUs.
        let worth = match flag & WAITING {
            0 => 0,
            _ => self.side.barrier_ns.load(Ordering::Relaxed) / FENCE_NS as u32,
        };
        // SAFETY: as promised by the caller.
        let calm = unsafe {
            self.own(|own| {
                own.calm = own.calm.saturating_add(1).saturating_sub(worth);
                own.calm
            })
        };
        if calm >= CALM {
            // Whoever has set `WAITING` meanwhile relies on `SURE`, and this fails.
            if self.flag.compare_exchange(FENCED | SURE, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
                // SAFETY: as above.
                unsafe { self.own(|own| own.calm = 0) };
            }
        }
    }

    /// Wakes the one who has waited longest.
    #[cold]
    #[inline(never)]
    fn tell_one(self) {
        let wake = self.hold().tell_first();
        run(wake);
    }

    /// Nobody waits here any more: everybody who does is told.
    pub(super) fn close(self) {
        loop {
            let mut wakes = [const { Wake::Nobody }; BATCH];
            let mut hold = self.hold();
            // SeqCst: on a side of one the word alone orders it with `WAITING` of those who come.
            self.flag.fetch_or(CLOSED, Ordering::SeqCst);
            for wake in &mut wakes {
                *wake = hold.tell_first();
            }
            let is_done = hold.is_empty();
            drop(hold);
            wakes.into_iter().for_each(run);
            if is_done {
                return;
            }
        }
    }

    /// How many wait.
    pub(super) fn waiting(self) -> usize {
        self.hold().access(|waiting| waiting.len)
    }

    /// Takes the list.
    pub(super) fn hold(self) -> Hold<'r, T, U> {
        if U::SHARED {
            // SAFETY: the side is one of many.
            let position = unsafe { self.enter() };
            Hold { end: self, position, _short: None }
        } else {
            let short = Some(self.side.short.lock());
            Hold { end: self, position: self.position(), _short: short }
        }
    }

    /// As after waits for which the barrier was too dear: the owner has barriers of his own, and so has whoever waits.
    #[cfg(all(test, trefoil_loom))]
    pub(super) fn fence_from_now_on(self) {
        self.flag.fetch_or(FENCED | SURE, Ordering::SeqCst);
    }

    /// After somebody has queued up on a side of one, and before his last look: whatever the owner has published by now is
    /// seen by that look, and whatever he publishes later, he tells.
    pub(super) fn before_the_last_look(self, queued: Queued) {
        match queued {
            Queued::Locked => {}
            Queued::Fenced => fence(Ordering::SeqCst),
            Queued::Bare => {
                let begin = clock::now();
                heavy_barrier();
                if is_asymmetric() {
                    let took = clock::in_nanos(clock::now().wrapping_sub(begin));
                    // One who loses his CPU meanwhile finds that it takes a thousand times as long: it at most doubles.
                    let most = self.side.barrier_ns.load(Ordering::Relaxed).saturating_mul(2).max(BARRIER_NS);
                    let took = u32::try_from(took).map_or(most, |took| took.min(most));
                    self.side.barrier_ns.store(took, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Foreign code may run here: neither a lock nor what was taken is lost if it panics.
fn run(wake: Wake) {
    match wake {
        Wake::Nobody => {}
        Wake::Thread(_) => wake.now(),
        Wake::Task(_) => contain(|| wake.now()),
    }
}

/// What there is to do between queueing up and the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    /// Nothing: the last look was made under the lock.
    Locked,
    /// The owner uses a barrier for each item, and so does the waiter.
    Fenced,
    /// The owner uses none: the waiter makes it for both.
    Bare,
}

/// The list of those who wait, held. Gives back the side, or the short lock, when dropped.
pub(super) struct Hold<'r, T, U: Users> {
    end: End<'r, T, U>,
    position: usize,
    _short: Option<ShortGuard<'r>>,
}

impl<T, U: Users> Hold<'_, T, U> {
    fn access<R>(&mut self, access: impl FnOnce(&mut Waiting) -> R) -> R {
        self.end.side.waiting.with_mut(|waiting| {
            // SAFETY: the list is held by this, and no access is inside another.
            access(unsafe { &mut *waiting })
        })
    }

    fn is_empty(&mut self) -> bool {
        self.access(|waiting| waiting.list.is_empty())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// Somebody comes who has no ticket, perhaps a task.
    pub(super) fn count_a_task(&mut self, is_task: bool) {
        self.access(|waiting| waiting.tasks += usize::from(is_task));
    }

    /// Somebody gives his ticket back.
    pub(super) fn discount_a_task(&mut self, is_task: bool) {
        self.access(|waiting| waiting.tasks -= usize::from(is_task));
    }

    pub(super) fn has_tasks(&mut self) -> bool {
        self.access(|waiting| waiting.tasks > 0)
    }

    /// Tells the first to look again, and takes him out.
    fn tell_first(&mut self) -> Wake {
        let wake = self.access(|waiting| {
            waiting.len -= usize::from(!waiting.list.is_empty());
            waiting.list.tell_first(TOLD)
        });
        self.unset_if_empty();
        wake
    }

    /// Puts a node in its place, at the end if it has no ticket; its ticket.
    ///
    /// # Safety
    /// It is in no list, or in this one, with that ticket. It neither moves nor goes away before [`remove`](Hold::remove).
    pub(super) unsafe fn queue_up(&mut self, node: NonNull<Node>, ticket: Option<u64>) -> (u64, Queued) {
        // SAFETY: the node is there, as the caller promises.
        let shared = unsafe { node.as_ref() };
        let is_inside = ticket.is_some() && shared.told().is_none();
        shared.begin();
        let ticket = self.access(|waiting| {
            let ticket = ticket.unwrap_or_else(|| {
                waiting.last_ticket += 1;
                waiting.last_ticket
            });
            if !is_inside {
                waiting.len += 1;
                // SAFETY: it is in no list: either it is new, or it was taken out when it was told.
                unsafe { waiting.list.push_back_in(node, ticket) };
            }
            ticket
        });
        (ticket, self.set_waiting())
    }

    fn set_waiting(&mut self) -> Queued {
        if U::SHARED {
            // Relaxed: those who look have the lock.
            self.end.flag.fetch_or(WAITING, Ordering::Relaxed);
            return Queued::Locked;
        }
        let (position, barrier) = (self.position, self.end.side.barrier_ns.load(Ordering::Relaxed));
        let wants_fence = self.access(|waiting| {
            let moved = position.wrapping_sub(waiting.last_position) / ONE;
            waiting.last_position = position;
            let is_dear = moved.saturating_mul(FENCE_NS) < barrier as usize;
            waiting.dear = if is_dear { waiting.dear.saturating_add(1) } else { 0 };
            waiting.dear > 1
        });
        let set = if wants_fence { WAITING | FENCED } else { WAITING };
        // SeqCst: the first half of a handshake, of which the last look is the second. If it finds `SURE`, the owner cannot
        // clear that before he has seen `WAITING`.
        match self.end.flag.fetch_or(set, Ordering::SeqCst) & SURE {
            0 => Queued::Bare,
            _ => Queued::Fenced,
        }
    }

    /// Takes out a node that was queued up here. If it was told, and has not made use of that, the next is told.
    ///
    /// # Safety
    /// It was queued up here, and not taken out since.
    pub(super) unsafe fn remove(mut self, node: NonNull<Node>, made_use: bool) {
        // SAFETY: the node is there, as the caller promises.
        let was_told = unsafe { node.as_ref() }.told().is_some();
        let wake = match (was_told, made_use) {
            (false, _) => {
                self.access(|waiting| {
                    waiting.len -= 1;
                    // SAFETY: it was queued up, and who is told is the only one that is taken out by others.
                    unsafe { waiting.list.remove(node) };
                });
                self.unset_if_empty();
                Wake::Nobody
            }
            (true, true) => Wake::Nobody,
            (true, false) => self.tell_first(),
        };
        drop(self);
        run(wake);
    }

    fn unset_if_empty(&mut self) {
        if self.is_empty() {
            // Relaxed: who sets it holds the list.
            self.end.flag.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }
}

impl<T, U: Users> Drop for Hold<'_, T, U> {
    fn drop(&mut self) {
        self.end.leave(self.position);
    }
}
