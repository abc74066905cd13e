//! A number of permits.

use crate::Model;

/// A semaphore: permits are taken and given back, any number at a time.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::permits::{Operation::*, Permits, Response::*};
///
/// let mut permits = Permits::new(2);
/// let answers = [Acquire(3), Acquire(2), Acquire(1), Release(1), Free].map(|operation| permits.apply(&operation));
/// assert_eq!(answers, [Refused, Done, Refused, Done, Count(1)]);
///
/// // One that refuses for reasons of its own.
/// assert!(permits.allows(&Acquire(1), &Refused).is_none());
/// assert!(permits.hesitant().allows(&Acquire(1), &Refused).is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Permits {
    free: usize,
    most: usize,
    hesitant: bool,
}

/// What can be asked of a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Take so many at once, if they are free.
    Acquire(usize),
    /// Give so many back.
    Release(usize),
    /// How many are free?
    Free,
}

/// What a semaphore answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// They are taken, or given back, as was asked.
    Done,
    /// So many were not free, at once or at some moment before the time had passed; or there would be too many.
    Refused,
    /// So many are free.
    Count(usize),
}

impl Permits {
    /// One with so many permits.
    #[must_use]
    pub const fn new(free: usize) -> Self {
        Permits { free, most: usize::MAX, hesitant: false }
    }

    /// One that refuses to have more than so many.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Permits { most, ..self }
    }

    /// One that may refuse although there are permits, as a fair semaphore does while others stand in line for them. It
    /// still never gives more than there are.
    #[must_use]
    pub fn hesitant(self) -> Self {
        Permits { hesitant: true, ..self }
    }
}

impl Model for Permits {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match *operation {
            Operation::Acquire(count) if count > self.free => return Response::Refused,
            Operation::Acquire(count) => self.free -= count,
            Operation::Release(count) if self.free + count > self.most => return Response::Refused,
            Operation::Release(count) => self.free += count,
            Operation::Free => return Response::Count(self.free),
        }
        Response::Done
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        if self.hesitant && matches!(operation, Operation::Acquire(_)) && *response == Response::Refused {
            return Some(self.clone());
        }
        let mut after = self.clone();
        (after.apply(operation) == *response).then_some(after)
    }
}
