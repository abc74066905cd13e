//! A function over many items, lazily and with bounded memory.

use crate::contract::{Argument, Executor};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::iter::{Enumerate, Fuse};
use sync::{JoinError, Task, as_completed, completion::AsCompleted};

/// How many tasks are started ahead for each worker, unless [`Map::window`] says otherwise. With one, a worker would
/// wait for the caller after each task; many would only fill memory.
const WINDOW_PER_WORKER: usize = 2;

/// Results in the order of their items; see [`Executor::map`].
#[must_use = "nothing runs before the first result is asked for"]
pub struct Map<'a, E, F, I, R> {
    feed: Feed<'a, E, F, I>,
    started: VecDeque<Task<R>>,
}

impl<'a, E: Executor, F, I: Iterator, R> Map<'a, E, F, I, R> {
    pub(crate) fn new(pool: &'a E, f: F, items: I) -> Self {
        Map { feed: Feed::new(pool, f, items), started: VecDeque::new() }
    }

    /// How many items are taken ahead of the result that is yielded next, at least 1. Two for each worker, if not set:
    /// more helps where times vary much, and costs the memory of so many results.
    #[doc(alias = "buffersize")]
    pub fn window(mut self, items: usize) -> Self {
        self.feed.window = items.max(1);
        self
    }
}

impl<E, F, I, R> Iterator for Map<'_, E, F, I, R>
where
    E: Executor,
    F: Fn(I::Item) -> R + Copy + Send + 'static,
    I: Iterator,
    I::Item: Argument,
    R: Argument,
{
    type Item = Result<R, JoinError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((_, task)) = self.feed.start_beside(self.started.len()) {
            self.started.push_back(task);
        }
        self.started.pop_front().map(Task::join)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.feed.size_hint_with(self.started.len())
    }
}

impl<E, F, I, R> Drop for Map<'_, E, F, I, R> {
    fn drop(&mut self) {
        // From the last one back: one that runs may be stopped, and the next in the queue must not begin in its place.
        self.started.iter().rev().for_each(Task::cancel);
    }
}

impl<E, F, I, R> fmt::Debug for Map<'_, E, F, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("window", &self.feed.window)
            .field("started", &self.started.len())
            .finish_non_exhaustive()
    }
}

/// Results in the order in which they are there, each with the index of its item; see [`Executor::map_unordered`].
#[must_use = "nothing runs before the first result is asked for"]
pub struct MapUnordered<'a, E, F, I, R> {
    feed: Feed<'a, E, F, I>,
    started: AsCompleted<(usize, Task<R>)>,
}

impl<'a, E: Executor, F, I: Iterator, R> MapUnordered<'a, E, F, I, R> {
    pub(crate) fn new(pool: &'a E, f: F, items: I) -> Self {
        MapUnordered { feed: Feed::new(pool, f, items), started: as_completed([]) }
    }

    /// How many tasks there are at a time, at least 1. Two for each worker, if not set.
    #[doc(alias = "buffersize")]
    pub fn window(mut self, items: usize) -> Self {
        self.feed.window = items.max(1);
        self
    }
}

impl<E, F, I, R> Iterator for MapUnordered<'_, E, F, I, R>
where
    E: Executor,
    F: Fn(I::Item) -> R + Copy + Send + 'static,
    I: Iterator,
    I::Item: Argument,
    R: Argument,
{
    type Item = (usize, Result<R, JoinError>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(task) = self.feed.start_beside(self.started.len()) {
            self.started.push(task);
        }
        self.started.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.feed.size_hint_with(self.started.len())
    }
}

impl<E, F, I, R> Drop for MapUnordered<'_, E, F, I, R> {
    fn drop(&mut self) {
        let started = std::mem::replace(&mut self.started, as_completed([]));
        let by_index: BTreeMap<_, _> = started.into_pending().collect();
        // As for `Map`. The order in which they were started is that of their items.
        by_index.values().rev().for_each(Task::cancel);
    }
}

impl<E, F, I, R> fmt::Debug for MapUnordered<'_, E, F, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapUnordered")
            .field("window", &self.feed.window)
            .field("started", &self.started.len())
            .finish_non_exhaustive()
    }
}

/// The items that are not started yet, and what to do with each.
struct Feed<'a, E, F, I> {
    pool: &'a E,
    f: F,
    /// Fused: it is asked again after its end, as long as there are results to yield.
    items: Fuse<Enumerate<I>>,
    window: usize,
}

impl<'a, E: Executor, F, I: Iterator> Feed<'a, E, F, I> {
    fn new(pool: &'a E, f: F, items: I) -> Self {
        let window = pool.workers().saturating_mul(WINDOW_PER_WORKER).max(1);
        Feed { pool, f, items: items.enumerate().fuse(), window }
    }

    /// The next item's task with its index, if the window has room for one more than the `started`.
    fn start_beside<R>(&mut self, started: usize) -> Option<(usize, Task<R>)>
    where
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        I::Item: Argument,
        R: Argument,
    {
        if started >= self.window {
            return None;
        }
        let (index, item) = self.items.next()?;
        Some((index, self.pool.submit(self.f, item)))
    }

    fn size_hint_with(&self, started: usize) -> (usize, Option<usize>) {
        let (low, high) = self.items.size_hint();
        (low.saturating_add(started), high.and_then(|high| high.checked_add(started)))
    }
}
