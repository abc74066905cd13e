//! Why an item was not put, or not got.

use std::fmt;

/// Why an item was not taken into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    TimedOut,
    Closed,
}

impl Refusal {
    /// The error that gives the item back.
    pub(super) fn with<T>(self, item: Option<T>) -> PutError<T> {
        match item {
            Some(item) => PutError::new(self, item),
            None => unreachable!("an item that was refused is still there"),
        }
    }
}

/// An item was not put into a queue; here it is again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T> {
    why: Refusal,
    item: T,
}

impl<T> PutError<T> {
    pub(super) const fn new(why: Refusal, item: T) -> Self {
        PutError { why, item }
    }

    pub(super) fn into_parts(self) -> (Refusal, T) {
        (self.why, self.item)
    }

    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        self.why == Refusal::Full
    }

    /// Whether there was no room until the time had passed.
    pub fn is_timeout(&self) -> bool {
        self.why == Refusal::TimedOut
    }

    /// Whether the queue is closed, so that trying again is in vain.
    pub fn is_closed(&self) -> bool {
        self.why == Refusal::Closed
    }

    /// The item.
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PutError({:?})", self.why)
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Refusal::Full => "the queue is full",
            Refusal::TimedOut => "the queue was full until the time limit passed",
            Refusal::Closed => "the queue is closed",
        })
    }
}

impl<T> std::error::Error for PutError<T> {}

/// Why there is no item.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetError {
    /// There is none now.
    Empty,
    /// There was none until the time had passed.
    TimedOut,
    /// There is none and will be none.
    Closed,
}

impl GetError {
    /// Whether the queue is closed and empty, so that trying again is in vain.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self == GetError::Closed
    }

    /// Whether the time had passed.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self == GetError::TimedOut
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GetError::Empty => "the queue is empty",
            GetError::TimedOut => "the queue was empty until the time limit passed",
            GetError::Closed => "the queue is closed and empty",
        })
    }
}

impl std::error::Error for GetError {}
