//! A history that fits no order, for people to read.

use crate::history::{Event, History};
use crate::model::Model;
use std::fmt;

/// A history fits no order of its operations; this is its shortest prefix that does not.
///
/// Displayed, it is a timeline: a column for each thread, a line for each call and answer.
///
/// # Examples
/// ```
/// use linearizable::models::queue::{Operation::*, Queue, Response::*};
/// use linearizable::{History, judge};
///
/// let mut history = History::new();
/// history.call(0, Put(1));
/// history.at_once(1, Get, Got(1));
/// history.answer(0, Done);
/// history.at_once(1, Get, Got(1));
/// let why = judge(Queue::fifo(), &history).expect_err("it was put once");
/// let timeline = "
///       thread 0    thread 1
///   1   ┌ Put(1)
///   2   │           ┌ Get
///   3   │           └ Got(1)
///   4   └ Done
///   5               ┌ Get
///   6               └ Got(1)    <- fits no order
/// ";
/// assert!(why.to_string().contains(timeline), "{why}");
/// ```
pub struct Violation<M: Model> {
    history: History<M::Operation, M::Response>,
    prefix_len: usize,
    states: Vec<M>,
}

impl<M: Model> Violation<M> {
    /// The first `prefix_len` events of `history` fit no order; `states` are possible before the last of them.
    pub(crate) fn new(
        history: History<M::Operation, M::Response>,
        prefix_len: usize,
        states: impl IntoIterator<Item = M>,
    ) -> Self {
        let mut distinct: Vec<M> = Vec::new();
        for state in states {
            if !distinct.contains(&state) {
                distinct.push(state);
            }
        }
        Violation { history, prefix_len, states: distinct }
    }

    /// How many calls and answers it takes to see that something is wrong. The last of them is the answer that fits no
    /// order; without it, everything did.
    #[must_use]
    pub fn prefix_len(&self) -> usize {
        self.prefix_len
    }

    /// The states in which the model could be before that answer, one at least.
    #[must_use]
    pub fn states(&self) -> &[M] {
        &self.states
    }
}

impl<M: Model> fmt::Display for Violation<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no order of these operations explains the last answer:\n")?;
        f.write_str(&timeline(&self.history, self.prefix_len, "    <- fits no order"))?;
        writeln!(f, "\nbefore it, the model could be in no other state than:")?;
        for state in self.states.iter().take(STATES_SHOWN) {
            writeln!(f, "  {state:?}")?;
        }
        match self.states.len().saturating_sub(STATES_SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

/// As it is displayed: whoever fails a test by it wants to read it.
impl<M: Model> fmt::Debug for Violation<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The first `events` of `history`, a column for each thread and a line for each event, with `remark` at the last.
pub(crate) fn timeline<O: fmt::Debug, R: fmt::Debug>(
    history: &History<O, R>,
    events: usize,
    remark: &str,
) -> String {
    let columns = history.operations.iter().map(|performed| performed.thread + 1).max().unwrap_or(0);
    let mut lines = vec![(0..columns).map(|thread| format!("thread {thread}")).collect::<Vec<_>>()];
    let mut open = vec![false; columns];
    for &event in &history.events[..events] {
        let (index, text) = match event {
            Event::Call(index) => (index, format!("┌ {:?}", history.operations[index].operation)),
            Event::Answer(index) => (index, answer(history, index)),
        };
        let thread = history.operations[index].thread;
        let mut line: Vec<_> = open.iter().map(|&open| if open { "│" } else { "" }.to_owned()).collect();
        line[thread] = text;
        open[thread] = matches!(event, Event::Call(_));
        lines.push(line);
    }

    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let digits = events.to_string().len().max(2);
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let mut row = if number == 0 { " ".repeat(digits + 1) } else { format!(" {number:>digits$}") };
        for (cell, &width) in line.iter().zip(&widths) {
            row.push_str(&format!("   {cell:<width$} "));
        }
        let row = row.trim_end();
        text.push_str(row);
        text.push_str(if number == events { remark } else { "" });
        text.push('\n');
    }
    text
}

fn answer<O, R: fmt::Debug>(history: &History<O, R>, index: usize) -> String {
    // An event `Answer` is only written down together with its response.
    history.operations[index].response.as_ref().map_or_else(String::new, |response| format!("└ {response:?}"))
}

const STATES_SHOWN: usize = 4;
