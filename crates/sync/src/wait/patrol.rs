//! Who comes by where nobody else does.
//!
//! A task that was told may never be polled again. Where others rely on it, whoever comes by passes it over once it is late. If all
//! who wait are tasks that sleep, and nobody else wants what they wait for, nobody comes by. Nor can the program do it for them: a future
//! that is forgotten keeps its own memory and no more, what it waits for may be moved or dropped, so nothing that outlives them may
//! lead from a future to its lock.
//!
//! So those who wait come by themselves. A task that waits beside others hangs up a [`Bell`], which leads to its waker and to
//! nothing else. Whoever tells a task while others wait [calls](Call) the patrol. A little more than a millisecond later the timer's
//! thread begins to ring the bells, few at a time. A task that is rung looks, hangs its bell up again and looks again: it passes over who
//! is late; or the told one is not late yet, and it calls again; or all is well, and it says so, which ends the round. If it
//! does not look, being one of those who never do, the next one is rung.
//!
//! Bells hang in a table of the program by the address of what is waited for, which is a number here and no pointer. Those that share a
//! place are rung for each other now and then, which costs time and nothing else. Where tasks do come in time, a call costs a load,
//! and somebody is rung for nothing once in a millisecond. Threads have nothing to do with it: they come, and look again by themselves.
//!
//! # Nobody is left behind
//! *Whoever relies on one who was told is rung while that one does not come.* His bell hangs while he looks for the last time before he
//! sleeps. Let the look be before the telling. Then whoever tells, who has the same lock after him, finds him in the queue and calls.
//! Let it be after. Then he sees that another is told, and calls himself, or sees that he is late. So a call comes after each
//! bell that it is for. Where order is kept, only those behind others rely on anybody, and the first needs no bell.
//!
//! *A call is not lost to a round that is under way.* A round begins by taking the call (`called` becomes 0), then takes the lock of
//! the bells and counts them. If a bell is hung up before that, it is counted. If it is hung up after, the lock orders the taking before
//! the bell, and so before the call that is for it: that call finds 0, or a call that was made since, and no round has taken it.
//!
//! *All is well* is said of a round: one that has begun since does not end by it.

use super::list::{FIRST_TOLD, List, Node, Wake, set_waker};
use crate::catch::contain;
use crate::check;
use crate::primitive::{AtomicBool, AtomicUsize, IS_MODEL, Mutex, Ordering, const_but_for_loom};
use crossbeam_utils::CachePadded;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::task::Waker;

/// What a task can be woken by that waits beside others; in its pinned future.
pub(crate) struct Bell(Option<Hung>);

/// A bell that has been hung up, be it that it has been rung since.
struct Hung {
    node: Node,
    at: Call,
    /// What it hangs with, see [`identity`].
    waker: (usize, usize),
    /// After it was rung, until its task has looked: the round that was under way when it was hung up again.
    rung: Option<u64>,
}

/// What a task that waits, or is about to, has to reckon with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// It relies on nobody.
    Nobody,
    /// One of the others may be told and not come.
    Others,
    /// One of them has been told and may still come.
    Told,
}

/// What says that somebody was told, and others wait: the address of what they wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the patrol is to be called when all locks are given back"]
pub(crate) struct Call(NonZeroUsize);

/// A place for the bells of some locks.
struct Place {
    /// 0, or who has called since the last round began; `SEVERAL` if more than one did.
    called: AtomicUsize,
    /// Whether bells are still to be rung. Only who walks needs to know.
    round: AtomicBool,
    bells: Mutex<Bells>,
}

struct Bells {
    list: List,
    last_ticket: u64,
    /// Those with a ticket up to this one are still to be rung in this round.
    until: u64,
    round: u64,
    /// Who called for this round.
    caller: usize,
    at_once: usize,
}

const RUNG: u32 = FIRST_TOLD;
/// No address is that small.
const SEVERAL: usize = 1;
/// So many bells are rung at once at most, and one at first: mostly it is one who does not come.
const BATCH: usize = 16;

/// Locks that tasks wait for are few at a time; with 64 places two of them rarely share one.
#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
static PLACES: [CachePadded<Place>; 64] = [const { CachePadded::new(Place::new()) }; 64];

