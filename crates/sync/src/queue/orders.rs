//! The orders in which a [`QueueOf`] hands out its items.

use super::heap::Heap;
use super::kind::{Next, Order, QueueOf, Sealed};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A queue that hands out first what was put in last.
///
/// Everything that it can do is described at [`QueueOf`]. An operation takes constant time.
///
/// # Waiting
/// As [`QueueOf`].
///
/// # Examples
/// ```
/// use sync::queue::LifoQueue;
///
/// let stack = LifoQueue::unbounded();
/// for number in 1..=3 {
///     stack.put(number)?;
/// }
/// stack.close();
/// assert_eq!(stack.iter().collect::<Vec<_>>(), [3, 2, 1]);
/// # Ok::<(), sync::queue::PutError<i32>>(())
/// ```
pub type LifoQueue<T> = QueueOf<Lifo<T>>;

/// A queue that hands out the smallest item first, as Python's does, and equal ones in the order in which they were put in.
///
/// Everything that it can do is described at [`QueueOf`]. Items are compared by [`Ord`]: for the greatest first put
/// [`Reverse`](std::cmp::Reverse)`(item)`; for items that have no order, or another one, put
/// [`Prioritized`]`::new(priority, item)`.
///
/// Putting and getting take O(log n) comparisons, under a lock for which others wait: keep them short, and do not let them
/// use the queue, which would deadlock. A comparison that panics leaves the queue as it was.
///
/// # Waiting
/// As [`QueueOf`].
///
/// # Examples
/// ```
/// use sync::queue::{Prioritized, PriorityQueue};
///
/// let tasks = PriorityQueue::bounded(10);
/// tasks.put(Prioritized::new(5, "tidy up"))?;
/// tasks.put(Prioritized::new(1, "put out the fire"))?;
/// tasks.put(Prioritized::new(5, "have tea"))?;
/// tasks.close();
/// let order: Vec<_> = tasks.iter().map(|task| task.item).collect();
/// assert_eq!(order, ["put out the fire", "tidy up", "have tea"]);
/// # Ok::<(), sync::queue::PutError<Prioritized<i32, &str>>>(())
/// ```
#[doc(alias = "heapq")]
pub type PriorityQueue<T> = QueueOf<Priority<T>>;

/// A queue whose items become available one by one, each at its own time: the earliest first, and those of the same time in
/// the order in which they were put in.
///
/// Everything that it can do is described at [`QueueOf`]. [`get`](QueueOf::get) waits until an item is due, never less;
/// [`try_get`](QueueOf::try_get) finds nothing before. `len` and `capacity` count what is not due as well. A queue that is
/// closed still waits for what is inside to become due; [`drain`](QueueOf::drain) and
/// [`close_now`](QueueOf::close_now) do not.
///
/// Each consumer that waits has a timer of its own, so many of them wake up for one item: let one thread or task get, and hand
/// on. An operation takes O(log n) time.
///
/// # Waiting
/// As [`QueueOf`].
///
/// # Examples
/// ```
/// use std::time::{Duration, Instant};
/// use sync::queue::{DelayQueue, Delayed};
///
/// let retries = DelayQueue::unbounded();
/// let start = Instant::now();
/// retries.put(Delayed::until(start + Duration::from_millis(20), "later"))?;
/// retries.put(Delayed::until(start + Duration::from_millis(10), "soon"))?;
/// assert!(retries.try_get().is_err());
/// assert_eq!(retries.get()?.item, "soon");
/// assert!(start.elapsed() >= Duration::from_millis(10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "sched.scheduler")]
pub type DelayQueue<T> = QueueOf<Delay<T>>;

/// Last in, first out: the order of a [`LifoQueue`].
#[derive(Debug)]
pub struct Lifo<T>(Vec<T>);

impl<T> Sealed for Lifo<T> {}

impl<T> Order for Lifo<T> {
    type Item = T;
    const EMPTY: Self = Lifo(Vec::new());

    fn count(&self) -> usize {
        self.0.len()
    }

    fn next(&self) -> Next {
        if self.0.is_empty() { Next::Never } else { Next::Now }
    }

