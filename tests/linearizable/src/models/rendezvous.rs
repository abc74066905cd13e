//! A queue without places.

use super::queue::{Operation, Response};
use crate::Model;

/// A queue of capacity 0: a put and a get happen together, at one moment, or not at all.
///
/// Whether a partner is there already nobody can see from outside: a thread that has called `get` may not yet have come
/// to wait. So either side may always be refused. It has no length to ask for that would not always be 0.
///
/// # Examples
/// ```
/// use linearizable::models::queue::{Operation::*, Response::*};
/// use linearizable::models::rendezvous::Rendezvous;
/// use linearizable::{History, judge};
///
/// let mut history = History::new();
/// history.call(0, Put(1));
/// history.at_once(1, Get, Got(1));
/// history.answer(0, Done);
/// assert!(judge(Rendezvous::new(), &history).is_ok());
///
/// // A put that is done before anybody comes for the item.
/// history.at_once(0, Put(2), Done);
/// assert_eq!(judge(Rendezvous::new(), &history).map_err(|why| why.prefix_len()), Err(6));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rendezvous {
    /// Held out and not yet taken.
    offered: Option<u32>,
    closed: bool,
}

impl Rendezvous {
    /// One that is open.
    #[must_use]
    pub const fn new() -> Self {
        Rendezvous { offered: None, closed: false }
    }
}

impl Model for Rendezvous {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match *operation {
            Operation::Put(_) | Operation::Get if self.closed => Response::Closed,
            // The one who puts goes first; that is how it is told, not how it happens.
            Operation::Put(_) if self.offered.is_some() => Response::Full,
            Operation::Put(item) => {
                self.offered = Some(item);
                Response::Done
            }
            Operation::Get => self.offered.take().map_or(Response::Empty, Response::Got),
            Operation::Len => Response::Len(0),
            Operation::Drain => Response::TakenOut(Vec::new()),
            Operation::Close => {
                self.closed = true;
                Response::Done
            }
            Operation::CloseNow => {
                self.closed = true;
                Response::TakenOut(Vec::new())
            }
        }
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        match (operation, response) {
            (Operation::Put(_), Response::Full) | (Operation::Get, Response::Empty) => Some(self.clone()),
            _ => {
                let mut after = self.clone();
                (after.apply(operation) == *response).then_some(after)
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.offered.is_none()
    }
}
