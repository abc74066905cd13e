//! The lock without a value.
//!
//! # The word
//! Everything but reading under a bias is a compare-and-swap of one [word](super::word), or a subtraction from it. Who
//! cannot have what he wants sets `WAITING` and queues up, both under the state's lock, so that no release comes in between
//! unseen: it either comes before, and then the compare-and-swap fails, or finds `WAITING` and looks after the queues when
//! it gets the state's lock.
//!
//! # The bias
//! Two readers on two CPUs take the word from each other, which costs some fifty nanoseconds each time. So when readers
//! have met often enough, the lock is *biased*: a reader counts himself in a [slot](super::slots) in a cache line of its
//! own, and out again. Neither is a full barrier where the other side can make it ([`heavy_barrier`]). D. Dice, A. Kogan,
//! "BRAVO: Biased Locking for Reader-Writer Locks", USENIX ATC 2019. There, slots are in one table for all locks, taken by
//! compare-and-swap, and given back by whoever holds the lock. Here each lock has slots of its own once it needs them, so
//! that a guard that is forgotten harms no other lock; and a slot is a thread's, so that its owner writes it with plain
//! stores.
//!
//! 1. *A reader enters*: counts himself in (R1), looks whether the lock is still biased (R2). *A writer ends the bias*:
//!    clears `BIASED` and sets `WAITING` (W1), then looks whether the slots are empty (W2). A full barrier between the two
//!    steps on each side, or a heavy one on the writer's, makes one see the other: the reader gives up, or the writer
//!    waits.
//! 2. *A reader leaves*: counts himself out (R3), looks for `WAITING` (R4). If the writer's W2 does not see R3, then R4
//!    sees W1 by the same barriers, and the reader looks after those who wait.
//! 3. `WAITING` is not cleared while there may be readers in the slots and the lock is not biased. So what holds in 2 for
//!    who ended the bias holds for every later writer too.
//! 4. W1, the barrier and the look are under the state's lock. Whoever has that lock and sees `SLOTS` without `BIASED`
//!    knows that the barrier has been.
//! 5. The bias begins under the state's lock, while nobody waits and nobody writes.
//!
//! # No wake-up is lost
//! The invariant: **whenever somebody waits and nobody has the state's lock, then somebody has the lock, or has given it up
//! and is on his way to the state's lock, or somebody has been told to look and has not done so.**
//!
//! - Who looks in vain and waits found that another has the lock, or that it is kept for one who was told, until that one looks.
//! - Who gives the lock up tells those whose turn it is, unless somebody has been told. Who was told and looks in vain found another
//!   who has the lock and gives it up; but for the owner of an upgradable read, who may wait to upgrade, for nobody by then: the last to
//!   come in vain does as one who gives the lock up. Readers are told even then, unless the lock is kept for a writer: those who were
//!   told may take it for long, and they can have it too.
//! - Who goes away without the lock does what one does who gives the lock up. If he had been told, he counts as one who has come,
//!   in the same step; if not, the lock stays kept for those who were.
//!
//! As with the mutex, what it cannot promise is that a task which was told does look. After a millisecond whoever comes by
//! takes the lock all the same, threads that wait beside tasks look again each millisecond, and tasks are woken for it by the
//! [patrol](crate::wait::patrol).

use super::bias::Bias;
use super::slots::Slots;
use super::state::State;
use super::word::{BIASED, READER, READERS, SLOTS, TOO_MANY, UPGRADABLE, WAITING, WRITER, Want};
use crate::catch::contain;
use crate::check::{Kind, Mode, Site, Tag};
use crate::os::{self, ask_for_the_barrier, clock, heavy_barrier, is_asymmetric};
use crate::park;
use crate::primitive::{AtomicU32, IS_MODEL, Ordering, const_but_for_loom, fence, spin_loop};
use crate::wait::{Afterwards, Guarded, Turn, Waiters};
use std::future::Future;
use std::sync::atomic::compiler_fence;
use std::time::Instant;

pub(crate) struct RawRwLock {
    word: AtomicU32,
    slots: Slots,
    bias: Bias,
    state: Guarded<State>,
    /// For the deadlock checker; of no size without it.
    tag: Tag,
}

/// Where a reader is counted: in the slot with that number, or in the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

const IN_THE_WORD: Place = Place(u32::MAX);

