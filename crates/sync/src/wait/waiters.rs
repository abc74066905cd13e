//! Those who wait for one thing: in which order, who is told when something changes, and what is to be done about it once the lock is
//! released. The rules are those of [`guarded`](super::guarded).

use super::list::{Entry, FIRST_TOLD, List, Node, Wake, set_waker};
use super::patrol::{Beside, Call};
use crate::catch::Every;
use crate::lock;
use crate::os::clock;
use std::ptr::NonNull;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Those who wait for one thing, in order of arrival.
pub(crate) struct Waiters {
    /// In a strict queue, a waiter who has been told has not looked yet; in a barging one, who has been told is not here, but who was
    /// roused is.
    list: List,
    len: usize,
    last_ticket: u64,
    /// Since when the first is first.
    first_since: u32,
    /// There has been a task here since the queue was last empty.
    tasks: bool,
    /// While everybody is being told: the last ticket of those.
    telling: Option<u64>,
    /// Threads are being roused.
    rousing: bool,
    /// Somebody who was told alone went away without having looked, and there was nobody to be told in his place.
    left_over: bool,
    order: Order,
}

/// Who may take what has become free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Whoever looks first.
    Barging,
    /// Whoever has waited longest, even if he does not look.
    Strict,
}

/// A task that was told has this long to look; as with a [`lock`](crate::lock).
const LATE_US: u32 = 1_000;

/// So many are woken before the lock is taken again.
const BATCH: usize = 16;

/// What is to be done with wakers once the lock is released.
#[derive(Default)]
pub(crate) struct Afterwards {
    /// Most operations wake one.
    wake: Option<Wake>,
    wake_more: Option<[Option<Wake>; BATCH - 1]>,
    woken: usize,
    drop: Option<Waker>,
    call: Option<Call>,
    /// Somebody is still to be told.
    unfinished: bool,
}

/// What an attempt is told about the waiter that makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Nobody has waited longer.
    pub(crate) first: bool,
    /// It has been told to look again.
    pub(crate) told: Option<Told>,
    ticket: Option<u64>,
    overdue: bool,
}

impl Turn {
    /// Whether it waits in the queue already.
    pub(crate) fn is_queued(self) -> bool {
        self.ticket.is_some()
    }

    /// Whether it is first and has been for so long that nobody else should be let through.
    pub(crate) fn is_overdue(self) -> bool {
        self.overdue
    }
}

/// How a waiter was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// By `tell_one`: if it goes away without use for it, the next one is to be told.
    Alone,
    /// By `tell_all`.
    WithAll,
}

const TOLD_ALONE: u32 = FIRST_TOLD;
const TOLD_WITH_ALL: u32 = FIRST_TOLD + 1;
/// A thread that is to look, though nothing has changed; it stays where it is.
const ROUSED: u32 = FIRST_TOLD + 2;

impl Waiters {
    /// A queue in which whoever looks first takes what is free.
    pub(crate) const fn barging() -> Self {
        Self::new(Order::Barging)
    }

    /// A queue in which nobody is overtaken. Its attempts take nothing unless [`Turn::first`].
    pub(crate) const fn strict() -> Self {
        Self::new(Order::Strict)
    }

    const fn new(order: Order) -> Self {
        Waiters {
            list: List::new(),
            len: 0,
            last_ticket: 0,
            first_since: 0,
            tasks: false,
            telling: None,
            rousing: false,
            left_over: false,
            order,
        }
    }

    /// Tells the one who has waited longest, and takes him out of the queue. `false` if nobody waits.
    pub(crate) fn tell_one(&mut self, afterwards: &mut Afterwards) -> bool {
        self.tell_one_of(u64::MAX, afterwards)
    }

    /// As [`tell_one`](Waiters::tell_one), of those who had come when this was the last ticket.
    fn tell_one_of(&mut self, last: u64, afterwards: &mut Afterwards) -> bool {
        debug_assert!(self.order == Order::Barging, "in strict order the first is nudged");
        if self.telling.is_none() {
            if self.list.first().is_none_or(|first| first.ticket() > last) {
                return false;
            }
            self.len -= 1;
            afterwards.wake(self.list.tell_first(TOLD_ALONE));
            return true;
        }
        // The first ones are being told already.
        let mut next = self.list.first();
        while let Some(entry) = next.filter(|entry| self.is_being_told(entry.ticket())) {
            next = entry.next();
        }
        let Some(entry) = next.filter(|entry| entry.ticket() <= last) else { return false };
        let node = entry.as_ptr();
        self.len -= 1;
        // SAFETY: it was found in this list.
        afterwards.wake(unsafe { self.list.tell(node, TOLD_ALONE) });
        true
    }

