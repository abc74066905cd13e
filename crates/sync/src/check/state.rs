//! What the checker knows: who holds what, who waits for what.
//!
//! It all lies under one lock of `std`, which is held for a short time in which nothing of a user's runs, but for the allocator. An
//! allocator that is built on locks of ours finds the checker [inside](Inside) already, and is not looked at.

use super::context::ContextId;
use super::hook::Site;
use super::join::Cell;
use super::names::{Kind, Mode, Of};
use super::order::Order;
use super::pool::Stages;
use super::report::{Callback, Report};
use super::task::WakesBy;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Which lock. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LockId(pub(super) usize);

/// Everything.
pub(super) struct State {
    /// Counts what happens.
    clock: u64,
    pub(super) contexts: BTreeMap<ContextId, Context>,
    pub(super) locks: BTreeMap<LockId, Lock>,
    /// By number: what is queued in a pool, or runs there.
    pub(super) works: BTreeMap<u64, Stages>,
    /// By number: the contexts that work for it, and how many there are when all have come.
    pub(super) pools: BTreeMap<u64, Crew>,
    /// Who runs the work that ends a task.
    pub(super) runs: BTreeMap<Cell, ContextId>,
    pub(super) order: Order,
    pub(super) reports: Vec<Report>,
    /// So many of them have been handed to the callback.
    pub(super) delivered: usize,
    /// What has been reported: kept apart, for reports can be taken away.
    pub(super) reported: BTreeSet<Vec<u64>>,
    /// What is looked at again in a while.
    pub(super) suspected: BTreeSet<Vec<u64>>,
    pub(super) callback: Option<Callback>,
}

/// A thread, coroutine or task.
pub(super) struct Context {
    pub(super) name: Arc<str>,
    /// When it was first seen, or made.
    pub(super) began: u64,
    /// What it holds, in order.
    pub(super) held: Vec<(LockId, u64)>,
    pub(super) waits: Vec<Wait>,
    /// For a task.
    pub(super) waker: Option<WakesBy>,
}

pub(super) struct Lock {
    pub(super) kind: Kind,
    pub(super) name: Option<Arc<str>>,
    pub(super) address: usize,
    /// Of a semaphore: how many there are, while that is known.
    pub(super) permits: Option<usize>,
    pub(super) holds: Vec<Hold>,
    /// Somebody else than the one who took it has given it back, so who took it may not be who has it.
    pub(super) travels: bool,
}

/// A lock is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    /// By whom, if that is known.
    pub(super) context: Option<ContextId>,
    pub(super) mode: Mode,
    /// Of a semaphore: how many.
    pub(super) permits: usize,
    pub(super) site: Site,
    pub(super) serial: u64,
}

/// Somebody waits for as long as it takes.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) serial: u64,
    pub(super) target: Target,
    pub(super) site: Site,
    pub(super) by: By,
}

/// How somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// He can do nothing else meanwhile.
    Blocking,
    /// It is a task, which awaits this, and perhaps other things. So many clones of its waker are with what it awaits.
    Wakers(usize),
    /// As `Wakers`, of several tasks, which have one clone in common: the first that ends uses it up.
    Common,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Lock(LockId, Mode),
    /// So many at once.
    Permits(LockId, usize),
    Work(u64),
    Task(Cell),
    /// Tasks that have not ended.
    Tasks(Of, Vec<Cell>),
}

pub(super) struct Crew {
    pub(super) name: Arc<str>,
    pub(super) size: usize,
    pub(super) workers: BTreeSet<ContextId>,
}

static STATE: Mutex<State> = Mutex::new(State::new());
/// The process that has switched the checker on. In a child made by `fork` the state may be half done and locked for ever.
static PROCESS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// This thread looks at the state.
struct Inside;