/// A reader who has met another leaves the lock alone for so long at first, then for twice as long each time that he finds it held, ...
const LEAVE_NS: u32 = 500;
/// ... so many times: 15 µs in all, as the head of a mutex competes.
const LEAVE_TIMES: u32 = 5;

/// So often a newcomer looks before he queues up, where another CPU may release the lock meanwhile: one to two
/// microseconds.
const LOOKS: u32 = 100;

impl RawRwLock {
    const_but_for_loom! {
        pub(crate) fn new() -> Self {
            RawRwLock {
                word: AtomicU32::new(0),
                slots: Slots::new(),
                bias: Bias::new(),
                state: Guarded::new(State::new()),
                tag: Tag::new(Kind::RwLock),
            }
        }
    }

    /// Reads, if that needs no waiting and nobody waits. Who is `patient` leaves other readers alone for some microseconds if he
    /// gets into their way.
    #[inline]
    pub(crate) fn read_at_once(&self, patient: bool) -> Option<Place> {
        // Acquire, in all of this: pairs with the release of the last writer.
        let word = self.word.load(Ordering::Acquire);
        if word & (BIASED | WRITER | WAITING | TOO_MANY) != 0 {
            return if word & BIASED != 0 { self.enter_slot() } else { None };
        }
        match self.word.compare_exchange(word, word + READER, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Some(IN_THE_WORD),
            Err(word) => self.read_after_a_conflict(word, patient),
        }
    }