    /// Whether somebody who was told alone went away without having looked, and there was nobody to be told in his place.
    /// The next time, it is over.
    pub(crate) fn take_left_over(&mut self) -> bool {
        std::mem::take(&mut self.left_over)
    }

    pub(crate) fn has_left_over(&self) -> bool {
        self.left_over
    }

    /// As [`tell_one`](Waiters::tell_one), `count` times, but at most as many as are woken at once; how many were told. For the rest it is
    /// called again, with the same `last`: nobody is told who came after the first call.
    pub(crate) fn tell_some(
        &mut self,
        count: usize,
        last: &mut Option<u64>,
        afterwards: &mut Afterwards,
    ) -> usize {
        let (before, last) = (self.len, *last.get_or_insert(self.last_ticket));
        for _ in 0..count {
            // All who are there may be being told already.
            if afterwards.is_full() || !self.tell_one_of(last, afterwards) {
                break;
            }
        }
        before - self.len
    }

    /// Tells everybody who waits now, and takes him out of the queue.
    pub(crate) fn tell_all(&mut self, afterwards: &mut Afterwards) {
        self.telling = Some(self.last_ticket);
        self.tell_the_rest(afterwards);
    }

    /// Lets each thread that waits look once, unasked, as if the time had passed for which it sleeps at most. Nobody is told, and all
    /// keep their places. Whoever was roused before is not again. For a queue that barges.
    pub(crate) fn rouse_threads(&mut self, afterwards: &mut Afterwards) {
        debug_assert!(
            self.order == Order::Barging,
            "in strict order those who know nothing of a task stand before it"
        );
        self.rousing = true;
        self.rouse_the_rest(afterwards);
    }

    fn rouse_the_rest(&mut self, afterwards: &mut Afterwards) {
        let mut next = self.list.first();
        while let Some(entry) = next {
            if afterwards.is_full() {
                afterwards.unfinished = true;
                return;
            }
            afterwards.wake(entry.rouse_once(ROUSED));
            next = entry.next();
        }
        self.rousing = false;
    }

    pub(super) fn tell_the_rest(&mut self, afterwards: &mut Afterwards) {
        if self.rousing {
            self.rouse_the_rest(afterwards);
        }
        while self.list.first().is_some_and(|first| self.is_being_told(first.ticket())) {
            if afterwards.is_full() {
                afterwards.unfinished = true;
                return;
            }
            self.len -= 1;
            afterwards.wake(self.list.tell_first(TOLD_WITH_ALL));
        }
        self.telling = None;
    }

    /// See [`patience_with_tasks`].
    pub(crate) fn patience_with_tasks(&self) -> Option<Duration> {
        patience_with_tasks(self.tasks)
    }

    fn is_being_told(&self, ticket: u64) -> bool {
        self.telling.is_some_and(|last| ticket <= last)
    }

    /// Tells the one who has waited longest and leaves him at the head of the queue. Whether he is a thread, which will look; a task
    /// may not.
    pub(crate) fn nudge_first(&mut self, afterwards: &mut Afterwards) -> bool {
        debug_assert!(self.order == Order::Strict, "who barges is told");
        self.nudge_all_but(None, afterwards)
    }

    /// As [`nudge_first`](Waiters::nudge_first), for the first behind the one whose turn it is.
    pub(crate) fn nudge_behind(&mut self, turn: Turn, afterwards: &mut Afterwards) -> bool {
        debug_assert!(self.order == Order::Strict, "who barges is told");
        // It may not be the first: those before it are late.
        self.nudge_all_but(turn.ticket, afterwards)
    }

    /// For one who looked in vain although something is there: tells the first before it that is not late, if the very first is. It
    /// had been told in that one's place. Whether the one told is a thread.
    pub(crate) fn nudge_behind_the_late(&mut self, turn: Turn, afterwards: &mut Afterwards) -> bool {
        debug_assert!(self.order == Order::Strict, "who barges is told");
        let now = clock::now();
        let before = |entry: &Entry<'_>| turn.ticket.is_none_or(|ticket| entry.ticket() < ticket);
        let mut next = self.list.first();
        if !next.is_some_and(|first| is_late(first, now)) {
            return false;
        }
        while let Some(entry) = next.filter(before) {
            if !is_late(entry, now) {
                afterwards.wake(entry.tell_once(TOLD_ALONE, now));
                return entry.is_thread();
            }
            next = entry.next();
        }
        false
    }