    fn push(&mut self, item: &mut Option<T>) {
        self.0.extend(item.take());
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }
}

/// First in, first out: the order of a [`Queue`](super::Queue), and of a [`Buffer`](super::Buffer).
#[derive(Debug)]
pub struct Fifo<T>(VecDeque<T>);

impl<T> Fifo<T> {
    pub(super) fn of(items: impl Iterator<Item = T>) -> Self {
        Fifo(items.collect())
    }
}

impl<T> Sealed for Fifo<T> {}

impl<T> Order for Fifo<T> {
    type Item = T;
    const EMPTY: Self = Fifo(VecDeque::new());

    fn count(&self) -> usize {
        self.0.len()
    }

    fn next(&self) -> Next {
        if self.0.is_empty() { Next::Never } else { Next::Now }
    }

    fn push(&mut self, item: &mut Option<T>) {
        self.0.extend(item.take());
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }
}

/// The smallest first: the order of a [`PriorityQueue`].
#[derive(Debug)]
pub struct Priority<T>(Heap<T>);

impl<T: Ord> Sealed for Priority<T> {}

impl<T: Ord> Order for Priority<T> {
    type Item = T;
    const EMPTY: Self = Priority(Heap::EMPTY);

    fn count(&self) -> usize {
        self.0.len()
    }

    fn next(&self) -> Next {
        if self.0.len() == 0 { Next::Never } else { Next::Now }
    }

    fn push(&mut self, item: &mut Option<T>) {
        self.0.push(item, T::cmp);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop(T::cmp)
    }
}

/// An item with a priority, by which alone it is compared: the smaller comes first.
#[derive(Clone, Copy, Debug)]
pub struct Prioritized<P, T> {
    /// What is compared.
    pub priority: P,
    /// What is not.
    pub item: T,
}

impl<P, T> Prioritized<P, T> {
    /// `item`, with that priority.
    pub const fn new(priority: P, item: T) -> Self {
        Prioritized { priority, item }
    }
}

impl<P: PartialEq, T> PartialEq for Prioritized<P, T> {
    fn eq(&self, other: &Self) -> bool {
        self.priority == other.priority
    }
}

impl<P: Eq, T> Eq for Prioritized<P, T> {}

impl<P: PartialOrd, T> PartialOrd for Prioritized<P, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.priority.partial_cmp(&other.priority)
    }
}

impl<P: Ord, T> Ord for Prioritized<P, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}

/// Each at its time: the order of a [`DelayQueue`].
#[derive(Debug)]
pub struct Delay<T>(Heap<Delayed<T>>);

impl<T> Sealed for Delay<T> {}

impl<T> Order for Delay<T> {
    type Item = Delayed<T>;
    const EMPTY: Self = Delay(Heap::EMPTY);

    fn count(&self) -> usize {
        self.0.len()
    }

    fn next(&self) -> Next {
        self.0.first().map_or(Next::Never, |first| Next::At(first.due))
    }

    fn push(&mut self, item: &mut Option<Delayed<T>>) {
        self.0.push(item, |one, other| one.due.cmp(&other.due));
    }

    fn pop(&mut self) -> Option<Delayed<T>> {
        self.0.pop(|one, other| one.due.cmp(&other.due))
    }
}

/// An item of a [`DelayQueue`], and when it becomes available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delayed<T> {
    /// From then on it can be taken.
    pub due: Instant,
    /// What is taken.
    pub item: T,
}

impl<T> Delayed<T> {
    /// `item`, available from `due` on.
    pub const fn until(due: Instant, item: T) -> Self {
        Delayed { due, item }
    }

    /// `item`, available when `delay` has passed from now on.
    ///
    /// # Panics
    /// If that is beyond what the clock can say.
    #[must_use]
    #[track_caller]
    pub fn after(delay: Duration, item: T) -> Self {
        match Instant::now().checked_add(delay) {
            Some(due) => Delayed { due, item },
            None => panic!(
                "a delay of {delay:?} is beyond what the clock can say; an item that is never due is not put"
            ),
        }
    }
}
