//! Queues of every order, with and without a bound.

use crate::Model;
use std::collections::VecDeque;

/// A queue: what goes out next is the oldest, the newest or the smallest item.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::queue::{Operation::*, Queue, Response::*};
///
/// let mut queue = Queue::fifo().bounded(2);
/// let answers = [Put(7), Put(8), Put(9), Get, Close, Put(9), Get, Get].map(|operation| queue.apply(&operation));
/// assert_eq!(answers, [Done, Done, Full, Got(7), Done, Closed, Got(8), Closed]);
///
/// let mut queue = Queue::lifo();
/// let answers = [Put(7), Put(8), Drain, Put(9), CloseNow, Get].map(|operation| queue.apply(&operation));
/// assert_eq!(answers, [Done, Done, TakenOut(vec![8, 7]), Done, TakenOut(vec![9]), Closed]);
///
/// let mut last_two = Queue::fifo().bounded(2).giving_back_the_next();
/// let answers = [Put(7), Put(8), Put(9), Get].map(|operation| last_two.apply(&operation));
/// assert_eq!(answers, [Done, Done, GivenBack(7), Got(8)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    first: First,
    capacity: Option<usize>,
    gives_back: Option<Which>,
    /// In the order in which they go out.
    items: VecDeque<u32>,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum First {
    Oldest,
    Newest,
    Smallest,
}

/// What goes where there is no room for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Which {
    Next,
    New,
}

/// What can be asked of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Put an item in, if there is room.
    Put(u32),
    /// Take the next item out, if there is one.
    Get,
    /// How many are inside?
    Len,
    /// Take all that is inside out at once.
    Drain,
    /// Refuse further items.
    Close,
    /// Refuse further items, and take all that is inside out at once.
    CloseNow,
}

/// What a queue answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// The item is in, or the queue is closed, as was asked.
    Done,
    /// There was no room for this item and the new one, which is in if it is another.
    GivenBack(u32),
    /// There was no room, at once or at some moment before the time had passed.
    Full,
    /// The next item.
    Got(u32),
    /// All that was inside, in the order in which it would have been got.
    TakenOut(Vec<u32>),
    /// There was no item, at once or at some moment before the time had passed.
    Empty,
    /// The queue is closed: no item goes in, or none is left.
    Closed,
    /// So many are inside.
    Len(usize),
}

impl Queue {
    /// First in, first out; without a bound.
    #[must_use]
    pub const fn fifo() -> Self {
        Queue::new(First::Oldest)
    }

    /// Last in, first out: a stack; without a bound.
    #[must_use]
    pub const fn lifo() -> Self {
        Queue::new(First::Newest)
    }

    /// The smallest goes out first; without a bound.
    #[must_use]
    pub const fn smallest_first() -> Self {
        Queue::new(First::Smallest)
    }

    /// At most `capacity` items fit.
    #[must_use]
    pub fn bounded(self, capacity: usize) -> Self {
        Queue { capacity: Some(capacity), ..self }
    }

    /// Where there is no room, what would go out next goes.
    #[must_use]
    pub fn giving_back_the_next(self) -> Self {
        Queue { gives_back: Some(Which::Next), ..self }
    }

    /// Where there is no room, what comes goes back.
    #[must_use]
    pub fn giving_back_the_new(self) -> Self {
        Queue { gives_back: Some(Which::New), ..self }
    }

    const fn new(first: First) -> Self {
        Queue { first, capacity: None, gives_back: None, items: VecDeque::new(), closed: false }
    }

    fn put(&mut self, item: u32) -> Response {
        if self.closed {
            return Response::Closed;
        }
        let mut done = Response::Done;
        if self.capacity.is_some_and(|capacity| self.items.len() >= capacity) {
            match self.gives_back {
                None => return Response::Full,
                Some(Which::New) => return Response::GivenBack(item),
                Some(Which::Next) => done = self.items.pop_front().map_or(done, Response::GivenBack),
            }
        }
        let place = match self.first {
            First::Oldest => self.items.len(),
            First::Newest => 0,
            First::Smallest => self.items.partition_point(|&other| other <= item),
        };
        self.items.insert(place, item);
        done
    }

    fn get(&mut self) -> Response {
        match self.items.pop_front() {
            Some(item) => Response::Got(item),
            None if self.closed => Response::Closed,
            None => Response::Empty,
        }
    }

    fn take_all_out(&mut self) -> Response {
        Response::TakenOut(self.items.drain(..).collect())
    }
}

impl Model for Queue {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match *operation {
            Operation::Put(item) => self.put(item),
            Operation::Get => self.get(),
            Operation::Len => Response::Len(self.items.len()),
            Operation::Drain => self.take_all_out(),
            Operation::Close => {
                self.closed = true;
                Response::Done
            }
            Operation::CloseNow => {
                self.closed = true;
                self.take_all_out()
            }
        }
    }
}
