//! A channel from many producers to one consumer.
//!
//! What [`Queue`](super::Queue) does, and the same errors; but taking an item needs no locked instruction, because the
//! [`Receiver`] is the only one and takes itself mutably. What is inside is dropped with the receiver.
//!
//! # Waiting
//! - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
//! - **Allocates** nothing. A ring is allocated by the first item; without a bound, a block now and then.
//! - **Order**: items come out as they went in. The receiver is alone and has nobody to be fair to. Senders that wait for
//!   room are told in order of arrival, but whoever comes at the right moment is first, and may be again and again: it is
//!   *not fair*.
//! - **Dropped** while it waits, a future loses nothing but the item that it was to put, and with `put_from_async` not even that.
//! - **A waker that panics** when it is woken is caught; the panic hook tells of it, and no item is lost to it.
//!
//! # Examples
//! ```
//! let (sender, mut receiver) = sync::queue::mpsc::bounded(2);
//! for worker in 0..3 {
//!     let sender = sender.clone();
//!     std::thread::spawn(move || sender.put(worker));
//! }
//! drop(sender);
//! assert_eq!(receiver.iter().sum::<i32>(), 3, "it ends with the last sender");
//! ```

use super::ends::{receiver, sender};
use super::error::{GetError, PutError, Refusal};
use super::ring::{NO_BOUND, Ring};
use super::side::{Many, Sole};
use super::stream::one_by_one;
use super::waits::Get;
use crate::lockfree::drop_all::drop_all;
use crate::os::ask_for_the_barrier;
use crate::primitive::{Arc, AtomicUsize, Ordering};
use crate::timer;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

struct Shared<T> {
    ring: Ring<T, Many, Sole>,
    senders: AtomicUsize,
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
    let shared = Arc::new(Shared { ring: Ring::new(capacity), senders: AtomicUsize::new(1) });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

sender! {
    [] self,
    /// The sending end, which can be cloned. When the last one is dropped, the receiver gets what is left and then an error.
}

receiver! {
    [Many] "let (sender, mut receiver) = sync::queue::mpsc::bounded(4);",
    /// The receiving end. When it is dropped, the senders get errors, and what is inside is dropped.
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: there is one sender, this one, until the new one can be used.
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Sender { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Relaxed: whoever closes locks the producers' side for it, as the others did for each of their puts before they came here.
        if self.shared.senders.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.shared.ring.close();
        }
    }
}
