//! A place where two swap what they have brought.

use crate::Model;

/// An exchanger: two operations happen together, at one moment, and each is answered by what the other has brought; or one is
/// refused, because nobody came.
///
/// Whether a partner is there already nobody can see from outside, so either side may always be refused.
///
/// # Examples
/// ```
/// use linearizable::models::exchange::{Exchange, Operation::*, Response::*};
/// use linearizable::{History, judge};
///
/// let mut history = History::new();
/// history.call(0, Swap(1));
/// history.at_once(1, Swap(2), Got(1));
/// history.answer(0, Got(2));
/// assert!(judge(Exchange::new(), &history).is_ok());
///
/// // One who swaps with somebody who has gone.
/// history.at_once(0, Swap(3), Got(2));
/// assert!(judge(Exchange::new(), &history).is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Exchange {
    /// What one has brought, and what he has got for it from a partner who is still to be told.
    half: Option<(u32, u32)>,
}

/// What can be asked of an exchanger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Swap this.
    Swap(u32),
}

/// What an exchanger answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Here is what the other has brought.
    Got(u32),
    /// Nobody came; the value is back.
    Refused,
}

impl Exchange {
    /// Nobody is there.
    #[must_use]
    pub const fn new() -> Self {
        Exchange { half: None }
    }
}

impl Model for Exchange {
    type Operation = Operation;
    type Response = Response;

    /// As if nobody else came: what the partner brings is known from the answers alone.
    fn apply(&mut self, _: &Operation) -> Response {
        Response::Refused
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        let Operation::Swap(mine) = *operation;
        match (*response, self.half) {
            (Response::Refused, None) => Some(self.clone()),
            (Response::Got(theirs), None) => Some(Exchange { half: Some((mine, theirs)) }),
            (Response::Got(theirs), Some(half)) if half == (theirs, mine) => Some(Exchange { half: None }),
            (Response::Refused | Response::Got(_), Some(_)) => None,
        }
    }

    fn is_settled(&self) -> bool {
        self.half.is_none()
    }
}