impl Inside {
    fn enter() -> Option<Self> {
        (!INSIDE.replace(true)).then_some(Inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

/// Works on the state. `None` if this thread does so already, or is in a process that was forked.
///
/// `work` calls nothing that a user has written, and drops nothing of his.
pub(super) fn with<R>(work: impl FnOnce(&mut State) -> R) -> Option<R> {
    let _inside = Inside::enter()?;
    if !is_at_home() {
        return None;
    }
    Some(work(&mut STATE.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// This process is the one whose checker this is.
pub(super) fn settle() {
    // Relaxed, all of them: nothing is published by it.
    let _another_was_first =
        PROCESS.compare_exchange(0, std::process::id(), Ordering::Relaxed, Ordering::Relaxed);
}

/// Whether the checker was ever switched on, and by this process.
pub(super) fn is_at_home() -> bool {
    let home = PROCESS.load(Ordering::Relaxed);
    home != 0 && home == std::process::id()
}

impl State {
    const fn new() -> Self {
        State {
            clock: 0,
            contexts: BTreeMap::new(),
            locks: BTreeMap::new(),
            works: BTreeMap::new(),
            pools: BTreeMap::new(),
            runs: BTreeMap::new(),
            order: Order::new(),
            reports: Vec::new(),
            delivered: 0,
            reported: BTreeSet::new(),
            suspected: BTreeSet::new(),
            callback: None,
        }
    }

    /// A number that is later than all before.
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Forgets who holds what and in which order: there was a time when nobody said so.
    pub(super) fn begin_anew(&mut self) {
        for context in self.contexts.values_mut() {
            context.held.clear();
            context.waits.clear();
        }
        for lock in self.locks.values_mut() {
            lock.holds.clear();
        }
        self.order = Order::new();
    }

    pub(super) fn see(&mut self, id: LockId, kind: Kind, address: usize, permits: Option<usize>) {
        let lock = self.locks.entry(id).or_insert(Lock {
            kind,
            name: None,
            address,
            permits,
            holds: Vec::new(),
            travels: false,
        });
        (lock.address, lock.permits) = (address, permits);
    }

    pub(super) fn acquired(&mut self, id: LockId, hold: Hold) {
        if let Some(context) = hold.context.and_then(|context| self.contexts.get_mut(&context)) {
            context.held.push((id, hold.serial));
        }
        if let Some(lock) = self.locks.get_mut(&id) {
            lock.holds.push(hold);
        }
    }

    pub(super) fn released(&mut self, by: Option<ContextId>, id: LockId, mode: Mode, permits: usize) {
        let Some(lock) = self.locks.get_mut(&id) else { return };
        let taken_by = |who: &dyn Fn(Option<ContextId>) -> bool| {
            lock.holds
                .iter()
                .rposition(|hold| (hold.mode, hold.permits) == (mode, permits) && who(hold.context))
        };
        let own = taken_by(&|who| who == by).or_else(|| taken_by(&|who| who.is_none()));
        // If there is none, it was taken before the checker was switched on.
        let Some(place) = own.or_else(|| taken_by(&|_| true)) else { return };
        let hold = lock.holds.remove(place);
        if own.is_none() {
            lock.travels = true;
            self.order.forget_lock(id);
        }
        if let Some(context) = hold.context.and_then(|context| self.contexts.get_mut(&context)) {
            context.held.retain(|(_, serial)| *serial != hold.serial);
        }
    }

    /// Returns the wait's number.
    pub(super) fn begin_wait(&mut self, context: ContextId, wait: Wait) -> u64 {
        let serial = wait.serial;
        if let Some(context) = self.contexts.get_mut(&context) {
            context.waits.push(wait);
        }
        serial
    }

    pub(super) fn end_wait(&mut self, context: ContextId, serial: u64) {
        if let Some(context) = self.contexts.get_mut(&context) {
            context.waits.retain(|wait| wait.serial != serial);
        }
    }

    /// Nobody awaits this task any more, alone or with others. Who blocks says so himself.
    pub(super) fn end_awaiting(&mut self, task: Cell) {
        for context in self.contexts.values_mut() {
            context.waits.retain_mut(|wait| wait.still_awaits_without(task));
        }
    }

    /// The task has ended, and has woken whoever awaits it.
    pub(super) fn has_ended(&mut self, task: Cell) {
        for context in self.contexts.values_mut() {
            context.waits.retain(|wait| !wait.is_used_up_by(task));
        }
    }

    pub(super) fn forget_lock(&mut self, id: LockId) {
        self.order.forget_lock(id);
        let Some(lock) = self.locks.remove(&id) else { return };
        for hold in lock.holds {
            if let Some(context) = hold.context.and_then(|context| self.contexts.get_mut(&context)) {
                context.held.retain(|(_, serial)| *serial != hold.serial);
            }
        }
    }

    /// What it holds stays held: its guards were forgotten, or are with somebody else.
    pub(super) fn forget_context(&mut self, id: ContextId) {
        let Some(context) = self.contexts.remove(&id) else { return };
        for (lock, serial) in context.held {
            let holds = self.locks.get_mut(&lock).into_iter().flat_map(|lock| &mut lock.holds);
            holds.filter(|hold| hold.serial == serial).for_each(|hold| hold.context = None);
        }
        self.order.forget_context(id);
        for crew in self.pools.values_mut() {
            crew.workers.remove(&id);
        }
    }

    /// The way in which a context holds a lock.
    pub(super) fn hold(&self, lock: LockId, serial: u64) -> Option<&Hold> {
        self.locks.get(&lock)?.holds.iter().find(|hold| hold.serial == serial)
    }
}
