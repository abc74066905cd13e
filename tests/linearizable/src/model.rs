//! What a structure should do, as a program for one thread.

use std::fmt::Debug;
use std::hash::Hash;

/// A structure as it would be if one thread used it: the sequential specification of the literature.
///
/// The value is a state. States are compared and hashed, so two states that answer alike should be equal, and anything
/// that only counts or caches is better left out.
///
/// # Examples
/// ```
/// use linearizable::Model;
///
/// /// A counter that tells what it was before.
/// #[derive(Clone, Debug, PartialEq, Eq, Hash)]
/// struct Counter(u32);
///
/// impl Model for Counter {
///     type Operation = u32;
///     type Response = u32;
///
///     fn apply(&mut self, add: &u32) -> u32 {
///         let before = self.0;
///         self.0 += add;
///         before
///     }
/// }
/// assert_eq!(Counter(3).allows(&1, &3), Some(Counter(4)));
/// assert_eq!(Counter(3).allows(&1, &4), None);
/// ```
pub trait Model: Clone + Debug + Eq + Hash {
    /// What a thread can ask for, with its arguments.
    type Operation: Clone + Debug;
    /// What it is answered.
    type Response: Clone + Debug + PartialEq;

    /// Performs `operation` in one step and answers it. What a real structure would wait for is answered as if the time
    /// had passed at once: "nothing", "full".
    fn apply(&mut self, operation: &Self::Operation) -> Self::Response;

    /// The state after `operation`, if it may be answered by `response` in this state.
    ///
    /// The answer of [`apply`](Model::apply) is the only right one unless a model says otherwise here: a `try_lock`
    /// that may fail for no reason that the model knows, for example, is allowed to.
    fn allows(&self, operation: &Self::Operation, response: &Self::Response) -> Option<Self> {
        let mut after = self.clone();
        (after.apply(operation) == *response).then_some(after)
    }
    /// Whether a thread can be answered in this state; true unless a model says otherwise.
    ///
    /// Some operations happen at one common moment: a put and a get of a queue without places, all waits of a barrier. A
    /// model performs them one after the other, and no state between them is settled. The judge goes on from such a state
    /// until it is, with operations that are all open at the same time.
    fn is_settled(&self) -> bool {
        true
    }
}
