//! The lock for many readers against a plain model of who holds it: every step that can be had at once is had, and no other.

#[path = "common/held.rs"]
mod held;

use held::{Held, Yield};
use proptest::prelude::*;
use sync::RwLock;
use sync::rwlock::RwLockUpgradableGuard;

#[derive(Clone, Copy, Debug)]
enum Step {
    Read,
    Upgradable,
    Write,
    /// If somebody has an upgradable read.
    Upgrade,
    GiveUp(Yield),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let step = prop_oneof![
        4 => prop::sample::select(vec![Read, Upgradable, Write, Upgrade]),
        Yield::COUNT => Yield::any().prop_map(GiveUp),
    ];
    prop::collection::vec(step, 0..60)
}

/// The guards are the model: how many there are of each kind.
fn perform<'a>(held: &mut Held<'a, usize>, lock: &'a RwLock<usize>, step: Step, writes: &mut usize) {
    let (readers, upgradable, writing) =
        (held.readers.len(), held.upgradable.is_some(), held.writer.is_some());
    match step {
        Step::Read => {
            let guard = lock.try_read();
            assert_eq!(guard.is_some(), !writing);
            held.readers.extend(guard);
        }
        Step::Upgradable => {
            let guard = lock.try_upgradable_read();
            assert_eq!(guard.is_some(), !writing && !upgradable);
            held.upgradable = held.upgradable.take().or(guard);
        }
        Step::Write => {
            let guard = lock.try_write();
            assert_eq!(guard.is_some(), readers == 0 && !upgradable && !writing);
            held.writer = held.writer.take().or(guard);
        }
        Step::Upgrade => {
            let Some(guard) = held.upgradable.take() else { return };
            match RwLockUpgradableGuard::try_upgrade(guard) {
                Ok(guard) => {
                    assert_eq!(readers, 0);
                    held.writer = Some(guard);
                }
                Err(guard) => {
                    assert!(readers > 0);
                    held.upgradable = Some(guard);
                }
            }
        }
        Step::GiveUp(what) => held.give_up(what),
    }
    if let Some(guard) = &mut held.writer {
        **guard += 1;
        *writes += 1;
    }
    assert!(held.readers.iter().all(|guard| **guard == *writes));
    assert!(held.upgradable.iter().all(|guard| **guard == *writes));
    assert_eq!(lock.is_write_locked(), held.writer.is_some());
    assert_eq!(lock.is_locked(), !held.is_nothing());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 }) })]

    #[test]
    fn what_can_be_had_is_had(steps in steps()) {
        let lock = RwLock::new(0);
        let mut writes = 0;
        let mut held = Held::nothing();
        for step in steps {
            perform(&mut held, &lock, step, &mut writes);
        }
        drop(held);
        prop_assert!(!lock.is_locked());
        prop_assert_eq!(lock.into_inner(), writes);
    }
}
