//! Those who wait for the lock, and whose turn it is.
//!
//! Whoever comes while the lock can be had takes it, until somebody has waited for longer than a *quantum*: then he is
//! *overdue*, and those who come now queue up too. Readers and writers take turns: after a writer come the readers that
//! have waited, all of them at once, and after the last of those a writer (phase-fair: B. Brandenburg, J. Anderson,
//! "Reader-writer synchronization for shared-memory multiprocessor real-time systems", 2009).
//!
//! Those whose turn it is are *told*, and the lock is kept for them if they were overdue. A task that was told may never be
//! polled, so that lasts a millisecond. After that the lock is anybody's again.

use super::word::{self, Want};
use crate::os::clock;
use crate::wait::{self, Afterwards, Beside, Queues, Waiters};
use std::time::Duration;

/// Nobody is overtaken for longer. A writer that keeps the others out as soon as it waits makes them all sleep; one that is
/// passed by for longer than this makes the longest waits longer.
const QUANTUM_US: u32 = 100;
/// As for the mutex: a task that was told has this long to come.
const PATIENCE_US: u32 = 1_000;

pub(super) struct State {
    /// Those who want to read, or to read and upgrade later.
    pub(super) shared: Waiters,
    pub(super) writers: Waiters,
    /// The one who has an upgradable read and wants to write.
    pub(super) upgrader: Waiters,
    /// Since when somebody waits to read, and since when the first waits to write.
    shared_since: u32,
    exclusive_since: u32,
    told: Told,
    /// A writer has had the lock since readers were told.
    shared_next: bool,
    /// A task waits, or has waited since somebody last waited. It may be told and not come, so threads look again by
    /// themselves.
    tasks: bool,
    /// Loom knows no time: whether who was told and has not come is late, and whether nobody is overdue. Otherwise all are at once.
    #[cfg(trefoil_loom)]
    pub(super) impatient: bool,
    #[cfg(trefoil_loom)]
    pub(super) unhurried: bool,
}

/// Who has been told, and has not looked yet.
#[derive(Clone, Copy)]
struct Told {
    left: usize,
    /// So many of those have gone away, and have not yet seen to it who is told in their place.
    gone: usize,
    at: u32,
    readers: bool,
    /// The lock is kept for them.
    kept: bool,
}

const NOBODY: Told = Told { left: 0, gone: 0, at: 0, readers: false, kept: false };

impl State {
    pub(super) const fn new() -> Self {
        State {
            shared: Waiters::barging(),
            writers: Waiters::barging(),
            upgrader: Waiters::barging(),
            shared_since: 0,
            exclusive_since: 0,
            told: NOBODY,
            shared_next: false,
            tasks: false,
            #[cfg(trefoil_loom)]
            impatient: false,
            #[cfg(trefoil_loom)]
            unhurried: false,
        }
    }

    pub(super) fn nobody_waits(&self) -> bool {
        self.shared.is_empty() && !self.somebody_waits_to_write()
    }

    fn somebody_waits_to_write(&self) -> bool {
        !self.writers.is_empty() || !self.upgrader.is_empty()
    }

    /// Nobody is queued up any more; whether nobody is to come either. Those who were told have left the queues, and while the lock is
    /// kept for them, whoever comes by has to find that out, and leaves it so: also one who only tried, and one who has read beside.
    pub(super) fn calms_down(&mut self, now: u32) -> bool {
        if self.is_kept() && !self.told_are_late(now) {
            return false;
        }
        (self.told, self.shared_next, self.tasks) = (NOBODY, false, false);
        true
    }

    /// A writer gives the lock back, or becomes a reader.
    pub(super) fn wrote(&mut self) {
        self.shared_next = true;
    }

    /// Somebody who was told is here.
    pub(super) fn has_come(&mut self) {
        self.told.left = self.told.left.saturating_sub(1);
    }

    /// Of those who were told nobody is still to come, and one waits to upgrade.
    pub(super) fn came_in_vain_beside_an_upgrade(&self) -> bool {
        self.told.left == 0 && !self.upgrader.is_empty()
    }

    /// Somebody has left, who may have been told. For the others who were told, the lock stays kept.
    pub(super) fn has_left(&mut self) {
        let gone = std::mem::take(&mut self.told.gone);
        self.told.left = self.told.left.saturating_sub(gone);
    }

    /// Somebody who was told to write does so: the next one has his time from now on.
    pub(super) fn writes(&mut self, now: u32) {
        self.exclusive_since = now;
    }

    /// Whether somebody who comes unasked may take the lock, if it can be had.
    ///
    /// A lock that nobody has is refused only while it is kept: otherwise all would wait for somebody who may not know.
    pub(super) fn admits(&mut self, want: Want, held: bool, now: u32) -> bool {
        if self.told.left > 0 && self.told_are_late(now) {
            self.told = NOBODY;
        }
        let kept = self.is_kept();
        match want {
            Want::ReadAgain | Want::Upgrade => true,
            Want::Read | Want::Upgradable if kept && !self.told.readers => false,
            Want::Read | Want::Upgradable => !(held && self.writers_are_overdue(now)),
            Want::Write => {
                !kept && !(held && (self.writers_are_overdue(now) || self.readers_are_overdue(now)))
            }
        }
    }

