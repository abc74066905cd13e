//! A value that is made once.

use crate::Model;

/// A cell whose first value stays.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::once::{Once, Operation::*, Response::*};
///
/// let mut once = Once::new();
/// let answers = [Look, Fail, Make(1), Make(2), Set(3), Fail, Look].map(|operation| once.apply(&operation));
/// assert_eq!(answers, [Empty, Failed, Value(1), Value(1), Refused, Value(1), Value(1)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Once {
    value: Option<u32>,
}

/// What can be asked of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The value; this one, if there is none.
    Make(u32),
    /// The value; if there is none, one that cannot be made.
    Fail,
    /// Put this value in, if there is none.
    Set(u32),
    /// Is there a value? Or, of one who waits: was there one before the time had passed?
    Look,
}

/// What a cell answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The value.
    Value(u32),
    /// The value could not be made.
    Failed,
    /// The value was put in.
    Done,
    /// There is a value already, or somebody is making one.
    Refused,
    /// There is no value.
    Empty,
}

impl Once {
    /// One without a value.
    #[must_use]
    pub const fn new() -> Self {
        Once { value: None }
    }
}

impl Model for Once {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match (*operation, self.value) {
            (Operation::Set(_), Some(_)) => Response::Refused,
            (Operation::Make(_) | Operation::Fail | Operation::Look, Some(value)) => Response::Value(value),
            (Operation::Make(value), None) => Response::Value(*self.value.insert(value)),
            (Operation::Set(value), None) => {
                self.value = Some(value);
                Response::Done
            }
            (Operation::Fail, None) => Response::Failed,
            (Operation::Look, None) => Response::Empty,
        }
    }

    /// A value may be refused although there is none, because somebody is making one, who may fail.
    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        if matches!((operation, response), (Operation::Set(_), Response::Refused)) {
            return Some(self.clone());
        }
        let mut after = self.clone();
        (after.apply(operation) == *response).then_some(after)
    }
}
