//! What several threads did, and in which order they began and ended to do it.

use crate::scenario::Scenario;

/// Operations of several threads, with the order of their beginnings and endings.
///
/// A history comes from a [trial](crate::Trial), or is written by hand. `O` is an operation, `R` a response.
///
/// # Examples
/// ```
/// use linearizable::History;
///
/// let mut history = History::new();
/// history.call(0, "put 1"); // Thread 0 begins,
/// history.at_once(1, "get", "nothing"); // thread 1 is done before it ends,
/// history.answer(0, "done"); // and it ends.
/// assert_eq!(history.len(), 4);
/// ```
#[derive(Clone, Debug)]
pub struct History<O, R> {
    /// In order of their calls.
    pub(crate) operations: Vec<Performed<O, R>>,
    pub(crate) events: Vec<Event>,
}

/// One operation of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Performed<O, R> {
    pub(crate) thread: usize,
    pub(crate) operation: O,
    /// `None` if it never returned.
    pub(crate) response: Option<R>,
}

/// An edge of the operation with that index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Call(usize),
    Answer(usize),
}

/// What a thread notes of an operation while it runs: its place in the scenario, and two readings of the common clock.
#[derive(Debug)]
pub(crate) struct Record<R> {
    pub(crate) thread: usize,
    pub(crate) place: usize,
    pub(crate) called: u64,
    pub(crate) answered: Option<(u64, R)>,
}

impl<O, R> History<O, R> {
    /// One in which nothing has happened. Allocates when something does.
    #[must_use]
    pub const fn new() -> Self {
        History { operations: Vec::new(), events: Vec::new() }
    }

    /// Thread number `thread` calls `operation`.
    ///
    /// # Panics
    /// If that thread has not been answered yet, or its number is above 63.
    #[track_caller]
    pub fn call(&mut self, thread: usize, operation: O) {
        assert!(thread < THREADS_MAX, "thread {thread}: a history has the threads 0 to {}", THREADS_MAX - 1);
        assert!(self.open(thread).is_none(), "thread {thread} calls while it waits for an answer");
        self.events.push(Event::Call(self.operations.len()));
        self.operations.push(Performed { thread, operation, response: None });
    }

    /// The last call of thread number `thread` is answered.
    ///
    /// # Panics
    /// If that thread has called nothing, or was answered already.
    #[track_caller]
    pub fn answer(&mut self, thread: usize, response: R) {
        let index = self.open(thread).unwrap_or_else(|| panic!("thread {thread} is answered without a call"));
        self.events.push(Event::Answer(index));
        self.operations[index].response = Some(response);
    }

    /// Thread number `thread` calls `operation` and is answered before anything else happens.
    ///
    /// # Panics
    /// As [`call`](History::call).
    #[track_caller]
    pub fn at_once(&mut self, thread: usize, operation: O, response: R) {
        self.call(thread, operation);
        self.answer(thread, response);
    }

    /// How many calls and answers there are together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing has happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many operations began while another was open.
    pub(crate) fn overlaps(&self) -> usize {
        let mut open = 0;
        let mut overlaps = 0;
        for event in &self.events {
            match event {
                Event::Call(_) => {
                    overlaps += usize::from(open > 0);
                    open += 1;
                }
                Event::Answer(_) => open -= 1,
            }
        }
        overlaps
    }

    pub(crate) fn responses(&self) -> impl Iterator<Item = &R> {
        self.operations.iter().filter_map(|performed| performed.response.as_ref())
    }

    /// The operation that `thread` waits for.
    fn open(&self, thread: usize) -> Option<usize> {
        let last = self.operations.iter().rposition(|performed| performed.thread == thread)?;
        self.operations[last].response.is_none().then_some(last)
    }
}

impl<O: Clone, R> History<O, R> {
    /// The history that the threads of one run have noted.
    pub(crate) fn from_records(scenario: &Scenario<O>, records: impl IntoIterator<Item = Record<R>>) -> Self {
        let mut edges = Vec::new();
        for Record { thread, place, called, answered } in records {
            edges.push((called, Edge::Call(thread, scenario.operation(thread, place).clone())));
            edges.extend(answered.map(|(time, response)| (time, Edge::Answer(thread, response))));
        }
        edges.sort_by_key(|&(time, _)| time);
        let mut history = History::new();
        for (_, edge) in edges {
            match edge {
                Edge::Call(thread, operation) => history.call(thread, operation),
                Edge::Answer(thread, response) => history.answer(thread, response),
            }
        }
        history
    }
}

impl<O, R> Default for History<O, R> {
    fn default() -> Self {
        History::new()
    }
}

enum Edge<O, R> {
    Call(usize, O),
    Answer(usize, R),
}

/// The search keeps sets of threads in one word.
pub(crate) const THREADS_MAX: usize = u64::BITS as usize;
