//! The lock's word: who has it, and what whoever comes or goes has to look after.

use crate::check::Mode;

/// Somebody writes. Excludes everything but `WAITING`.
pub(super) const WRITER: u32 = 1 << 0;
/// Somebody reads and may upgrade. Readers may be there too.
pub(super) const UPGRADABLE: u32 = 1 << 1;
/// Whoever comes takes the state's lock, and whoever gives the lock up looks after those who wait. Excludes `BIASED`.
pub(super) const WAITING: u32 = 1 << 2;
/// Readers count themselves in their slots and not here.
pub(super) const BIASED: u32 = 1 << 3;
/// There may be readers in the slots. Stays when `BIASED` goes, until they have left.
pub(super) const SLOTS: u32 = 1 << 4;
/// One reader who is not in a slot.
pub(super) const READER: u32 = 1 << 8;
/// All readers who are not in slots.
pub(super) const READERS: u32 = !(READER - 1);
/// From here on, there are too many readers.
pub(super) const TOO_MANY: u32 = 1 << 31;

/// What somebody wants of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    /// As one who reads already, so that nobody who waits goes first.
    ReadAgain,
    Upgradable,
    Write,
    /// As the one who has the upgradable read.
    Upgrade,
}

impl Want {
    /// The word after it was taken; `None` if others have it.
    pub(super) fn after(self, word: u32, no_slot_is_taken: impl Fn() -> bool) -> Option<u32> {
        let slots = || word & SLOTS == 0 || (word & BIASED == 0 && no_slot_is_taken());
        let waiting = word & WAITING;
        match self {
            Want::Read | Want::ReadAgain => (word & WRITER == 0).then(|| word + READER),
            Want::Upgradable => (word & (WRITER | UPGRADABLE) == 0).then_some(word | UPGRADABLE),
            Want::Write => (can_write(word) && slots()).then_some(WRITER | waiting),
            Want::Upgrade => (can_upgrade(word) && slots()).then_some(WRITER | waiting),
        }
    }

    /// What the deadlock checker calls it.
    #[inline]
    pub(super) fn mode(self) -> Mode {
        match self {
            Want::Read => Mode::Shared,
            Want::ReadAgain => Mode::SharedAgain,
            Want::Upgradable => Mode::Upgradable,
            Want::Write => Mode::Exclusive,
            Want::Upgrade => Mode::Upgrade,
        }
    }

    pub(super) fn is_exclusive(self) -> bool {
        matches!(self, Want::Write | Want::Upgrade)
    }
}

/// Whether the lock is free, but for readers in slots.
pub(super) fn can_write(word: u32) -> bool {
    word & (WRITER | UPGRADABLE | READERS) == 0
}

/// Whether whoever has the upgradable read is alone, but for readers in slots.
pub(super) fn can_upgrade(word: u32) -> bool {
    word & (WRITER | READERS) == 0
}
