//! A map from keys to values.

use crate::Model;
use std::collections::BTreeMap;

/// A map, which tells of each change what was there before.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::map::{Map, Operation::*, Response::*};
///
/// let mut map = Map::new();
/// let answers = [Insert(1, 10), Insert(1, 11), Look(1), Remove(1), Look(1)].map(|operation| map.apply(&operation));
/// assert_eq!(answers, [Value(None), Value(Some(10)), Value(Some(11)), Value(Some(11)), Value(None)]);
///
/// assert!(map.allows(&Insert(1, 12), &Had(false)).is_some());
/// assert!(map.allows(&Insert(1, 12), &Had(true)).is_none());
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
    /// Take what is under this key away; what was there?
    Remove(u32),
    /// What is under this key?
    Look(u32),
    /// How many keys are there?
    Len,
}

/// What a map answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// This is, or was, under the key.
    Value(Option<u32>),
    /// Something was under the key, or nothing: of a map that does not tell what.
    Had(bool),
    /// So many keys are there.
    Len(usize),
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
        Response::Value(match *operation {
            Operation::Insert(key, value) => self.entries.insert(key, value),
            Operation::Remove(key) => self.entries.remove(&key),
            Operation::Look(key) => self.entries.get(&key).copied(),
            Operation::Len => return Response::Len(self.entries.len()),
        })
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        let mut after = self.clone();
        let answer = match (after.apply(operation), response) {
            (Response::Value(before), Response::Had(_)) => Response::Had(before.is_some()),
            (answer, _) => answer,
        };
        (answer == *response).then_some(after)
    }
}
