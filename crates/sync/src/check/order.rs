//! In which order locks are taken: a graph, in which a circle is a deadlock that may come.
//!
//! An edge from one lock to another says that somebody asked for the second while he held the first, and would have waited for it
//! as long as it takes. Each witness of an edge is a context, with all that it held. A circle is reported if the witnesses of its
//! edges could stand there all at once (K. Havelund, "Using runtime analysis to guide model checking of Java programs", 2000, and
//! R. Agarwal, L. Wang, S. Stoller, "Detecting potential deadlocks with static analysis and runtime monitoring", 2005):
//!
//! 1. they are different contexts;
//! 2. no two of them hold a *gate*: a lock that they cannot both have;
//! 3. where one waits for what the next holds, these exclude each other: two readers do not;
//! 4. nothing says that one had ended before another began. A context's witnesses go with it; and what the only thread of a
//!    process does comes before all that the threads do that it starts.
//!
//! Locks are told apart by their numbers alone, never by names, types, or places in the program.

use super::context::{ContextId, Who};
use super::hook::Site;
use super::names::Mode;
use super::report::{Report, Verdict};
use super::state::{LockId, State};
use std::collections::BTreeMap;

pub(super) struct Order {
    edges: BTreeMap<LockId, BTreeMap<LockId, Vec<Witness>>>,
}

/// Somebody has asked for a lock while he held another.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) context: ContextId,
    /// When the context was first seen.
    began: u64,
    /// When it asked, the last time.
    at: u64,
    /// Whenever it asked there was no other thread in the process.
    alone: bool,
    pub(super) from: LockId,
    pub(super) from_mode: Mode,
    pub(super) from_site: Site,
    pub(super) to: LockId,
    pub(super) to_mode: Mode,
    pub(super) to_site: Site,
    /// All that it held, the first lock among it.
    held: Vec<(LockId, Mode)>,
}

/// So many are kept of each edge. A circle whose witnesses came later is not found.
const WITNESSES_MOST: usize = 16;
/// Longer circles are not looked for.
const LENGTH_MOST: usize = 8;
/// A search ends after so many steps.
const STEPS_MOST: usize = 20_000;

/// Somebody asks for a lock and will wait for it: notes the order, and reports the circles that it closes; whether there is one that is new.
pub(super) fn wanted(state: &mut State, who: Who, to: LockId, to_mode: Mode, to_site: Site) -> bool {
    let Some((id, context)) = who.id().and_then(|id| Some((id, state.contexts.get(&id)?))) else {
        return false;
    };
    let again = to_mode != Mode::Upgrade && context.held.iter().any(|(lock, _)| *lock == to);
    if context.held.is_empty() || again {
        return false;
    }
    let began = context.began;
    let travels = |lock: &LockId| state.locks.get(lock).is_none_or(|lock| lock.travels);
    let holds: Vec<_> = (context.held.iter())
        .filter(|(lock, _)| !travels(lock))
        .filter_map(|(lock, serial)| Some((*lock, *state.hold(*lock, *serial)?)))
        .collect();
    if travels(&to) {
        return false;
    }
    let held: Vec<_> = holds.iter().map(|(lock, hold)| (*lock, hold.mode)).collect();
    let alone = state.contexts.len() == 1 && is_only_thread();
    let at = state.tick();
    let mut is_news = false;
    for (from, hold) in holds.into_iter().filter(|(from, _)| *from != to) {
        let witness = Witness {
            context: id,
            began,
            at,
            alone,
            from,
            from_mode: hold.mode,
            from_site: hold.site,
            to,
            to_mode,
            to_site,
            held: held.clone(),
        };
        let circle = state.order.add(witness);
        if let Some(circle) = circle {
            let report = Report::of_order(state, &circle);
            is_news |= state.report(report);
        }
    }
    is_news
}

impl Order {
    pub(super) const fn new() -> Self {
        Order { edges: BTreeMap::new() }
    }

    /// Adds a witness, and looks for a circle that it closes.
    fn add(&mut self, mut witness: Witness) -> Option<Vec<Witness>> {
        let witnesses = self.edges.entry(witness.from).or_default().entry(witness.to).or_default();
        if let Some(known) = witnesses.iter_mut().find(|known| known.says_the_same(&witness)) {
            witness.alone &= known.alone;
            *known = witness.clone();
        } else if witnesses.len() < WITNESSES_MOST {
            witnesses.push(witness.clone());
        }
        let mut chain = vec![witness];
        let mut steps = STEPS_MOST;
        self.close(&mut chain, &mut steps).then_some(chain)
    }

    /// Goes on from the chain's end until its begin.
    fn close(&self, chain: &mut Vec<Witness>, steps: &mut usize) -> bool {
        let (start, end) = (chain[0].clone(), chain[chain.len() - 1].clone());
        for (next, witnesses) in self.edges.get(&end.to).into_iter().flatten() {
            for witness in witnesses {
                if *steps == 0 {
                    return false;
                }
                *steps -= 1;
                if !end.to_mode.excludes(witness.from_mode)
                    || !chain.iter().all(|other| witness.can_stand_beside(other))
                {
                    continue;
                }
                let closed = *next == start.from && witness.to_mode.excludes(start.from_mode);
                let known = chain.iter().any(|other| other.from == *next);
                if !closed && (known || chain.len() + 1 >= LENGTH_MOST) {
                    continue;
                }
                chain.push(witness.clone());
                if closed || self.close(chain, steps) {
                    return true;
                }
                chain.pop();
            }
        }
        false
    }

    pub(super) fn forget_lock(&mut self, lock: LockId) {
        self.edges.remove(&lock);
        self.edges.retain(|_, to| {
            to.remove(&lock);
            !to.is_empty()
        });
    }

    pub(super) fn forget_context(&mut self, context: ContextId) {
        self.edges.retain(|_, to| {
            to.retain(|_, witnesses| {
                witnesses.retain(|witness| witness.context != context);
                !witnesses.is_empty()
            });
            !to.is_empty()
        });
    }

    /// A witness of each edge.
    pub(super) fn edges(&self) -> impl Iterator<Item = &Witness> {
        self.edges.values().flat_map(BTreeMap::values).filter_map(|witnesses| witnesses.first())
    }
}

impl Witness {
    fn says_the_same(&self, other: &Witness) -> bool {
        self.context == other.context
            && self.from_mode == other.from_mode
            && self.to_mode == other.to_mode
            && self.held == other.held
    }

    /// Whether both can ask at the same time.
    fn can_stand_beside(&self, other: &Witness) -> bool {
        let gate = self.held.iter().any(|(lock, mode)| {
            other.held.iter().any(|(of_other, its_mode)| lock == of_other && mode.excludes(*its_mode))
        });
        self.context != other.context && !gate && !self.comes_before(other) && !other.comes_before(self)
    }

    fn comes_before(&self, other: &Witness) -> bool {
        self.alone && self.at < other.began
    }
}

/// Whether the process has one thread. Where the system does not say, it is not known to.
fn is_only_thread() -> bool {
    cfg!(target_os = "linux")
        && std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.take(2).count() == 1)
}

impl Report {
    fn of_order(state: &State, circle: &[Witness]) -> Report {
        let mut key: Vec<u64> = circle.iter().map(|witness| witness.from.0 as u64).collect();
        key.sort_unstable();
        let entries = circle.iter().map(|witness| {
            state.entry(
                witness.context,
                Some((witness.from, witness.from_mode, witness.from_site)),
                state.lock_name(witness.to),
                Some(witness.to_mode),
                witness.to_site,
            )
        });
        Report::new(Verdict::Potential, entries.collect(), key)
    }
}
