//! A flag that is set and cleared, and waited for.

use crate::Model;

/// An event, as some threads set and clear it and others wait for it.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::flag::{Flag, Operation::*, Response::*};
///
/// let mut flag = Flag::new();
/// let answers = [Look, Set, Look, Clear, Look].map(|operation| flag.apply(&operation));
/// assert_eq!(answers, [IsClear, Done, IsSet, Done, IsClear]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flag {
    set: bool,
}

/// What can be asked of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Set it.
    Set,
    /// Clear it.
    Clear,
    /// Is it set? Or, of one who waits: was it set before the time had passed?
    Look,
}

/// What a flag answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It is set or cleared, as was asked.
    Done,
    /// It was set at some moment of the operation.
    IsSet,
    /// It was not set at some moment of the operation.
    IsClear,
}

impl Flag {
    /// One that is not set.
    #[must_use]
    pub const fn new() -> Self {
        Flag { set: false }
    }
}

impl Model for Flag {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match operation {
            Operation::Set | Operation::Clear => {
                self.set = *operation == Operation::Set;
                Response::Done
            }
            Operation::Look if self.set => Response::IsSet,
            Operation::Look => Response::IsClear,
        }
    }
}
