//! Waiting for the first of several things, of which one happens and the others do not.
//!
//! [`select!`](crate::select!) waits for a fixed number of *arms* and blocks, [`select_async!`](crate::select_async!) is
//! awaited, and [`Select`] takes as many arms as there are at run time. An arm is any future: of a queue (an item, or
//! room for one), a lock, an event, a timer, a task, a socket.
//!
//! 1. **One arm wins.** The arms are asked one after the other, and asking ends with the first that is ready. What the
//!    others wait for they have not taken, so nothing is to be given back.
//! 2. **The losers are gone before the winner's body runs**: their futures are dropped, and each leaves its queue. One
//!    that had been told to go on passes that to the next in its queue, as every future of this crate does. So no loser
//!    holds up anybody while the body runs, however long that takes.
//!    Nothing of what a loser waited for has happened: a queue takes no item out of the hand of an arm, but tells it that there
//!    is room, or without places that a consumer waits; and the arm puts it when it is asked, whereby it wins. So of two puts
//!    that both found room between two looks, one happens.
//! 3. **No preference**: each time round, the arms are asked in an order drawn at random, all orders being equally
//!    likely. Of those that are ready, each is as likely to win as any other. `biased;` asks in the written order.
//! 4. Whoever is ready when the time has passed still wins over the time.
//! 5. `select!` and `select_async!` allocate nothing.
//!
//! # Five ways
//!
//! | | fixed arms | [`Select`] |
//! |---|---|---|
//! | blocks | `select!` | [`wait`](Select::wait) |
//! | does not wait | either, with `default => ..` | [`try_wait`](Select::try_wait) |
//! | blocks, with a limit | `select!` with `after(limit) => ..` or `until(instant) => ..` | [`wait_timeout`](Select::wait_timeout) |
//! | is awaited | `select_async!` | [`wait_async`](Select::wait_async) |
//! | is awaited, with a limit | `select_async!` with `after(limit) => ..` or `until(instant) => ..` | [`wait_async_timeout`](Select::wait_async_timeout) |
//!
//! # Kinds of arms
//!
//! | waiting for | arm | when it wins | when it loses |
//! |---|---|---|---|
//! | an item | `item = queue.get_async()` | the item is yours | the queue keeps it |
//! | room | `done = queue.put_from_async(&mut item)` | the item is in the queue, and `item` is `None` | nothing was put, and `item` still has it |
//! | room | `done = queue.put_async(item)` | the item is in the queue | nothing was put, and **the item is dropped** |
//! | a lock | `guard = mutex.lock_async()` | **the lock is held**, until the guard is dropped: take care to name it | it is not held |
//! | an event | `() = event.wait_async()` | | |
//! | a task | `result = &mut task` | the result is yours | the task goes on; without `&mut`, it is detached |
//! | a time | `after(limit)`, `until(instant)`, `() = timer::sleep(limit)` | | |
//! | anything | `answer = &mut future`, pinned | | it goes on when it is next polled |
//!
//! # What differs from others
//!
//! - tokio's `select!` takes a pattern that may not match, and then drops what came and goes on with the other arms. A
//!   pattern here must always match; look at the value in the body.
//! - tokio's asks the arms in a circle from a random start, so that an arm behind one that is never ready wins more often
//!   than its fellows. Here all orders are equally likely.
//! - tokio's evaluates the future of an arm that its `if` has switched off. Here it does not.
//! - An arm `&mut future` is not dropped when it loses, and nobody polls it during the body: if it is in the queue of a
//!   lock or of a semaphore, others may wait behind it for as long. Where the body waits, too, that can be for ever (a
//!   *futurelock*). `Mutex`, `RwLock` and `Semaphore` pass over such a one after a millisecond or two. Prefer arms by
//!   value, which are dropped.
//! - crossbeam's `select!` knows channels only, and its `default(timeout)` is `after(timeout)` here. Its arm that sends
//!   evaluates and loses the message with the arm; see `put_from_async`.
//! - `after(limit)` begins anew whenever the `select!` is entered; in a loop that has a limit as a whole, use
//!   `until(instant)`.

mod arms;
pub(crate) mod asking;
mod first;
mod macros;
mod many;
mod order;

pub(crate) use asking::is_arm;
pub use many::Select;

/// What the macros expand to. Not for others: it changes without notice.
#[doc(hidden)]
pub mod support {
    pub use super::arms::{Arm, Won};
    pub use super::first::{First, block, now, until, wait};
    pub use super::order::Order;
}
