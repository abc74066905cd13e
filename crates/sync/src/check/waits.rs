//! Who waits for whom, now: a set in which everybody waits for somebody of the set waits for ever.
//!
//! The set is found by leaving out, again and again, whoever may go on: who does not wait, or not for as long as it takes; or one of
//! whose waits has nobody in the set to keep it up. What is left over is closed. A lock is kept up by a holder in whose way the
//! waiter is, or, if he wants to share it, by one who waits before him to have it alone; work is kept up by the context that runs it,
//! or, while it is queued, by all the workers of its pool; a task by the context that [runs](super::join) what ends it.
//!
//! Whoever closes the set finds it, for each of them says that he holds before he says that he waits. The set is looked at again
//! after [a while](patience), in a thread of its own, and reported if nobody has moved. So those have time who are to have a guard
//! that was sent to them: it shows when they give it back, and the lock is left out from then on. And so have those who have just
//! woken a task that waits again already: their clones of its waker count for the second look only.

use super::context::ContextId;
use super::join::Cell;
use super::names::Of;
use super::pool::WorkStage;
use super::report::{self, Report, Verdict};
use super::state::{self, By, Lock, LockId, State, Target, Wait};
use crate::catch::contain;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Those who seem to wait for each other, with the numbers of their waits.
pub(super) type Suspicion = BTreeMap<ContextId, Vec<u64>>;

static PATIENCE_MS: AtomicU64 = AtomicU64::new(200);

pub(super) fn set_patience(patience: Duration) {
    // Relaxed: a number that stands for nothing but itself. A wait of half a billion years is as good as any longer one.
    PATIENCE_MS.store(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

pub(super) fn patience() -> Duration {
    Duration::from_millis(PATIENCE_MS.load(Ordering::Relaxed))
}

/// How many clones of a task's waker there may be, if the task awaits nothing but what it has said.
#[derive(Clone, Copy)]
enum Clones {
    /// One with each, and none besides.
    Exact,
    /// More may be with those who have woken it and have not come to drop theirs.
    AtLeast,
}

/// What each context waits for, at one moment: who has a clone of a task's waker, and who has used it, changes while this is looked at.
struct Waits<'a>(BTreeMap<ContextId, &'a [Wait]>);

impl<'a> Waits<'a> {
    fn now(state: &'a State, clones: Clones) -> Self {
        let waits = state.contexts.keys().map(|id| (*id, waits(state, *id, clones)));
        Waits(waits.filter(|(_, waits)| !waits.is_empty()).collect())
    }

    fn of(&self, id: ContextId) -> &'a [Wait] {
        self.0.get(&id).copied().unwrap_or_default()
    }

    /// Everybody who waits for ever.
    fn stuck(&self, state: &State) -> BTreeSet<ContextId> {
        let mut stuck: BTreeSet<ContextId> = self.0.keys().copied().collect();
        loop {
            let goes_on =
                |id: &ContextId| self.of(*id).iter().any(|wait| keepers(state, *id, wait, &stuck).is_empty());
            let free: Vec<ContextId> = stuck.iter().copied().filter(goes_on).collect();
            if free.is_empty() {
                return stuck;
            }
            stuck.retain(|id| !free.contains(id));
        }
    }

    /// Whom a context waits for, and whom these wait for, and so on.
    fn reach(&self, state: &State, stuck: &BTreeSet<ContextId>, start: ContextId) -> BTreeSet<ContextId> {
        let mut reached = BTreeSet::new();
        let mut ahead = vec![start];
        while let Some(id) = ahead.pop() {
            for wait in self.of(id) {
                for keeper in keepers(state, id, wait, stuck) {
                    if reached.insert(keeper) {
                        ahead.push(keeper);
                    }
                }
            }
        }
        reached
    }
}

/// Those who wait for each other, if `start` is one of them.
pub(super) fn suspicion(state: &mut State, start: ContextId) -> Option<Suspicion> {
    let suspicion =
        [Clones::Exact, Clones::AtLeast].into_iter().find_map(|clones| circle(state, start, clones))?;
    let number = key(&suspicion);
    // Nobody looks twice for the same.
    (!state.reported.contains(&number) && state.suspected.insert(number)).then_some(suspicion)
}

fn circle(state: &State, start: ContextId, clones: Clones) -> Option<Suspicion> {
    let waits = Waits::now(state, clones);
    let stuck = waits.stuck(state);
    if !stuck.contains(&start) {
        return None;
    }
    let reached = waits.reach(state, &stuck, start);
    // Who only waits for the others is no part of it.
    let circle = reached.into_iter().filter(|id| waits.reach(state, &stuck, *id).contains(id));
    let circle: Suspicion = circle.map(|id| (id, serials(waits.of(id)))).collect();
    debug_assert!(!circle.is_empty(), "each of those who are stuck waits for one of them");
    Some(circle)
}

