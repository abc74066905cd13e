//! The same operations in several ways to wait.

use crate::Model;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

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

/// A model whose operations say by which of several doors, `D`, they come in: another method of the structure that does the same.
/// That is the trial's affair, and all the same to the model.
///
/// # Examples
/// ```
/// use linearizable::Model;
/// use linearizable::models::register::{Operation::*, Register, Response::*};
/// use linearizable::models::ways::Doors;
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
/// enum Door {
///     Front,
///     Back,
/// }
/// let mut register = Doors::of(Register::new(1));
/// assert_eq!(register.apply(&(Door::Front, Swap(2))), Value(1));
/// assert_eq!(register.apply(&(Door::Back, Read)), Value(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Doors<D, M> {
    model: M,
    doors: PhantomData<D>,
}

impl<D, M> Doors<D, M> {
    /// `model`, whose operations come in by these.
    #[must_use]
    pub const fn of(model: M) -> Self {
        Doors { model, doors: PhantomData }
    }
}

impl<D: Clone + fmt::Debug + Eq + Hash, M: Model> Model for Doors<D, M> {
    type Operation = (D, M::Operation);
    type Response = M::Response;

    fn apply(&mut self, (_, operation): &Self::Operation) -> M::Response {
        self.model.apply(operation)
    }

    fn allows(&self, (_, operation): &Self::Operation, response: &M::Response) -> Option<Self> {
        self.model.allows(operation, response).map(Doors::of)
    }

    fn is_settled(&self) -> bool {
        self.model.is_settled()
    }
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
