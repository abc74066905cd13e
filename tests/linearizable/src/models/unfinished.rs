//! A queue that counts what is still to be done.

use super::queue;
use crate::Model;

/// A queue, and how many of the items that went in nobody has said to be done with.
///
/// A model does not know who took what, so whoever says that an item is done must have taken one.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::queue::{self, Queue};
/// use linearizable::models::unfinished::{Operation::*, Response::*, Unfinished};
///
/// let mut queue = Unfinished::of(Queue::fifo());
/// queue.apply(&Queue(queue::Operation::Put(7)));
/// queue.apply(&Queue(queue::Operation::Get));
/// let answers = [Count, Join, Finish, Join, Count, Finish].map(|operation| queue.apply(&operation));
/// assert_eq!(answers, [Left(1), SomeAreLeft, Done, Done, Left(0), NothingTaken]);
///
/// // What is taken out as the queue is closed is done.
/// queue.apply(&Queue(queue::Operation::Put(8)));
/// queue.apply(&Queue(queue::Operation::CloseNow));
/// assert_eq!(queue.apply(&Join), Done);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unfinished<M> {
    queue: M,
    left: usize,
}

/// What can be asked of such a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// What can be asked of every queue.
    Queue(queue::Operation),
    /// Say that an item that was taken is done with.
    Finish,
    /// Wait until all that went in is done with.
    Join,
    /// How many are not done with?
    Count,
}

/// What such a queue answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// What every queue answers.
    Queue(queue::Response),
    /// An item is done with, or all are, as was asked.
    Done,
    /// Nobody had taken an item that was not done with, so nothing was said.
    NothingTaken,
    /// Some were not done with, at once or at some moment before the time had passed.
    SomeAreLeft,
    /// So many are not done with.
    Left(usize),
}

impl<M> Unfinished<M> {
    /// `queue`, which is empty.
    #[must_use]
    pub const fn of(queue: M) -> Self {
        Unfinished { queue, left: 0 }
    }

    fn count(&mut self, operation: &queue::Operation, response: &queue::Response) {
        match (operation, response) {
            (queue::Operation::Put(_), queue::Response::Done) => self.left += 1,
            (queue::Operation::CloseNow, queue::Response::TakenOut(items)) => {
                // Who takes an item may be answered after another has said that it is done. So an order may be tried in which it is
                // done, but still inside; that ends where it is to be taken.
                self.left = self.left.saturating_sub(items.len());
            }
            _ => {}
        }
    }
}

impl<M: Model<Operation = queue::Operation, Response = queue::Response>> Model for Unfinished<M> {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match operation {
            Operation::Queue(operation) => {
                let response = self.queue.apply(operation);
                self.count(operation, &response);
                Response::Queue(response)
            }
            Operation::Finish if self.left == 0 => Response::NothingTaken,
            Operation::Finish => {
                self.left -= 1;
                Response::Done
            }
            Operation::Join if self.left > 0 => Response::SomeAreLeft,
            Operation::Join => Response::Done,
            Operation::Count => Response::Left(self.left),
        }
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        match (operation, response) {
            (Operation::Queue(operation), Response::Queue(response)) => {
                let queue = self.queue.allows(operation, response)?;
                let mut after = Unfinished { queue, left: self.left };
                after.count(operation, response);
                Some(after)
            }
            // Who finds that nothing was taken asks nothing of the queue.
            (Operation::Finish, Response::NothingTaken) => Some(self.clone()),
            _ => {
                let mut after = self.clone();
                (after.apply(operation) == *response).then_some(after)
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.queue.is_settled()
    }
}

#[cfg(test)]
mod tests {
    use super::Operation::{Finish, Queue};
    use super::queue::Operation::{CloseNow, Get, Put};
    use super::queue::Response::{Got, TakenOut};
    use super::{Model, Response, Unfinished, queue};

    #[test]
    fn an_order_in_which_an_item_is_done_before_it_is_taken_can_be_tried() {
        let mut all = Unfinished::of(queue::Queue::fifo());
        for operation in [Queue(Put(1)), Queue(Put(2)), Finish] {
            all.apply(&operation);
        }
        let closed = all.allows(&Queue(CloseNow), &Response::Queue(TakenOut(vec![1, 2])));
        let closed = closed.expect("both are inside");
        assert!(closed.allows(&Queue(Get), &Response::Queue(Got(1))).is_none());
    }
}
