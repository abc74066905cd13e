//! Guards of an `RwLock`, and what becomes of them without waiting.

use proptest::prelude::*;
use std::collections::VecDeque;
use sync::rwlock::RwLockUpgradableGuard;
use sync::{RwLockReadGuard, RwLockWriteGuard};

/// The guards that there are.
pub(crate) struct Held<'a, T> {
    pub(crate) readers: VecDeque<RwLockReadGuard<'a, T>>,
    pub(crate) upgradable: Option<RwLockUpgradableGuard<'a, T>>,
    pub(crate) writer: Option<RwLockWriteGuard<'a, T>>,
}

/// A guard becomes one that forbids less, or goes. Nothing happens if it is not there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Yield {
    WriteToRead,
    WriteToUpgradable,
    UpgradableToRead,
    DropRead,
    DropUpgradable,
    DropWrite,
}

impl Yield {
    pub(crate) const COUNT: u32 = 6;

    /// Any of them, all as likely.
    pub(crate) fn any() -> impl Strategy<Value = Yield> {
        use Yield::*;
        let all: [Yield; Yield::COUNT as usize] =
            [WriteToRead, WriteToUpgradable, UpgradableToRead, DropRead, DropUpgradable, DropWrite];
        prop::sample::select(all.to_vec())
    }
}

impl<T> Held<'_, T> {
    pub(crate) fn nothing() -> Self {
        Held { readers: VecDeque::new(), upgradable: None, writer: None }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.readers.is_empty() && self.upgradable.is_none() && self.writer.is_none()
    }

    pub(crate) fn give_up(&mut self, what: Yield) {
        match what {
            Yield::WriteToRead => self.readers.extend(self.writer.take().map(RwLockWriteGuard::downgrade)),
            Yield::WriteToUpgradable => {
                if let Some(guard) = self.writer.take() {
                    self.upgradable = Some(RwLockWriteGuard::downgrade_to_upgradable(guard));
                }
            }
            Yield::UpgradableToRead => {
                self.readers.extend(self.upgradable.take().map(RwLockUpgradableGuard::downgrade));
            }
            Yield::DropRead => drop(self.readers.pop_front()),
            Yield::DropUpgradable => drop(self.upgradable.take()),
            Yield::DropWrite => drop(self.writer.take()),
        }
    }
}
