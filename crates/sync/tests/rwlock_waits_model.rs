//! Those who wait for an `RwLock`, step by step: whoever is told looks, and after that nobody waits for nothing.
//!
//! All are futures that are polled by hand on one thread. When nobody is left who was told, a wake-up that was lost shows at once:
//! somebody waits, and nobody has a guard who would give it up. The patrol, which would wake one later, only makes that rarer.

mod common;
#[path = "common/held.rs"]
mod held;

use common::{ByHand, property};
use held::{Held, Yield};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use sync::rwlock::RwLockUpgradableGuard;
use sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Enough to find one of the two wake-ups of upgrades that were once lost; the other has its own test in `rwlock_upgrade`.
const CASES: u32 = 2_000;

#[derive(Clone, Copy, Debug)]
enum Step {
    Read,
    Upgradable,
    Write,
    /// If somebody has an upgradable read.
    Upgrade,
    TryRead,
    TryUpgradable,
    TryWrite,
    GiveUp(Yield),
    /// One of those who wait looks, be he told or not.
    Look(usize),
    GoAway(usize),
    /// Whoever is told looks, until nobody is.
    Rest,
    /// Those who wait have waited for long.
    Pass,
    /// Those who were told and have not looked are late.
    PassLong,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let often = prop_oneof![
        7 => prop::sample::select(vec![Read, Upgradable, Write, Upgrade, TryRead, TryUpgradable, TryWrite]),
        Yield::COUNT => Yield::any().prop_map(GiveUp),
    ];
    let step = prop_oneof![
        24 => often,
        6 => (0..4_usize).prop_map(Look),
        2 => (0..4_usize).prop_map(GoAway),
        4 => Just(Rest),
        2 => Just(Pass),
        1 => Just(PassLong),
    ];
    prop::collection::vec(step, 0..40)
}

enum Waits<'a> {
    ToRead(ByHand<'a, RwLockReadGuard<'a, ()>>),
    ForUpgradable(ByHand<'a, RwLockUpgradableGuard<'a, ()>>),
    ToWrite(ByHand<'a, RwLockWriteGuard<'a, ()>>),
    ToUpgrade(ByHand<'a, RwLockWriteGuard<'a, ()>>),
}

impl Waits<'_> {
    fn is_told(&self) -> bool {
        match self {
            Waits::ToRead(wait) => wait.is_told(),
            Waits::ForUpgradable(wait) => wait.is_told(),
            Waits::ToWrite(wait) | Waits::ToUpgrade(wait) => wait.is_told(),
        }
    }
}

struct World<'a> {
    lock: &'a RwLock<()>,
    held: Held<'a, ()>,
    waiting: Vec<Waits<'a>>,
}

impl<'a> World<'a> {
    fn new(lock: &'a RwLock<()>) -> Self {
        World { lock, held: Held::nothing(), waiting: vec![] }
    }

    fn step(&mut self, step: Step) {
        let lock = self.lock;
        match step {
            Step::Read => self.look(Waits::ToRead(ByHand::new(lock.read_async()))),
            Step::Upgradable => self.look(Waits::ForUpgradable(ByHand::new(lock.upgradable_read_async()))),
            Step::Write => self.look(Waits::ToWrite(ByHand::new(lock.write_async()))),
            Step::Upgrade => {
                if let Some(reads) = self.held.upgradable.take() {
                    let upgrade = RwLockUpgradableGuard::upgrade_async(reads);
                    self.look(Waits::ToUpgrade(ByHand::new(upgrade)));
                }
            }
            Step::TryRead => self.held.readers.extend(lock.try_read()),
            Step::TryUpgradable => lock.try_upgradable_read().into_iter().for_each(|it| self.may_upgrade(it)),
            Step::TryWrite => lock.try_write().into_iter().for_each(|it| self.writes(it)),
            Step::GiveUp(what) => self.held.give_up(what),
            Step::Look(which) if which < self.waiting.len() => {
                let wait = self.waiting.remove(which);
                self.look(wait);
            }
            Step::GoAway(which) if which < self.waiting.len() => drop(self.waiting.remove(which)),
            Step::Look(_) | Step::GoAway(_) => {}
            Step::Rest => self.rest(),
            Step::Pass => pass(Duration::from_micros(150)),
            Step::PassLong => pass(Duration::from_micros(1_200)),
        }
        if self.held.writer.is_some() {
            assert!(self.held.readers.is_empty() && self.held.upgradable.is_none(), "a writer is not alone");
        }
    }

    /// Those who have looked in vain stand at the end.
    fn look(&mut self, mut wait: Waits<'a>) {
        let done = match &mut wait {
            Waits::ToRead(read) => read.poll().map(|guard| self.held.readers.push_back(guard)),
            Waits::ForUpgradable(read) => read.poll().map(|guard| self.may_upgrade(guard)),
            Waits::ToWrite(write) | Waits::ToUpgrade(write) => write.poll().map(|guard| self.writes(guard)),
        };
        if done.is_none() {
            self.waiting.push(wait);
        }
    }

    fn may_upgrade(&mut self, guard: RwLockUpgradableGuard<'a, ()>) {
        assert!(self.held.upgradable.replace(guard).is_none() && self.upgrades() == 0, "two may upgrade");
    }

    fn writes(&mut self, guard: RwLockWriteGuard<'a, ()>) {
        assert!(self.held.writer.replace(guard).is_none(), "two write");
    }

    fn upgrades(&self) -> usize {
        self.waiting.iter().filter(|wait| matches!(wait, Waits::ToUpgrade(_))).count()
    }

    fn rest(&mut self) {
        while let Some(told) = self.waiting.iter().position(Waits::is_told) {
            let told = self.waiting.remove(told);
            self.look(told);
        }
        let somebody_has_it = !self.held.is_nothing();
        assert!(somebody_has_it || self.waiting.is_empty(), "they wait for nobody");
        assert!(
            self.upgrades() == 0 || !self.held.readers.is_empty(),
            "nobody reads, and one waits to upgrade"
        );
    }

    fn end(mut self) {
        loop {
            self.rest();
            if self.held.readers.pop_front().is_none()
                && self.held.upgradable.take().is_none()
                && self.held.writer.take().is_none()
            {
                break;
            }
        }
        assert!(!self.lock.is_locked());
    }
}

fn pass(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { CASES }, failure_persistence: None, ..property() })]

    #[test]
    fn nobody_waits_for_nobody(steps in steps()) {
        let lock = RwLock::new(());
        let mut world = World::new(&lock);
        for step in steps {
            world.step(step);
        }
        world.end();
    }
}
