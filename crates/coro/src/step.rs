//! What one resumption comes to.
#![forbid(unsafe_code)]

/// How far a coroutine came: it yielded a value and waits, or it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step<Y, R> {
    /// It yielded this and can be resumed.
    Yielded(Y),
    /// It returned this and has ended.
    Returned(R),
}

impl<Y, R> Step<Y, R> {
    /// The value that was yielded, if one was.
    pub fn yielded(self) -> Option<Y> {
        match self {
            Step::Yielded(value) => Some(value),
            Step::Returned(_) => None,
        }
    }

    /// The value that was returned, if it has ended.
    pub fn returned(self) -> Option<R> {
        match self {
            Step::Yielded(_) => None,
            Step::Returned(value) => Some(value),
        }
    }
}