    /// Tells the first that is not late, nor has the ticket `but`; whether that is a thread.
    fn nudge_all_but(&self, but: Option<u64>, afterwards: &mut Afterwards) -> bool {
        let now = clock::now();
        let mut next = self.list.first();
        while let Some(entry) = next {
            if Some(entry.ticket()) != but && !is_late(entry, now) {
                afterwards.wake(entry.tell_once(TOLD_ALONE, now));
                return entry.is_thread();
            }
            next = entry.next();
        }
        false
    }

    /// Whether nobody who waits is before somebody who does not wait yet.
    pub(crate) fn is_newcomers_turn(&self) -> bool {
        self.is_turn_of(None)
    }

    fn is_turn_of(&self, ticket: Option<u64>) -> bool {
        let mut next = self.list.first();
        while let Some(entry) = next {
            if ticket.is_some_and(|ticket| ticket <= entry.ticket()) {
                return true;
            }
            if self.order == Order::Barging || !is_late(entry, clock::now()) {
                return false;
            }
            next = entry.next();
        }
        true
    }

    /// Whether the first has been first for so long that nobody else should be let through.
    pub(crate) fn is_first_overdue(&self) -> bool {
        let Some(first) = self.list.first() else { return false };
        if crate::primitive::IS_MODEL {
            // Loom knows no time, and is to see both.
            return first.ticket() % 2 == 0;
        }
        let now = clock::now();
        let quantum = lock::quantum(u32::try_from(self.len).unwrap_or(u32::MAX));
        clock::passed(self.first_since, now) > quantum && !is_late(first, now)
    }

    /// In strict order: what a task has to reckon with that waits, or is about to. Where there is something for the first, and
    /// those who were told of it are late, another must have been told; or whoever told them, or saw that they were not late
    /// yet, has been off its CPU since.
    pub(crate) fn beside(&self, something_is_there: bool) -> Beside {
        if !self.tasks || self.len == 0 {
            return Beside::Nobody;
        }
        let now = clock::now();
        let (mut next, mut some_are_late) = (self.list.first(), false);
        while let Some(entry) = next {
            next = entry.next();
            if !is_late(entry, now) {
                // Threads that were told do look.
                let told = entry.is_told_task() && next.is_some();
                let untold = some_are_late && something_is_there && !entry.is_told();
                if told || untold {
                    return Beside::Told;
                }
                break;
            }
            some_are_late = true;
        }
        if self.len > 1 { Beside::Others } else { Beside::Nobody }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many wait whom nobody tells now.
    pub(crate) fn untold(&self) -> usize {
        let Some(last) = self.telling else { return self.len };
        let mut untold = 0;
        let mut next = self.list.first();
        while let Some(entry) = next {
            untold += usize::from(entry.ticket() > last);
            next = entry.next();
        }
        untold
    }

    pub(super) fn turn(&self, node: &Node, ticket: Option<u64>) -> Turn {
        let is_head = self.list.first().is_some_and(|first| Some(first.ticket()) == ticket);
        Turn {
            first: self.is_turn_of(ticket),
            overdue: is_head && self.order == Order::Strict && self.is_first_overdue(),
            told: ticket.and_then(|ticket| match node.told() {
                Some(TOLD_ALONE) => Some(Told::Alone),
                Some(TOLD_WITH_ALL) => Some(Told::WithAll),
                // Or roused.
                _ if self.is_being_told(ticket) => Some(Told::WithAll),
                _ => None,
            }),
            ticket,
        }
    }

    /// Whether the node of somebody who has a ticket is in the list.
    fn has(&self, node: &Node) -> bool {
        match node.told() {
            None | Some(ROUSED) => true,
            Some(TOLD_ALONE) => self.order == Order::Strict,
            Some(_) => false,
        }
    }

    /// To be called before the first changes, or comes.
    fn new_first(&mut self) {
        if self.order == Order::Strict {
            self.first_since = clock::now();
        }
    }

    /// Waits, or waits on.
    ///
    /// # Safety
    /// The node was never in another list. It neither moves nor goes away before [`leave`](Waiters::leave) or
    /// [`leave_served`](Waiters::leave_served).
    pub(super) unsafe fn queue_up(
        &mut self,
        node: &Node,
        ticket: Option<u64>,
        place: Place,
        afterwards: &mut Afterwards,
    ) -> u64 {
        if self.list.is_empty() {
            self.new_first();
            self.tasks = false;
        }
        if let Place::OfATask(waker) = place {
            self.tasks = true;
            // SAFETY: the list is ours; the node is in it or in none.
            afterwards.drop = unsafe { set_waker(node, waker) };
        }
        match ticket {
            Some(ticket) if self.has(node) => {
                node.begin();
                ticket
            }
            Some(ticket) => {
                node.begin();
                self.len += 1;
                // SAFETY: it was taken out when he was told; the rest is promised by the caller.
                unsafe { self.list.push_back_in(NonNull::from(node), ticket) };
                ticket
            }
            None => {
                self.last_ticket += 1;
                self.len += 1;
                // SAFETY: without a ticket it is in no list; the rest is promised by the caller.
                unsafe { self.list.push(NonNull::from(node), self.last_ticket) };
                self.last_ticket
            }
        }
    }

    /// Somebody goes away with what he wanted; the attempt has told whom it had to.
    ///
    /// # Safety
    /// The node was queued up here, and has not left since.
    pub(super) unsafe fn leave_served(&mut self, node: &Node) {
        if self.has(node) {
            if self.list.first().is_some_and(|first| first.as_ptr() == NonNull::from(node)) {
                self.new_first();
            }
            self.len -= 1;
            // SAFETY: it is in the list.
            unsafe { self.list.remove(NonNull::from(node)) };
        }
    }

    /// Somebody goes away without what he wanted. If he barges, what he was told and has not looked at.
    ///
    /// # Safety
    /// As for [`leave_served`](Waiters::leave_served).
    pub(super) unsafe fn leave(
        &mut self,
        node: &Node,
        ticket: u64,
        afterwards: &mut Afterwards,
    ) -> Option<Told> {
        let turn = self.turn(node, Some(ticket));
        // SAFETY: as promised by the caller.
        unsafe { self.leave_served(node) };
        match self.order {
            Order::Barging => turn.told,
            Order::Strict => {
                if turn.first {
                    self.nudge_first(afterwards);
                }
                None
            }
        }
    }

    /// In the place of one who was told alone, and has left.
    pub(super) fn tell_another(&mut self, afterwards: &mut Afterwards) {
        self.left_over |= !self.tell_one(afterwards);
    }
}

impl Afterwards {
    fn wake(&mut self, wake: Wake) {
        if matches!(wake, Wake::Nobody) {
            return;
        }
        if self.wake.is_none() {
            self.wake = Some(wake);
        } else {
            let more = self.wake_more.get_or_insert([const { None }; BATCH - 1]);
            more[self.woken - 1] = Some(wake);
        }
        self.woken += 1;
    }

