//! A channel from one producer to one consumer.
//!
//! What [`Queue`](super::Queue) does, and the same errors; but neither end needs a locked instruction, because each is the only
//! one and takes itself mutably. That rests on a barrier which Linux makes for other CPUs; without it, each end uses one.
//!
//! To pass items without ever waiting, there is [`lockfree::spsc_ring`](crate::lockfree::spsc_ring).
//!
//! # Waiting
//! - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
//! - **Allocates** nothing. A ring is allocated by the first item; without a bound, a block now and then.
//! - **Order**: items come out as they went in; each end is alone and has nobody to be fair to.
//! - **Dropped** while it waits, a future loses nothing but the item that it was to put, and with `put_from_async` not even that.
//! - **A waker that panics** when it is woken is caught; the panic hook tells of it, and no item is lost to it.
//!
//! # Examples
//! ```
//! let (mut sender, mut receiver) = sync::queue::spsc::bounded(2);
//! let producer = std::thread::spawn(move || (1..=3).try_for_each(|number| sender.put(number)));
//! assert_eq!(receiver.iter().sum::<i32>(), 6, "it ends with the sender");
//! # producer.join().unwrap()?;
//! # Ok::<(), sync::queue::PutError<i32>>(())
//! ```

use super::ends::{receiver, sender};
use super::error::{GetError, PutError, Refusal};
use super::ring::{NO_BOUND, Ring};
use super::side::Sole;
use super::stream::one_by_one;
use super::waits::Get;
use crate::lockfree::drop_all::drop_all;
use crate::os::ask_for_the_barrier;
use crate::primitive::Arc;
use crate::timer;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

struct Shared<T> {
    ring: Ring<T, Sole, Sole>,
}

/// A channel without a bound. Allocates blocks of 16 KiB, or of one item that is larger.
#[must_use]
#[doc(alias = "channel")]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    ends(NO_BOUND)
}

/// A channel that holds at most `capacity` items.
///
/// # Panics
/// If `capacity` is 0: such a channel would never have room.
#[must_use]
#[track_caller]
#[doc(alias = "channel")]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a bounded channel needs a capacity of at least 1; `unbounded` has none");
    ends(capacity)
}

fn ends<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    ask_for_the_barrier();
    let shared = Arc::new(Shared { ring: Ring::new(capacity) });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

sender! {
    [mut] self,
    /// The sending end. When it is dropped, the receiver gets what is left and then an error.
}

receiver! {
    [Sole] "let (mut sender, mut receiver) = sync::queue::spsc::bounded(4);",
    /// The receiving end. When it is dropped, the sender gets errors, and what is inside is dropped; so is what is put in that
    /// moment.
}

#[cfg(all(test, trefoil_loom))]
impl<T> Receiver<T> {
    /// The sender has barriers of its own from now on, and so has whoever waits for it.
    pub(crate) fn fence_from_now_on(&self) {
        self.shared.ring.producers().fence_from_now_on();
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.ring.close();
    }
}
