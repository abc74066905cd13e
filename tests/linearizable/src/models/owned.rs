//! A lock that its owner may take again.

use crate::Model;

/// A lock with an owner, who releases it as often as he took it.
///
/// Each operation says whose it is, for a model does not know its threads.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::owned::{Operation::*, Owned, Response::*};
///
/// let mut lock = Owned::new();
/// let answers = [Take(1), Take(1), Take(2), Depth(1), Depth(2)].map(|operation| lock.apply(&operation));
/// assert_eq!(answers, [Done, Done, Refused, Count(2), Count(0)]);
/// let answers = [Release(2), Release(1), IsTaken, Take(2), Release(1), IsTaken, Take(2)].map(|operation| lock.apply(&operation));
/// assert_eq!(answers, [Refused, Done, Is(true), Refused, Done, Is(false), Done]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owned {
    /// Who has it, and how many times; never zero times.
    taken: Option<(u32, usize)>,
}

/// What can be asked of such a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// This one takes it, if it is free or his.
    Take(u32),
    /// This one releases it once, if it is his.
    Release(u32),
    /// How many times does this one have it?
    Depth(u32),
    /// Does anybody have it?
    IsTaken,
}

/// What such a lock answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It is taken, or released once.
    Done,
    /// It was somebody else's, at once or at some moment before the time had passed.
    Refused,
    /// He has it so many times.
    Count(usize),
    /// Somebody has it, or nobody.
    Is(bool),
}

impl Owned {
    /// A free one.
    #[must_use]
    pub const fn new() -> Self {
        Owned { taken: None }
    }

    fn times(&self, who: u32) -> usize {
        self.taken.filter(|(owner, _)| *owner == who).map_or(0, |(_, times)| times)
    }
}

impl Model for Owned {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match *operation {
            Operation::Take(who) if self.taken.is_some_and(|(owner, _)| owner != who) => Response::Refused,
            Operation::Take(who) => {
                self.taken = Some((who, self.times(who) + 1));
                Response::Done
            }
            Operation::Release(who) => match self.times(who) {
                0 => Response::Refused,
                times => {
                    self.taken = (times > 1).then_some((who, times - 1));
                    Response::Done
                }
            },
            Operation::Depth(who) => Response::Count(self.times(who)),
            Operation::IsTaken => Response::Is(self.taken.is_some()),
        }
    }
}
