//! A value that is read and written: what a lock guards, an atomic, a counter.

use crate::Model;

/// One number.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::register::{Operation::*, Register, Response::*};
///
/// let mut register = Register::new(1);
/// let answers = [Read, Write(5), Swap(6), Add(2), Read].map(|operation| register.apply(&operation));
/// assert_eq!(answers, [Value(1), Done, Value(5), Value(6), Value(8)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Register {
    value: u32,
}

/// What can be asked of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// What is in it?
    Read,
    /// Put this in.
    Write(u32),
    /// Put this in; what was in it?
    Swap(u32),
    /// Add this; what was in it?
    Add(u32),
}

/// What a register answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It is written.
    Done,
    /// This is, or was, in it.
    Value(u32),
    /// Nothing was done, because somebody else was there or for no reason at all: always allowed. A trial in which
    /// nothing ever succeeds proves nothing, so let some of its operations wait.
    Refused,
}

impl Register {
    /// One with this value.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Register { value }
    }
}

impl Model for Register {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        let before = self.value;
        match *operation {
            Operation::Read => {}
            Operation::Write(value) | Operation::Swap(value) => self.value = value,
            Operation::Add(more) => self.value = before.wrapping_add(more),
        }
        match operation {
            Operation::Write(_) => Response::Done,
            Operation::Read | Operation::Swap(_) | Operation::Add(_) => Response::Value(before),
        }
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        let mut after = self.clone();
        (*response == Response::Refused || after.apply(operation) == *response).then_some(after)
    }
}
