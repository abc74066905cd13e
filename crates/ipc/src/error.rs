//! Why a value was not sent or received.

use crate::handoff::HandoffError;
use crate::link::LinkError;
use std::error::Error;
use std::fmt;

/// A value was not sent; here it is again.
pub struct SendError<T> {
    why: Box<NotSent>,
    value: T,
}

/// Everything that keeps a value from being sent.
#[derive(Debug)]
pub(crate) enum NotSent {
    Encode(HandoffError),
    Link(LinkError),
}

impl<T> SendError<T> {
    pub(crate) fn new(why: impl Into<NotSent>, value: T) -> Self {
        SendError { why: Box::new(why.into()), value }
    }

    /// Whether nobody is there to receive it any more.
    pub fn is_disconnected(&self) -> bool {
        matches!(*self.why, NotSent::Link(LinkError::Disconnected))
    }

    /// Whether there was no room at the moment.
    pub fn is_full(&self) -> bool {
        matches!(*self.why, NotSent::Link(LinkError::WouldBlock))
    }

    /// Whether there was no room until the time had passed.
    pub fn is_timeout(&self) -> bool {
        matches!(*self.why, NotSent::Link(LinkError::TimedOut))
    }

    /// Whether it has more bytes than a message may have here.
    pub fn is_too_large(&self) -> bool {
        matches!(*self.why, NotSent::Link(LinkError::TooLarge { .. }))
    }

    /// Whether the value itself could not be written down.
    pub fn is_encode(&self) -> bool {
        matches!(*self.why, NotSent::Encode(_))
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> fmt::Debug for SendError<T> {
    /// Without the value, so that the error of any type can be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.why {
            NotSent::Encode(error) => write!(f, "the value was not sent: {error}"),
            NotSent::Link(LinkError::WouldBlock) => f.write_str("the value was not sent: there is no room"),
            NotSent::Link(LinkError::TimedOut) => {
                f.write_str("the value was not sent: there was no room until the time limit passed")
            }
            NotSent::Link(error) => write!(f, "the value was not sent: {error}"),
        }
    }
}

impl<T> Error for SendError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.why {
            NotSent::Encode(error) => error.source(),
            NotSent::Link(error) => error.source(),
        }
    }
}

impl From<HandoffError> for NotSent {
    fn from(error: HandoffError) -> Self {
        NotSent::Encode(error)
    }
}

impl From<LinkError> for NotSent {
    fn from(error: LinkError) -> Self {
        NotSent::Link(error)
    }
}

/// There is no value.
pub struct RecvError {
    why: Box<NotReceived>,
}

/// Everything that keeps a value from being received.
#[derive(Debug)]
pub(crate) enum NotReceived {
    Decode(HandoffError),
    Link(LinkError),
    Moved,
}

impl RecvError {
    /// Whether there was none at the moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(*self.why, NotReceived::Link(LinkError::WouldBlock))
    }

    /// Whether there was none until the time had passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(*self.why, NotReceived::Link(LinkError::TimedOut))
    }

    /// Whether there will be none: everything that was sent has been received, and all who could send have gone.
    #[must_use]
    #[doc(alias = "EOFError")]
    pub fn is_disconnected(&self) -> bool {
        matches!(*self.why, NotReceived::Link(LinkError::Disconnected))
    }

    /// Whether there was one that this side refuses or cannot read: it is of another type, too large, malformed, or has
    /// more descriptors than this process may hold. It is gone; the next can be received.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        use LinkError::{Corrupt, DescriptorsLost, TooLarge};
        matches!(
            *self.why,
            NotReceived::Decode(_) | NotReceived::Link(TooLarge { .. } | Corrupt(_) | DescriptorsLost)
        )
    }

    /// Whether this receiver was sent to another process, so that it receives no more here.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        matches!(*self.why, NotReceived::Moved)
    }
}

impl fmt::Debug for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvError").field(&self.why).finish()
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.why {
            NotReceived::Decode(error) => write!(f, "a message was dropped: {error}"),
            NotReceived::Link(LinkError::WouldBlock) => f.write_str("there is no message"),
            NotReceived::Link(LinkError::TimedOut) => {
                f.write_str("there was no message until the time limit passed")
            }
            NotReceived::Link(error) => error.fmt(f),
            NotReceived::Moved => {
                f.write_str("this receiver was sent to another process, which receives in its place")
            }
        }
    }
}

impl Error for RecvError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.why {
            NotReceived::Decode(error) => error.source(),
            NotReceived::Link(error) => error.source(),
            NotReceived::Moved => None,
        }
    }
}

impl From<HandoffError> for RecvError {
    fn from(error: HandoffError) -> Self {
        NotReceived::Decode(error).into()
    }
}

impl From<LinkError> for RecvError {
    fn from(error: LinkError) -> Self {
        NotReceived::Link(error).into()
    }
}

impl From<NotReceived> for RecvError {
    fn from(why: NotReceived) -> Self {
        RecvError { why: Box::new(why) }
    }
}
