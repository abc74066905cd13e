//! What is told to everybody: all of it, or the latest.

use crate::Model;
use std::collections::VecDeque;

/// A broadcast of numbered receivers: each hears everything, and is told how much he missed where he was too slow.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::news::{News, Operation::*, Response::*};
///
/// let mut news = News::for_receivers(2, 2);
/// let answers = [Tell(1), Hear(0), Tell(2), Tell(3), Hear(0), Hear(1), Hear(1)].map(|operation| news.apply(&operation));
/// assert_eq!(answers, [Done, Heard(1), Done, Done, Heard(2), Missed(1), Heard(2)]);
///
/// let mut latest = News::of_the_latest(2, 7);
/// let answers = [Hear(0), Tell(8), Tell(9), Hear(0), Hear(0), Latest].map(|operation| latest.apply(&operation));
/// assert_eq!(answers, [Nothing, Done, Done, Heard(9), Nothing, Heard(9)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct News {
    /// What is kept, the oldest first, and the number of that one.
    kept: VecDeque<u32>,
    first: u64,
    capacity: usize,
    /// The number of what each is to hear next.
    next: Vec<u64>,
    /// Whether it is said that something was missed.
    says_missed: bool,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Tell everybody.
    Tell(u32),
    /// As that receiver, the next that he has not heard.
    Hear(usize),
    /// What was told last, heard or not.
    Latest,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It is told.
    Done,
    /// This.
    Heard(u32),
    /// So many were told and are gone.
    Missed(u64),
    /// There was nothing new, at once or at some moment before the time had passed.
    Nothing,
}

impl News {
    /// Keeps `capacity` of them for so many receivers.
    #[must_use]
    pub fn for_receivers(receivers: usize, capacity: usize) -> Self {
        News { kept: VecDeque::new(), first: 0, capacity, next: vec![0; receivers], says_missed: true }
    }

    /// Keeps the latest, which is `value` at first and known to all.
    #[must_use]
    pub fn of_the_latest(receivers: usize, value: u32) -> Self {
        News { kept: [value].into(), first: 0, capacity: 1, next: vec![1; receivers], says_missed: false }
    }
}

impl Model for News {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        match *operation {
            Operation::Tell(news) => {
                if self.kept.len() == self.capacity {
                    self.kept.pop_front();
                    self.first += 1;
                }
                self.kept.push_back(news);
                Response::Done
            }
            Operation::Hear(receiver) => {
                let next = &mut self.next[receiver];
                let missed = self.first.saturating_sub(*next);
                *next += missed;
                if missed > 0 && self.says_missed {
                    return Response::Missed(missed);
                }
                let at = usize::try_from(*next - self.first).expect("few are kept");
                let Some(news) = self.kept.get(at) else { return Response::Nothing };
                *next += 1;
                Response::Heard(*news)
            }
            Operation::Latest => self.kept.back().map_or(Response::Nothing, |news| Response::Heard(*news)),
        }
    }
}
