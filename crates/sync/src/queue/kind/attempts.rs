//! The attempts to put and to get, and the waits made of them. The argument is at the head of [`kind`](super).

use super::{Order, QueueOf};
use crate::TimedOut;
use crate::catch::contain;
use crate::queue::error::{GetError, PutError, Refusal};
use crate::wait::guarded::Attempt;
use crate::wait::{Afterwards, Queues, Turn, Waiters};
use std::time::Instant;

/// Keeps [`Order`] to the orders that are here.
pub trait Sealed {}

/// When the next item can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// At once.
    Now,
    /// When that time has come.
    At(Instant),
    /// There is none.
    Never,
}

pub(super) struct Inner<O> {
    pub(super) items: O,
    pub(super) closed: bool,
    pub(super) unfinished: usize,
    /// The number of the last change.
    stamp: u64,
}

/// Who waits for changes, and which is the last that was announced.
pub(super) struct Changes {
    stamp: u64,
    pub(super) producers: Waiters,
    pub(super) consumers: Waiters,
    pub(super) joiners: Waiters,
}

/// The attempt of [`Changes::after`], where it needs a name.
pub(super) struct After(pub(super) u64);

/// What came of an attempt to put.
pub(super) enum Offer {
    Done,
    Closed,
    Full { seen: u64 },
}

/// What came of an attempt to get.
pub(super) enum Take<T> {
    Item(T),
    Closed,
    Nothing { seen: u64, due: Option<Instant> },
}

impl<O: Order> QueueOf<O> {
    pub(super) fn put_until(
        &self,
        item: O::Item,
        deadline: Option<Instant>,
    ) -> Result<(), PutError<O::Item>> {
        let mut item = Some(item);
        loop {
            let seen = match self.offer(&mut item) {
                Offer::Done => return Ok(()),
                Offer::Closed => return Err(Refusal::Closed.with(item)),
                Offer::Full { seen } => seen,
            };
            let change = Changes::after(seen);
            if self.changes.wait(|changes| &mut changes.producers, deadline, change).is_none() {
                return Err(Refusal::TimedOut.with(item));
            }
        }
    }

    /// Waits for room and takes the item out of `item`; leaves it there if it is refused.
    pub(super) async fn put_from(&self, item: &mut Option<O::Item>) -> Result<(), Refusal> {
        loop {
            let seen = match self.offer(item) {
                Offer::Done => return Ok(()),
                Offer::Closed => return Err(Refusal::Closed),
                Offer::Full { seen } => seen,
            };
            self.changes.wait_for(|changes| &mut changes.producers, Changes::after(seen)).await;
        }
    }

