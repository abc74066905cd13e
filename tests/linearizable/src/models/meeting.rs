//! Where threads wait for each other.

use crate::Model;

/// A barrier for some parties: all go through at one common moment, each with a place of its own, and one of them leads.
///
/// Whoever waits with a limit may be told that not all have come, whoever else is on his way: nobody sees from outside who
/// is there.
///
/// # Examples
/// ```
/// use linearizable::models::meeting::{Meeting, Operation::*, Response::*};
/// use linearizable::{History, judge};
///
/// let mut history = History::new();
/// history.call(0, Meet);
/// history.at_once(1, Meet, Through { place: 1, leads: true });
/// history.answer(0, Through { place: 0, leads: false });
/// assert!(judge(Meeting::of(2), &history).is_ok());
///
/// // One alone is let through.
/// history.at_once(0, Meet, Through { place: 0, leads: true });
/// assert_eq!(judge(Meeting::of(2), &history).map_err(|why| why.prefix_len()), Err(6));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Meeting {
    parties: usize,
    /// The places of those who go through in this moment, and whether one of them leads.
    through: Vec<usize>,
    led: bool,
    broken: bool,
}

/// What can be asked of a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Wait for the others, if only for a time.
    Meet,
    /// Break it, for those who wait and those who come.
    Break,
    /// Is it broken?
    Look,
}

/// What a barrier answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// All have come.
    Through {
        /// Of those who went through together, each has another one, from 0.
        place: usize,
        /// One of them does.
        leads: bool,
    },
    /// Not all had come in time.
    NotAll,
    /// It is broken; of a look, it is.
    Broken,
    /// It was broken by this, or, of a look, it is not.
    Done,
}

impl Meeting {
    /// One for so many.
    #[must_use]
    pub const fn of(parties: usize) -> Self {
        Meeting { parties, through: Vec::new(), led: false, broken: false }
    }

    fn let_through(&self, place: usize, leads: bool) -> Option<Self> {
        if self.broken || place >= self.parties || self.through.contains(&place) || (leads && self.led) {
            return None;
        }
        let mut after = self.clone();
        after.through.push(place);
        // In which order they are told of does not matter.
        after.through.sort_unstable();
        after.led |= leads;
        if after.through.len() == self.parties {
            return after.led.then_some(Meeting::of(self.parties));
        }
        Some(after)
    }
}

impl Model for Meeting {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match operation {
            Operation::Meet if self.broken => Response::Broken,
            Operation::Meet => Response::NotAll,
            Operation::Break => {
                self.broken = true;
                Response::Done
            }
            Operation::Look if self.broken => Response::Broken,
            Operation::Look => Response::Done,
        }
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        match (operation, *response) {
            (Operation::Meet, Response::Through { place, leads }) => self.let_through(place, leads),
            // Between those who go through there is no moment for anything else.
            _ if !self.through.is_empty() => None,
            _ => {
                let mut after = self.clone();
                (after.apply(operation) == *response).then_some(after)
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.through.is_empty()
    }
}
