//! The lock for many readers against a plain model of who holds it: every step that can be had at once is had, and no other.

use proptest::prelude::*;
use std::collections::VecDeque;
use sync::rwlock::RwLockUpgradableGuard;
use sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[derive(Clone, Copy, Debug)]
enum Step {
    Read,
    Upgradable,
    Write,
    Upgrade,
    WriteToRead,
    WriteToUpgradable,
    UpgradableToRead,
    DropRead,
    DropUpgradable,
    DropWrite,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let step = prop::sample::select(vec![
        Read,
        Upgradable,
        Write,
        Upgrade,
        WriteToRead,
        WriteToUpgradable,
        UpgradableToRead,
        DropRead,
        DropUpgradable,
        DropWrite,
    ]);
    prop::collection::vec(step, 0..60)
}

/// The guards that there are; the model is how many of each kind.
#[derive(Default)]
struct Held<'a> {
    readers: VecDeque<RwLockReadGuard<'a, usize>>,
    upgradable: Option<RwLockUpgradableGuard<'a, usize>>,
    writer: Option<RwLockWriteGuard<'a, usize>>,
}

impl<'a> Held<'a> {
    fn step(&mut self, lock: &'a RwLock<usize>, step: Step, writes: &mut usize) {
        let (readers, upgradable, writing) =
            (self.readers.len(), self.upgradable.is_some(), self.writer.is_some());
        match step {
            Step::Read => {
                let guard = lock.try_read();
                assert_eq!(guard.is_some(), !writing);
                self.readers.extend(guard);
            }
            Step::Upgradable => {
                let guard = lock.try_upgradable_read();
                assert_eq!(guard.is_some(), !writing && !upgradable);
                self.upgradable = self.upgradable.take().or(guard);
            }
            Step::Write => {
                let guard = lock.try_write();
                assert_eq!(guard.is_some(), readers == 0 && !upgradable && !writing);
                self.writer = self.writer.take().or(guard);
            }
            Step::Upgrade => {
                let Some(guard) = self.upgradable.take() else { return };
                match RwLockUpgradableGuard::try_upgrade(guard) {
                    Ok(guard) => {
                        assert_eq!(readers, 0);
                        self.writer = Some(guard);
                    }
                    Err(guard) => {
                        assert!(readers > 0);
                        self.upgradable = Some(guard);
                    }
                }
            }
            Step::WriteToRead => self.readers.extend(self.writer.take().map(RwLockWriteGuard::downgrade)),
            Step::WriteToUpgradable => {
                if let Some(guard) = self.writer.take() {
                    self.upgradable = Some(RwLockWriteGuard::downgrade_to_upgradable(guard));
                }
            }
            Step::UpgradableToRead => {
                self.readers.extend(self.upgradable.take().map(RwLockUpgradableGuard::downgrade));
            }
            Step::DropRead => drop(self.readers.pop_front()),
            Step::DropUpgradable => drop(self.upgradable.take()),
            Step::DropWrite => drop(self.writer.take()),
        }
        if let Some(guard) = &mut self.writer {
            **guard += 1;
            *writes += 1;
        }
        assert!(self.readers.iter().all(|guard| **guard == *writes));
        assert!(self.upgradable.iter().all(|guard| **guard == *writes));
        assert_eq!(lock.is_write_locked(), self.writer.is_some());
        let held = !self.readers.is_empty() || self.upgradable.is_some() || self.writer.is_some();
        assert_eq!(lock.is_locked(), held);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 }) })]

    #[test]
    fn what_can_be_had_is_had(steps in steps()) {
        let lock = RwLock::new(0);
        let mut writes = 0;
        let mut held = Held::default();
        for step in steps {
            held.step(&lock, step, &mut writes);
        }
        drop(held);
        prop_assert!(!lock.is_locked());
        prop_assert_eq!(lock.into_inner(), writes);
    }
}
