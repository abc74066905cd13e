//! A map from keys to values.

use crate::Model;
use std::collections::BTreeMap;

/// A map, which tells of each change what was there before.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::map::{Map, Operation::*, Response};
/// use Response::{Cleared, Had, Value};
///
/// let mut map = Map::new();
/// let answers = [Insert(1, 10), Insert(1, 11), Look(1), Remove(1), Look(1)].map(|operation| map.apply(&operation));
/// assert_eq!(answers, [Value(None), Value(Some(10)), Value(Some(11)), Value(Some(11)), Value(None)]);
/// let answers = [TryInsert(1, 4), TryInsert(1, 6), RemoveIfOdd(1), Add(1, 3), RemoveIfOdd(1), Add(2, 5), Entries]
///     .map(|operation| map.apply(&operation));
/// assert_eq!(answers[..4], [Value(None), Value(Some(4)), Had(false), Value(Some(4))]);
/// assert_eq!(answers[4..], [Had(true), Value(None), Response::Entries(vec![(2, 5)])]);
/// assert_eq!([Clear, Len].map(|operation| map.apply(&operation)), [Cleared, Response::Len(0)]);
///
/// assert!(map.allows(&Insert(1, 12), &Had(false)).is_some());
/// assert!(map.allows(&Insert(1, 12), &Had(true)).is_none());
/// assert!(map.allows(&Add(1, 12), &Response::Untold).is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Map {
    entries: BTreeMap<u32, u32>,
}

/// What can be asked of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Put this value under this key; what was there?
    Insert(u32, u32),
    /// Put this value under this key if nothing is there; what was there?
    TryInsert(u32, u32),
    /// Add this to what is under this key, or put it there; what was there?
    Add(u32, u32),
    /// Take what is under this key away; what was there?
    Remove(u32),
    /// Take what is under this key away if it is an odd number; was it?
    RemoveIfOdd(u32),
    /// What is under this key?
    Look(u32),
    /// Take everything away.
    Clear,
    /// How many keys are there?
    Len,
    /// What is there?
    Entries,
}

/// What a map answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// This is, or was, under the key.
    Value(Option<u32>),
    /// Something was under the key, or nothing: of a map that does not tell what.
    Had(bool),
    /// Something was under the key, or nothing: of a map that does not tell which.
    Untold,
    /// It is empty, or was for a moment.
    Cleared,
    /// So many keys are there.
    Len(usize),
    /// These keys with these values, in the order of the keys.
    Entries(Vec<(u32, u32)>),
}

impl Map {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Map { entries: BTreeMap::new() }
    }
}

impl Model for Map {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        let before = |key: &u32| self.entries.get(key).copied();
        Response::Value(match *operation {
            Operation::Insert(key, value) => self.entries.insert(key, value),
            Operation::TryInsert(key, value) => {
                let before = before(&key);
                self.entries.entry(key).or_insert(value);
                before
            }
            Operation::Add(key, more) => {
                let before = before(&key);
                self.entries.insert(key, before.unwrap_or(0) + more);
                before
            }
            Operation::Remove(key) => self.entries.remove(&key),
            Operation::RemoveIfOdd(key) => {
                let is_odd = before(&key).is_some_and(|value| value % 2 == 1);
                if is_odd {
                    self.entries.remove(&key);
                }
                return Response::Had(is_odd);
            }
            Operation::Look(key) => before(&key),
            Operation::Clear => {
                self.entries.clear();
                return Response::Cleared;
            }
            Operation::Len => return Response::Len(self.entries.len()),
            Operation::Entries => {
                return Response::Entries(self.entries.iter().map(|(key, value)| (*key, *value)).collect());
            }
        })
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        let mut after = self.clone();
        let answer = match (after.apply(operation), response) {
            (Response::Value(before), Response::Had(_)) => Response::Had(before.is_some()),
            (Response::Value(_), Response::Untold) => Response::Untold,
            (answer, _) => answer,
        };
        (answer == *response).then_some(after)
    }
}