    pub(super) fn get_until(&self, deadline: Option<Instant>) -> Result<O::Item, GetError> {
        loop {
            let (seen, due) = match self.take() {
                Take::Item(item) => return Ok(item),
                Take::Closed => return Err(GetError::Closed),
                Take::Nothing { seen, due } => (seen, due),
            };
            let until = due.into_iter().chain(deadline).min();
            let change = Changes::after(seen);
            let changed = self.changes.wait(|changes| &mut changes.consumers, until, change).is_some();
            if !changed && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                // It may have become due in the same moment.
                return self.take().or(GetError::TimedOut);
            }
        }
    }

    pub(super) fn join_until(&self, deadline: Option<Instant>) -> Result<(), TimedOut> {
        while let Some(seen) = self.seen_unfinished() {
            let change = Changes::after(seen);
            self.changes.wait(|changes| &mut changes.joiners, deadline, change).ok_or(TimedOut)?;
        }
        Ok(())
    }

    /// The stamp of what was seen, if something is still to be done.
    pub(super) fn seen_unfinished(&self) -> Option<u64> {
        let inner = self.inner.lock();
        (inner.unfinished > 0).then_some(inner.stamp)
    }

    /// Takes the item out of `item` if there is room.
    pub(super) fn offer(&self, item: &mut Option<O::Item>) -> Offer {
        let on_panic = OnPanic(|| self.changes.with(Changes::tell_a_producer));
        let mut inner = self.inner.lock();
        if inner.closed {
            return Offer::Closed;
        }
        if self.capacity.is_some_and(|capacity| inner.items.count() >= capacity) {
            return Offer::Full { seen: inner.stamp };
        }
        let before = inner.items.next();
        inner.items.push(item);
        inner.unfinished += 1;
        let (next, stamp) = (inner.items.next(), inner.change());
        drop(inner);
        drop(on_panic);
        let tell = |changes: &mut Changes, afterwards: &mut Afterwards| match next {
            Next::At(_) if next < before => changes.consumers.tell_all(afterwards),
            Next::At(_) | Next::Never => {}
            Next::Now => changes.tell_a_consumer(afterwards),
        };
        // The item is in, whatever a waker does; the panic hook has spoken.
        contain(|| self.announce(stamp, tell));
        Offer::Done
    }

    /// Puts the item in; if there is no room, the next item goes, and is given back.
    pub(in crate::queue) fn displace(&self, item: O::Item) -> Result<Option<O::Item>, PutError<O::Item>> {
        let mut item = Some(item);
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(Refusal::Closed.with(item));
        }
        let full = self.capacity.is_some_and(|capacity| inner.items.count() >= capacity);
        let displaced = if full { inner.items.pop() } else { None };
        inner.items.push(&mut item);
        inner.unfinished += usize::from(!full);
        let stamp = inner.change();
        drop(inner);
        contain(|| self.announce(stamp, Changes::tell_a_consumer));
        Ok(displaced)
    }

    /// Takes the next item if there is one and it is due.
    pub(super) fn take(&self) -> Take<O::Item> {
        let on_panic = OnPanic(|| self.changes.with(Changes::tell_a_consumer));
        let mut inner = self.inner.lock();
        let due = match inner.items.next() {
            Next::Never if inner.closed => return Take::Closed,
            Next::Never => return Take::Nothing { seen: inner.stamp, due: None },
            Next::At(due) => Some(due),
            Next::Now => None,
        };
        if due.is_some_and(|due| due > Instant::now()) {
            return Take::Nothing { seen: inner.stamp, due };
        }
        let Some(item) = inner.items.pop() else { unreachable!("there is an item") };
        let stamp = inner.change();
        drop(inner);
        drop(on_panic);
        // The item must not be lost to a waker that panics; the panic hook has spoken.
        contain(|| self.announce(stamp, Changes::tell_a_producer));
        Take::Item(item)
    }

    /// What is to be done after a change, when the lock has been given back.
    pub(super) fn announce(&self, stamp: u64, tell: impl FnOnce(&mut Changes, &mut Afterwards)) {
        self.changes.with(|changes, afterwards| {
            changes.stamp = changes.stamp.max(stamp);
            tell(changes, afterwards);
        });
    }
}

impl<O: Order> Inner<O> {
    pub(super) const EMPTY: Self = Inner { items: O::EMPTY, closed: false, unfinished: 0, stamp: 0 };

    /// The stamp of a change.
    pub(super) fn change(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }
}

impl Changes {
    pub(super) const NONE: Self = Changes {
        stamp: 0,
        producers: Waiters::barging(),
        consumers: Waiters::barging(),
        joiners: Waiters::barging(),
    };

    /// The attempt that ends when it is worth while to look again.
    pub(super) fn after(seen: u64) -> impl FnMut(&mut Changes, Turn, &mut Afterwards) -> Option<()> {
        move |changes, turn, afterwards| After(seen).attempt(changes, turn, afterwards)
    }

    fn tell_a_producer(&mut self, afterwards: &mut Afterwards) {
        self.producers.tell_one(afterwards);
    }

    fn tell_a_consumer(&mut self, afterwards: &mut Afterwards) {
        self.consumers.tell_one(afterwards);
    }

    pub(super) fn tell_everybody(&mut self, afterwards: &mut Afterwards) {
        self.each_queue(&mut |queue| queue.tell_all(afterwards));
    }
}

impl Queues for Changes {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.producers);
        visit(&mut self.consumers);
        visit(&mut self.joiners);
    }
}

impl Attempt<Changes> for After {
    type Output = ();

    fn attempt(&mut self, changes: &mut Changes, turn: Turn, _: &mut Afterwards) -> Option<()> {
        (changes.stamp > self.0 || turn.told.is_some()).then_some(())
    }
}

impl<T> Take<T> {
    /// The item, or the error where there is nothing now.
    pub(super) fn or(self, nothing: GetError) -> Result<T, GetError> {
        match self {
            Take::Item(item) => Ok(item),
            Take::Closed => Err(GetError::Closed),
            Take::Nothing { .. } => Err(nothing),
        }
    }
}

/// Tells the next one where a comparison panics: whoever came to nothing may have been told alone.
struct OnPanic<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            contain(&mut self.0);
        }
    }
}
