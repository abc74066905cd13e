//! What the checker says.

use super::context::ContextId;
use super::hook::Site;
use super::names::Mode;
use super::state::{self, LockId, State};
use crate::catch::contain;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::thread;

/// How sure the checker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// They wait for each other now, and will for ever.
    Certain,
    /// They did not wait for each other, but would have, had each come to its first lock before the others came to their second.
    Potential,
}

/// A deadlock.
///
/// Shown, it is a line for the verdict and one or more for each who takes part.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Whether it is there, or may come.
    pub verdict: Verdict,
    /// Each waits for what the next one holds, and the last for what the first does, as far as they stand in one circle.
    pub cycle: Vec<Entry>,
    /// The same for the same deadlock.
    key: Vec<u64>,
}

/// One who takes part in a deadlock.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The thread's or context's name and number.
    pub context: String,
    /// What it holds that another one waits for: nothing, if it is in the way only by standing before him in the queue, or as a
    /// worker.
    pub holds: Option<Held>,
    /// The task whose work it runs, if another one waits for that task.
    pub runs: Option<String>,
    /// What it waits for.
    pub waits_for: String,
    /// In what way it wants that, if it is a lock.
    pub mode: Option<Mode>,
    /// Where it waits.
    pub at: &'static Location<'static>,
}

/// A lock that is held.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Held {
    /// Its kind, its name if it was given one, its number, and its address.
    pub lock: String,
    /// In what way.
    pub mode: Mode,
    /// Where it was taken.
    pub at: &'static Location<'static>,
}

pub(super) type Callback = Arc<dyn Fn(&Report) + Send + Sync>;

/// So many are kept.
const REPORTS_MOST: usize = 1000;

impl Report {
    pub(super) fn new(verdict: Verdict, cycle: Vec<Entry>, key: Vec<u64>) -> Self {
        Report { verdict, cycle, key }
    }

    /// The report as a graph in the language of Graphviz: contexts are boxes, what they hold and wait for ellipses.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph deadlock {\n");
        for entry in &self.cycle {
            text += &format!("  {:?} [shape=box];\n", entry.context);
            if let Some(held) = &entry.holds {
                text += &format!(
                    "  {:?} -> {:?} [label={:?}];\n",
                    held.lock,
                    entry.context,
                    format!("held, {}", held.at)
                );
            }
            if let Some(task) = &entry.runs {
                text += &format!("  {task:?} -> {:?} [label=\"run\"];\n", entry.context);
            }
            text += &format!(
                "  {:?} -> {:?} [label={:?}];\n",
                entry.context,
                entry.waits_for,
                format!("waits, {}", entry.at)
            );
        }
        text + "}\n"
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.verdict {
            Verdict::Certain => "deadlock:",
            Verdict::Potential => "deadlock that may come: locks are taken in different orders:",
        })?;
        for entry in &self.cycle {
            write!(f, "\n  {}", entry.context)?;
            if let Some(held) = &entry.holds {
                write!(f, " holds {} ({}, taken at {})\n    and", held.lock, held.mode, held.at)?;
            }
            if let Some(task) = &entry.runs {
                write!(f, " runs {task}\n    and")?;
            }
            write!(f, " waits for {} at {}", entry.waits_for, entry.at)?;
        }
        Ok(())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Exclusive => "alone",
            Mode::Shared => "shared",
            Mode::Upgradable => "upgradable",
            Mode::SharedAgain => "shared again",
            Mode::Upgrade => "upgraded",
        })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, taken at {})", self.lock, self.mode, self.at)
    }
}

impl State {
    /// Keeps a report, unless it is known; whether it is kept.
    pub(super) fn report(&mut self, report: Report) -> bool {
        let is_news = self.reports.len() < REPORTS_MOST && self.reported.insert(report.key.clone());
        if is_news {
            self.reports.push(report);
        }
        is_news
    }

    pub(super) fn entry(
        &self,
        context: ContextId,
        holds: Option<(LockId, Mode, Site)>,
        waits_for: String,
        mode: Option<Mode>,
        at: Site,
    ) -> Entry {
        let holds = holds.map(|(lock, mode, site)| self.held(lock, mode, site));
        Entry { context: self.context_name(context), holds, runs: None, waits_for, mode, at: at.location() }
    }

    pub(super) fn held(&self, lock: LockId, mode: Mode, site: Site) -> Held {
        Held { lock: self.lock_name(lock), mode, at: site.location() }
    }

    pub(super) fn context_name(&self, id: ContextId) -> String {
        let name = self.contexts.get(&id).map_or("?", |context| &context.name);
        format!("`{name}` (#{})", id.0)
    }

    pub(super) fn lock_name(&self, id: LockId) -> String {
        let Some(lock) = self.locks.get(&id) else { return format!("lock #{}", id.0) };
        let name = lock.name.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
        format!("{:?}{name} #{} at {:#x}", lock.kind, id.0, lock.address)
    }
}

/// As [`deliver`], on a thread that holds none of the program's locks.
pub(super) fn deliver_elsewhere() {
    // Where there are no threads left, the reports can still be asked for.
    let _not_delivered = thread::Builder::new().name("trefoil-check".into()).spawn(|| contain(deliver));
}

/// Hands the reports that are new to whoever wants them.
pub(super) fn deliver() {
    loop {
        let next = state::with(|state| {
            let report = state.reports.get(state.delivered)?.clone();
            state.delivered += 1;
            Some((report, state.callback.clone()))
        });
        let Some(Some((report, callback))) = next else { return };
        match callback {
            // It is a user's, and must not keep the others from being delivered.
            Some(callback) => contain(|| callback(&report)),
            None => eprintln!("{report}"),
        }
    }
}