    /// One who waited to write has been told, and has not looked yet.
    fn writer_is_to_come(&self) -> bool {
        self.told.left > 0 && !self.told.readers
    }

    /// Be it for those who are late.
    fn is_kept(&self) -> bool {
        self.told.left > 0 && self.told.kept
    }

    fn told_are_late(&self, now: u32) -> bool {
        #[cfg(trefoil_loom)]
        if self.impatient {
            return true;
        }
        clock::passed(self.told.at, now) > clock::micros(PATIENCE_US)
    }

    fn writers_are_overdue(&self, now: u32) -> bool {
        self.somebody_waits_to_write() && self.is_overdue(self.exclusive_since, now)
    }

    fn readers_are_overdue(&self, now: u32) -> bool {
        !self.shared.is_empty() && self.is_overdue(self.shared_since, now)
    }

    fn is_overdue(&self, since: u32, now: u32) -> bool {
        #[cfg(trefoil_loom)]
        if self.unhurried {
            return false;
        }
        crate::primitive::IS_MODEL || clock::passed(since, now) > clock::micros(QUANTUM_US)
    }

    /// Somebody waits who has not been told; he is about to queue up, or was queued up already.
    pub(super) fn comes(&mut self, want: Want, now: u32) {
        match want {
            Want::Read | Want::ReadAgain | Want::Upgradable if self.shared.is_empty() => {
                self.shared_since = now;
            }
            Want::Write | Want::Upgrade if !self.somebody_waits_to_write() && !self.writer_is_to_come() => {
                self.exclusive_since = now;
            }
            _ => {}
        }
    }

    /// A task waits, be it that it was told and has looked in vain: meanwhile, nobody may have waited. So whenever a task is
    /// queued up, `tasks` is set.
    pub(super) fn task_waits(&mut self, afterwards: &mut Afterwards) {
        if self.tasks {
            return;
        }
        self.tasks = true;
        // Threads that went to sleep before must learn that they have to look again by themselves. It is nobody's turn by that.
        for queue in [&mut self.shared, &mut self.writers, &mut self.upgrader] {
            queue.rouse_threads(afterwards);
        }
    }

    /// Tells those whose turn it is, unless others have been told and may still come. `word` is of a lock without a writer.
    pub(super) fn tell(&mut self, word: u32, no_slot_is_taken: bool, now: u32, afterwards: &mut Afterwards) {
        let readers_turn = !self.shared.is_empty() && (self.shared_next || !self.somebody_waits_to_write());
        if self.told.left > 0 && !self.told_are_late(now) {
            // A reader does not wait for readers: who looked too early, or has come since, looks beside those who have not yet
            // looked. They may read for long before they look after him.
            if readers_turn && (self.told.readers || !self.told.kept) {
                self.told.left += self.shared.untold();
                self.shared_next = false;
                self.shared.tell_all(afterwards);
            }
            return;
        }
        self.told = NOBODY;
        let told = |left, readers, kept| Told { left, gone: 0, at: now, readers, kept };
        if readers_turn {
            self.told = told(self.shared.len(), true, self.readers_are_overdue(now));
            self.shared_next = false;
            self.shared.tell_all(afterwards);
        } else if !self.upgrader.is_empty() {
            if word::can_upgrade(word) && no_slot_is_taken {
                self.told = told(1, false, true);
                self.upgrader.tell_one(afterwards);
            }
        } else if !self.writers.is_empty() && word::can_write(word) && no_slot_is_taken {
            self.told = told(1, false, self.writers_are_overdue(now));
            self.writers.tell_one(afterwards);
        }
    }
}

impl Queues for State {
    /// He counts until he [has left](State::has_left), and the next one is told in the same step: nobody is let in in between.
    fn told_one_leaves(&mut self, _: fn(&mut Self) -> &mut Waiters, _: wait::Told, _: &mut Afterwards) {
        self.told.gone += 1;
    }

    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.shared);
        visit(&mut self.writers);
        visit(&mut self.upgrader);
    }

    fn sleep_most(&self) -> Option<Duration> {
        // Loom knows no time; there, a thread that is not told sleeps for ever, which it would report.
        (self.tasks && !crate::primitive::IS_MODEL).then_some(Duration::from_micros(PATIENCE_US.into()))
    }

    fn beside(&self) -> Beside {
        // Threads that were told do come, and those that wait look again by themselves.
        if !self.tasks {
            return Beside::Nobody;
        }
        // Also if they are late by now: whoever told them, or saw that they were not late, may have been off its CPU since.
        let told = self.told.left > 0 && !self.nobody_waits();
        // Be it alone, it may come to wait for readers or a writer that came later.
        if told { Beside::Told } else { Beside::Others }
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{NOBODY, State, Told, Want, clock};

    #[test]
    fn who_is_first_to_wait_to_write_has_his_own_time() {
        let mut state = State::new();
        let now = clock::micros(1_000_000);
        // As long as readers that were told are to come, be it.
        state.told = Told { left: 2, readers: true, at: now, ..NOBODY };
        state.comes(Want::Write, now);
        assert_eq!(state.exclusive_since, now);
        // Who was told to write waits in a way, and that is his time.
        state.told.readers = false;
        state.comes(Want::Write, now + 1);
        assert_eq!(state.exclusive_since, now);
    }
}
