//! The same operations in several ways to wait.

use crate::Model;

/// A model whose operations say how the structure is to perform them, which is all the same to the model.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::register::{Operation::*, Register, Response::*};
/// use linearizable::models::ways::{Way, Ways};
///
/// let mut register = Ways(Register::new(1));
/// assert_eq!(register.apply(&(Way::Try, Swap(2))), Value(1));
/// assert_eq!(register.apply(&(Way::Timeout, Read)), Value(2));
/// // What may be refused is the inner model's affair.
/// assert!(register.allows(&(Way::Try, Read), &Refused).is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ways<M>(pub M);

/// How an operation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Try,
    /// As long as it takes. Only for what every scenario lets end, such as a lock that everybody releases.
    Block,
    /// For a limited time.
    Timeout,
    /// As a future that is awaited; else as [`Block`](Way::Block).
    Async,
    /// As a future that is awaited for a limited time.
    AsyncTimeout,
}

impl<M: Model> Model for Ways<M> {
    type Operation = (Way, M::Operation);
    type Response = M::Response;

    fn apply(&mut self, (_, operation): &Self::Operation) -> M::Response {
        self.0.apply(operation)
    }

    fn allows(&self, (_, operation): &Self::Operation, response: &M::Response) -> Option<Self> {
        self.0.allows(operation, response).map(Ways)
    }

    fn is_settled(&self) -> bool {
        self.0.is_settled()
    }
}