    fn is_full(&self) -> bool {
        self.woken == BATCH
    }

    pub(super) fn is_something(&self) -> bool {
        self.wake.is_some() || self.drop.is_some() || self.call.is_some() || self.unfinished
    }

    pub(super) fn call(&mut self, call: Call) {
        self.call = Some(call);
    }

    /// Whether somebody is still to be told.
    pub(super) fn run(self, every: &mut Every) -> bool {
        // First: a waker may run its task at once, which may take long, or wait for those who rely on one that was told.
        if let Some(call) = self.call {
            call.now();
        }
        for wake in self.wake.into_iter().chain(self.wake_more.into_iter().flatten().flatten()) {
            every.run(|| wake.now());
        }
        if let Some(waker) = self.drop {
            every.run(|| drop(waker));
        }
        self.unfinished
    }
}

/// For how long a thread sleeps at most before it looks again, where there may be tasks before it: these may be told, and not come.
pub(crate) fn patience_with_tasks(tasks: bool) -> Option<Duration> {
    // Loom knows no time, and would look for ever.
    (tasks && !crate::primitive::IS_MODEL).then(|| Duration::from_micros(LATE_US.into()))
}

/// Until when somebody sleeps who has a deadline, or looks again after `patience`.
pub(crate) fn sleep_until(deadline: Option<Instant>, patience: Option<Duration>) -> Option<Instant> {
    let look_again = patience.and_then(|patience| Instant::now().checked_add(patience));
    match (deadline, look_again) {
        (Some(deadline), Some(look_again)) => Some(deadline.min(look_again)),
        (deadline, look_again) => deadline.or(look_again),
    }
}

/// Whether somebody was told long ago and has not looked.
fn is_late(entry: Entry<'_>, now: u32) -> bool {
    entry.task_told_for(now).is_some_and(|ticks| ticks >= clock::micros(LATE_US))
}

/// Where somebody can be told.
pub(super) enum Place {
    OfThisThread,
    OfATask(Waker),
}
