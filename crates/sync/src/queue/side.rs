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

mod hold;

pub(super) use hold::{Hold, Queued};

use super::blocks::Cursor;
use crate::catch::contain;
use crate::os::{self, clock, heavy_barrier, is_asymmetric};
use crate::primitive::{
    AtomicU8, AtomicUsize, Ordering, ShortLock, UnsafeCell, fence, fence_for_loom, spin_loop,
};
use crate::wait::list::{FIRST_TOLD, List, Wake};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, compiler_fence};
use std::time::Duration;

/// How many use a side at a time.
pub(crate) trait Users {
    const SHARED: bool;
    /// Aligned as what belongs to those who move a side is to be.
    type Apart;
}

/// On another line than what the other side looks at.
#[repr(align(64))]
pub(crate) struct NextLine;

/// On another pair of lines: CPUs fetch them in pairs, and a look at the one would take the other from the owner.
#[repr(align(128))]
pub(crate) struct NextPair;

/// Any number: whoever comes locks the side for one operation.
#[derive(Debug)]
pub(crate) enum Many {}

/// One, whom the type system knows: no lock, and no locked instruction where the kernel has a barrier.
#[derive(Debug)]
pub(crate) enum Sole {}

impl Users for Many {
    const SHARED: bool = true;
    // Not further: whoever locks the side needs both.
    type Apart = NextLine;
}

impl Users for Sole {
    const SHARED: bool = false;
    type Apart = NextPair;
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
const FENCE_NS: u32 = 100;
/// The same where both sides are used by one thread, and no line comes from anywhere.
const NEAR_FENCE_NS: u32 = 8;
/// What a barrier on all CPUs costs is measured, beginning with at most this.
const BARRIER_NS: u32 = 1_000;
/// The owner drops the barrier when it has cost so much more than those who waited would have paid.
const CALM_NS: u32 = if cfg!(trefoil_shuttle) { 2 * FENCE_NS } else { 256 * FENCE_NS };

/// He also drops it, for a wait or two, when it has cost so many times what a barrier on all CPUs took when it was measured last, or
/// `BARRIER_NS`: that depends on what the other CPUs do meanwhile, between half a microsecond and twenty.
const TRIAL_AFTER: u32 = 16;

/// A side, on cache lines of its own. The first is what the other side looks at, and those who wait; behind it is what whoever moves this
/// one needs for each item, and what is used at waits only.
#[repr(C, align(128))]
pub(super) struct Side<T, U: Users> {
    word: AtomicUsize,
    waiting: UnsafeCell<Waiting>,
    _apart: [U::Apart; 0],
    own: UnsafeCell<Own<T>>,
    /// How long the barrier took that was made last for the owner. A hint.
    barrier_ns: AtomicU32,
    /// Of a side of one: what a barrier at each item costs the owner, about. A hint.
    fence_ns: AtomicU32,
    /// Of a side of one: the lock of `waiting`.
    short: ShortLock,
    _users: PhantomData<U>,
}

#[cfg(all(target_pointer_width = "64", not(any(trefoil_loom, trefoil_shuttle))))]
const _: () = assert!(size_of::<Side<u64, Many>>() == 128 && size_of::<Side<u64, Sole>>() == 256);

// SAFETY: items and blocks go from thread to thread, which needs `T: Send`; the nodes of those who wait may be used on any.
unsafe impl<T: Send, U: Users> Send for Side<T, U> {}

// SAFETY: `own` and `waiting` are used by one at a time, as the table above says, and the rest is atomic. No item is shared.
unsafe impl<T: Send, U: Users> Sync for Side<T, U> {}

/// What only those need who move this side.
pub(super) struct Own<T> {
    /// Where the other side was at the last look. It may be further by now.
    pub(super) other: usize,
    /// Up to where this side can go without a look: as far as the other one was known to be, and the cursor's block goes.
    pub(super) until: usize,
    pub(super) cursor: Cursor<T>,
    /// Of a side of one: it publishes with a full barrier.
    fenced: bool,
    /// Of a side of one, while it publishes with a barrier: what this has cost more than those who waited would have paid.
    calm_ns: u32,
    /// What it has cost in all.
    spent_ns: u32,
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
    /// Of a side of one: the thread on which the owner was last when he told somebody.
    told_on: usize,
}

impl<T> Own<T> {
    /// From this position the side can go on by so many.
    #[inline]
    pub(super) fn go_on(&mut self, position: usize, by: usize) {
        self.until = position.wrapping_add(by * ONE);
        // Whoever moves a side has come by here before he does so for the first time.
        self.fenced |= !is_asymmetric();
    }

    /// Those who wait make the barrier from now on, where the kernel has one.
    fn without_barriers(&mut self) {
        (self.fenced, self.calm_ns, self.spent_ns) = (!is_asymmetric(), 0, 0);
    }
}

/// A side with its flag, which lies elsewhere: it is read for every item, and seldom written.
pub(super) struct End<'r, T, U: Users> {
    side: &'r Side<T, U>,
    flag: &'r AtomicU8,
}

impl<T, U: Users> Clone for End<'_, T, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, U: Users> Copy for End<'_, T, U> {}