    #[cold]
    fn read_after_a_conflict(&self, mut word: u32, patient: bool) -> Option<Place> {
        let time_for_a_bias = self.bias.conflict();
        if patient && !time_for_a_bias {
            word = self.leave_alone(word);
        }
        while word & (WRITER | WAITING | BIASED | TOO_MANY) == 0 {
            match self.word.compare_exchange_weak(word, word + READER, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    if time_for_a_bias {
                        self.begin_bias();
                    }
                    return Some(IN_THE_WORD);
                }
                Err(now) => word = now,
            }
        }
        None
    }

    /// Stays away from the word while others exchange it all the time, so that they have its cache line for themselves: alone, they
    /// are several times as fast. One that others met by chance mostly finds the lock free after the first pause. The word at the end.
    fn leave_alone(&self, mut word: u32) -> u32 {
        // Models know no time.
        if IS_MODEL || os::cpus() < 2 {
            return word;
        }
        for doubled in 0..LEAVE_TIMES {
            let (begin, pause) = (clock::now(), clock::nanos(LEAVE_NS << doubled));
            while clock::now().wrapping_sub(begin) < pause {
                spin_loop();
            }
            // Relaxed: whoever takes it then looks again.
            let found = self.word.load(Ordering::Relaxed);
            // Readers that hold it and do nothing with the word are in nobody's way.
            let is_quiet = found == 0 || found == word && found & WRITER == 0;
            word = found;
            if is_quiet || word & (WAITING | BIASED) != 0 {
                break;
            }
        }
        word
    }

    /// Enters under the bias: the steps R1 and R2. Apart, or every read would be a call that saves registers for it.
    #[inline(never)]
    fn enter_slot(&self) -> Option<Place> {
        let place = self.slots.enter()?;
        light_barrier();
        if self.word.load(Ordering::Acquire) & BIASED != 0 {
            return Some(Place(place));
        }
        self.leave_slot(place);
        None
    }

    /// The steps R3 and R4.
    #[inline]
    fn leave_slot(&self, place: u32) {
        self.slots.leave(place);
        light_barrier();
        // Relaxed: only the order of the two is of interest.
        if self.word.load(Ordering::Relaxed) & WAITING != 0 {
            self.look_after_the_others();
        }
    }

    /// As a reader who is not in a slot, so that nobody writes.
    #[cold]
    pub(crate) fn begin_bias(&self) {
        ask_for_the_barrier();
        self.state.with(|_, _| {
            self.slots.make();
            let word = self.word.load(Ordering::Relaxed);
            if word & (WRITER | WAITING | BIASED | SLOTS) == 0 {
                self.bias.begins();
                // Release: pairs with the readers' look at the word, after which they look for the slots. If the word has
                // changed, another time will do.
                let biased = word | BIASED | SLOTS;
                let _ = self.word.compare_exchange(word, biased, Ordering::AcqRel, Ordering::Relaxed);
            }
        });
    }

    /// Whoever has the state: ends the bias, if there is one; the steps W1 and half of W2.
    fn end_bias(&self) {
        // Relaxed: it begins and ends under the state's lock.
        if self.word.load(Ordering::Relaxed) & BIASED == 0 {
            return;
        }
        let began = clock::now();
        // WAITING is not set, so both change; readers who come or go meanwhile do not touch these bits.
        self.word.fetch_xor(BIASED | WAITING, Ordering::AcqRel);
        heavy_barrier();
        self.bias.ended(began);
    }

    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn read(&self) -> Place {
        let read = || match self.read_at_once(true) {
            Some(place) => place,
            None => self.wait_for(Want::Read),
        };
        self.tag.blocking(Mode::Shared, Site::here(), || self.attempt(Want::Read), read)
    }

    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn write(&self) {
        let write = || {
            if !self.write_at_once() {
                self.wait_for(Want::Write);
            }
        };
        self.tag.blocking(Mode::Exclusive, Site::here(), || self.attempt(Want::Write).map(drop), write);
    }

    /// Waits. Blocks this thread, or this coroutine only.
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn acquire(&self, want: Want) -> Place {
        let attempt = move || self.attempt(want);
        self.tag.blocking(want.mode(), Site::here(), attempt, move || {
            attempt().unwrap_or_else(|| self.wait_for(want))
        })
    }

    fn wait_for(&self, want: Want) -> Place {
        self.acquire_contended(want, None);
        IN_THE_WORD
    }

    /// Waits until `deadline`. Blocks this thread, or this coroutine only.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn acquire_until(&self, want: Want, deadline: Option<Instant>) -> Option<Place> {
        let contended = || self.acquire_contended(want, deadline).then_some(IN_THE_WORD);
        self.tag.taking(want.mode(), Site::here(), || self.attempt(want).or_else(contended))
    }

    /// Writes, if the lock is free and nobody waits.
    #[inline]
    pub(crate) fn write_at_once(&self) -> bool {
        // Acquire: pairs with the releases of the last writer and of the readers since.
        self.word.compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock without waiting, in whichever way it has to be taken.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn try_acquire(&self, want: Want) -> Option<Place> {
        self.tag.taking(want.mode(), Site::here(), || self.attempt(want))
    }

    #[inline]
    fn attempt(&self, want: Want) -> Option<Place> {
        let at_once = match want {
            Want::Read | Want::ReadAgain => self.read_at_once(false),
            Want::Write => self.write_at_once().then_some(IN_THE_WORD),
            Want::Upgradable | Want::Upgrade => self.take_at_once(want).then_some(IN_THE_WORD),
        };
        at_once.or_else(|| self.try_contended(want).then_some(IN_THE_WORD))
    }

    #[cold]
    fn try_contended(&self, want: Want) -> bool {
        self.state.with(|state, afterwards| {
            let taken = self.take(state, want, false, None, afterwards);
            if !taken {
                // The bias may have been ended for nothing.
                self.settle(state, afterwards);
            }
            taken
        })
    }

    /// Waits until `deadline`; whether the lock is ours. Blocks this thread, or this coroutine only.
    #[cold]
    #[inline(never)]
    pub(crate) fn acquire_contended(&self, want: Want, deadline: Option<Instant>) -> bool {
        if self.spin(want) {
            return true;
        }
        let task = !park::is_plain_thread();
        let mut leaves = Leaves { lock: self, with_the_lock: false };
        leaves.with_the_lock = self.state.wait(queue_of(want), deadline, self.looking(want, task)).is_some();
        leaves.with_the_lock
    }

    /// # Cancel safety
    /// A future that is dropped leaves the queue; what it was told goes to the others.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn acquire_async(&self, want: Want, site: Site) -> impl Future<Output = Place> {
        async move {
            if let Some(place) = self.tag.taking_in_task(want.mode(), site, || self.attempt(want)) {
                return place;
            }
            self.tag.awaiting(want.mode(), site, move || self.acquire_queued(want)).await;
            IN_THE_WORD
        }
    }

    async fn acquire_queued(&self, want: Want) {
        // Dropped after the wait, which leaves the queue.
        let mut leaves = Leaves { lock: self, with_the_lock: false };
        self.state.wait_for(queue_of(want), self.looking(want, true)).await;
        leaves.with_the_lock = true;
    }

    fn looking(&self, want: Want, task: bool) -> impl FnMut(&mut State, Turn, &mut Afterwards) -> Option<()> {
        move |state, turn, afterwards| {
            let told = turn.told.is_some();
            if told {
                state.has_come();
            }
            let taken = self.take(state, want, told, Some(task), afterwards);
            // Who has an upgradable read took it before him, and may wait for nobody by now. He would not give anything back.
            if !taken && told && state.came_in_vain_beside_an_upgrade() {
                self.settle(state, afterwards);
            }
            taken.then_some(())
        }
    }

    /// Whoever has the state tries to take the lock. Who is going to wait says whether he is a `task`.
    fn take(
        &self,
        state: &mut State,
        want: Want,
        told: bool,
        waits: Option<bool>,
        afterwards: &mut Afterwards,
    ) -> bool {
        let now = clock::now();
        if want.is_exclusive() {
            self.end_bias();
        }
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            assert!(word & TOO_MANY == 0, "an RwLock has more readers than it can count: {}", word / READER);
            let taken = match told || state.admits(want, self.is_held(word), now) {
                true => want.after(word, || self.slots.are_empty()),
                false => None,
            };
            // Who does not wait leaves the word as it is.
            let new = match (taken, waits) {
                (Some(taken), _) => taken,
                (None, None) => word,
                (None, Some(_)) if word & BIASED != 0 => {
                    self.end_bias();
                    word = self.word.load(Ordering::Relaxed);
                    continue;
                }
                (None, Some(_)) => word | WAITING,
            };
            // Acquire: as in `write_at_once`; and for the slots, see `Slots::are_empty`.
            match self.word.compare_exchange(word, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if taken.is_some() => {
                    if told && want.is_exclusive() {
                        state.writes(now);
                    }
                    return true;
                }
                Ok(_) => break,
                Err(other) => word = other,
            }
        }
        if let Some(task) = waits {
            if !told {
                state.comes(want, now);
            }
            if task {
                state.task_waits(afterwards);
            }
        }
        false
    }

    /// Whether somebody has the lock in any way.
    fn is_held(&self, word: u32) -> bool {
        word & (WRITER | UPGRADABLE | READERS) != 0 || self.has_readers_in_slots(word)
    }

    fn has_readers_in_slots(&self, word: u32) -> bool {
        word & SLOTS != 0 && !self.slots.are_empty()
    }

    /// Looks for a moment whether the lock is given back.
    fn spin(&self, want: Want) -> bool {
        if os::cpus() < 2 || crate::primitive::IS_MODEL {
            return false;
        }
        for _ in 0..LOOKS {
            if self.take_at_once(want) {
                return true;
            }
            // Relaxed: a hint.
            if self.word.load(Ordering::Relaxed) & (WAITING | BIASED) != 0 {
                return false;
            }
            spin_loop();
        }
        false
    }

    /// Takes the lock by the word alone, if that can be done and nobody waits.
    fn take_at_once(&self, want: Want) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        if word & (WAITING | TOO_MANY) != 0 {
            return false;
        }
        match want.after(word, || false) {
            // Acquire: as in `write_at_once`.
            Some(new) => self.word.compare_exchange(word, new, Ordering::Acquire, Ordering::Relaxed).is_ok(),
            None => false,
        }
    }

    #[inline]
    pub(crate) fn release_read(&self, place: Place) {
        self.tag.released(Mode::Shared);
        if place != IN_THE_WORD {
            return self.leave_slot(place.0);
        }
        // Release, here and below: pairs with the acquire of whoever writes next.
        let before = self.word.fetch_sub(READER, Ordering::Release);
        if before & WAITING != 0 && before & READERS == READER {
            self.look_after_the_others();
        }
    }

    #[inline]
    pub(crate) fn release_write(&self) {
        self.tag.released(Mode::Exclusive);
        if self.word.fetch_sub(WRITER, Ordering::Release) & WAITING != 0 {
            self.look_after_the_others_as_writer();
        }
    }

    pub(crate) fn release_upgradable(&self) {
        self.tag.released(Mode::Upgradable);
        if self.word.fetch_sub(UPGRADABLE, Ordering::Release) & WAITING != 0 {
            self.look_after_the_others();
        }
    }

    /// A writer goes on as a reader.
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn write_to_read(&self) -> Place {
        self.tag.changed(Mode::Exclusive, Mode::Shared, Site::here());
        if self.word.fetch_add(READER - WRITER, Ordering::Release) & WAITING != 0 {
            self.look_after_the_others_as_writer();
        }
        IN_THE_WORD
    }

    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn write_to_upgradable(&self) {
        self.tag.changed(Mode::Exclusive, Mode::Upgradable, Site::here());
        if self.word.fetch_add(UPGRADABLE - WRITER, Ordering::Release) & WAITING != 0 {
            self.look_after_the_others_as_writer();
        }
    }

    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn upgradable_to_read(&self) -> Place {
        self.tag.changed(Mode::Upgradable, Mode::Shared, Site::here());
        if self.word.fetch_add(READER - UPGRADABLE, Ordering::Release) & WAITING != 0 {
            self.look_after_the_others();
        }
        IN_THE_WORD
    }

    /// Here and below, a waker's panic goes no further: it must neither leave the destructor of a guard, which may run in
    /// another panic, nor lose what somebody has who goes on in another way.
    #[cold]
    #[inline(never)]
    fn look_after_the_others_as_writer(&self) {
        contain(|| {
            self.state.with(|state, afterwards| {
                state.wrote();
                self.settle(state, afterwards);
            });
        });
    }

    #[cold]
    #[inline(never)]
    fn look_after_the_others(&self) {
        contain(|| self.state.with(|state, afterwards| self.settle(state, afterwards)));
    }

    /// Tells those whose turn it is; where nobody waits or is to come, sees to it that nobody takes the slow path any more.
    fn settle(&self, state: &mut State, afterwards: &mut Afterwards) {
        let (word, now) = (self.word.load(Ordering::Relaxed), clock::now());
        if state.nobody_waits() {
            if state.calms_down(now) {
                self.clear_waiting();
            }
        } else if word & WRITER == 0 {
            state.tell(word, !self.has_readers_in_slots(word), now, afterwards);
        }
    }

    /// Whoever has the state, while nobody waits.
    fn clear_waiting(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let new = if word & (SLOTS | BIASED) != SLOTS {
                word & !WAITING
            } else if self.slots.are_empty() {
                word & !(WAITING | SLOTS)
            } else {
                // There are readers in the slots, so others may enter.
                (word | BIASED) & !WAITING
            };
            // Release: as where a bias begins.
            match self.word.compare_exchange(word, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// What the deadlock checker knows the lock by.
    #[cfg(feature = "check")]
    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    /// Whether somebody has the lock. Out of date as soon as it is there.
    pub(crate) fn is_held_now(&self) -> bool {
        self.is_held(self.word.load(Ordering::Relaxed))
    }

    /// Whether somebody writes. Out of date as soon as it is there.
    pub(crate) fn is_written_now(&self) -> bool {
        self.word.load(Ordering::Relaxed) & WRITER != 0
    }

    #[cfg(all(test, trefoil_loom))]
    pub(crate) fn is_biased(&self) -> bool {
        self.word.load(Ordering::Relaxed) & BIASED != 0
    }

    /// From now on, either whoever has been told and has not come is late at once, or nobody who waits is ever overdue.
    #[cfg(all(test, trefoil_loom))]
    pub(crate) fn hurry(&self, now: bool) {
        self.state.with(|state, _| (state.impatient, state.unhurried) = (now, !now));
    }
}

/// Somebody who waits, and goes away with the lock or without it.
struct Leaves<'a> {
    lock: &'a RawRwLock,
    with_the_lock: bool,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        if !self.with_the_lock {
            contain(|| {
                self.lock.state.with(|state, afterwards| {
                    state.has_left();
                    self.lock.settle(state, afterwards);
                });
            });
        }
    }
}

fn queue_of(want: Want) -> fn(&mut State) -> &mut Waiters {
    match want {
        Want::Read | Want::ReadAgain | Want::Upgradable => |state| &mut state.shared,
        Want::Write => |state| &mut state.writers,
        Want::Upgrade => |state| &mut state.upgrader,
    }
}

/// The reader's barrier between what he says of himself and his look at the word.
#[inline(always)]
fn light_barrier() {
    if is_asymmetric() {
        // The CPU may still exchange the two; the writer's heavy barrier is against that.
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}
