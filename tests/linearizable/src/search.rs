//! The judge: whether a history fits some order of its operations.
//!
//! A history is **linearizable** if every operation can be given one moment between its call and its answer such that
//! the model, performing the operations in the order of these moments, answers each as it was answered (M. Herlihy and
//! J. Wing, *Linearizability: a correctness condition for concurrent objects*, TOPLAS 12(3), 1990).
//!
//! J. Wing and C. Gong (*Testing and verifying concurrent objects*, JPDC 17, 1993) search all such orders, one after the
//! other. G. Lowe (*Testing for linearizability*, Concurrency and Computation 29(4), 2017) makes it fast by two ideas, both
//! used here: remember where the search has been, for two orders that have performed the same operations and led to the
//! same state have the same future; and perform an operation only when an answer demands it, for later is never worse.
//!
//! Where they go deep first, this goes along the history, event by event, with the set of all *possibilities*: a state
//! of the model, and which of the open operations have been performed to get there. A call changes none of them. An
//! answer keeps those in which its operation has been performed, or can be after some other open ones, and was answered
//! so. When none is left, the history up to here fits no order, while the one without its last event did: this is the
//! **shortest prefix** that fails, for nothing. Work and memory grow with the number of open operations, not with the
//! length: at most the orders of as many operations as there are threads, at each answer.
//!
//! What is performed at an answer is open all at once, which is just what operations need that can only happen together:
//! where the model is between two of them and says so, it is not settled, the search performs more.
//!
//! What is open in a prefix may be answered by anything later, so the search also follows possibilities in which the model
//! would answer it otherwise than the structure is going to. They are doomed from then on and die at that answer, but
//! until then they count: without them the verdict would be the same, and the prefix could be too short, blaming an
//! honest answer for a lie that is told later.

use crate::history::{Event, History, Performed};
use crate::model::Model;
use crate::violation::Violation;
use std::collections::{BTreeSet, HashSet};

/// Judges `history`, which began in the state `initial`.
///
/// Takes time and memory that grow with the number of threads, by its factorial if all of them overlap all the time.
///
/// # Errors
/// [`Violation`] with the shortest prefix that fits no order.
///
/// # Examples
/// ```
/// use linearizable::models::register::{Operation::*, Register, Response::*};
/// use linearizable::{History, judge};
///
/// let mut history = History::new();
/// history.call(0, Write(7));
/// history.at_once(1, Read, Value(7)); // The new value while it is written: fine.
/// assert!(judge(Register::new(0), &history).is_ok());
///
/// history.at_once(2, Read, Value(0)); // The old value after somebody has seen the new one.
/// let why = judge(Register::new(0), &history).expect_err("a stale read");
/// println!("{why}");
/// assert_eq!(why.prefix_len(), 5);
/// ```
pub fn judge<M: Model>(initial: M, history: &History<M::Operation, M::Response>) -> Result<(), Violation<M>> {
    let mut open = BTreeSet::new();
    let mut possible = HashSet::from([Possibility { state: initial, performed: 0, doomed: 0 }]);
    for (position, &event) in history.events.iter().enumerate() {
        match event {
            Event::Call(index) => {
                open.insert(index);
            }
            Event::Answer(index) => {
                let open_now: Vec<_> = open.iter().map(|&index| &history.operations[index]).collect();
                let after = after_answer(&possible, &open_now, &history.operations[index]);
                if after.is_empty() {
                    let states = possible.into_iter().map(|possibility| possibility.state);
                    return Err(Violation::new(history.clone(), position + 1, states));
                }
                possible = after;
                open.remove(&index);
            }
        }
    }
    Ok(())
}

/// One way to explain what has happened so far.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Possibility<M> {
    state: M,
    /// Threads whose open operation has been performed; a bit for each.
    performed: u64,
    /// Those of them whose operation was not answered as it is going to be.
    doomed: u64,
}

type Step<M> = Performed<<M as Model>::Operation, <M as Model>::Response>;

impl<M: Model> Possibility<M> {
    fn has_performed(&self, step: &Step<M>) -> bool {
        self.performed & bit(step) != 0
    }

    fn is_doomed_by(&self, step: &Step<M>) -> bool {
        self.doomed & bit(step) != 0
    }

    /// `step` is performed next and answered as it was in truth.
    fn performing(&self, step: &Step<M>) -> Option<Self> {
        let state = self.state.allows(&step.operation, step.response.as_ref()?)?;
        Some(Possibility { state, performed: self.performed | bit(step), doomed: self.doomed })
    }

    /// `step` is performed next and answered as the model does.
    fn performing_freely(&self, step: &Step<M>) -> Self {
        let mut state = self.state.clone();
        let response = state.apply(&step.operation);
        let doomed = step.response.as_ref().is_some_and(|real| *real != response);
        let doomed = if doomed { self.doomed | bit(step) } else { self.doomed };
        Possibility { state, performed: self.performed | bit(step), doomed }
    }

    /// The thread of `step` is between two operations again.
    fn answered(self, step: &Step<M>) -> Self {
        Possibility { state: self.state, performed: self.performed & !bit(step), doomed: self.doomed }
    }
}

/// What is possible once `answered`, one of `open`, has been answered.
fn after_answer<M: Model>(
    possible: &HashSet<Possibility<M>>,
    open: &[&Step<M>],
    answered: &Step<M>,
) -> HashSet<Possibility<M>> {
    let mut after = HashSet::new();
    let mut seen = possible.clone();
    let mut unexplored: Vec<_> = possible.iter().cloned().collect();
    while let Some(here) = unexplored.pop() {
        if here.is_doomed_by(answered) {
            continue;
        }
        if here.has_performed(answered) && here.state.is_settled() {
            // Others are performed when their own answers demand it.
            after.insert(here.answered(answered));
            continue;
        }
        let steps = open.iter().filter(|step| !here.has_performed(step));
        let next = steps.flat_map(|step| {
            // What is answered now was answered as it was, and no other way.
            let freely = (step.thread != answered.thread).then(|| here.performing_freely(step));
            here.performing(step).into_iter().chain(freely)
        });
        for next in next {
            if seen.insert(next.clone()) {
                unexplored.push(next);
            }
        }
    }
    after
}

fn bit<O, R>(step: &Performed<O, R>) -> u64 {
    1 << step.thread
}