/// Looks again after a while, on another thread, and reports.
pub(super) fn follow(suspicion: Option<Suspicion>) {
    let Some(suspicion) = suspicion else { return };
    let number = key(&suspicion);
    let look_again = move || {
        thread::sleep(patience());
        let report = state::with(|state| {
            state.suspected.remove(&key(&suspicion));
            let waits = Waits::now(state, Clones::Exact);
            let stuck = waits.stuck(state);
            let moved = |(id, before): (&ContextId, &Vec<u64>)| {
                !stuck.contains(id) || serials(waits.of(*id)) != *before
            };
            if !super::is_on() || suspicion.iter().any(moved) {
                return;
            }
            let report = Report::of_waits(state, &waits, &stuck, &suspicion);
            state.report(report);
        });
        if report.is_some() {
            contain(report::deliver);
        }
    };
    let looked_at = thread::Builder::new().name("trefoil-check".into()).spawn(look_again);
    if looked_at.is_err() {
        // Where there are no threads left, there is no verdict.
        state::with(|state| state.suspected.remove(&number));
    }
}

/// What a context waits for; nothing, if anything else may make it go on.
fn waits(state: &State, id: ContextId, clones: Clones) -> &[Wait] {
    let Some(context) = state.contexts.get(&id) else { return &[] };
    let waits = context.waits.as_slice();
    if let Some(place) = waits.iter().rposition(|wait| wait.by == By::Blocking) {
        // It does not come to what it awaits. Who waits for work by joining a task that nobody runs yet waits for that work.
        let work = place.checked_sub(1).filter(|before| is_by_joining(state, &waits[*before], &waits[place]));
        let place = work.unwrap_or(place);
        return &waits[place..=place];
    }
    let Some(waker) = &context.waker else { return &[] };
    // One is with the task itself.
    let others = waker.count().saturating_sub(1);
    let said = waits.iter().map(Wait::wakers).sum();
    let nothing_else = match clones {
        Clones::Exact => others == said,
        Clones::AtLeast => others >= said,
    };
    if waker.count() == 0 || waker.is_woken() || !nothing_else { &[] } else { waits }
}

fn is_by_joining(state: &State, work: &Wait, join: &Wait) -> bool {
    match (&work.target, &join.target) {
        (Target::Work(_), Target::Task(cell)) => work.by == By::Blocking && !state.runs.contains_key(cell),
        _ => false,
    }
}