// What is modelled is made anew for each run, and an address is not the same in each.
#[cfg(any(trefoil_loom, trefoil_shuttle))]
crate::primitive::lazy_static! {
    static ref PLACES: [CachePadded<Place>; 1] = [CachePadded::new(Place::new())];
}

impl Bell {
    pub(crate) const fn new() -> Self {
        Bell(None)
    }

    /// Sees to it that it hangs, to be rung when somebody has called `at`. Whether it did not hang before: then whoever was told
    /// meanwhile may not have called, and its task is to look again.
    ///
    /// # Safety
    /// The bell neither moves nor goes away but by being dropped. It is always the same `at`.
    pub(crate) unsafe fn hang_up(&mut self, at: Call, waker: &Waker) -> bool {
        if self.0.as_ref().is_some_and(|hung| hung.is_up_with(waker)) {
            return false;
        }
        // Foreign, and may panic: before the lock, and before there is anything to be taken down. It is told apart from others while
        // the bell keeps it.
        let waker = check::uncounted(waker).unwrap_or_else(|| waker.clone());
        let (hung, new) = match &mut self.0 {
            Some(hung) => (hung, false),
            none => (none.insert(Hung { node: Node::of_a_task(), at, waker: (0, 0), rung: None }), true),
        };
        // SAFETY: as promised by the caller. It is new, or has been hung up before and not taken down.
        unsafe { hung.up(new, waker) }
    }

    /// The task has looked: nobody is told who does not come. If it was rung, the others need not be.
    pub(crate) fn all_is_well(&mut self) {
        let Some(hung) = &mut self.0 else { return };
        let Some(round) = hung.rung.take() else { return };
        let mut bells = hung.at.place().bells.lock();
        if bells.round == round && bells.caller == hung.at.0.get() {
            bells.until = 0;
        }
    }

    /// Not to be rung any more.
    pub(crate) fn take_down(&mut self) {
        if let Some(hung) = &self.0 {
            hung.down();
            self.0 = None;
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.take_down();
    }
}

impl Hung {
    /// Whether it hangs, and would wake the same. If it is rung meanwhile, it has woken the same.
    fn is_up_with(&self, waker: &Waker) -> bool {
        self.node.told().is_none() && self.waker == identity(waker)
    }

    /// Hangs it up, or changes the waker of one that hangs; whether it did not hang.
    ///
    /// # Safety
    /// It neither moves nor goes away before it is taken `down`. It is not `new` if and only if it has been hung up before.
    unsafe fn up(&mut self, new: bool, waker: Waker) -> bool {
        let identity = identity(&waker);
        let mut bells = self.at.place().bells.lock();
        let rung = self.node.told().is_some();
        if new || rung {
            self.rung = rung.then_some(bells.round);
            self.node.begin();
            bells.last_ticket += 1;
            let ticket = bells.last_ticket;
            // SAFETY: it is new, or was taken out when it was rung. It stays as promised by the caller.
            unsafe { bells.list.push(NonNull::from(&self.node), ticket) };
        }
        self.waker = identity;
        // SAFETY: the list is ours.
        let old = unsafe { set_waker(&self.node, waker) };
        drop(bells);
        // Foreign: outside of the lock, and it must not unwind past what its caller is in the middle of.
        contain(|| drop(old));
        new || rung
    }

