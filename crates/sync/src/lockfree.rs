//! Structures without a lock inside: nobody waits for a thread that the system has put aside, but where it says so.
//!
//! None of them parks, and none offers the five ways to wait: who finds a queue empty is told so at once. To wait, use
//! [`Queue`](crate::Queue). These are for the places where a lock is too slow or must not be taken: an audio callback, a
//! counter on a hot path, a configuration that is read a million times a second.
//!
//! | | what it is | progress | allocates |
//! |---|---|---|---|
//! | [`spsc_ring`] | bounded queue, one producer and one consumer | wait-free | when made |
//! | [`ArrayQueue`] | bounded queue, many and many | see there: nearly lock-free | when made |
//! | [`SegmentedQueue`] | unbounded queue, many and many | lock-free | a block per 64 items, and places for those who look |
//! | [`Stack`] | last in, first out, many and many | lock-free | a node per item, and places for those who look |
//! | [`RcuCell`] | a value that is read often and replaced seldom | lock-free | a box per value, and places for those who look |
//! | [`SeqLock`] | some words that are read often and written seldom | writers and readers retry | never |
//! | [`Counter`] | a number that many threads add to | wait-free | when made |
//! | `Map` (feature `map`) | a concurrent hash map, by way of papaya | reads are lock-free | yes |
//!
//! *Wait-free*: every call ends after a bounded number of its own steps, whatever others do. *Lock-free*: of all threads
//! inside, some thread gets on, so a thread that stands still holds up nobody. None is fair: under pressure the others
//! may be quicker than you, any number of times. Allocating is as lock-free as the allocator is.
//!
//! # Waiting
//! - **Blocks**: nothing here parks. Who meets others in the middle of an operation tries again, as the table says.
//! - **Allocates**: as the table says. Places for those who look are made when the first one looks (`pop`, `load`, and `push` of a [`SegmentedQueue`]),
//!   eight at a time, some 1 KiB; more when more look at once than ever before. What is taken out while somebody looks at it is noted in a small entry of its own.
//! - **Order**: there is none, as said above.
//! - **Dropped**: there is no future here that could be.
//! - **A waker that panics**: none is kept here.
//!
//! # Memory
//! [`SegmentedQueue`], [`Stack`] and [`RcuCell`] free memory that another thread may be looking at. Each has a few hazard
//! pointers of its own for that: a place where a reader says what it looks at, and where whoever frees looks first. What
//! nobody looks at is freed at once; what somebody does is freed by a later operation that frees, or with the structure.
//! There is no global state, no epoch that one sleeping thread holds up for all, and nothing bound to a thread, so
//! guards may move between threads and live across an `.await`.

pub(crate) mod drop_all;
mod full;
#[expect(unsafe_code, reason = "memory is freed that others may be looking at")]
mod hazard;
mod lane;
#[expect(unsafe_code, reason = "a place holds an item or does not, as numbers elsewhere say")]
pub(crate) mod slot;

#[expect(unsafe_code, reason = "the positions say who may touch a slot")]
mod spsc;

#[expect(unsafe_code, reason = "the stamps say who may touch a slot")]
mod array;
#[expect(unsafe_code, reason = "the states say who may touch a slot; blocks are freed")]
mod segmented;
#[expect(unsafe_code, reason = "nodes are linked by pointers and freed")]
mod stack;

#[expect(unsafe_code, reason = "values are replaced and freed under their readers")]
mod rcu;

#[cfg(target_has_atomic = "64")]
mod plain;
#[cfg(target_has_atomic = "64")]
mod seqlock;

#[cfg(target_has_atomic = "64")]
mod counter;

#[cfg(feature = "map")]
mod map;

pub use array::ArrayQueue;
#[cfg(target_has_atomic = "64")]
pub use counter::Counter;
pub use full::Full;
#[cfg(feature = "map")]
pub use map::Map;
#[cfg(target_has_atomic = "64")]
pub use plain::{Plain, Word, Words};
pub use rcu::{RcuCell, RcuGuard};
pub use segmented::SegmentedQueue;
#[cfg(target_has_atomic = "64")]
pub use seqlock::SeqLock;
pub use spsc::{Consumer, Drain, Producer, spsc_ring};
pub use stack::{Stack, TakeAll};