impl<T, U: Users> Side<T, U> {
    crate::primitive::const_but_for_loom! {
        pub(super) fn new() -> Self {
            Side {
                word: AtomicUsize::new(0),
                _apart: [],
                own: UnsafeCell::new(Own {
                    other: 0,
                    until: 0,
                    cursor: Cursor::nowhere(),
                    fenced: false,
                    calm_ns: 0,
                    spent_ns: 0,
                }),
                waiting: UnsafeCell::new(Waiting {
                    list: List::new(),
                    len: 0,
                    tasks: 0,
                    last_ticket: 0,
                    last_position: 0,
                    dear: 0,
                    told_on: 0,
                }),
                short: ShortLock::new(),
                barrier_ns: AtomicU32::new(0),
                fence_ns: AtomicU32::new(FENCE_NS),
                _users: PhantomData,
            }
        }
    }

    /// The cursors of both sides of a queue that goes away.
    pub(super) fn both<V: Users>(
        &mut self,
        other: &mut Side<T, V>,
        access: impl FnOnce(&Cursor<T>, &Cursor<T>),
    ) {
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

    /// As [`enter`](End::enter), of a side of many, if nobody has it.
    #[inline(always)]
    pub(super) fn try_enter(self) -> Option<usize> {
        let word = self.side.word.load(Ordering::Relaxed);
        (U::SHARED && self.try_lock(word)).then_some(word)
    }

    /// Whether somebody waits, or the queue is closed. For whoever has a side of many: it does not change meanwhile.
    #[inline(always)]
    pub(super) fn is_marked(self) -> bool {
        // Relaxed: it is changed under the lock.
        self.flag.load(Ordering::Relaxed) != 0
    }

    /// Whether somebody waits. As [`is_marked`](End::is_marked).
    #[inline(always)]
    pub(super) fn is_waited_at(self) -> bool {
        // Relaxed: as above.
        self.flag.load(Ordering::Relaxed) & WAITING != 0
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

    /// Gives the side back, at this position.
    #[inline(always)]
    pub(super) fn leave(self, position: usize) {
        if U::SHARED {
            // Release: pairs with `try_lock`, and with `position` of the other side.
            self.side.word.store(position, Ordering::Release);
        }
    }

    /// Moves the side on by one, gives it back, and wakes one of those who wait for that.
    ///
    /// # Safety
    /// The caller has the side, at this position, and no borrow of what belongs to it.
    #[inline(always)]
    pub(super) unsafe fn publish(self, position: usize) {
        let next = position.wrapping_add(ONE);
        if U::SHARED {
            // Relaxed: it is changed under the lock, which is ours.
            if self.flag.load(Ordering::Relaxed) & WAITING == 0 {
                // Release: pairs with `try_lock`, and with `position` of the other side, which then uses the slot.
                self.side.word.store(next, Ordering::Release);
            } else {
                self.publish_and_tell(next);
            }
            return;
        }
        // SAFETY: as promised by the caller.
        let fenced = unsafe { self.own(|own| own.fenced) };
        if !fenced {
            // Release: as above.
            self.side.word.store(next, Ordering::Release);
            // The CPU may still exchange the two; the waiter's heavy barrier is against that.
            compiler_fence(Ordering::SeqCst);
            if self.flag.load(Ordering::Relaxed) & (WAITING | FENCED) == 0 {
                return;
            }
        }
        // SAFETY: as promised by the caller.
        unsafe { self.publish_otherwise(next, fenced) };
    }

    /// As the owner of a side of one: if it is not `fenced`, the side has moved on already.
    ///
    /// # Safety
    /// The caller has the side, and no borrow of what belongs to it.
    #[cold]
    #[inline(never)]
    unsafe fn publish_otherwise(self, next: usize, fenced: bool) {
        if fenced {
            // SAFETY: as promised by the caller.
            return unsafe { self.publish_fenced(next) };
        }
        let flag = self.flag.load(Ordering::Relaxed);
        if flag & FENCED != 0 {
            // SAFETY: as promised by the caller.
            unsafe { self.own(|own| own.fenced = true) };
        }
        if flag & WAITING != 0 {
            self.tell_one();
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
    /// The caller has the side, and no borrow of what belongs to it.
    #[inline(never)]
    unsafe fn publish_fenced(self, next: usize) {
        let flag = self.flag.load(Ordering::Relaxed);
        // SeqCst, all three: whoever waits sets the flag and looks at the word. Release: to the other side.
        self.side.word.swap(next, Ordering::SeqCst);
        fence_for_loom();
        if self.flag.load(Ordering::SeqCst) & WAITING != 0 {
            self.tell_one();
        }
        if flag & FENCED == 0 {
            // SAFETY: as promised by the caller.
            return unsafe { self.own(Own::without_barriers) };
        }
        if flag & SURE == 0 {
            self.flag.fetch_or(SURE, Ordering::SeqCst);
        }
        let cost = self.side.fence_ns.load(Ordering::Relaxed);
        // One who waits without it pays for a barrier on all CPUs.
        let worth = self.side.barrier_ns.load(Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        let is_calm = unsafe {
            self.own(|own| {
                let paid = if flag & WAITING == 0 { 0 } else { worth };
                own.calm_ns = own.calm_ns.saturating_add(cost).saturating_sub(paid);
                own.spent_ns = own.spent_ns.saturating_add(cost);
                own.calm_ns >= CALM_NS || own.spent_ns / TRIAL_AFTER > worth.max(BARRIER_NS)
            })
        };
        if is_calm && flag == FENCED | SURE {
            // Whoever has set `WAITING` meanwhile relies on `SURE`, and this fails.
            if self.flag.compare_exchange(FENCED | SURE, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
                // SAFETY: as above.
                unsafe { self.own(Own::without_barriers) };
            }
        }
    }

    /// As the owner of a side of one: wakes the one who has waited longest.
    #[cold]
    #[inline(never)]
    fn tell_one(self) {
        let wake = self.hold().tell_first_here();
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