    fn down(&self) {
        // Who was rung is in no list, and nobody else has the node any more.
        if self.node.told().is_some() {
            return;
        }
        let mut bells = self.at.place().bells.lock();
        if self.node.told().is_none() {
            // SAFETY: it hangs there, for it was hung up and not rung.
            unsafe { bells.list.remove(NonNull::from(&self.node)) };
        }
    }
}

/// What tells one waker from another while it lives.
fn identity(waker: &Waker) -> (usize, usize) {
    (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
}

impl Call {
    /// For those who wait for `lock`.
    pub(crate) fn of<L>(lock: &L) -> Self {
        Call(NonNull::from(lock).addr())
    }

    /// Calls the patrol, unless it is on its way already. To be called without any lock, and before whoever was told is woken: his
    /// waker may run him at once.
    pub(crate) fn now(self) {
        let (called, caller) = (&self.place().called, self.0.get());
        // Relaxed, all: the locks order what has to be ordered, see above.
        let mut found = called.load(Ordering::Relaxed);
        while found != caller && found != SEVERAL {
            let new = if found == 0 { caller } else { SEVERAL };
            match called.compare_exchange_weak(found, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(0) => return self.start(),
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
    }

    #[cold]
    fn start(self) {
        // Models know no time. Those that need the patrol are the timer's thread themselves.
        #[cfg(all(test, trefoil_loom))]
        modelled::ask();
        if !IS_MODEL && !crate::timer::start_patrol() {
            // There is no thread to be had. Perhaps the next call finds one.
            self.place().called.store(0, Ordering::Relaxed);
        }
    }

    fn place(self) -> &'static Place {
        // The multiplier is 2^32 divided by the golden ratio: neighbours come to lie far from each other.
        let index = ((self.0.get() >> 3) as u32).wrapping_mul(0x9E37_79B9) >> 16;
        &PLACES[index as usize % PLACES.len()]
    }
}

/// Goes by all places, and rings where it was called; whether it is to come back in a while. One walks at a time.
pub(crate) fn walk() -> bool {
    let mut again = false;
    for place in PLACES.iter() {
        again |= place.walk();
    }
    again
}

impl Place {
    const_but_for_loom! {
        fn new() -> Self {
            Place { called: AtomicUsize::new(0), round: AtomicBool::new(false), bells: Mutex::new(Bells::NONE) }
        }
    }

    fn walk(&self) -> bool {
        // Relaxed, all: who called before the timer was asked is seen, by the timer's lock; others ask it again.
        if self.called.load(Ordering::Relaxed) == 0 && !self.round.load(Ordering::Relaxed) {
            return false;
        }
        let caller = self.called.swap(0, Ordering::Relaxed);
        let mut wakes = [const { Wake::Nobody }; BATCH];
        let mut bells = self.bells.lock();
        if caller != 0 {
            bells.begin(caller);
        }
        let again = bells.ring(&mut wakes);
        drop(bells);
        self.round.store(again, Ordering::Relaxed);
        for wake in wakes {
            // Foreign, and others depend on this thread.
            contain(|| wake.now());
        }
        again
    }
}

impl Bells {
    const NONE: Self = Bells { list: List::new(), last_ticket: 0, until: 0, round: 0, caller: 0, at_once: 1 };

    fn begin(&mut self, caller: usize) {
        let alone = !self.is_somebody_left() || self.caller == caller;
        self.caller = if alone { caller } else { SEVERAL };
        self.until = self.last_ticket;
        self.round += 1;
        self.at_once = 1;
    }

    /// Rings some of those who are left in this round; whether there are more.
    fn ring(&mut self, wakes: &mut [Wake; BATCH]) -> bool {
        for wake in wakes.iter_mut().take(self.at_once) {
            if !self.is_somebody_left() {
                return false;
            }
            *wake = self.list.tell_first(RUNG);
        }
        self.at_once = (self.at_once * 2).min(BATCH);
        self.is_somebody_left()
    }

    fn is_somebody_left(&self) -> bool {
        self.list.first().is_some_and(|first| first.ticket() <= self.until)
    }
}

/// The timer's thread, as loom's models see it.
#[cfg(all(test, trefoil_loom))]
pub(crate) mod modelled {
    use crate::os::clock;
    use loom::sync::Notify;
    use loom::sync::atomic::{AtomicBool, Ordering};

    loom::lazy_static! {
        static ref ASKED: Notify = Notify::new();
        static ref ENDED: AtomicBool = AtomicBool::new(false);
    }

    pub(super) fn ask() {
        ASKED.notify();
    }

    /// Nobody will call any more.
    pub(crate) fn end() {
        // Relaxed: the notification orders it.
        ENDED.store(true, Ordering::Relaxed);
        ask();
    }

    /// Walks whenever somebody has called and some time has passed, until the [`end`].
    pub(crate) fn serve() {
        loop {
            ASKED.wait();
            if ENDED.load(Ordering::Relaxed) {
                return;
            }
            clock::modelled::pass();
            while super::walk() {
                clock::modelled::pass();
            }
        }
    }
}