/// Those of `stuck` who keep a wait up: empty, if it may end.
fn keepers(state: &State, id: ContextId, wait: &Wait, stuck: &BTreeSet<ContextId>) -> Vec<ContextId> {
    match &wait.target {
        &Target::Lock(lock, mode) => {
            let Some(known) = state.locks.get(&lock).filter(|known| !known.travels) else {
                return Vec::new();
            };
            let in_the_way = known.holds.iter().filter(|hold| hold.mode.excludes(mode));
            let holders = in_the_way.filter_map(|hold| hold.context);
            // Where somebody else has it, his giving it back may let in those who want to share it first.
            let all_are_stuck =
                known.holds.iter().all(|hold| hold.context.is_some_and(|id| stuck.contains(&id)));
            let ahead = state.contexts.iter().filter(|(other, context)| {
                all_are_stuck
                    && **other != id
                    && context.waits.iter().any(|other| is_ahead(other, lock, wait))
            });
            holders.chain(ahead.map(|(other, _)| *other)).filter(|other| stuck.contains(other)).collect()
        }
        &Target::Permits(lock, count) => match state.locks.get(&lock).filter(|known| !known.travels) {
            Some(known) => permits_out(known, count, stuck),
            None => Vec::new(),
        },
        Target::Work(work) => match state.works.get(work).map(|work| &work.stage) {
            Some(WorkStage::Runs(by)) if stuck.contains(by) => vec![*by],
            Some(WorkStage::Queued(pool)) => match state.pools.get(pool) {
                Some(crew) if crew.workers.len() >= crew.size && crew.workers.is_subset(stuck) => {
                    crew.workers.iter().copied().collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        },
        Target::Task(cell) => ended_by(state, *cell, stuck).into_iter().collect(),
        Target::Tasks(of, cells) => {
            let kept: Vec<ContextId> =
                cells.iter().filter_map(|cell| ended_by(state, *cell, stuck)).collect();
            match of {
                // It may end by one that nobody keeps up.
                Of::Any if kept.len() < cells.len() => Vec::new(),
                Of::Any | Of::All => kept,
            }
        }
    }
}

/// Who of `stuck` runs what ends a task, and is the only one who can.
fn ended_by(state: &State, task: Cell, stuck: &BTreeSet<ContextId>) -> Option<ContextId> {
    state.runs.get(&task).copied().filter(|by| stuck.contains(by))
}

/// Those of `stuck` who have permits, if so many are never free as long as they keep them, whatever all others give back.
fn permits_out(semaphore: &Lock, count: usize, stuck: &BTreeSet<ContextId>) -> Vec<ContextId> {
    let Some(all) = semaphore.permits else { return Vec::new() };
    let kept = || {
        let kept = semaphore.holds.iter().filter_map(|hold| Some((hold.context?, hold.permits)));
        kept.filter(|(context, _)| stuck.contains(context))
    };
    let out: usize = kept().map(|(_, permits)| permits).sum();
    if all.saturating_sub(out) >= count { Vec::new() } else { kept().map(|(context, _)| context).collect() }
}

/// Whether a wait keeps up a later one of those who would share the lock.
fn is_ahead(other: &Wait, lock: LockId, wait: &Wait) -> bool {
    match (&other.target, &wait.target) {
        (Target::Lock(its_lock, its_mode), Target::Lock(_, mode)) => {
            *its_lock == lock
                && other.serial < wait.serial
                && mode.queues_behind_writers()
                && its_mode.is_alone()
        }
        _ => false,
    }
}

fn serials(waits: &[Wait]) -> Vec<u64> {
    waits.iter().map(|wait| wait.serial).collect()
}

/// Numbers of waits are not used again, so they stand for the deadlock. They cannot be taken for those of locks.
fn key(suspicion: &Suspicion) -> Vec<u64> {
    [0].into_iter().chain(suspicion.values().flatten().copied()).collect()
}

impl Report {
    fn of_waits(
        state: &State,
        waits: &Waits<'_>,
        stuck: &BTreeSet<ContextId>,
        suspicion: &Suspicion,
    ) -> Report {
        let wanted: BTreeSet<LockId> = (suspicion.keys())
            .flat_map(|id| waits.of(*id))
            .filter_map(|wait| match wait.target {
                Target::Lock(lock, _) | Target::Permits(lock, _) => Some(lock),
                Target::Work(_) | Target::Task(_) | Target::Tasks(..) => None,
            })
            .collect();
        let joined: Vec<Cell> = (suspicion.keys())
            .flat_map(|id| waits.of(*id))
            .flat_map(|wait| match &wait.target {
                Target::Task(cell) => std::slice::from_ref(cell),
                Target::Tasks(_, cells) => cells,
                Target::Lock(..) | Target::Permits(..) | Target::Work(_) => &[],
            })
            .copied()
            .collect();
        let mut entries = Vec::new();
        for id in in_order(state, waits, stuck, suspicion) {
            let held = state.contexts.get(&id).map_or(&[][..], |context| &context.held);
            let held = held.iter().find(|(lock, _)| wanted.contains(lock));
            let held = held.and_then(|(lock, serial)| {
                let hold = state.hold(*lock, *serial)?;
                Some((*lock, hold.mode, hold.site))
            });
            for wait in waits.of(id) {
                let (what, mode) = match &wait.target {
                    &Target::Lock(lock, mode) => (state.lock_name(lock), Some(mode)),
                    &Target::Permits(lock, 1) => (format!("a permit of {}", state.lock_name(lock)), None),
                    &Target::Permits(lock, count) => {
                        (format!("{count} permits of {}", state.lock_name(lock)), None)
                    }
                    Target::Work(work) => (state.work_name(*work), None),
                    Target::Task(cell) => (state.task_name(*cell), None),
                    Target::Tasks(of, cells) => (state.tasks_name(*of, cells), None),
                };
                let mut entry = state.entry(id, held, what, mode, wait.site);
                entry.runs = state.run_by(id, &joined).map(|cell| state.task_name(cell));
                entries.push(entry);
            }
        }
        Report::new(Verdict::Certain, entries, key(suspicion))
    }
}

/// Each before the one whom he waits for, as far as that goes.
fn in_order(
    state: &State,
    waits: &Waits<'_>,
    stuck: &BTreeSet<ContextId>,
    suspicion: &Suspicion,
) -> Vec<ContextId> {
    let mut left: BTreeSet<ContextId> = suspicion.keys().copied().collect();
    let mut order = Vec::new();
    let mut next = left.first().copied();
    while let Some(id) = next {
        left.remove(&id);
        order.push(id);
        let keepers = waits.of(id).iter().flat_map(|wait| keepers(state, id, wait, stuck));
        next = keepers.into_iter().find(|id| left.contains(id)).or_else(|| left.first().copied());
    }
    order
}
