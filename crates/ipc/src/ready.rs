//! Waiting until a descriptor can be read or written, the way this project waits.
//!
//! [`wait`] blocks whatever runs on this thread: a plain thread sleeps in the system's `poll`; a coroutine parks, and the
//! others on its thread go on. [`wait_async`] is the same for async code, on any runtime.
//!
//! What is not a plain thread is woken by one thread named `trefoil-ipc`, which watches all descriptors of the program
//! that somebody waits for. It starts with the first such wait and ends when there has been none for a while.
//!
//! "Ready" is a hint, as everywhere: another thread or process may be faster. Try again without blocking, and wait again.
//! A closed other side and an error count as ready, for reading and for writing.

mod watcher;

use crate::sys::{self, BorrowedFd};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use sync::park;
use watcher::Registration;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// There is something to read, or there will never be.
    Read,
    /// There is room to write, or there will never be.
    Write,
}

/// Waits until `fd` is ready, at most until `deadline`. Blocks; `false` if the time has passed.
///
/// # Errors
/// What the system says: too many descriptors, no memory.
pub fn wait(fd: BorrowedFd<'_>, interest: Interest, deadline: Option<Instant>) -> io::Result<bool> {
    Ok(wait_any(&[(fd, interest)], deadline)?.is_some())
}

/// Waits until one of `waits` is ready, at most until `deadline`. Blocks; its place in the list, or `None` if the time
/// has passed.
///
/// # Errors
/// What the system says: too many descriptors, no memory.
pub fn wait_any(
    waits: &[(BorrowedFd<'_>, Interest)],
    deadline: Option<Instant>,
) -> io::Result<Option<usize>> {
    if park::is_cooperative() {
        park::block_on_until(wait_any_async(waits), deadline).transpose()
    } else {
        sys::poll(waits, deadline)
    }
}

/// Waits until `fd` is ready, on any runtime.
///
/// The future's result is an error if the system has no descriptor or no thread left.
///
/// # Cancel safety
/// Dropping the future ends the wait and leaves nothing behind.
pub fn wait_async(fd: BorrowedFd<'_>, interest: Interest) -> Readiness<'_> {
    Readiness { fd, interest, registration: None }
}

/// Waits until one of `waits` is ready, on any runtime; its place in the list.
///
/// # Errors
/// What the system says: too many descriptors, no memory, no thread.
///
/// # Cancel safety
/// Dropping the future ends the wait and leaves nothing behind.
pub async fn wait_any_async(waits: &[(BorrowedFd<'_>, Interest)]) -> io::Result<usize> {
    let mut all: Vec<_> = waits.iter().map(|(fd, interest)| wait_async(*fd, *interest)).collect();
    std::future::poll_fn(move |cx| {
        for (place, one) in all.iter_mut().enumerate() {
            if let Poll::Ready(result) = Pin::new(one).poll(cx) {
                return Poll::Ready(result.map(|()| place));
            }
        }
        Poll::Pending
    })
    .await
}

/// A wait; see [`wait_async`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Readiness<'fd> {
    fd: BorrowedFd<'fd>,
    interest: Interest,
    registration: Option<Registration>,
}

impl Future for Readiness<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = match &self.registration {
            Some(registration) => registration.poll(cx),
            None => {
                // Nothing is missed before this: the watcher is told at once of what is ready already.
                match Registration::new(self.fd, self.interest, cx) {
                    Ok(registration) => self.registration = Some(registration),
                    // A plain file: the system does not watch it, for it is always ready.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                        return Poll::Ready(Ok(()));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
                false
            }
        };
        if !ready {
            return Poll::Pending;
        }
        self.registration = None;
        Poll::Ready(Ok(()))
    }
}
